"""Earliest ends along dependencies, by hand: joins, what windows count, and what leaves them."""

from __future__ import annotations

from math import inf

import pytest

from hetsim.bounds.floors import Floors, Least
from hetsim.bounds.relaxation import (
    JOINT_OPTIONS,
    Input,
    Window,
    closings,
    exit_seconds,
    hand_over_seconds,
    join,
    producers,
)
from tests.bounds.labelled import network

CALL, FIXED = 1.0, 0.5


def far(end: float, crossing: float) -> Input:
    """What only another unit can make."""
    return Input(0, inf, inf, ((end, crossing),))


def both(here: float, own: float, *elsewhere: tuple[float, float]) -> Input:
    return Input(0, own, here, elsewhere)


def test_a_join_takes_the_better_of_near_and_far() -> None:
    assert join([both(5.0, 3.0, (2.0, 1.0))], 0.0, CALL, FIXED) == 2 + CALL + FIXED + 1
    assert join([both(5.0, 3.0, (3.0, 1.0))], 0.0, CALL, FIXED) == 5.0
    assert join([both(9.0, 3.0, (6.0, 1.0), (3.0, 2.0))], 0.0, CALL, FIXED) == 3 + 1.5 + 2
    assert join([both(5.0, 3.0, (2.0, 1.0))], 7.0, CALL, FIXED) == 7.0


def test_crossings_wait_for_the_last_foreign_input_and_follow_one_another() -> None:
    assert join([far(4.0, 2.0), far(6.0, 3.0)], 0.0, CALL, FIXED) == 6 + CALL + FIXED + 2 + 3


def test_a_near_producer_runs_before_the_crossings_or_after_them() -> None:
    # Before: it ends at 9, then 1.5 + 2 of crossings. After: those from 4 on, then 6 of its own.
    assert join([both(9.0, 6.0), far(4.0, 2.0)], 0.0, CALL, FIXED) == min(9 + 3.5, 4 + 3.5 + 6)
    # A short one fits behind the crossings.
    assert join([both(9.0, 1.0), far(6.0, 2.0)], 0.0, CALL, FIXED) == 6 + 3.5 + 1
    # It cannot end sooner than it does, whatever is brought meanwhile.
    assert join([both(90.0, 1.0), far(6.0, 2.0)], 0.0, CALL, FIXED) == 90.0


def test_joins_of_very_many_inputs_are_bounded_one_by_one() -> None:
    six = [both(50.0, 9.0, (4.0, 1.0))] * 6  # 64 combinations
    assert JOINT_OPTIONS == 64
    assert join(six, 0.0, CALL, FIXED) == 4 + CALL + FIXED + 6
    assert join([*six, both(50.0, 9.0, (4.0, 1.0))], 0.0, CALL, FIXED) == 4 + 1 + CALL
    # Those that must come from elsewhere come one after the other all the same.
    must = [far(4.0, 2.0), Input(0, inf, inf, ((5.0, 4.0), (9.0, 3.0)))]
    assert join([*six, *must], 0.0, CALL, FIXED) == 5 + CALL + FIXED + 2 + 3
    assert join([*six, *must, both(14.0, 9.0)], 0.0, CALL, FIXED) == 14.0
    assert join([*six, *must], 30.0, CALL, FIXED) == 30.0
    assert join([*six, *must, Input(0, inf, inf, ())], 0.0, CALL, FIXED) == inf


def test_what_must_happen_inside_a_window() -> None:
    window = Window((2, 3), known={0: 0, 1: 1}, cut=1)
    at_start = Window((0, 1))
    assert all(at_start.counts(producer, pu) for producer in (None, 0) for pu in (0, 1))
    assert window.counts(1, 0)  # from the cut itself
    assert window.counts(1, 1)
    assert window.counts(2, 1)  # made inside
    assert window.counts(0, 0)  # not where the cut ran: no partition there has begun
    assert not window.counts(0, 1)
    assert window.counts(None, 0)
    assert not window.counts(None, 1)


def floors(*rows: tuple[float | Least, ...], **options: object) -> Floors:
    """Tolls of a tensor: 2 s from unit to unit, 0.25 s in, and 0.75 s out to the application."""

    def toll(tensor: str, source: int | None, target: int | None) -> Least:
        return Least(
            0.25 if source is None else 0.75 if target is None else 2.0 * (source != target)
        )

    ops = tuple(tuple(s if isinstance(s, Least) else Least(s) for s in row) for row in rows)
    settings = {
        "call": CALL, "leave": ((0.125, 0.5),) * len(rows), "awake": (False, False),
        "handing": lambda tensor, source: Least(0.0625),
    } | options  # fmt: skip
    return Floors(ops, toll, **settings)  # type: ignore[arg-type]


def test_each_tensor_is_read_once_from_who_made_it() -> None:
    graph = network((), (), (0, 1, 0), results=2)
    assert producers(graph, 0) == {None: ["x"]}
    assert producers(graph, 2) == {0: ["t0"], 1: ["t1"]}


