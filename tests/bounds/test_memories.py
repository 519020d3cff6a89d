"""Bounds where tensors may lie in several memories."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hetsim.bounds.makespan import lower_bounds
from hetsim.cost.analytical import AnalyticalModel
from hetsim.lower.lowering import Lowering
from hetsim.plan.model import Partition, Plan
from hetsim.plan.validate import plan_problems
from hetsim.sim.simulate import execute
from hetsim.workload.synthetic import random_graph
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


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 300),
    size=st.integers(1, 12),
    placement=st.integers(0, 1000),
    fidelity=st.sampled_from(["fluid", "tile"]),
)
def test_wherever_tensors_lie_bytes_are_kept_and_bounds_hold(
    seed: int, size: int, placement: int, fidelity: str
) -> None:
    memory = {
        "dram": {"bandwidth": "1 GB/s", "latency": "1 us", "capacity": "1 GiB"},
        "scratch": {"bandwidth": "7 GB/s", "latency": "3 us", "capacity": "1 GiB"},
    }
    way = {"routes": {"scratch": ["bus", "scratch"]}}
    soc = make_soc(
        {"cpu": way, "npu": NPU | way}, memory=memory, links={"bus": {"bandwidth": "5 GB/s"}}
    )
    graph = random_graph(seed, size)
    draw = random.Random(placement)
    parts = (
        Partition(f"p{i}", draw.choice(("cpu", "npu")), (op.name,))
        for i, op in enumerate(graph.operators)
    )
    plan = Plan(graph.name, tuple(parts))
    assume(not plan_problems(plan, graph, soc))
    memories = {t: draw.choice(("dram", "scratch")) for t in graph.tensors}
    lowering = Lowering(graph, soc, COSTS)
    usual, spread = (
        execute(soc, lowering.program(p), fidelity=fidelity)
        for p in (plan, replace(plan, memories=memories))
    )
    moved = spread.links["dram"].bytes + spread.links["scratch"].bytes
    assert moved == usual.links["dram"].bytes
    assert spread.links["npu.dma"].bytes == usual.links["npu.dma"].bytes
    for bound in lower_bounds(graph, soc, COSTS, fidelity):
        assert bound.seconds <= spread.makespan_s * (1 + 1e-9), bound
