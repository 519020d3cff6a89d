"""Worst response times of inferences that visit several units, by hand and in ticks."""

from __future__ import annotations

from dataclasses import replace

from hetsim.bounds.response.chains import BACKLOG, Chain, Step, end_to_end
from hetsim.bounds.response.curves import TICKS, Curve, periodic
from hetsim.bounds.response.pieces import Pieces

NONE = Curve(periodic(1.0))
"""So seldom that it comes once."""


def every(period: int) -> Curve:
    return Curve(periodic(period / TICKS))


def part(unit: int, *ticks: int, restore: tuple[int, ...] = (), save: int = 0) -> Pieces:
    return Pieces(unit, ticks, restore or (0,) * len(ticks), save)


def chain(curve: Curve, priority: int, *parts: Pieces, best: tuple[int, ...] = ()) -> Chain:
    """Each partition needs the one before it and takes what it takes, or at best ``best``."""
    least = best or tuple(p.total for p in parts)
    needs = [(i - 1,) if i else () for i in range(len(parts))]
    return Chain(curve, priority, tuple(map(Step, parts, least, needs)))


def test_a_step_waits_for_what_it_needs_and_for_its_unit() -> None:
    steps = (
        Step(part(0, 9), 4), Step(part(1, 9), 7), Step(part(0, 9), 2, needs=(1,)),
        Step(part(2, 9), 1), Step(part(0, 9), 3),
    )  # fmt: skip
    found = Chain(NONE, 0, steps)
    assert [found.before(i) for i in range(5)] == [set(), set(), {0, 1}, set(), {2}]
    assert found.soonest == 7 + 2 + 3
    assert replace(found, steps=steps[:2]).soonest == 7


def test_on_one_unit_the_parts_of_an_inference_are_one_task() -> None:
    long, short = chain(NONE, 0, part(0, 4, 4), part(0, 5)), chain(NONE, 1, part(0, 1))
    # To the end of a partition: the urgent one waits for 8, and comes before the last 5.
    assert end_to_end([long, short], preempts=False) == [13 + 1, 8 + 1]
    # Between pieces, the urgent one waits for the longest of them, and pays for the switch.
    assert end_to_end([long, short], preempts=True, switch=3) == [13 + 4, 5 + 4]
    assert end_to_end([long], preempts=True, switch=3) == [13]
    level = chain(NONE, 0, part(0, 2))
    assert end_to_end([long, level], preempts=True, switch=3) == [15, 15]  # equals take nothing
    often = [chain(every(20), 0, part(0, 3)), chain(every(20), 0, part(0, 4))]
    assert end_to_end(often, preempts=False) == [7, 7]
    assert end_to_end(often, preempts=False, in_turn=False) == [7, 7]


def test_whoever_takes_a_unit_away_saves_and_fetches_what_made_room() -> None:
    low = chain(NONE, 0, part(0, 4, 4, restore=(0, 3), save=2))
    top = chain(NONE, 2, part(0, 1))
    # 2 to put away, 3 to fetch again, 5 to switch; before it a piece and its fetching, 4 + 3.
    assert end_to_end([low, top], preempts=True, switch=5) == [4 + 4 + 11, 7 + 11]
    # Two parts may each find the unit taken once more.
    twice = chain(NONE, 2, part(0, 1), part(0, 2, 3))
    assert end_to_end([low, twice], preempts=True, switch=5)[1] == 7 + 6 + 2 * 10
    # Whoever has the dearest to put away counts, if it is less urgent.
    mid = chain(NONE, 1, part(0, 2, restore=(9,), save=9))
    found = end_to_end([low, mid, top], preempts=True, switch=5)
    # The middle one's piece is 2 + 9, or begins 2 + 10; it pays 10, the top one 5 + 9 + 9.
    assert found == [8 + (2 + 10) + (1 + 23), 7 + (2 + 10) + (1 + 23), 12 + (1 + 23)]


