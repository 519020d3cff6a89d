"""Bounds where several transfers together are served faster than one alone."""

from __future__ import annotations

import pytest

from hetsim.bounds.makespan import lower_bounds
from hetsim.cost.analytical import AnalyticalModel
from hetsim.lower.lowering import Lowering
from hetsim.plan.build import Block, make_plan
from hetsim.sim.simulate import execute
from tests.bounds.test_tight import convolution
from tests.sim.samples import CLUSTER, NPU, make_graph, make_soc

RISING = {"dram": {"bandwidth": "1 GB/s", "efficiency": [0.5, 1.0], "capacity": "1 GiB"}}
COSTS = AnalyticalModel()


def best_bound(graph, soc, fidelity):
    return max(b.seconds for b in lower_bounds(graph, soc, COSTS, fidelity))


def test_a_chain_moves_one_thing_at_a_time_and_is_bounded_by_what_one_gets():
    """2 MB at half of 1 GB/s; what two together would get proves only half of it."""
    soc = make_soc({"cpu": CLUSTER | {"cores": 1}}, memory=RISING)
    graph = make_graph(("a", ["x"], 0.5), ("b", ["a"], 0.5))
    assert best_bound(graph, soc, "fluid") == pytest.approx(2 * 4e-3, rel=1e-9)


def test_tiles_load_and_store_at_once_and_take_less_than_one_transfer_would_say():
    npu = NPU | {"sram": "64 KiB", "dma": {"bandwidth": "100 GB/s"}}
    soc = make_soc({"npu": npu}, memory=RISING)
    graph = convolution(32, 28)
    unit = soc.by_name["npu"]
    plan = make_plan(graph, soc, [Block((0,), unit.index)], scheduler="one")
    program = Lowering(graph, soc, COSTS).program(plan)
    taken = execute(soc, program, fidelity="tile", trace=False).makespan_s
    moved = sum(usage.bytes for usage in execute(soc, program, fidelity="tile").links.values())
    assert moved > 0
    assert best_bound(graph, soc, "tile") <= taken * (1 + 1e-12)