def test_results_leave_after_the_unit_tells_and_the_host_has_brought_them() -> None:
    graph, known = network((), (0,), outputs=(0,)), floors((3.0, 1.0), (3.0, 1.0))
    assert exit_seconds(graph, known, 0, 1) == 0.5 + 0.75
    assert hand_over_seconds(known, 0, ["t0", "t1"], 1) == 0.5 + 2 * 0.0625
    inner = network((), (0,))
    assert exit_seconds(inner, known, 0, 0) == 0.125


def test_a_chain_begins_with_a_call_and_ends_back_at_the_application() -> None:
    graph, known = network((), (0,)), floors((3.0, 5.0), (9.0, 1.0))
    window = Window((0, 1))
    stay = CALL + 0.25 + 3 + 9 + 0.125 + 0.75
    change = CALL + 0.25 + 3 + (0.125 + 0.0625) + CALL + 2 + 1 + 0.5 + 0.75
    other = CALL + 0.25 + 5 + 1 + 0.5 + 0.75
    assert closings(graph, known, window) == pytest.approx([stay, min(change, other)])
    assert min(change, other) == other
    first = Window((0, 1), fixed={0: 0})
    assert closings(graph, known, first) == pytest.approx([stay, change])
    # Without its end, the window closes where its last operator does.
    inner = Window((0, 1), fixed={0: 0}, last=False)
    assert closings(graph, known, inner) == pytest.approx(
        [stay - 0.125 - 0.75, change - 0.5 - 0.75]
    )
    assert closings(graph, known, Window((0, 1), fixed={1: 0}))[1] == inf


def test_a_window_is_open_until_its_last_branch_is_back() -> None:
    """The second branch is short: on whatever unit it runs, the first one is what takes long."""
    graph, known = network((), ()), floors((7.0, 9.0), (1.0, 2.0))
    long = CALL + 0.25 + 7 + 0.125 + 0.75
    assert closings(graph, known, Window((0, 1))) == pytest.approx([long, long])
    alone = floors((7.0, 9.0), (1.0, 11.0))
    assert closings(graph, alone, Window((0, 1))) == pytest.approx(
        [long, CALL + 0.25 + 11 + 0.5 + 0.75]
    )


def test_after_a_cut_only_what_crosses_it_begins_a_partition() -> None:
    graph = network((), (0,), (0, 1), (2,))
    known = floors((1.0, 1.0), (1.0, 1.0), (4.0, 6.0), (1.0, 1.0))
    window = Window((2,), known={0: 0, 1: 1}, cut=1, last=False)
    # On unit 1 the cut's partition goes on, and has what it needs of the other.
    # On unit 0 both are brought, the one from where it is, in a partition of its own.
    begun = 0.5 + 0.0625 + CALL
    assert closings(graph, known, window) == pytest.approx([begun + 2 + 4, 6.0])
    # What ran with the cut on unit 1 is brought from there to unit 0, too.
    with_it = Window((2,), known={0: 1, 1: 1}, cut=1, last=False)
    assert closings(graph, known, with_it) == pytest.approx([begun + 2 + 2 + 4, 6.0])
    fresh = network((), (), (0, 1))
    begins = Window((1,), known={0: 1}, cut=0, last=False)
    # The application's input: brought into a new partition, or before the window.
    assert closings(fresh, floors(*[(4.0, 6.0)] * 3), begins) == pytest.approx([4.25, 6.0])


def test_a_neighbour_makes_an_operator_quicker_where_it_ran() -> None:
    graph = network((), (0,))
    quick = Least(9.0, ((0, 2.0),))
    known = floors((3.0, 1.0), (quick, Least(inf, ((0, 2.5),))))
    start = CALL + 0.25
    near, second = start + 3 + 2, start + 1 + 2.5
    assert closings(graph, known, Window((0, 1), last=False)) == pytest.approx([near, second])
    apart = Window((0, 1), fixed={0: 1}, last=False)
    away = start + 1 + (0.5 + 0.0625) + CALL + 2 + 9
    assert closings(graph, known, apart) == pytest.approx([away, second])
    # Known to be elsewhere it is no neighbour, and what runs only beside it does not run.
    cut = Window((1,), known={0: 0}, cut=0, last=False)
    assert closings(graph, known, cut) == pytest.approx([2.0, inf])


def test_a_near_producer_is_run_after_the_crossings_of_others() -> None:
    """Unit 0 runs the first two until 7.25, or the second once it has what unit 1 made."""
    graph = network((), (0,), (), (1, 2))
    known = floors((5.0, inf), (1.0, inf), (inf, 2.0), (1.0, inf))
    there = CALL + 0.25 + 2 + (0.5 + 0.0625)
    start = there + CALL + 2 + 1
    assert CALL + 0.25 + 5 + 1 < start < CALL + 0.25 + 5 + 1 + CALL + 2
    window = Window((0, 1, 2, 3), last=False)
    assert closings(graph, known, window)[0] == pytest.approx(start + 1)
