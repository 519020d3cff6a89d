"""Rounds of a search step by step: what is judged, kept and put together, with made-up worths."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import pytest

from hetsim.errors import PlanError, SchedulerError
from hetsim.plan.union import Union
from hetsim.schedulers.base import Problem
from hetsim.schedulers.registry import BUILT_IN, create
from hetsim.schedulers.search import regions, search, starts
from hetsim.schedulers.search.chain import Stretch, Walker, walk
from hetsim.schedulers.search.genome import Genome, decode, encode
from hetsim.schedulers.search.judge import (
    NEVER,
    Draft,
    Piece,
    PlanJudge,
    Verdict,
    draft_of,
    plan_of,
)
from hetsim.schedulers.search.moves import Moves
from hetsim.schedulers.search.parameters import CHOICES, MENDED, descend, published
from hetsim.schedulers.search.regions import blocks, boundaries, draw_regions
from hetsim.schedulers.search.search import (
    Outcome,
    SearchState,
    Task,
    finish_round,
    perform,
    plan_round,
    start,
)
from hetsim.schedulers.search.several import SeveralSpace
from hetsim.schedulers.search.space import Space
from tests.schedulers.fakes import make_graph, make_problem, make_soc
from tests.schedulers.test_genome import genome_of

SOC = make_soc(npus=1)
LINE = make_graph({f"n{i}": [f"n{i - 1}"] if i else [] for i in range(4)})
SPACE = Space(LINE, SOC)


class Worth:
    """Judges by the units of the operators; what ``score`` calls infinite cannot run."""

    def __init__(self, score: Callable[[list[int]], float], *, exact: bool = True) -> None:
        self.score = score
        self.exact = exact
        self.asked: list[tuple[list[int], float]] = []

    def judge(self, draft: Draft, worthless_above: float = NEVER) -> Verdict:
        at = {op: piece.pu for piece in draft.pieces for op in piece.operators}
        pus = [at[op] for op in sorted(at)]
        self.asked.append((pus, worthless_above))
        return Verdict(self.score(pus), self.exact)


def on_cpu(pus: Iterable[int]) -> float:
    """A second for each operator on the CPU, two for each on the NPU."""
    return float(sum(1 + pu for pu in pus))


def draft(*pus: int) -> Draft:
    found = decode(SPACE, genome_of(pus))
    assert found is not None
    return found


def test_a_search_starts_from_the_best_and_takes_better_regions_of_the_others() -> None:
    """Each operator is a region. The best has two on the CPU, the other one more."""
    judge = Worth(on_cpu)
    given = [draft(1, 1, 0, 0), draft(0, 1, 1, 1), draft(1, 1, 0, 0)]
    state = start(SPACE, judge, given, 100)
    assert state.initial_s == 6.0
    assert state.seconds == 5.0
    assert state.best.pu == [0, 1, 0, 0]
    # Two that were given, without the double; then the other's n0, which helps, its n2 and n3,
    # which do not, and not its n1, which is the same.
    assert [pus for pus, _ in judge.asked] == [
        [1, 1, 0, 0], [0, 1, 1, 1], [0, 1, 0, 0], [0, 1, 1, 0], [0, 1, 0, 1]
    ]  # fmt: skip
    assert [limit for _, limit in judge.asked[2:]] == [6.0, 5.0, 5.0]
    assert state.evaluations == 5
    assert state.curve == ((2, 6.0), (3, 5.0))
    assert (state.rounds, state.exhausted) == (0, False)


def test_a_start_keeps_to_its_budget_but_judges_all_it_is_given() -> None:
    given = [draft(1, 1, 0, 0), draft(0, 0, 1, 1)]
    for budget, evaluations, seconds in ((0, 2, 6.0), (2, 2, 6.0), (3, 3, 5.0), (4, 4, 4.0)):
        state = start(SPACE, Worth(on_cpu), given, budget)
        assert (state.evaluations, state.seconds) == (evaluations, seconds)


def test_what_cannot_run_is_no_start() -> None:
    never = Worth(lambda pus: NEVER)
    for given in ([], [draft(0, 0, 0, 0)]):
        with pytest.raises(PlanError):
            start(SPACE, never, given, 10)
    half = Worth(lambda pus: NEVER if pus[0] else on_cpu(pus))
    assert start(SPACE, half, [draft(1, 0, 0, 0), draft(0, 1, 1, 1)], 2).seconds == 7.0


def state_of(*pus: int, evaluations: int = 10, rounds: int = 0) -> SearchState:
    return SearchState(
        encode(draft(*pus), 4), on_cpu(pus), 8.0, evaluations, rounds, ((10, on_cpu(pus)),)
    )


def test_a_round_shares_what_is_left_and_cools_by_the_size_of_a_region(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[int] = []

    def two(space: Space, draw: Random, count: int) -> list[tuple[int, int]]:
        drawn.append(count)
        return [(0, 1), (1, 4)]

    monkeypatch.setattr(search, "draw_regions", two)
    monkeypatch.setattr(SPACE, "heats", (0.5,))
    state = state_of(1, 1, 1, 1, rounds=3)
    tasks = plan_round(SPACE, state, "s", 110)
    assert drawn == [4]
    assert [task.region for task in tasks] == [(0, 1), (1, 4)]
    # Of 100 left half each, one of them for putting together. Heat: 0.5 of 8 s by share.
    assert [task.stretch for task in tasks] == [
        Stretch("s/3/0", 49, 0.5 * 8 * 0.25, 0.5 * 8 * 0.25 * 0.01),
        Stretch("s/3/1", 49, 0.5 * 8 * 0.75, 0.5 * 8 * 0.75 * 0.01),
    ]
    assert all((t.genome, t.seconds) == (state.best, 8.0) for t in tasks)
    assert [t.stretch.evaluations for t in plan_round(SPACE, state, "s", 10**6)] == [400, 400]
    plan_round(SPACE, state, "s", 16)
    plan_round(SPACE, state, "s", 15)
    assert drawn[2:] == [3, 2]


def test_no_round_without_a_budget_or_a_choice() -> None:
    assert plan_round(SPACE, state_of(1, 1, 1, 1), "s", 11) == []
    assert len(plan_round(SPACE, state_of(1, 1, 1, 1), "s", 12)) == 1
    exhausted = SearchState(encode(draft(0, 0, 0, 0), 4), 4.0, 4.0, exhausted=True)
    assert plan_round(SPACE, exhausted, "s", 10**6) == []


def test_gains_of_a_round_are_put_together_where_they_hold() -> None:
    state = state_of(1, 1, 1, 1)  # 8 s

    def outcome(seconds: float, region: tuple[int, int], *pus: int) -> Outcome:
        return Outcome(genome_of(pus), seconds, 20, region)

    judge = Worth(on_cpu)
    after = finish_round(
        SPACE, judge, state,
        [outcome(7.0, (0, 1), 0, 1, 1, 1), outcome(8.0, (1, 2), 1, 0, 1, 1),
         outcome(6.0, (2, 4), 0, 0, 0, 0)],
    )  # fmt: skip
    # n0 of the first, nothing of the second, which gained nothing, n2 and n3 of the third.
    assert after.best.pu == [0, 1, 0, 0]
    assert [limit for _, limit in judge.asked] == [8.0, 7.0]
    assert (after.seconds, after.evaluations, after.rounds) == (5.0, 10 + 3 * 20 + 2, 1)
    assert after.curve == ((10, 8.0), (31, 7.0), (72, 5.0))
    assert not after.exhausted
    # Together they are no better, or a bound says so: nothing is taken.
    for worse in (Worth(lambda pus: 8.0), Worth(on_cpu, exact=False)):
        kept = finish_round(SPACE, worse, state, [outcome(7.0, (0, 1), 0, 1, 1, 1)])
        assert (kept.best, kept.seconds, kept.evaluations) == (state.best, 8.0, 31)
    # Chains that find nothing to judge end the search.
    idle = finish_round(SPACE, judge, state, [Outcome(state.best, 8.0, 0, (0, 1))])
    assert idle.exhausted
    assert idle.rounds == 1


def test_a_task_searches_its_region_alone() -> None:
    start_at = encode(draft(1, 1, 1, 1), 4)
    judge = Worth(on_cpu)
    task = Task(start_at, 8.0, (1, 3), Stretch("s", 60, 0.1, 0.001))
    found = perform(SPACE, judge, task)
    assert found.genome.pu == [1, 0, 0, 1]
    assert (found.seconds, found.evaluations, found.region) == (6.0, 60, (1, 3))
    assert {(pus[0], pus[3]) for pus, _ in judge.asked} == {(1, 1)}


def walked(judge: Any, space: Space, evaluations: int, hot: float = 0.0) -> tuple[Any, Walker]:
    pus = (1,) * len(space.graph)
    genome = genome_of(pus)
    at = decode(space, genome)
    assert at is not None
    walker = Walker(genome, at, 8.0, genome, 8.0)
    return walk(Moves(space), judge, walker, Stretch("s", evaluations, hot, hot)), walker


def test_a_chain_goes_on_from_what_it_takes_and_remembers_its_best() -> None:
    """Heated it wanders; frozen it takes what is as good or better."""
    judge = Worth(on_cpu)
    journey, walker = walked(judge, SPACE, 300, hot=2.0)
    gains = [seconds for _, seconds in journey.improved]
    assert gains == sorted(gains, reverse=True)
    assert len(set(gains)) == len(gains)
    assert (walker.best_seconds, on_cpu(walker.best.pu)) == (4.0, 4.0)
    assert (journey.evaluations, len(judge.asked)) == (300, 300)
    assert any(on_cpu(pus) > 4.0 for pus, _ in judge.asked[-50:])
    counts = [count for count, _ in journey.improved]
    assert [on_cpu(judge.asked[count - 1][0]) for count in counts] == gains
    _, walker = walked(Worth(on_cpu), SPACE, 300)
    assert walker.seconds == walker.best_seconds == 4.0
    assert decode(SPACE, walker.genome) == walker.draft


def test_a_chain_never_takes_a_bound_or_what_cannot_run() -> None:
    for judge in (Worth(lambda pus: 1.0, exact=False), Worth(lambda pus: NEVER)):
        journey, walker = walked(judge, SPACE, 30, hot=1e9)
        assert journey.improved == []
        assert walker.draft == draft(1, 1, 1, 1)
        assert (walker.seconds, walker.best_seconds) == (8.0, 8.0)
        assert journey.evaluations == 30


def test_a_chain_ends_where_every_change_means_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """After twenty proposals for each plan it may judge; on the way it takes what it is told."""
    proposed = []
    original = Moves.propose

    def propose(self: Moves, draw: Random, genome: Genome) -> Genome:
        proposed.append(original(self, draw, genome))
        return proposed[-1]

    monkeypatch.setattr(Moves, "propose", propose)
    single = Space(make_graph({"s": []}, {"s": "Softmax"}), make_soc(npus=0))
    genome = genome_of([0])
    at = decode(single, genome)
    assert at is not None
    walker = Walker(genome, at, 8.0, genome, 8.0)
    journey = walk(Moves(single), Worth(on_cpu), walker, Stretch("s", 5, 0.0, 0.0))
    assert (journey.evaluations, len(proposed)) == (0, 100)
    assert walker.genome is proposed[-1]


def test_regions_begin_and_end_behind_cuts_that_tear_no_chain() -> None:
    soc = make_soc(npus=1, npu_operators={"Conv": {}, "Relu": {}}, npu_fuse=["Conv-Relu"])
    edges = {"a": [], "r": ["a"], "b": ["r"], "c": ["b"], "d": ["b"], "e": ["c", "d"]}
    space = Space(make_graph(edges, {"r": "Relu"}), soc)
    assert space.cuts == (0, 1, 2, 5)
    assert boundaries(space) == [0, 2, 3, 6]
    assert blocks(space) == [(0, 2), (2, 3), (3, 6)]
    assert set(draw_regions(space, Random(0), 1)) == {(0, 6)}  # eight operators at least, if there


def test_regions_grow_about_what_has_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of twenty in a line the NPU runs the one at 12 alone, so every region holds it."""
    edges = {f"n{i}": [f"n{i - 1}"] if i else [] for i in range(20)}
    kinds = {name: "Conv" if name == "n12" else "Softmax" for name in edges}
    space = Space(make_graph(edges, kinds), SOC)
    monkeypatch.setattr(regions, "_SIZES", (3,))
    drawn = [draw_regions(space, Random(seed), 3) for seed in range(40)]
    assert {len(several) for several in drawn} == {1}  # all three hold it, so they overlap
    assert {several[0] for several in drawn} == {(10, 13), (11, 14), (12, 15)}
    nothing = Space(make_graph(edges, dict.fromkeys(edges, "Softmax")), SOC)
    drawn = [draw_regions(nothing, Random(seed), 2) for seed in range(40)]
    found = {region for several in drawn for region in several}
    assert {end - begin for begin, end in found} == {3}
    assert len(found) > 10
    assert {len(several) for several in drawn} == {1, 2}


