"""What a search counts, when it cools, and how several networks share one budget."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from hetsim.plan.union import Union
from hetsim.schedulers.partition_tuner.scheduler import PartitionTuner
from hetsim.schedulers.search import regions, search
from hetsim.schedulers.search.campaign import Campaign, Ground, begin, best_plan, run
from hetsim.schedulers.search.chain import Stretch, Walker, walk
from hetsim.schedulers.search.genome import encode
from hetsim.schedulers.search.judge import NEVER, Draft, Piece, Verdict, plan_of
from hetsim.schedulers.search.moves import Moves
from hetsim.schedulers.search.parameters import CHOICES, MENDED, descend, published
from hetsim.schedulers.search.regions import boundaries, draw_regions
from hetsim.schedulers.search.search import SearchState
from hetsim.schedulers.search.several import SeveralSpace
from hetsim.schedulers.search.space import Space
from hetsim.soc.loader import load_soc
from hetsim.workload.rewrite import Rewrite
from hetsim.workload.synthetic import chain_graph

SOC = load_soc("zcu102-vta")
GRAPH = chain_graph(6)
SPACE = Space(GRAPH, SOC)


class Counting:
    """Every operator takes a second of the CPU or two of the NPU, every partition a tenth."""

    def __init__(self) -> None:
        self.asked = 0
        self.limits: list[float] = []

    def judge(self, draft: Draft, worthless_above: float = NEVER) -> Verdict:
        self.asked += 1
        self.limits.append(worthless_above)
        work = sum((1.0 + piece.pu) * len(piece.operators) for piece in draft.pieces)
        return Verdict(work + 0.1 * len(draft.pieces))


def alone(pu: int) -> Draft:
    return Draft((Piece(pu, tuple(range(len(GRAPH)))),))


def plan(pu: int, *rewrites: Rewrite):
    return replace(plan_of(GRAPH, SOC, alone(pu), "test"), rewrites=rewrites)


OTHERS = [Rewrite("merge", (f"a{i}", f"b{i}")) for i in range(3)]
"""Names of networks; here all are searched as one and the same."""


def test_every_plan_judged_is_counted_once():
    judge = Counting()
    ground = Ground(SPACE, judge)
    plans = [plan(0), plan(1), *(plan(1, other) for other in OTHERS)]
    begun = begin(lambda _: ground, plans, 50)
    assert begun.evaluations == judge.asked
    assert len(begun.searches) == 2  # of four networks
    done = run(lambda _: ground, begun, 0, 120)
    assert done.evaluations == judge.asked <= 120
    assert done.spent == begun.spent > 0


def test_the_curve_holds_gains_alone():
    ground = Ground(SPACE, Counting())
    both = begin(lambda _: ground, [plan(1), plan(1, OTHERS[0])], 10**6)
    assert both.curve == ((1, 12.1),)  # the second network's plan is as good, no better
    better = begin(lambda _: ground, [plan(1), plan(0, OTHERS[0])], 10**6)
    assert better.curve == ((1, 12.1), (2, 6.1))
    worse = begin(lambda _: ground, [plan(0), plan(1, OTHERS[0])], 10**6)
    assert worse.curve == ((1, 6.1),)
    assert (worse.seconds, worse.rewrites[worse.leader]) == (6.1, ())
    done = run(lambda _: ground, begin(lambda _: ground, [plan(1)], 400), 3, 400)
    counts, seconds = zip(*done.curve, strict=True)
    assert list(counts) == sorted(set(counts))
    assert list(seconds) == sorted(set(seconds), reverse=True)
    assert seconds[-1] == done.seconds == pytest.approx(6.1)  # all on the CPU, the optimum
    assert {p.pu for p in best_plan(lambda _: ground, done, "s").partitions} == {SOC.pus[0].name}


def test_every_fourth_round_goes_to_each_search_in_turn() -> None:
    """All others to the one that is ahead, here the second of three."""

    def following(*rounds: int) -> int:
        start = encode(alone(0), len(GRAPH))
        searches = tuple(
            SearchState(start, seconds, seconds, rounds=n)
            for n, seconds in zip(rounds, (2.0, 1.0, 3.0), strict=True)
        )
        return Campaign(((),) * 3, searches).following

    turns = [following(0, n, 0) for n in range(16)]
    assert turns == [1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 0]
    assert following(1, 5, 5) == 2  # eleven in all, whoever did them


@pytest.mark.slow
def test_a_short_search_is_the_beginning_of_a_long_one(monkeypatch):
    monkeypatch.setattr(search, "STRETCH", 10)  # else a single round takes all of a small budget
    ground = Ground(SPACE, Counting())

    def curve(budget: int) -> list[tuple[int, float]]:
        campaign = run(lambda _: ground, begin(lambda _: ground, [plan(1)], budget), 3, budget)
        return [gain for gain in campaign.curve if gain[0] <= 100]

    assert len(curve(200)) > 2
    assert curve(200) == curve(500)


def test_a_chain_that_has_cooled_takes_nothing_worse():
    """What is allowed above the last makespan follows the temperature, whatever its scale."""

    def limits(hot: float, cold: float) -> list[float]:
        judge = Counting()
        start = encode(alone(0), len(GRAPH))
        walker = Walker(start, alone(0), 6.1, start, 6.1)
        # What it does is never better here, so it stays where it began unless heat lets it go.
        walk(Moves(SPACE), judge, walker, Stretch("s", 40, hot, cold))
        return judge.limits

    frozen = limits(0.5, 0.0)  # all of it lost after the first step
    assert frozen[0] > 6.1
    assert set(frozen[1:]) == {6.1}
    assert min(limits(0.5, 0.5)) > 6.1
    assert set(limits(0.0, 0.0)) == {6.1}


def test_heat_falls_by_the_same_factor_at_every_plan_judged():
    class Refusing(Counting):
        def judge(self, draft: Draft, worthless_above: float = NEVER) -> Verdict:
            super().judge(draft, worthless_above)
            return Verdict(NEVER)

    def heats(hot: float, cold: float) -> list[float]:
        judge = Refusing()
        start = encode(alone(0), len(GRAPH))
        walker = Walker(start, alone(0), 6.1, start, 6.1)
        done = walk(Moves(SPACE), judge, walker, Stretch("s", 20, hot, cold))
        assert (done.evaluations, done.improved, walker.seconds) == (20, [], 6.1)
        return [limit - 6.1 for limit in judge.limits]

    steady = heats(1.0, 1.0)
    for hot, cold in ((1.0, 0.01), (0.5, 0.5), (0.5, 0.05)):
        fall = (cold / hot) ** (1 / 20)
        expected = [hot * heat * fall**k for k, heat in enumerate(steady)]
        assert heats(hot, cold) == pytest.approx(expected, rel=1e-9)


def test_regions_lie_anywhere_and_are_as_long_as_drawn():
    space = Space(chain_graph(90), SOC)
    assert boundaries(space) == list(range(0, 91, 2))
    drawn = [draw_regions(space, Random(seed), 1) for seed in range(60)]
    assert len({begin for ((begin, _),) in drawn}) > 15
    assert {end - begin for ((begin, end),) in drawn} == set(regions._SIZES)
    sides: set[str] = set()
    for seed in range(300):
        (first,) = draw_regions(space, Random(seed), 1)
        for low, high in set(draw_regions(space, Random(seed), 2)) - {first}:
            assert high <= first[0] or low >= first[1]
            sides |= {"before"} if high == first[0] else {"behind"} if low == first[1] else set()
    assert sides == {"before", "behind"}  # they may touch


def test_no_order_mixes_networks_that_wait_for_each_other():
    parts = [chain_graph(3), chain_graph(4)]
    several = Union({"a": parts[0], "b": parts[1]})
    space = SeveralSpace(several.graph, parts, SOC)
    assert space.ancestors[:3] == space.parts[0].ancestors == (0b0, 0b1, 0b11)
    assert space.ancestors[3:] == tuple(0b111 | a << 3 for a in space.parts[1].ancestors)


def test_pieces_fuse_unless_told_otherwise():
    (partition,) = plan(0).partitions
    assert partition.fuse
    apart = Draft((Piece(0, tuple(range(len(GRAPH))), fuse=False),))
    assert not plan_of(GRAPH, SOC, apart, "test").partitions[0].fuse


def test_what_is_tried_holds_the_published_and_the_mended_choice():
    names = set(CHOICES)
    assert names == set(MENDED) == set(published())
    for name, choices in CHOICES.items():
        assert len(set(choices)) == len(choices) > 1, name
        assert published()[name] in choices, name
        assert MENDED[name] in choices, name
        assert MENDED[name] != published()[name], name  # each choice is taken
        for choice in choices:
            PartitionTuner(**{name: choice})
    assert 0.0 in CHOICES["switch_penalty_us"]  # nobody has to pay for a change of PU


def test_the_first_of_equal_parameters_stays():
    assert descend(lambda several: [1.0] * len(several)) == (published(), 1.0)
    assert descend(lambda several: [1.0] * len(several), pairs=True) == (published(), 1.0)
