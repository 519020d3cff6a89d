"""Plans become programs: kernels, what stays on chip, what the host does at boundaries."""

from __future__ import annotations

import pytest

from hetsim.cost.analytical import AnalyticalModel
from hetsim.errors import InfeasibleError, PlanError
from hetsim.lower.lowering import Lowering
from hetsim.plan.model import Partition, Plan
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph, LoopNest, Operator, Tensor
from tests.sim.samples import CLUSTER, FAST, NPU, lower, make_graph, make_soc

INT8 = {"dtypes": {"int8": 1.0}, "precision": {"float32": "int8"}}


def conv_relu(*, channels: int = 64, pixels: int = 4) -> Graph:
    """Relu-Conv-Relu with a 1x1 convolution."""
    shape = (1, channels, pixels, pixels)
    nest = LoopNest(1, 1, pixels, pixels, channels, channels, in_h=pixels, in_w=pixels)
    elements = channels * pixels * pixels
    return Graph.create(
        "conv-relu",
        [
            Operator("r", "Relu", ("x",), ("r",), element_ops=elements),
            Operator(
                "c", "Conv", ("r",), ("c",), (("float32", channels * channels),), nest.macs,
                nest=nest,
            ),
            Operator("q", "Relu", ("c",), ("q",), element_ops=elements),
        ],
        [Tensor(t, shape) for t in "xrcq"],
        ["x"],
        ["q"],
    )  # fmt: skip


def program_of(graph: Graph, soc: SoC, *partitions: Partition):
    return Lowering(graph, soc, AnalyticalModel()).program(Plan(graph.name, partitions))


def test_partitions_wait_for_those_they_read_from() -> None:
    graph = make_graph(("a", ["x"], 1), ("b", ["x"], 1), ("c", ["a", "b"], 1), ("d", ["c"], 1))
    plan = [("cpu", "a"), ("cpu", "b"), ("cpu", "c d")]
    program = lower(graph, make_soc(), plan, [])
    assert [job.needs for job in program.jobs] == [(), (), (0, 1)]
    assert program.groups == ((0,), (1,), (2,))


def test_parallel_groups_become_positions() -> None:
    graph = make_graph(("a", ["x"], 1), ("b", ["x"], 1), ("c", ["a", "b"], 1))
    soc = make_soc({"cpu": {"workers": [1, 1]}})
    plan = [("cpu.0", "a"), ("cpu.1", "b"), ("cpu.0", "c")]
    assert lower(graph, soc, plan, [("p1", "p0")]).groups == ((0, 1), (2,))


def test_fusing_makes_one_kernel_of_a_chain_unless_told_not_to() -> None:
    soc = make_soc({"cpu": {"fuse": ["Conv-Relu"]}})
    ops = ("r", "c", "q")
    fused = program_of(conv_relu(), soc, Partition("p", "cpu", ops))
    assert [launch.operators for launch in fused.jobs[0].launches] == [("r",), ("c", "q")]
    plain = program_of(conv_relu(), soc, Partition("p", "cpu", ops, fuse=False))
    assert [launch.operators for launch in plain.jobs[0].launches] == [("r",), ("c",), ("q",)]
    moved = [sum(launch.work.store_bytes for launch in p.jobs[0].launches) for p in (fused, plain)]
    assert moved[1] - moved[0] == 4 * 64 * 16  # the convolution's own result


def test_a_chain_across_partitions_is_not_fused() -> None:
    soc = make_soc({"cpu": {"fuse": ["Conv-Relu"]}})
    program = program_of(
        conv_relu(), soc, Partition("p", "cpu", ("r", "c")), Partition("q", "cpu", ("q",))
    )
    assert [len(job.launches) for job in program.jobs] == [2, 1]


def test_the_host_converts_each_tensor_once_per_partition_that_reads_it() -> None:
    soc = make_soc({"npu": NPU | INT8 | {"crossing": {"quantise": "1 ns"}}})
    graph = make_graph(("a", ["x"], 1), ("b", ["x", "a"], 1), ("c", ["b", "x"], 1))
    inside = lower(graph, soc, [("npu", "a b c")]).jobs
    assert [[s.name for s in job.entry] for job in inside] == [["x"]]
    assert [[s.name for s in job.exit] for job in inside] == [["c"]]
    split = lower(graph, soc, [("npu", "a b"), ("npu", "c")]).jobs
    # b stays in the NPU's format between two partitions on it.
    assert [[s.name for s in job.entry] for job in split] == [["x"], ["x"]]
    assert [[s.name for s in job.exit] for job in split] == [[], ["c"]]