def test_each_unit_delays_a_chain_by_who_is_there() -> None:
    both = chain(every(100), 0, part(0, 2), part(1, 3))
    here, there = chain(every(100), 1, part(0, 1)), chain(every(100), 1, part(1, 4))
    assert end_to_end([both, here, there], preempts=False) == [2 + 1 + 3 + 4, 1 + 2, 4 + 3]
    # Where some are held back only all work together counts, behind a piece of what is less
    # urgent or with all of it.
    assert end_to_end([both, here, there], preempts=False, in_turn=False) == [10, 10, 10]


def test_pieces_of_what_is_less_urgent_count_once_for_each_visit_or_all_of_it_once() -> None:
    low = chain(every(1000), 0, part(0, 2, 2, 2), part(1, 3))
    here, there = chain(every(1000), 1, part(0, 1)), chain(every(1000), 1, part(1, 2))
    held = end_to_end([low, here, there], preempts=True, in_turn=False)
    assert held == [12, (1 + 2) + (2 + 3), (1 + 2) + (2 + 3)]  # and not all twelve
    fro = chain(every(1000), 1, *(part(i % 2, 1) for i in range(4)))
    long = chain(every(1000), 0, part(0, 5), part(1, 5))
    held = end_to_end([long, fro], preempts=True, in_turn=False)
    assert held == [14, 4 + 10]  # and not 4 + 4 * 5


def test_a_piece_that_begins_is_ended_whatever_comes() -> None:
    """Urgent ones come every 4: at 0, and at 4 in the piece of 5 that ends at 6; then the last."""
    mid, top = chain(NONE, 0, part(0, 5, 1)), chain(every(4), 1, part(0, 1))
    assert end_to_end([mid, top], preempts=True) == [1 + 5 + 1 + 1, 5 + 1]


def test_whoever_takes_a_unit_away_may_hold_it_until_its_first_piece_has_ended() -> None:
    """Each of its partitions may begin by taking the unit, which costs 5 to switch."""
    low, mid = chain(NONE, 0, part(0, 3)), chain(NONE, 1, part(0, 1, 2), part(0, 4, 1))
    top = chain(NONE, 2, part(0, 1))
    assert end_to_end([low, mid, top], preempts=True, switch=5)[2] == (4 + 5) + (1 + 5)


def test_on_several_units_equals_come_in_any_order() -> None:
    """Of those that take 3 every 6 two go before what takes 2, with what takes 4 in between."""
    slow = chain(every(40), 0, part(0, 2), part(1, 1))
    quick = chain(every(6), 0, part(0, 3))
    other = chain(every(40), 0, part(0, 4))
    assert end_to_end([slow, quick, other], preempts=False) == [
        3 + 4 + 3 + 2 + 1, 2 + 4 + 3, 2 + 3 + 4,
    ]  # fmt: skip


def spreading(best: int) -> list[int | None]:
    """A chain of 10 and 5 ticks each 12, above what takes 3 ticks on the second unit."""
    chained = chain(every(12), 1, part(0, 10), part(1, 5), best=(best, 5))
    return end_to_end([chained, chain(NONE, 0, part(1, 3))], preempts=False)


def test_what_may_end_early_comes_close_together() -> None:
    """Second parts come 10 after an arrival at the latest, and as soon as the first part allows.

    If that takes 4 they are 12 - 6 apart, and one goes before what takes 3; if it takes 3 they are
    12 - 7 apart, and the second comes as the first one ends.
    """
    assert spreading(best=4) == [10 + 3 + 5, 5 + 3]
    assert spreading(best=3) == [10 + 3 + 5, 5 + 5 + 3]


def test_a_backlog_of_very_many_is_no_bound() -> None:
    """Every 10 ticks an inference of a tick on each unit, behind 638 ticks and more."""
    assert BACKLOG == 64

    def behind(ticks: int) -> list[int | None]:
        often = chain(every(10), 0, part(0, 1), part(1, 1))
        return end_to_end([often, chain(NONE, 1, part(0, ticks))], preempts=False)

    assert behind(638) == [640, 639]  # everybody's work, one after the other
    # One more is 64 periods and a tick in a line, yet 640 on the first unit, whence 64 come at
    # once to the second.
    assert behind(639) == [640 + 64, 640]
    assert behind(640) == [None, 641]
