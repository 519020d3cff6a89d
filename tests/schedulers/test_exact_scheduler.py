"""The exact scheduler's bookkeeping: who is asked to prove what, for how long, and what is told.

The solver is replaced by answers, and the clock stands still.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from hetsim.bounds.relaxation import Window
from hetsim.errors import SchedulerError
from hetsim.plan.build import Block
from hetsim.plan.model import Plan, Proof
from hetsim.schedulers.base import Problem
from hetsim.schedulers.exact import scheduler as module
from hetsim.schedulers.exact.profile import profile_floors
from hetsim.schedulers.exact.proof import Budget, WindowProof
from hetsim.schedulers.exact.scheduler import STARTS, Exact, _Judged
from hetsim.schedulers.registry import create
from tests.schedulers.fakes import make_graph, make_problem, make_soc

pytest.importorskip("ortools")
EDGES = {
    "s": [], "a": ["s"], "b": ["s"], "t": ["a", "b"], "c": ["t"], "d": ["t"], "u": ["c", "d"],
}  # fmt: skip
"""Two forks; s, t and u are cuts. The CPU alone runs them: 1 s each, 7 in all.

A path alone has 5 operators, so that is what is known without a proof: 1 and two windows of 2.
"""
Answer = Callable[[Window], WindowProof]


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: 1000.0))


def forks(**more: Any) -> Problem:
    times: dict[str, list[float | None]] = {name: [1.0, None] for name in EDGES}
    problem = make_problem(make_graph(EDGES), make_soc(npus=1), times)
    return replace(problem, **more)


def planned(
    monkeypatch: pytest.MonkeyPatch, answer: Answer, problem: Problem | None = None, **more: Any
) -> tuple[Plan, list[SimpleNamespace]]:
    """The plan, and what the prover was asked in turn."""
    asked: list[SimpleNamespace] = []

    def prove(
        graph: Any, floors: Any, window: Window, budget: Budget, hint: Any, known: Any = None
    ) -> WindowProof:
        asked.append(SimpleNamespace(ops=window.ops, budget=budget, hint=hint, known=known))
        return answer(window)

    monkeypatch.setattr(module, "prove", prove)
    parameters = {"time_limit": 100.0, "effort": 100.0, "evaluations": 30} | more
    return Exact(**parameters).plan(problem or forks()), asked


def nothing(window: Window) -> WindowProof:
    return WindowProof(0.0, False, 1.0)


def test_windows_share_the_budget_and_are_asked_again_with_what_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan, asked = planned(monkeypatch, nothing)
    assert [a.ops for a in asked] == [(1, 2, 3), (4, 5, 6)] * 2
    # 0.4 of all: nine tenths for two windows, then nine tenths of what is left for one. Each
    # answer took one. Then 0.6 of all in the same way.
    assert [a.budget.effort for a in asked] == pytest.approx(
        [40 * 0.45, 39 * 0.9, 60 * 0.45, 59 * 0.9]
    )
    # Of 95 s, as the clock does not move: 0.4 of it, then 0.9.
    assert [a.budget.seconds for a in asked] == pytest.approx(
        [38 * 0.45, 38 * 0.9, 85.5 * 0.45, 85.5 * 0.9]
    )
    assert [a.known for a in asked] == [None, None, nothing(Window(())), nothing(Window(()))]
    assert all(a.hint == dict.fromkeys(range(7), 0) for a in asked)
    assert plan.details == {
        "incumbent_s": 7.0, "gap": pytest.approx(2 / 7), "optimal": False,
        "plan_space_exhausted": False, "evaluations": plan.details["evaluations"],
        "predicted_lower_bound_s": 5.0,
    }  # fmt: skip
    assert plan.predicted_s == 7.0
    assert plan.scheduler == "exact"
    assert plan.parameters == {
        "time_limit": 100.0, "effort": 100.0, "evaluations": 30, "gap": 0.0,
    }  # fmt: skip


def test_what_is_furthest_from_closing_is_asked_the_longest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Gaps of 0.75 s and 0.25 s: three quarters of nine tenths, then nine tenths of the rest."""

    def answer(window: Window) -> WindowProof:
        return WindowProof(2.25 if 1 in window.ops else 2.75, False, 2.0, 3.0)

    plan, asked = planned(monkeypatch, answer)
    assert [a.budget.effort for a in asked] == pytest.approx(
        [40 * 0.45, 38 * 0.9, 60 * 0.9 * 0.75, 58 * 0.9]
    )
    assert plan.details["predicted_lower_bound_s"] == 1 + 2.25 + 2.75


