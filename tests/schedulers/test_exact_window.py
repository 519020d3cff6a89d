"""The model of one window: its horizon, what is fixed in it, and the budget of its solver."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hetsim.bounds.relaxation import Window
from hetsim.bounds.simulated import simulated_floors
from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.profile import INFEASIBLE
from hetsim.schedulers.exact.model import WindowModel
from hetsim.schedulers.exact.proof import Budget, WindowProof
from tests.sim.samples import CLUSTER, FAST, MS, make_graph, make_soc

pytest.importorskip("ortools")
GRAPH = make_graph(("a", ["x"], 4.0), ("b", ["y"], 4.0), ("c", ["a", "b"], 2.0))
SOC = make_soc({"cpu": {"cores": 1}, "big": CLUSTER | {"cores": 1}}, memory=FAST)
FLOORS = simulated_floors(GRAPH, SOC, AnalyticalModel(), "fluid")
ALL = Window((0, 1, 2), known={}, cut=None, fixed={}, last=True)
BUDGET = Budget(1.0, 60.0)


def solved(window: Window = ALL, horizon_s: float | None = None) -> WindowProof:
    return WindowModel(GRAPH, FLOORS, window, horizon_s).solve(BUDGET)


@pytest.mark.slow
def test_two_branches_on_two_units_by_hand() -> None:
    found = solved()
    assert found.closed
    assert found.bound_s == pytest.approx(6 * MS, rel=1e-6)
    assert found.value_s == pytest.approx(6 * MS, rel=1e-6)
    assert found.places is not None
    assert found.places[0] != found.places[1]


def test_what_is_fixed_stays_where_it_is() -> None:
    """All on one unit: 4 + 4 + 2."""
    for pu in (0, 1):
        found = solved(replace(ALL, fixed=dict.fromkeys(range(3), pu)))
        assert found.places == dict.fromkeys(range(3), pu)
        assert found.bound_s == pytest.approx(10 * MS, rel=1e-6)


def test_nothing_ends_later_than_the_horizon() -> None:
    assert solved(horizon_s=6 * MS * (1 + 1e-6)).value_s == pytest.approx(6 * MS, rel=1e-5)
    impossible = solved(horizon_s=5.9 * MS)
    assert impossible.bound_s == INFEASIBLE
    assert impossible.closed


def test_without_a_horizon_even_the_worst_fixed_placement_is_possible() -> None:
    """The model's own horizon must hold everything one after the other."""
    narrow = replace(ALL, ops=(0,), fixed={0: 0})
    assert solved(narrow).value_s == pytest.approx(4 * MS, rel=1e-6)


def test_the_budget_reaches_the_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    model = WindowModel(GRAPH, FLOORS, ALL)
    made: list[Any] = []

    class Spied(model._cp.CpSolver):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    monkeypatch.setattr(model._cp, "CpSolver", Spied)
    model.solve(Budget(0.7, 12.5))
    (solver,) = made
    assert solver.parameters.max_deterministic_time == 0.7
    assert solver.parameters.max_time_in_seconds == 12.5
    assert solver.parameters.num_workers == 1
