"""Bounds that are met: the best of all plans of small networks takes exactly what is proven."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, permutations, product

import pytest

from hetsim.bounds.kernels import Kernels
from hetsim.bounds.makespan import lower_bounds
from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.reach import Reach
from hetsim.lower.lowering import Lowering
from hetsim.plan.build import Block, block_needs, make_plan, merge_eager, merge_runs
from hetsim.plan.model import Plan
from hetsim.plan.validate import plan_problems
from hetsim.sim.simulate import execute
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph, LoopNest, Operator, Tensor
from tests.sim.samples import CLUSTER, NPU, make_graph, make_soc

COSTS = AnalyticalModel()
GPU = {
    "kind": "accelerator", "path": ["dram"], "macs_per_cycle": {"float32": 1.0},
    "operating_points": {"nominal": {"clock": "2 GHz"}}, "element_ops_per_cycle": {"float32": 1.0},
    "efficiency": {"default": 1.0}, "layout": "tiled", "crossing": {"relayout": "2 ns"},
}  # fmt: skip
"""Twice the speed of the host; its format costs half a millisecond a tensor."""

ROOMY = {"dram": {"bandwidth": "1000 GB/s", "capacity": "1 GiB"}}
LITTLE = CLUSTER | {"cores": 1}


def plans(graph: Graph, soc: SoC) -> Iterator[Plan]:
    """Placements, orders, and three ways to cut them into partitions, grouped where possible."""
    units = [(i,) for i in range(len(graph))]
    for order in permutations(range(len(graph))):
        place = {op: i for i, op in enumerate(order)}
        if any(place[a] > place[b] for b in place for a in graph.predecessors[b]):
            continue
        ordered = [units[i] for i in order]
        for pus in product(range(len(soc.pus)), repeat=len(graph)):
            single = [
                Block(unit, pu, (i,)) for i, (unit, pu) in enumerate(zip(ordered, pus, strict=True))
            ]
            for blocks in (single, merge_runs(ordered, pus), merge_eager(graph, ordered, pus)):
                for groups in ((), _grouped(graph, blocks)):
                    plan = make_plan(graph, soc, blocks, groups, scheduler="all")
                    if not plan_problems(plan, graph, soc):
                        yield plan


def _grouped(graph: Graph, blocks: Sequence[Block]) -> list[tuple[int, ...]]:
    needs = block_needs(graph, blocks)
    groups: list[tuple[int, ...]] = []
    for i, j in pairwise(range(len(blocks))):
        free = not groups or groups[-1][-1] < i
        if free and blocks[i].pu != blocks[j].pu and i not in needs[j]:
            groups.append((i, j))
    return groups


def best(graph: Graph, soc: SoC, execution: str, fidelity: str) -> float:
    """The least makespan of all plans."""
    lowering = Lowering(graph, soc, COSTS)
    return min(
        execute(
            soc, lowering.program(plan), execution=execution, fidelity=fidelity, trace=False
        ).makespan_s
        for plan in plans(graph, soc)
    )


def bound(graph: Graph, soc: SoC, execution: str, fidelity: str | None = None) -> float:
    return max(b.seconds for b in lower_bounds(graph, soc, COSTS, fidelity, execution=execution))


SINGLE = make_graph(("a", ["x"], 8.0))
CHAIN = make_graph(("a", ["x"], 8.0), ("b", ["a"], 1.0), ("c", ["b"], 8.0))
BRANCHES = make_graph(("a", ["x"], 8.0), ("b", ["x"], 20.0))
CUT = make_graph(("a", ["x"], 1.0), ("b", ["a"], 12.0), ("c", ["a"], 5.0), ("d", ["b", "c"], 1.0))


@pytest.mark.parametrize("execution", ["dataflow", "barrier"])
@pytest.mark.parametrize(
    "graph", [SINGLE, CHAIN, BRANCHES, CUT], ids=["single", "chain", "branches", "cut"]
)
def test_the_best_plan_takes_what_is_proven(graph: Graph, execution: str) -> None:
    soc = make_soc(
        {"cpu": {"cores": 4, "workers": [1]}, "gpu": GPU}, memory=ROOMY, partition_call="10 us"
    )
    found = best(graph, soc, execution, "fluid")
    assert bound(graph, soc, execution) == pytest.approx(found, rel=1e-6)


def test_by_hand_two_branches_on_two_units() -> None:
    soc = make_soc(
        {"cpu": {"cores": 4, "workers": [1]}, "gpu": GPU}, memory=ROOMY, partition_call="10 us"
    )
    # The long branch: a call, into the format and back, and half of 20 ms; the other is shorter.
    expected = 10e-6 + 0.5e-3 + 10e-3 + 0.5e-3
    assert bound(BRANCHES, soc, "dataflow") == pytest.approx(expected, rel=1e-6)


@pytest.mark.slow
def test_forks_and_joins_are_paid_under_barrier_only() -> None:
    overhead = {"thread_create": "40 us", "thread_join": "20 us"}
    units = {"cpu": {"cores": 4, "workers": [1]}, "gpu": GPU}
    soc = make_soc(units, memory=ROOMY, partition_call="10 us", **overhead)
    graph = make_graph(
        ("a", ["x"], 1.0), ("b", ["a"], 24.0), ("c", ["a"], 13.0), ("d", ["b", "c"], 1.0)
    )
    together = bound(graph, soc, "dataflow")
    assert bound(graph, soc, "barrier") == pytest.approx(together + 40e-6 + 2 * 20e-6, rel=1e-6)
    assert bound(graph, soc, "barrier") <= best(graph, soc, "barrier", "fluid")


def test_units_that_share_a_link_wait_for_its_bytes() -> None:
    # Each operator moves 2 MB over 1 GB/s and computes for less; no two units are faster than one.
    soc = make_soc({"cpu": {"cores": 2, "workers": [1, 1]}})
    graph = make_graph(("a", ["x"], 0.5), *((f"b{i}", ["a"], 0.5) for i in range(4)),
                       ("d", [f"b{i}" for i in range(4)], 0.5))  # fmt: skip
    # a, four branches, and a join that reads five tensors' worth of megabytes.
    assert bound(graph, soc, "dataflow") == pytest.approx(2e-3 + 4 * 2e-3 + 5e-3, rel=1e-6)


@pytest.mark.parametrize("fidelity", ["fluid", "tile"])
@pytest.mark.parametrize("execution", ["dataflow", "barrier"])
def test_kernels_on_managed_memory_are_bounded_by_what_moves_and_computes(
    execution: str, fidelity: str
) -> None:
    slow = NPU | {"sram": "3 MB", "dma": {"bandwidth": "2 GB/s"}, "operators": "all"}
    soc = make_soc({"cpu": LITTLE, "npu": slow | {"vector_lanes": 4}}, memory=ROOMY)
    graph = make_graph(("a", ["x"], 8.0), ("b", ["a"], 8.0))
    found = best(graph, soc, execution, fidelity)
    # 1 MB in, 1 MB out, and two times 2 ms of arithmetic; what is between them stays on chip.
    assert 0.9 * found <= bound(graph, soc, execution, fidelity) <= found


def convolution(channels: int, size: int) -> Graph:
    nest = LoopNest(1, 1, size, size, channels, channels, 3, 3, in_h=size, in_w=size)
    weights = channels * channels * 9
    op = Operator(
        "c", "Conv", ("x",), ("y",), weights=(("float32", weights),), macs=nest.macs, nest=nest
    )
    shape = (1, channels, size, size)
    return Graph.create("conv", [op], [Tensor("x", shape), Tensor("y", shape)], ["x"], ["y"])


@pytest.mark.parametrize("fidelity", ["fluid", "tile"])
@pytest.mark.parametrize("dma", ["1 GB/s", "100 GB/s"])
@pytest.mark.parametrize(("channels", "size"), [(16, 14), (64, 7), (32, 28)])
def test_floors_of_convolutions_are_near_what_they_take(
    channels: int, size: int, dma: str, fidelity: str
) -> None:
    npu = NPU | {"sram": "128 KiB", "dma": {"bandwidth": dma}}
    soc = make_soc({"npu": npu}, memory=ROOMY)
    graph = convolution(channels, size)
    unit = soc.by_name["npu"]
    program = Lowering(graph, soc, COSTS).program(
        make_plan(graph, soc, [Block((0,), unit.index)], scheduler="one")
    )
    taken = execute(soc, program, fidelity=fidelity, trace=False).pu_busy_s["npu"]
    kernels = Kernels(graph, COSTS, unit, fidelity, 0, Reach.of(unit, 1), lambda k, pu: 0.0)
    floor = kernels.kernel((0,))
    assert floor is not None
    assert 0.8 * taken <= floor.alone <= taken * (1 + 1e-12)


def test_a_tail_that_runs_only_fused_is_not_free_on_its_own() -> None:
    npu = NPU | {"operators": {"Conv": {}}, "fuse": ["Conv-Relu"]}
    soc = make_soc({"npu": npu}, memory=ROOMY)
    unit = soc.by_name["npu"]
    graph = make_graph(("a", ["x"], 8.0))
    kernels = Kernels(graph, COSTS, unit, None, 0, Reach.of(unit, 1), lambda k, pu: 0.0)
    assert [op.kind for op in graph.operators] == ["Relu"]
    assert kernels.kernel((0,)) is None