def test_what_is_closed_is_not_asked_again_and_a_proven_optimum_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def first_closed(window: Window) -> WindowProof:
        return WindowProof(3.0, True, 1.0, 3.0) if 1 in window.ops else nothing(window)

    _, asked = planned(monkeypatch, first_closed)
    assert [a.ops for a in asked] == [(1, 2, 3), (4, 5, 6), (4, 5, 6)]
    plan, asked = planned(monkeypatch, lambda window: WindowProof(3.0, True, 1.0, 3.0))
    assert len(asked) == 2
    assert plan.details["optimal"] is True
    assert plan.details["gap"] == 0.0
    assert plan.details["predicted_lower_bound_s"] == 7.0
    # No bound is above the plan.
    plan, _ = planned(monkeypatch, lambda window: WindowProof(4.0, True, 1.0, 4.0))
    assert (plan.details["gap"], plan.details["predicted_lower_bound_s"]) == (0.0, 7.0)


@pytest.mark.parametrize(("gap", "asked"), [(0.3, 4), (0.4, 0), (0.45, 0)])
def test_a_gap_that_is_good_enough_needs_no_proof(
    gap: float, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """7 s is 0.4 above the 5 s that paths alone say."""
    assert len(planned(monkeypatch, nothing, gap=gap)[1]) == asked


def test_windows_of_too_many_operators_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for most, asked in ((2, 0), (3, 4)):
        monkeypatch.setattr(module, "MOST_OPERATORS", most)
        assert len(planned(monkeypatch, nothing)[1]) == asked


def test_a_window_that_took_all_is_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    _, asked = planned(monkeypatch, lambda window: WindowProof(0.0, False, 40.0))
    assert [a.ops for a in asked] == [(1, 2, 3), (1, 2, 3), (4, 5, 6)]


def test_only_floors_of_a_simulator_make_a_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = forks()
    simulated = replace(problem, floors=lambda: profile_floors(problem))
    plan, _ = planned(monkeypatch, nothing, simulated)
    assert plan.proof == Proof(5.0, "exact")
    assert "predicted_lower_bound_s" not in plan.details
    assert planned(monkeypatch, nothing)[0].proof is None


def test_what_the_solver_found_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two CPUs; simulation says that a and b should both run on the second, which looks slower."""
    graph = make_graph(EDGES)
    soc = make_soc(npus=0, cpus=(1, 1))
    problem = make_problem(graph, soc, {name: [1.0, 3.0] for name in EDGES})

    def evaluate(plan: Plan) -> float:
        second = {op for p in plan.partitions if p.pu == soc.pus[1].name for op in p.operators}
        return 5.5 if second == {"a", "b"} else 7.0 + len(second) + len(plan.partitions) / 100

    def answer(window: Window) -> WindowProof:
        places = {1: 1, 2: 1, 3: 0} if 1 in window.ops else None
        return WindowProof(0.0, False, 1.0, 3.0 if places else None, places, (1, 2, 3))

    monkeypatch.setattr(module, "improve", lambda *rest: None)
    problem = replace(problem, evaluate=evaluate)
    assert planned(monkeypatch, answer, problem)[0].predicted_s == 5.5
    assert planned(monkeypatch, nothing, problem)[0].predicted_s == 7.01


def test_all_starts_are_tried_and_the_number_of_evaluations_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = forks()
    seen: list[Plan] = []

    def evaluate(plan: Plan) -> float:
        seen.append(plan)
        return 10.0 + len(seen)

    plan, _ = planned(monkeypatch, nothing, replace(problem, evaluate=evaluate), evaluations=30)
    assert len(seen) == plan.details["evaluations"] == 30
    orders = {tuple(p.operators for p in plan.partitions) for plan in seen}
    for name in STARTS:
        made = create(name).plan(problem)
        assert tuple(p.operators for p in made.partitions) in orders, name


def test_trials_end_with_their_number_or_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    trials = _Judged(forks(), 10, 5.0)

    def spent(count: int, at: float) -> bool:
        trials.count, now[0] = count, at
        return trials.spent()

    assert [spent(9, 4.9), spent(10, 4.9), spent(9, 5.0)] == [False, True, True]
    now[0] = 100.0
    trials.limit(2.0, 0.55)  # two more seconds, half of ten
    assert [spent(4, 101.9), spent(5, 101.9), spent(4, 102.0)] == [False, True, True]
    trials.limit(2.0, 0.01)  # one is always allowed
    assert [spent(0, 102.0), spent(1, 102.0)] == [False, True]


def test_plans_are_judged_by_simulation_where_there_is_one() -> None:
    problem = forks()
    plan = create("best_single_pu").plan(problem)
    blocks = [Block(tuple(range(7)), 0)]
    assert _Judged(problem, 1, 1.0).judge(plan, blocks, ()) == 7.0
    simulated = replace(problem, evaluate=lambda plan: 42.0)
    assert _Judged(simulated, 1, 1.0).judge(plan, blocks, ()) == 42.0


def test_gaps_are_shares_however_short_the_network_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """0.07 s for seven operators, of which a path has five; or nothing at all."""

    def scaled(seconds: float) -> Problem:
        times: dict[str, list[float | None]] = {name: [seconds, None] for name in EDGES}
        problem = make_problem(make_graph(EDGES), make_soc(npus=1), times)
        return replace(problem, floors=lambda: profile_floors(problem))

    plan, _ = planned(monkeypatch, nothing, scaled(0.01))
    assert plan.details["gap"] == pytest.approx(2 / 7)
    assert plan.details["optimal"] is False
    assert plan.proof is not None
    assert plan.proof.seconds == pytest.approx(0.05)
    # A bound of nothing proves nothing.
    plan, _ = planned(monkeypatch, nothing, scaled(0.0))
    assert (plan.details["gap"], plan.details["optimal"], plan.proof) == (0.0, True, None)


def test_after_each_round_of_proving_the_search_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """First with half of the evaluations, then, if the gap is open, with all of them."""
    budgets: list[tuple[int, int]] = []

    def improve(trials: Any, windows: Any, draw: Any, done: Callable[[], bool]) -> None:
        budgets.append((len(windows), trials._most))
        assert not done()

    monkeypatch.setattr(module, "improve", improve)
    planned(monkeypatch, nothing)
    assert budgets == [(3, 15), (3, 30)]
    budgets.clear()
    planned(monkeypatch, lambda window: WindowProof(2.5, False, 1.0, 3.0))
    assert len(budgets) == 2


@pytest.mark.parametrize(
    ("parameters", "allowed"),
    [
        ({"evaluations": 1}, True), ({"evaluations": 0}, False),
        ({"time_limit": 0.5}, True), ({"time_limit": 0.0}, False),
        ({"effort": 0.5}, True), ({"effort": 0.0}, False),
        ({"gap": 0.0}, True), ({"gap": -0.01}, False),
    ],
)  # fmt: skip
def test_budgets_are_positive_and_gaps_not_negative(
    parameters: dict[str, Any], *, allowed: bool
) -> None:
    if allowed:
        made = Exact(**parameters)
        assert {name: getattr(made, name) for name in parameters} == parameters
        return
    with pytest.raises(SchedulerError, match="must be positive"):
        Exact(**parameters)


@pytest.mark.parametrize(
    ("proving", "searching", "asked"),
    [
        # 0.4 of 95 s are over with the first window; of the 57 that are left 0.9, enough for two.
        (38.0, 0.0, [(1, 2, 3), (1, 2, 3), (4, 5, 6)]),
        (37.0, 0.0, [(1, 2, 3), (4, 5, 6), (1, 2, 3)]),
        # The search took all that was left, or all but a second.
        (0.0, 95.0, [(1, 2, 3), (4, 5, 6)]),
        (0.0, 94.0, [(1, 2, 3), (4, 5, 6), (1, 2, 3), (4, 5, 6)]),
    ],
)
def test_whoever_takes_the_time_there_is_none_left_for_others(
    proving: float, searching: float, asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def answer(window: Window) -> WindowProof:
        now[0] += proving
        return nothing(window)

    def improve(*rest: Any) -> None:
        now[0] += searching

    monkeypatch.setattr(module, "improve", improve)
    assert [a.ops for a in planned(monkeypatch, answer)[1]] == asked
