"""NPUs of several cores: how they share an operator, what it takes, plans that divide them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hetsim.analysis.metrics.energy import energy
from hetsim.bounds.makespan import lower_bounds
from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.analytical.sharing import Split, split
from hetsim.cost.work import Kernel, Work
from hetsim.sim.simulate import execute
from hetsim.soc.arrays import SystolicArray
from hetsim.soc.model import SoC
from hetsim.soc.npu import NPUSpec
from hetsim.workload.graph import Graph, LoopNest, Operator, Tensor
from tests.sim.samples import FAST, MS, NPU, lower, make_graph, make_soc, simulate

ARRAY = SystolicArray(rows=8, columns=8, dataflow="weight_stationary")


def soc(cores: int = 2, memory: Any = None, **npu: Any) -> SoC:
    return make_soc({"npu": NPU | {"cores": cores} | npu}, memory=memory or FAST)


def convolution(out_c: int = 32, size: int = 16, kernel: int = 1, groups: int = 1) -> Graph:
    """Of 32 channels in each group, padded so that its size stays."""
    nest = LoopNest(
        1, groups, size, size, 32 // groups, out_c // groups, kernel, kernel, in_h=size, in_w=size
    )
    weights = nest.groups * nest.in_c * nest.out_c * kernel * kernel
    op = Operator(
        "conv", "Conv", ("x",), ("y",), weights=(("float32", weights),), macs=nest.macs, nest=nest
    )
    tensors = [Tensor("x", (1, 32, size, size)), Tensor("y", (1, out_c, size, size))]
    return Graph.create("conv", [op], tensors, ["x"], ["y"])


def work_of(graph: Graph, soc: SoC) -> Work:
    work = AnalyticalModel().work(graph, Kernel.of(graph, graph.operators), soc.by_name["npu"])
    assert work is not None
    return work


@pytest.mark.parametrize(
    ("nest", "cores", "expected"),
    [
        # 16 folds of 8 x 8 over 256 pixels: halving filters halves the folds exactly.
        (LoopNest(1, 1, 16, 16, 32, 32, in_h=16, in_w=16), 2, ("filters", 2)),
        # One column of folds: only pixels can be shared.
        (LoopNest(1, 1, 16, 16, 32, 8, in_h=16, in_w=16), 2, ("rows", 2)),
        # A single pixel: only filters can.
        (LoopNest(1, 1, 1, 1, 32, 64), 4, ("filters", 4)),
        # Groups are shared before filters are cut.
        (LoopNest(1, 32, 16, 16, 1, 1, 3, 3, in_h=16, in_w=16), 4, ("groups", 4)),
        # Three rows for four cores.
        (LoopNest(1, 1, 3, 64, 8, 8, 3, 3, in_h=3, in_w=64), 4, ("rows", 3)),
    ],
)
def test_what_takes_the_arrays_the_fewest_cycles_is_shared(
    nest: LoopNest, cores: int, expected: tuple[str, int]
) -> None:
    found = split(nest, ARRAY, cores)
    part = {
        "filters": replace(nest, out_c=nest.out_c // found.cores),
        "groups": replace(nest, groups=nest.groups // found.cores),
    }.get(expected[0])
    assert found.cores == expected[1]
    if part is None:
        assert found.weights == 1.0
        assert (found.nest.out_c, found.nest.groups) == (nest.out_c, nest.groups)
    else:
        assert found.nest == part


@pytest.mark.slow
@settings(max_examples=200)
@given(
    st.integers(1, 40), st.integers(1, 9), st.integers(1, 70), st.integers(1, 70),
    st.sampled_from((1, 3, 5)), st.sampled_from((1, 2)), st.integers(1, 8),
)  # fmt: skip
def test_all_parts_together_are_the_whole(
    size: int, groups: int, in_c: int, out_c: int, kernel: int, stride: int, cores: int
) -> None:
    nest = LoopNest(
        1, groups, size, size, in_c, out_c, kernel, kernel, stride, stride,
        in_h=(size - 1) * stride + 1, in_w=(size - 1) * stride + 1,
    )  # fmt: skip
    found: Split = split(nest, ARRAY, cores)
    assert 1 <= found.cores <= cores
    assert nest.macs <= found.nest.macs * found.cores
    assert nest.in_h <= found.input_bytes(nest.in_h) <= nest.in_h * found.cores


def test_weights_and_inputs_cross_the_path_once() -> None:
    """A 1x1 convolution that fits: whichever way it is shared, no byte moves twice."""
    for out_c in (32, 8):
        graph = convolution(out_c)
        one, two = (work_of(graph, soc(cores)) for cores in (1, 2))
        assert (one.load_bytes, one.store_bytes) == (two.load_bytes, two.store_bytes)
        assert two.on_chip_bytes > one.on_chip_bytes  # what is broadcast lies in both SRAMs
        # By filters half the folds, by rows folds of half the pixels, each filled anew.
        folds, pixels, fill = (8, 256, 22) if out_c == 32 else (4, 128, 22)
        assert two.compute_s == pytest.approx((folds * (pixels + fill)) * 1e-9, rel=1e-2)


def test_halo_rows_are_read_twice() -> None:
    graph = convolution(8, kernel=3)
    one, two = (work_of(graph, soc(cores)) for cores in (1, 2))
    row = 32 * 16 * 4
    assert two.load_bytes - one.load_bytes == 2 * row
    told = re.compile(r"(\d+) tiles, (on each of 2 cores, )?(weights|inputs) stay, \d+ folds")
    assert [bool(told.fullmatch(work.note)[2]) for work in (one, two)] == [False, True]
    vector = make_graph(("a", ["x"], 6.0))  # in which nothing is read twice
    op = vector.operators[0]
    pu = soc(2).by_name["npu"]
    found = AnalyticalModel().work(vector, Kernel.of(vector, (op,)), pu)
    assert found is not None
    assert "stay" not in found.note


def test_element_wise_work_is_divided_evenly_and_cores_meet_once_a_kernel() -> None:
    graph = make_graph(("a", ["x"], 6.0), ("b", ["a"], 3.0))
    for cores, expected in ((1, 9.0), (3, 3.0)):
        trace = simulate(graph, soc(cores), [("npu", "a b")])
        assert trace.makespan_s == pytest.approx(expected * MS, rel=1e-6)
    met = simulate(graph, soc(3, core_sync="100 us"), [("npu", "a b")])
    assert met.makespan_s == pytest.approx(3.2 * MS, rel=1e-6)


def test_cores_share_the_path_and_have_engines_of_their_own() -> None:
    slow = {"dma": {"bandwidth": "0.5 GB/s"}, "vector_lanes": 10**6}
    graph = make_graph(("a", ["x"], 0.0))
    times = [
        simulate(graph, soc(cores, {"dram": {"bandwidth": "1 GB/s", "capacity": "1 GiB"}}, **slow),
                 [("npu", "a")]).makespan_s
        for cores in (1, 2, 4)
    ]  # fmt: skip
    assert times == [pytest.approx(4 * MS), pytest.approx(2 * MS), pytest.approx(2 * MS)]


def test_workers_take_different_operators_and_a_plan_may_do_both() -> None:
    """6 ms of a core each: alone on two cores 3, side by side 6; the same in the end."""
    graph = make_graph(("a", ["x"], 6.0), ("b", ["y"], 6.0))
    apart = soc(2, workers=[1, 1])
    assert [(pu.name, pu.cores) for pu in apart.pus[1:]] == [("npu.0", 1), ("npu.1", 1)]
    both = simulate(graph, apart, [("npu.0", "a"), ("npu.1", "b")], [["p0", "p1"]])
    assert both.makespan_s == pytest.approx(6 * MS, rel=1e-6)
    together = simulate(graph, soc(2), [("npu", "a"), ("npu", "b")])
    assert together.makespan_s == pytest.approx(6 * MS, rel=1e-6)
    mixed = soc(4, workers=[3, 1])
    trace = simulate(graph, mixed, [("npu.0", "a"), ("npu.1", "b")], [["p0", "p1"]])
    assert trace.pu_busy_s["npu.0"] == pytest.approx(2 * MS, rel=1e-6)
    assert [pu.managed_memory for pu in mixed.pus[1:]] == [48e6, 16e6]
    for shared, program in ((apart, [("npu.0", "a"), ("npu.1", "b")]), (soc(2), [("npu", "a b")])):
        found = execute(shared, lower(graph, shared, program))
        for bound in lower_bounds(graph, shared, AnalyticalModel()):
            assert bound.seconds <= found.makespan_s * (1 + 1e-9)


def test_power_is_that_of_all_cores() -> None:
    point = {"operating_points": {"on": {"clock": "1 GHz", "active_power": "4 W"}}}
    graph = make_graph(("a", ["x"], 6.0))
    whole, half = soc(2, **point), soc(2, workers=[1, 1], **point)
    assert energy(simulate(graph, whole, [("npu", "a")]), whole) == pytest.approx(4 * 3 * MS)
    assert energy(simulate(graph, half, [("npu.0", "a")]), half) == pytest.approx(2 * 6 * MS)


def test_a_die_pays_for_every_core() -> None:
    one, four = (soc(cores).by_name["npu"].spec for cores in (1, 4))
    assert isinstance(four, NPUSpec)
    for what in ("multipliers", "on_chip_memory", "dma_bandwidth"):
        assert getattr(four, what) == 4 * getattr(one, what)


def test_a_host_thread_polls_for_all_cores() -> None:
    graph = make_graph(("a", ["x"], 8.0), ("b", ["y"], 1.0))
    npu = NPU | {"cores": 8, "host_wait": "poll"}
    polling = make_soc({"cpu": {"workers": [3]}, "npu": npu}, memory=FAST)
    trace = simulate(graph, polling, [("npu", "a"), ("cpu", "b")], [["p0", "p1"]])
    assert trace.makespan_s == pytest.approx(MS, rel=1e-6)  # three threads and one for four cores
    assert [span.lane for span in trace.spans if span.kind == "poll"] == ["cpu:npu"]


@pytest.mark.parametrize(
    ("npu", "message"),
    [
        ({"workers": [2, 1]}, "need 3 cores, and the cluster has 2"),
        ({"workers": [1]}, "leave cores idle"),
        ({"workers": [1, 1], "core_sync": "1 us"}, "no unit has several cores"),
    ],
)
def test_what_does_not_fit_is_refused(npu: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        soc(2, **npu)
