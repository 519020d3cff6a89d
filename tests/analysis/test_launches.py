"""A kernel on its roofs: what only computes lies on the peak, what only moves on its link."""

from __future__ import annotations

import pytest

from hetsim.analysis.launches import OperatorRow, operator_rows
from hetsim.plan.model import Partition, Plan
from hetsim.workload.graph import Graph, LoopNest, Operator, Tensor
from tests.analysis.samples import ran
from tests.sim.samples import FAST, NPU, make_graph, make_soc


def only_row(graph: Graph, unit: str, **soc: object) -> OperatorRow:
    plan = Plan(graph.name, (Partition("p", unit, tuple(op.name for op in graph.operators)),))
    [row] = operator_rows("any", ran(graph, make_soc(**soc), plan))  # type: ignore[arg-type]
    return row


def product() -> Graph:
    """A matrix product of 512 x 512 x 512."""
    nest = LoopNest(1, 1, 1, 512, 512, 512)
    weights = (("float32", 512 * 512),)
    op = Operator("mm", "MatMul", ("x",), ("y",), weights, nest.macs, 0, nest)
    return Graph.create("mm", [op], [Tensor("x", (512, 512)), Tensor("y", (512, 512))], "x", "y")


def test_a_cpu_kernel_that_only_computes_lies_on_the_peak() -> None:
    row = only_row(product(), "cpu", memory=FAST)
    assert (row.roof, row.bound) == ("float32 MAC", "compute")
    assert row.roof_per_s == pytest.approx(4e9)  # four cores at 1 GHz; the others add nothing here
    one = only_row(product(), "cpu", memory=FAST, pus={"cpu": {"cores": 1}})
    assert one.rate == pytest.approx(one.roof_per_s, rel=1e-6)
    all_four = {"cpu": {"parallel_efficiency": 1.0}}
    assert only_row(product(), "cpu", memory=FAST, pus=all_four).rate == pytest.approx(
        row.roof_per_s, rel=1e-6
    )


def test_an_npu_kernel_that_fills_the_array_lies_on_the_peak() -> None:
    npu = NPU | {"array": {"batch": 1, "block_in": 16, "block_out": 16}}
    row = only_row(product(), "npu", memory=FAST, pus={"npu": npu})
    assert row.roof_per_s == 256e9
    assert row.rate == pytest.approx(row.roof_per_s, rel=1e-3)


def test_a_kernel_that_only_moves_lies_on_its_link() -> None:
    row = only_row(make_graph(("a", ["x"], 0.001)), "cpu")
    assert (row.bound, row.link, row.link_bytes) == ("memory", "dram", 2_000_000)
    assert row.ceiling == pytest.approx(row.rate, rel=1e-9)


def test_setting_up_engines_is_told_from_their_rate() -> None:
    graph = make_graph(("a", ["x"], 0.0))
    slow = NPU | {"dma": {"bandwidth": "0.1 GB/s"}}
    assert only_row(graph, "npu", pus={"npu": slow}).bound == "dma"
    lame = NPU | {"dma": {"bandwidth": "1e9 GB/s", "setup": "10 ms"}}
    row = only_row(graph, "npu", pus={"npu": lame})
    assert row.bound == "dma_setup"
    assert row.dma_s == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(("sram", "again"), [("16 MB", False), ("64 KiB", True)])
def test_bytes_are_told_by_whose_they_are(sram: str, again: bool) -> None:
    graph, megabyte = product(), 512 * 512 * 4
    plan = Plan(graph.name, (Partition("p", "npu", ("mm",)),))
    run = ran(graph, make_soc({"npu": NPU | {"sram": sram}}), plan)
    found = dict(run.classes["dram"])
    assert (found.pop("refetch", 0) > 0) == again
    assert found == {"weights": megabyte, "inputs": megabyte, "outputs": megabyte}


def test_weights_that_come_early_are_counted_with_the_kernel_that_loads_them() -> None:
    nest = LoopNest(1, 1, 1, 64, 64, 64)
    weights = (("float32", 64 * 64),)
    first = Operator("a", "MatMul", ("x",), ("y",), weights, nest.macs, 0, nest)
    second = Operator("b", "MatMul", ("y",), ("z",), weights, nest.macs, 0, nest)
    tensors = [Tensor(name, (64, 64)) for name in "xyz"]
    graph = Graph.create("two", [first, second], tensors, "x", "z")
    plan = Plan(graph.name, (Partition("p", "npu", ("a", "b")),))
    run = ran(graph, make_soc({"npu": NPU | {"prefetch": True}}), plan)
    early = run.program.jobs[0].launches[0].work.tail_load
    loads = [ways[0].loads.get("weights", 0) for ways in run.moved[0]]
    assert early > 0
    assert loads == [64 * 64 * 4 + early, 64 * 64 * 4 - early]
