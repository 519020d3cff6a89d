"""Floors of what would be simulated: who crowds the host's cores, who polls, what moves at once."""

from __future__ import annotations

import pytest

from hetsim.bounds.floors import Floors
from hetsim.bounds.simulated import least_seconds, simulated_floors
from hetsim.cost.analytical import AnalyticalModel
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph
from tests.sim.samples import CLUSTER, FAST, NPU, make_graph, make_soc

COSTS = AnalyticalModel()
ONE = make_graph(("a", ["x"], 0.0))
RISING = {
    "dram": {"bandwidth": "1 GB/s", "efficiency": [0.25, 0.5, 0.75, 1.0], "capacity": "1 GiB"}
}
"""What all transfers together get, by how many there are."""


def floors(graph: Graph, soc: SoC, fidelity: str | None = None) -> Floors:
    return simulated_floors(graph, soc, COSTS, fidelity)


@pytest.mark.parametrize(
    ("branches", "others", "fidelity", "transfers"),
    [(1, 2, "fluid", 1), (2, 0, "fluid", 1), (2, 2, "fluid", 2), (3, 1, "fluid", 2),
     (3, 2, "fluid", 3), (1, 2, "tile", 2), (2, 2, "tile", 4), (2, 1, None, 4)],
)  # fmt: skip
def test_no_more_moves_at_once_than_branches_and_units(
    branches: int, others: int, fidelity: str | None, transfers: int
) -> None:
    """Chains of two operators of 2 MB: at a quarter of 1 GB/s for each transfer under way."""
    units = {f"c{i}": CLUSTER for i in range(others)}
    chains = [
        (("a", "b")[end] + str(i), [("x", f"a{i}")[end]], 0.0)
        for end in (0, 1) for i in range(branches)
    ]  # fmt: skip
    graph = make_graph(*chains)
    found = floors(graph, make_soc(units, memory=RISING), fidelity)
    expected = 2e6 / (transfers * 0.25e9)
    for row in least_seconds(found):
        assert row == pytest.approx([expected] * (1 + others))


def test_branches_that_part_and_meet_go_on_as_two_chains() -> None:
    graph = make_graph(
        ("a", ["x"], 0.0), ("b", ["a"], 0.0), ("c", ["a"], 0.0), ("d", ["b", "c"], 0.0),
        ("e", ["d"], 0.0),
    )  # fmt: skip
    soc = make_soc({f"c{i}": CLUSTER for i in range(3)}, memory=RISING)
    assert floors(graph, soc, "fluid").ops[0][0].alone == pytest.approx(2e6 / 0.5e9)


def test_a_host_of_all_its_cores_is_crowded_by_whoever_is_beside_it() -> None:
    assert floors(ONE, make_soc()).crowded is None
    assert floors(ONE, make_soc({"npu": NPU})).crowded == 0
    assert floors(ONE, make_soc({"cpu": {"workers": [2, 2]}, "npu": NPU})).crowded is None
    assert floors(ONE, make_soc({"cpu": {"workers": [1]}, "npu": NPU})).crowded is None


def test_crowded_kernels_lose_at_least_what_their_cores_are_short_of() -> None:
    graph = make_graph(("a", ["x"], 1.0))
    two = make_soc({"npu": NPU}, memory=FAST)
    found = floors(graph, two)
    assert found.ops[0][0].drag == pytest.approx(1 / 5)
    assert found.ops[0][1].drag == 0.0
    three = make_soc({"npu": NPU, "npu2": NPU}, memory=FAST)
    # Two threads more slow four to two thirds: a sixth for each of them.
    assert floors(graph, three).ops[0][0].drag == pytest.approx(1 / 6)
    apart = make_soc({"cpu": {"workers": [2, 2]}}, memory=FAST)
    assert floors(graph, apart).ops[0][0].drag == 0.0


def test_what_a_soc_says_of_calls_and_waiting_is_told() -> None:
    polling = NPU | {"host_wait": "poll"}
    told = make_soc(
        {"npu": polling, "npu2": NPU | {"interrupt_latency": "5 us"}}, partition_call="7 us"
    )
    found = floors(ONE, told)
    assert found.awake == (False, True, False)
    assert found.call == pytest.approx(7e-6)
    assert found.leave[0] == pytest.approx((0.0, 0.0, 5e-6))
    assert list(found.pus) == [0, 1, 2]
    assert found.feasible(0) == (0, 1, 2)
