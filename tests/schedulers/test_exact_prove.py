"""Proving one window step by step: what each solve is given, and what is kept of it."""

from __future__ import annotations

from typing import Any

import pytest

from hetsim.bounds.relaxation import Window
from hetsim.schedulers.exact import prove as module
from hetsim.schedulers.exact.proof import Budget, WindowProof
from hetsim.schedulers.exact.prove import MARGIN, prove

WINDOW = Window((0, 1), known={}, cut=None, fixed={1: 0}, last=True)
Solves = list[dict[str, Any]]


def found(bound: float, value: float | None, pu: int = 0, closed: bool = False) -> WindowProof:
    places = None if value is None else {0: pu, 1: 0}
    return WindowProof(bound, closed, 1.0, value, places)


def proven(
    monkeypatch: pytest.MonkeyPatch, answers: list[WindowProof], known: WindowProof | None = None
) -> tuple[WindowProof, Solves]:
    """``prove`` with a solver that gives ``answers`` in turn; and what it was asked."""
    solves: Solves = []

    class Model:
        def __init__(
            self, graph: Any, floors: Any, window: Window, horizon: float | None = None
        ) -> None:
            self.asked = {"fixed": dict(window.fixed), "horizon": horizon}

        def solve(self, budget: Budget, hint: Any = None, strategy: str = "plain") -> WindowProof:
            solves.append({**self.asked, "budget": budget, "hint": hint, "strategy": strategy})
            return answers[len(solves) - 1]

    monkeypatch.setattr(module, "WindowModel", Model)
    nothing: Any = None
    best = prove(nothing, nothing, WINDOW, Budget(10.0, 100.0), {0: 1, 7: 1}, known)
    assert len(solves) == len(answers)
    return best, solves


def test_a_share_of_a_budget_is_that_part_of_both() -> None:
    assert Budget(8.0, 60.0).share(0.25) == Budget(2.0, 15.0)


def test_from_nothing_a_guess_and_then_three_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [found(9.0, 9.0, 1, True), found(2.0, 8.0), found(5.0, None), found(4.0, 7.0, 2)]
    best, solves = proven(monkeypatch, answers)
    assert [s["strategy"] for s in solves] == ["plain", "plain", "vary", "raise"]
    assert [s["budget"].effort for s in solves] == pytest.approx([1.0, 2.0, 3.0, 4.0])
    assert [s["budget"].seconds for s in solves] == pytest.approx([10.0, 20.0, 30.0, 40.0])
    # The guess has the places of the hint for the window's own operators; the searches are free.
    assert [s["fixed"] for s in solves] == [{0: 1, 1: 0}, {1: 0}, {1: 0}, {1: 0}]
    # Nothing later than the best so far, and the search begins at it.
    horizons = [v * (1 + MARGIN) for v in (9.0, 8.0, 8.0)]
    assert [s["horizon"] for s in solves[1:]] == pytest.approx(horizons)
    assert [s["hint"][0] for s in solves[1:]] == [1, 0, 0]
    # The guess's bound holds for its places alone; of the others the highest holds.
    assert (best.bound_s, best.value_s, best.closed, best.effort) == (5.0, 7.0, False, 4.0)
    assert best.places == {0: 2, 1: 0}


def test_a_search_that_closes_the_gap_is_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    best, _ = proven(monkeypatch, [found(9.0, 9.0), found(6.0, 6.0, 1, True)])
    assert (best.bound_s, best.value_s, best.closed, best.effort) == (6.0, 6.0, True, 2.0)


def test_a_worse_solution_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [found(1.0, 6.0, 1), found(1.0, 6.5), found(2.0, 6.0), found(3.0, 7.0)]
    best, _ = proven(monkeypatch, answers)
    assert (best.bound_s, best.value_s, best.places) == (3.0, 6.0, {0: 1, 1: 0})


def test_a_guess_that_failed_gives_no_horizon(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [found(0.0, None), found(1.0, None), found(1.0, 5.0), found(2.0, None)]
    best, solves = proven(monkeypatch, answers)
    assert [s["horizon"] for s in solves[:3]] == [None] * 3
    assert solves[3]["horizon"] == pytest.approx(5.0 * (1 + MARGIN))
    assert solves[1]["hint"] == {0: 1, 7: 1}
    assert (best.bound_s, best.value_s) == (2.0, 5.0)


def test_what_is_known_is_only_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    known = found(3.0, 6.0, 1)
    best, (solve,) = proven(monkeypatch, [found(4.0, None)], known)
    assert (solve["strategy"], solve["budget"]) == ("raise", Budget(10.0, 100.0))
    assert solve["horizon"] == pytest.approx(6.0 * (1 + MARGIN))
    assert (best.bound_s, best.value_s, best.effort) == (4.0, 6.0, 1.0)


def test_a_known_bound_without_a_solution_starts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [found(6.0, 6.0), found(6.0, 6.0, closed=True)]
    _, solves = proven(monkeypatch, answers, found(3.0, None))
    assert [s["strategy"] for s in solves] == ["plain", "plain"]


def test_no_bound_is_above_a_solution(monkeypatch: pytest.MonkeyPatch) -> None:
    best, _ = proven(monkeypatch, [found(6.0 + 1e-6, None, closed=True)], found(3.0, 6.0))
    assert best.bound_s == 6.0
