"""Operators divided over units at will: the least load, worked out by hand."""

from __future__ import annotations

from math import inf

import pytest

from hetsim.bounds.makespan import area_bound, lower_bounds
from hetsim.cost.analytical import AnalyticalModel
from tests.sim.samples import NPU, make_graph, make_soc


@pytest.mark.parametrize(
    ("floors", "seconds"),
    [
        ([[6.0]], 6.0),
        ([[6.0], [1.5]], 7.5),
        ([[4.0, 4.0]], 2.0),
        # The second operator has unit 1 for 3 s; of the first, 5/6 take 10/3 s on unit 0.
        ([[4.0, 2.0], [inf, 3.0]], 10 / 3),
        # Either operator where it is quick, and of the second a sixth beside the first.
        ([[1.0, 9.0], [4.0, 2.0]], 5 / 3),
        ([[1.0, 9.0], [9.0, 1.0], [6.0, 6.0]], 4.0),
        ([[2.0, 3.0, 6.0]], 1.0),
        ([[0.0, 0.0]], 0.0),
        ([[inf, inf]], 0.0),
        # What nothing runs is left out, and without a solution half of the quickest stands.
        ([[4.0, 2.0], [inf, inf]], 1.0),
        ([[4e-9, 2e-9], [inf, 3e-9]], 10 / 3 * 1e-9),
    ],
)
def test_the_least_load_of_shared_operators(floors: list[list[float]], seconds: float) -> None:
    found = area_bound(floors)
    assert found == pytest.approx(seconds, rel=1e-9, abs=0.0)
    assert found <= seconds


def test_no_operators_take_no_time() -> None:
    assert area_bound([]) == 0.0


def test_bytes_bound_nothing_where_measured_caches_may_serve_them() -> None:
    graph, soc = make_graph(("a", ["x"], 1.0)), make_soc({"npu": NPU})
    costs = AnalyticalModel()
    _, area, memory = lower_bounds(graph, soc, costs)
    assert memory.seconds == pytest.approx(2e6 / 1e9)
    assert area.seconds == pytest.approx(1e-3)  # two on either, which share it
    costs.caches = True
    assert lower_bounds(graph, soc, costs)[1:] == (area,)
