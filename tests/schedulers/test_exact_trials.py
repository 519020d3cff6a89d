"""Trying candidates: what is tried once, how many plans there are, and where the search ends."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from hetsim.cost.profile import INFEASIBLE
from hetsim.errors import PlanError
from hetsim.plan.build import Block
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem
from hetsim.schedulers.exact import search
from hetsim.schedulers.exact.profile import profile_floors
from hetsim.schedulers.exact.search import Candidate, Trials, everything, improve
from tests.schedulers.fakes import make_graph, make_problem, make_soc

Blocks = Sequence[Block]


def problem_of(edges: Mapping[str, Sequence[str]], execution: str = "dataflow") -> Problem:
    times: dict[str, list[float | None]] = {name: [1.0, 2.0] for name in edges}
    return make_problem(make_graph(edges), make_soc(npus=1), times, execution=execution)


class Scored(Trials):
    """Plans are worth what ``score`` says of their blocks; at most ``most`` are tried."""

    def __init__(
        self, problem: Problem, score: Callable[[Blocks], float], most: int = 10**6
    ) -> None:
        super().__init__(problem, "scored")
        self.score = score
        self.most = most
        self.tried: list[tuple[Any, ...]] = []

    def spent(self) -> bool:
        return self.count >= self.most

    def judge(self, plan: Plan, blocks: Blocks, groups: Sequence[Sequence[int]]) -> float:
        assert plan.scheduler == "scored"
        self.tried.append((tuple((b.pu, b.operators) for b in blocks), groups))
        return self.score(blocks)


def singles(pus: Sequence[int]) -> Candidate:
    return Candidate(tuple((op,) for op in range(len(pus))), tuple(pus), frozenset())


def test_plans_that_are_the_same_are_tried_once_and_the_first_of_equals_is_kept() -> None:
    problem = problem_of({"a": [], "b": []})
    trials = Scored(problem, lambda blocks: float(len(blocks)))
    apart = singles([0, 1])
    turned = Candidate(((1,), (0,)), (1, 0), frozenset())
    assert trials.seconds(apart) == trials.seconds(turned) == 2.0
    assert trials.count == 1  # the order between units means nothing
    assert (trials.best, trials.best_s) == (apart, 2.0)
    together = singles([0, 0])
    assert trials.seconds(together) == 1.0
    assert trials.seconds(singles([1, 1])) == 1.0
    assert (trials.count, trials.best, trials.best_s) == (3, together, 1.0)
    assert trials.best_plan is not None
    assert [p.operators for p in trials.best_plan.partitions] == [("a", "b")]
    # A runtime that works through the list is told two plans.
    trials = Scored(problem_of({"a": [], "b": []}, "barrier"), lambda blocks: 1.0)
    trials.seconds(apart)
    trials.seconds(turned)
    assert trials.count == 2


def test_what_cannot_run_is_never_the_best() -> None:
    def refuse(blocks: Blocks) -> float:
        raise PlanError("it cannot run")

    trials = Scored(problem_of({"a": []}), refuse)
    assert trials.seconds(singles([0])) == INFEASIBLE
    assert (trials.count, trials.best, trials.best_plan) == (1, None, None)


@pytest.mark.parametrize(
    ("edges", "execution", "plans"),
    [
        ({"a": []}, "dataflow", 2),
        # On one unit a, b in one partition or two; on two units one plan each way.
        ({"a": [], "b": ["a"]}, "dataflow", 2 * 2 + 2),
        # On one unit in both orders; on two units no order.
        ({"a": [], "b": []}, "dataflow", 2 * (2 * 2) + 2),
        # On two units in both orders, each in parallel or not.
        ({"a": [], "b": []}, "barrier", 2 * (2 * 2) + 2 * (2 * 2)),
        ({"a": [], "b": ["a"]}, "barrier", 2 * 2 + 2),
    ],
)
def test_every_plan_of_a_small_network_is_tried_once(
    edges: dict[str, list[str]], execution: str, plans: int
) -> None:
    problem = problem_of(edges, execution)
    trials = Scored(problem, lambda blocks: 1.0)
    assert everything(problem, profile_floors(problem), trials)
    assert trials.count == plans


def test_trying_everything_is_given_up_where_it_would_take_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two operators that wait for nobody, two units, both orders, four ways to begin partitions."""
    problem = problem_of({"a": [], "b": []})
    floors = profile_floors(problem)
    for most, done in ((31, False), (32, True)):
        monkeypatch.setattr(search, "MOST_CANDIDATES", most)
        assert everything(problem, floors, Scored(problem, lambda blocks: 1.0)) == done
    for plans, done in ((10, False), (11, True)):  # with ten plans the budget is spent
        trials = Scored(problem, lambda blocks: 1.0, plans)
        assert everything(problem, floors, trials) == done
    monkeypatch.setattr(search, "MOST_EXHAUSTED", 1)
    trials = Scored(problem, lambda blocks: 1.0)
    assert not everything(problem, floors, trials)
    assert trials.count == 0
    monkeypatch.setattr(search, "MOST_EXHAUSTED", 2)
    assert everything(problem, floors, trials)