def test_several_networks_stand_one_after_the_other() -> None:
    parts = [make_graph({"a": [], "b": ["a"]}), make_graph({"c": [], "d": [], "e": ["c", "d"]})]
    several = SeveralSpace(Union({"one": parts[0], "two": parts[1]}).graph, parts, SOC)
    assert several.begins == {2}
    assert several.edges == [0, 2, 5]
    assert several.cuts == (0, 1, 4)
    assert several.ancestors == (0b0, 0b1, 0b11, 0b11, 0b1111)
    found = decode(several, genome_of([0, 0, 0, 1, 1]))
    assert found is not None
    assert several.apart(found) == (
        Draft((Piece(0, (0, 1)),)), Draft((Piece(0, (0,)), Piece(1, (1, 2)))),
    )  # fmt: skip
    plain = Draft((Piece(1, (4,), False), Piece(0, (1,))))
    assert several.apart(plain) == (Draft((Piece(0, (1,)),)), Draft((Piece(1, (2,), False),)))


def test_drafts_and_plans_are_two_ways_to_say_the_same() -> None:
    graph = make_graph({"a": [], "b": [], "c": []})
    said = Draft((Piece(1, (1,)), Piece(0, (0,), False), Piece(1, (2,))), ((0, 1),))
    plan = plan_of(graph, SOC, said, "me")
    assert [(p.name, p.pu, p.operators, p.fuse) for p in plan.partitions] == [
        ("p0", "npu", ("b",), True), ("p1", "cpu", ("a",), False), ("p2", "npu", ("c",), True),
    ]  # fmt: skip
    assert plan.parallel_groups == (("p0", "p1"),)
    assert plan.scheduler == "me"
    assert draft_of(graph, SOC, plan) == said
    turned = type(plan)(plan.model, plan.partitions, (("p1", "p0"),))
    assert draft_of(graph, SOC, turned).groups == ((0, 1),)
    judge = PlanJudge(graph, SOC, lambda plan: 0.5 * len(plan.partitions))
    assert judge.judge(said, 0.1) == Verdict(1.5, True)