def test_between_two_formats_that_are_not_the_hosts_a_tensor_is_converted_twice() -> None:
    other = {"crossing": {"relayout": "2 ns"}, "layout": "nhwc"}
    soc = make_soc({"npu": NPU | INT8 | {"crossing": {"quantise": "1 ns"}}, "dsp": CLUSTER | other})
    graph = make_graph(("a", ["x"], 1), ("b", ["a"], 1))
    entry = lower(graph, soc, [("npu", "a"), ("dsp", "b")]).jobs[1].entry
    assert [(step.kind, step.name) for step in entry] == [("convert", "a")] * 2
    assert [step.seconds for step in entry] == pytest.approx([250e-6, 500e-6])
    assert [step.bytes for step in entry] == [250_000 + 1_000_000, 1_000_000 + 1_000_000]


def test_workers_of_one_cluster_hand_tensors_over_for_nothing() -> None:
    soc = make_soc({"cpu": {"workers": [1, 1], "crossing": {"copy": "1 GB/s"}}})
    graph = make_graph(("a", ["x"], 1), ("b", ["a"], 1))
    program = lower(graph, soc, [("cpu.0", "a"), ("cpu.1", "b")])
    assert [job.entry for job in program.jobs] == [(), ()]


def test_resident_tensors_give_way_to_a_tile_that_needs_the_room() -> None:
    # r takes 4 KiB of 12; the weight tiles of the convolution (32 x 32 floats, twice) take 8.
    array = {"rows": 32, "columns": 32, "dataflow": "weight_stationary"}
    soc = make_soc({"npu": NPU | {"sram": "12 KiB", "array": array}}, memory=FAST)
    whole = program_of(conv_relu(), soc, Partition("p", "npu", ("r", "c", "q")))
    alone = [
        launch.work
        for name in "rcq"
        for launch in Lowering(conv_relu(), soc, AnalyticalModel()).launches(
            soc.by_name["npu"], [conv_relu().index[name]]
        )
    ]
    assert [launch.work for launch in whole.jobs[0].launches] == alone
    roomy = make_soc({"npu": NPU | {"sram": "64 KiB", "array": array}}, memory=FAST)
    resident = program_of(conv_relu(), roomy, Partition("p", "npu", ("r", "c", "q")))
    moved = sum(launch.work.load_bytes for launch in resident.jobs[0].launches)
    assert moved == 4096 + 4 * 64 * 64  # x and the weights


def test_an_operator_whose_smallest_tile_does_not_fit_names_partition_unit_and_bytes() -> None:
    array = {"rows": 32, "columns": 32, "dataflow": "weight_stationary"}
    soc = make_soc({"npu": NPU | {"sram": "4 KiB", "array": array}})
    with pytest.raises(PlanError, match=r"'p'.*npu.*\d+ bytes larger"):
        program_of(conv_relu(), soc, Partition("p", "npu", ("r", "c", "q")))
    with pytest.raises(InfeasibleError, match=r"\d+ bytes larger"):
        Lowering(conv_relu(), soc, AnalyticalModel()).launches(soc.by_name["npu"], [1])


def test_equal_units_share_lowered_kernels_and_different_ones_do_not() -> None:
    soc = make_soc({"npu0": NPU, "npu1": NPU, "npu2": NPU | {"vector_lanes": 2}})
    lowering = Lowering(conv_relu(), soc, AnalyticalModel())
    first, second, third = (lowering.launches(soc.by_name[f"npu{i}"], [0]) for i in range(3))
    assert first == second
    assert first[0].work.compute_s == 2 * third[0].work.compute_s


@pytest.mark.parametrize(("room", "stays"), [("2 MB", True), ("1.999998 MB", False)])
def test_a_tensor_that_takes_half_the_memory_to_the_byte_stays(room: str, stays: bool) -> None:
    soc = make_soc({"npu": NPU | {"sram": room}}, memory=FAST)
    graph = make_graph(("a", ["x"], 1), ("b", ["a"], 1))
    (job,) = lower(graph, soc, [("npu", "a b")]).jobs
    moved = [(launch.work.load_bytes, launch.work.store_bytes) for launch in job.launches]
    assert moved == ([(10**6, 0), (0, 10**6)] if stays else [(10**6, 10**6)] * 2)


@pytest.mark.parametrize(("cache", "warm"), [("1 MB", True), ("999999 B", False)])
def test_a_result_that_fits_the_cache_to_the_byte_is_not_read_again(cache: str, warm: bool) -> None:
    soc = make_soc({"cpu": {"l2": cache}}, memory=FAST)
    graph = make_graph(("a", ["x"], 1), ("b", ["a"], 1), ("c", ["a", "b"], 1))
    (job,) = lower(graph, soc, [("cpu", "a b c")]).jobs
    loads = [launch.work.load_bytes for launch in job.launches]
    # a is two kernels old when c reads it: no longer warm.
    assert loads == ([10**6, 0, 10**6] if warm else [10**6, 10**6, 2 * 10**6])