def test_a_partition_begins_with_a_kernel_never_within_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The NPU makes one kernel of a and r: two ways there, four in each other placement."""
    problem = make_problem(
        make_graph({"a": [], "r": ["a"]}, {"r": "Relu"}),
        make_soc(npu_operators={"Conv": {}, "Relu": {}}, npu_fuse=["Conv-Relu"]),
        {"a": [1.0, 2.0], "r": [1.0, 2.0]},
    )
    for most, done in ((13, False), (14, True)):
        monkeypatch.setattr(search, "MOST_CANDIDATES", most)
        trials = Scored(problem, lambda blocks: 1.0)
        assert everything(problem, profile_floors(problem), trials) == done


CHAIN: dict[str, list[str]] = {f"n{i}": [f"n{i - 1}"] if i else [] for i in range(6)}


def unlike(target: Sequence[int]) -> Callable[[Blocks], float]:
    """How many operators are elsewhere than ``target`` says."""

    def score(blocks: Blocks) -> float:
        return float(sum(b.pu != target[op] for b in blocks for op in b.operators))

    return score


def searched(trials: Scored, windows: Sequence[Sequence[int]], *, shaking: bool) -> Scored:
    trials.seconds(singles([0] * 6))
    improve(trials, windows, random.Random(1), lambda: not shaking)
    return trials


def test_single_decisions_are_made_until_none_helps() -> None:
    problem = problem_of(CHAIN)
    trials = searched(Scored(problem, unlike([0, 1, 1, 0, 1, 1])), [range(6)], shaking=False)
    assert trials.best_s == 0
    assert trials.best is not None
    assert trials.best.places == {0: 0, 1: 1, 2: 1, 3: 0, 4: 1, 5: 1}
    # Windows bring the last operator before them along, so those of one operator are searched, too.
    windows = [(0,), (1, 2), (3,), (4, 5)]
    trials = searched(Scored(problem, unlike([1, 1, 1, 0, 1, 1])), windows, shaking=False)
    assert trials.best_s == 0
    # Nothing outside of the windows changes.
    trials = searched(Scored(problem, unlike([1] * 6)), [(0, 1), (2, 3)], shaking=False)
    assert trials.best_s == 2
    # A window of one operator at the beginning is none.
    trials = searched(Scored(problem, unlike([1] * 6)), [(0,)], shaking=True)
    assert (trials.best_s, trials.count) == (6, 1)


def paired(blocks: Blocks) -> float:
    """Only to move n1 and n2 both helps."""
    at = {op: b.pu for b in blocks for op in b.operators}
    return {(0, 0): 2.0, (1, 1): 1.0}.get((at[1], at[2]), 3.0) + len(blocks) / 100


def test_shaking_finds_what_takes_two_decisions_at_once() -> None:
    problem = problem_of(CHAIN)
    still = searched(Scored(problem, paired), [range(6)], shaking=False)
    assert still.best_s == 2.01
    shaken = searched(Scored(problem, paired), [range(6)], shaking=True)
    assert shaken.best_s < 2


def test_the_search_ends_with_its_budget_or_when_shaking_never_helps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = problem_of(CHAIN)
    for most in (1, 7, 40):
        assert searched(Scored(problem, paired, most), [range(6)], shaking=True).count == most
    counts = []
    for shakes in (0, 1, 4):
        monkeypatch.setattr(search, "SHAKES", shakes)
        trials = searched(Scored(problem, lambda blocks: 1.0), [range(6)], shaking=True)
        counts.append(trials.count)
    still = searched(Scored(problem, lambda blocks: 1.0), [range(6)], shaking=False).count
    assert still == counts[0] < counts[1] < counts[2]


def test_a_round_that_helped_is_never_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SHAKES", 1)
    gains = 0
    for seed in range(6):
        trials = Scored(problem_of(CHAIN), paired)
        trials.seconds(singles([0] * 6))
        before: list[float] = []  # what was best as each round began

        def begun(trials: Scored = trials, before: list[float] = before) -> bool:
            before.append(trials.best_s)
            return False

        improve(trials, [range(6)], random.Random(seed), begun)
        assert before[-1] == trials.best_s
        gains += before[0] > before[-1]
    assert gains


def test_what_helps_in_one_window_is_tried_in_all_that_look_alike() -> None:
    """Both operators of a window on the NPU: two decisions, of which neither helps alone."""

    def score(blocks: Blocks) -> float:
        at = {op: b.pu for b in blocks for op in b.operators}
        return sum(1.0 if at[i] + at[i + 1] == 2 else 2.0 + at[i] + at[i + 1] for i in (0, 2, 4))

    problem = problem_of(CHAIN)
    windows = [(0, 1), (2, 3), (4, 5)]
    trials = Scored(problem, score)
    trials.seconds(singles([0, 0, 1, 1, 0, 0]))
    improve(trials, windows, random.Random(1), lambda: True)
    assert trials.best_s == 3.0
    alone = searched(Scored(problem, score), windows, shaking=False)
    assert alone.best_s == 6.0


def test_what_shaking_found_in_one_window_is_tried_in_the_others_at_once() -> None:
    def score(blocks: Blocks) -> float:
        at = {op: b.pu for b in blocks for op in b.operators}
        return sum(1.0 if at[i] + at[i + 1] == 2 else 2.0 + at[i] + at[i + 1] for i in (0, 2, 4))

    for seed in range(6):
        trials = Scored(problem_of(CHAIN), score)
        trials.seconds(singles([0] * 6))
        improve(
            trials, [(0, 1), (2, 3), (4, 5)], random.Random(seed),
            lambda trials=trials: trials.best_s < 6.0,
        )  # fmt: skip
        assert trials.best_s == 3.0