def test_a_search_starts_from_all_that_decide_quickly_and_by_themselves() -> None:
    names = starts.start_names()
    assert set(BUILT_IN) - set(names) == {
        "partition_tuner_tuned", "exact", "delegate_largest", "delegate_tuned",
    }  # fmt: skip


def test_schedulers_that_find_no_plan_are_left_out() -> None:
    problem: Problem = make_problem(make_graph({"a": []}), SOC, {"a": [1, 1]})
    found = list(starts.start_plans(problem, ["heft", "mosaic"]))
    assert [name for name, _ in found] == ["heft", "mosaic"]
    impossible = make_problem(make_graph({"a": []}), SOC, {"a": [None, None]})
    with pytest.raises(SchedulerError):
        create("heft").plan(impossible)
    assert list(starts.start_plans(impossible, ["heft", "mosaic"])) == []


def test_the_better_end_of_two_descents_wins() -> None:
    """One hollow near the published parameters, another near the mended ones."""

    def near(which: dict[str, object]) -> Callable[[Any], list[float]]:
        def score(several: Any) -> list[float]:
            return [0.0 if p == which else 1.0 + (p == published()) for p in several]

        return score

    mended = {**published(), **MENDED}
    assert descend(near(mended)) == (mended, 0.0)
    assert descend(near(published())) == (published(), 0.0)
    one_off = {**mended, "pack": False}
    assert descend(near(one_off)) == (one_off, 0.0)


def test_a_descent_tries_all_values_of_each_parameter_from_both_beginnings() -> None:
    asked: list[dict[str, object]] = []

    def score(several: Any) -> list[float]:
        asked.extend(several)
        return [1.0] * len(several)

    descend(score)
    expected = set()
    for begin in (published(), {**published(), **MENDED}):
        for name, choices in CHOICES.items():
            expected |= {tuple({**begin, name: value}.items()) for value in choices}
    assert {tuple(p.items()) for p in asked} == expected
    assert len(asked) == len(expected)
