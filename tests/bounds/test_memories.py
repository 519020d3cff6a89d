"""Bounds where tensors may lie in several memories."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hetsim.bounds.makespan import lower_bounds
from hetsim.cost.analytical import AnalyticalModel
from hetsim.lower.lowering import Lowering
from hetsim.plan.model import Partition, Plan
from hetsim.sim.simulate import execute
from tests.sim.samples import NPU, make_graph, make_soc

COSTS = AnalyticalModel()


@pytest.mark.parametrize("fidelity", ["fluid", "tile"])
@pytest.mark.parametrize("unit", ["cpu", "npu"])
def test_a_faster_memory_for_tensors_does_not_break_the_bounds(unit: str, fidelity: str) -> None:
    memory = {
        "dram": {"bandwidth": "1 GB/s", "latency": "1 us", "capacity": "1 GiB"},
        "scratch": {"bandwidth": "50 GB/s", "capacity": "1 GiB"},
        "unused": {"bandwidth": "900 GB/s", "capacity": "1 GiB"},
    }
    way = {"routes": {"scratch": ["scratch"]}}
    sram = {"sram": {"input": "1 MB", "weight": "1 MB", "accumulator": "1 MB"}}
    soc = make_soc({"cpu": way, "npu": NPU | way | sram}, memory=memory)
    graph = make_graph(("a", ["x"], 0.0), ("b", ["a"], 0.0))
    lowering = Lowering(graph, soc, COSTS)
    plan = Plan(graph.name, (Partition("p", unit, ("a", "b")),))
    bounds = lower_bounds(graph, soc, COSTS, fidelity)
    times = [
        execute(soc, lowering.program(replace(plan, memories=memories)), fidelity=fidelity)
        for memories in ({}, {"a": "scratch"}, dict.fromkeys("xab", "scratch"))
    ]
    least = min(trace.makespan_s for trace in times)
    assert least < times[0].makespan_s
    assert all(bound.seconds <= least for bound in bounds)
    # 2 MB of inputs and outputs over both memories, and none of the third.
    assert bounds[-1].seconds == pytest.approx(2e6 / 51e9)
