"""What the runtime and the host do between kernels and partitions, against times by hand.

Tensors have 250,000 elements, 1 MB of float32. Memory takes no time.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

import hetsim
from hetsim.cost.analytical import AnalyticalModel
from hetsim.errors import ConfigError
from hetsim.lower.lowering import Lowering
from hetsim.plan.build import Block
from hetsim.runs.case import Case
from hetsim.runs.profile.simulated import SimulatedProfile
from hetsim.schedulers.estimate import predict
from hetsim.sim.simulate import execute
from hetsim.soc.model import SoC
from tests.sim.samples import CLUSTER, FAST, MS, NPU, lower, make_graph, make_soc

CHAIN = make_graph(("a", ["x"], 3), ("b", ["a"], 5))
INT8 = {"dtypes": {"int8": 1.0}, "precision": {"float32": "int8"}, "layout": "own"}
# 1 ms to quantise a tensor and 2 ms to reorder it.
CROSSING = {"quantise": "4 ns", "relayout": "8 ns"}


def soc_of(crossing: dict[str, Any] | None = None, **runtime: str) -> SoC:
    units = {
        "npu0": NPU | INT8 | {"crossing": CROSSING | (crossing or {})},
        "npu1": NPU | INT8 | {"crossing": CROSSING | (crossing or {})},
    }
    return make_soc(units, memory=FAST, **runtime)


def seconds(soc: SoC, *plan: tuple[str, str], graph=CHAIN) -> float:
    return execute(soc, lower(graph, soc, list(plan), [])).makespan_s


def test_a_layout_is_changed_at_the_ends_of_a_partition_or_around_each_kernel() -> None:
    # In and out 1 + 2 each; kernels 3 and 5.
    assert seconds(soc_of(), ("npu0", "a b")) == pytest.approx(14 * MS)
    # Quantised at the door, reordered before and after a, before and after b.
    around = soc_of({"relayout_at": "kernel"})
    assert seconds(around, ("npu0", "a b")) == pytest.approx((1 + 2 + 3 + 2 + 2 + 5 + 2 + 1) * MS)
    # Of a single operator the two are the same.
    alone = make_graph(("a", ["x"], 3))
    for soc in (soc_of(), around):
        assert seconds(soc, ("npu0", "a"), graph=alone) == pytest.approx(9 * MS)


def test_the_host_works_between_kernels_while_the_unit_stands_still() -> None:
    soc = soc_of({"relayout_at": "kernel"})
    trace = execute(soc, lower(CHAIN, soc, [("npu0", "a b")], []))
    spans = sorted((s.start, s.end, s.lane, s.kind) for s in trace.spans if s.end > s.start)
    mine = [(start, end) for start, end, lane, _ in spans if lane in ("npu0", "cpu:npu0")]
    assert all(after >= end - 1e-12 for (_, end), (after, _) in pairwise(mine))
    assert trace.pu_busy_s["npu0"] == pytest.approx(8 * MS)
    host = [(s.kind, s.name) for s in trace.spans if s.lane == "cpu:npu0" and s.end > s.start]
    assert host == [("convert", t) for t in ("x", "x", "a", "a", "b", "b")]


def test_an_interrupt_is_waited_for_after_every_kernel_that_the_host_works_behind() -> None:
    units = {"npu0": NPU | INT8 | {
        "crossing": CROSSING | {"relayout_at": "kernel"}, "interrupt_latency": "1 ms"}}  # fmt: skip
    soc = make_soc(units, memory=FAST)
    assert seconds(soc, ("npu0", "a b")) == pytest.approx((18 + 2) * MS)


def test_nothing_stays_on_chip_where_layouts_change_around_kernels() -> None:
    soc = soc_of({"relayout_at": "kernel"})
    job = lower(CHAIN, soc, [("npu0", "a b")], []).jobs[0]
    assert [launch.work.moves[""].bytes for launch in job.launches] == [500_000, 500_000]
    job = lower(CHAIN, soc_of(), [("npu0", "a b")], []).jobs[0]
    assert [launch.work.moves[""].bytes for launch in job.launches] == [250_000, 250_000]


def test_partitions_exchange_the_makers_format_or_the_hosts() -> None:
    # One NPU to the other in the same format: nothing. In and out 3 each.
    plan = [("npu0", "a"), ("npu1", "b")]
    assert seconds(soc_of(), *plan) == pytest.approx(14 * MS)
    assert seconds(soc_of(exchange="host"), *plan) == pytest.approx(20 * MS)
    # Also within one unit, when the partition ends in between.
    plan = [("npu0", "a"), ("npu0", "b")]
    assert seconds(soc_of(exchange="host"), *plan) == pytest.approx(20 * MS)
    assert seconds(soc_of(exchange="host"), ("npu0", "a b")) == pytest.approx(14 * MS)


def test_a_result_is_brought_back_once_and_in_for_each_reader() -> None:
    graph = make_graph(("a", ["x"], 3), ("b", ["a"], 5), ("c", ["a"], 5), ("d", ["b", "c"], 1))
    soc = soc_of(exchange="host")
    plan = [("npu0", "a"), ("npu0", "b"), ("npu1", "c"), ("cpu", "d")]
    jobs = lower(graph, soc, plan, []).jobs
    assert [[s.name for s in job.entry] for job in jobs] == [["x"], ["a"], ["a"], []]
    assert [[s.name for s in job.exit] for job in jobs] == [["a"], ["b"], ["c"], []]
    # Handed over as it is: the CPU converts both for itself.
    jobs = lower(graph, soc_of(), plan, []).jobs
    assert [[s.name for s in job.entry] for job in jobs] == [["x"], [], [], ["b", "c"]]
    assert [[s.name for s in job.exit] for job in jobs] == [[], [], [], []]


def test_inputs_are_copied_before_the_call_whoever_reads_them() -> None:
    soc = soc_of(input_copy="1 GB/s", partition_call="10 us")
    job = lower(CHAIN, soc, [("npu0", "a"), ("cpu", "b")], []).jobs[0]
    assert [step.kind for step in job.entry] == ["copy", "call", "convert"]
    assert job.entry[0].seconds == pytest.approx(1 * MS)
    assert job.entry[0].bytes == 2_000_000
    # 1 + 3 + 3, then 1 + 3 + 5 on the CPU, and two calls.
    plan = [("npu0", "a"), ("cpu", "b")]
    assert seconds(soc, *plan) == pytest.approx(16.02 * MS)
    assert seconds(soc, ("cpu", "a"), ("cpu", "b")) == pytest.approx(10.02 * MS)


def test_the_profile_tells_the_copy_apart_from_the_operator() -> None:
    with_copy, without = soc_of(input_copy="1 GB/s"), soc_of()
    profiles = [
        SimulatedProfile(Lowering(CHAIN, s, AnalyticalModel())) for s in (with_copy, without)
    ]
    assert [p.time(0, 1) for p in profiles] == [pytest.approx(9 * MS)] * 2
    assert profiles[0].copy(0) == pytest.approx(1 * MS)
    # Where the runtime copies nothing: every byte twice over the host's way to memory.
    slow = make_soc(memory={"dram": {"bandwidth": "1 GB/s", "capacity": "1 GiB"}})
    profile = SimulatedProfile(Lowering(CHAIN, slow, AnalyticalModel()))
    assert profile.copy(0) == pytest.approx(2 * MS)


@pytest.mark.parametrize("exchange", ["native", "host"])
@pytest.mark.parametrize("relayout_at", ["partition", "kernel"])
def test_what_schedulers_predict_is_what_is_simulated(exchange: str, relayout_at: str) -> None:
    graph = make_graph(("a", ["x"], 3), ("b", ["a"], 5), ("c", ["a"], 2), ("d", ["b", "c"], 1))
    soc = soc_of({"relayout_at": relayout_at}, exchange=exchange, input_copy="2 GB/s")
    case = Case(graph, soc, execution="barrier")
    blocks = [Block((0,), 1), Block((1,), 1), Block((2,), 2), Block((3,), 0)]
    plan = [("npu0", "a"), ("npu0", "b"), ("npu1", "c"), ("cpu", "d")]
    found = execute(soc, lower(graph, soc, plan, []), execution="barrier").makespan_s
    assert predict(case.problem(), blocks) == pytest.approx(found)


def test_tails_of_fused_kernels_may_be_free() -> None:
    both = CLUSTER | {"fuse": ["Relu-Relu"]}
    for tails, spent in (("added", 8), ("free", 3)):
        soc = make_soc({"cpu": both | {"fused_tails": tails}}, memory=FAST)
        assert seconds(soc, ("cpu", "a b")) == pytest.approx(spent * MS)
        assert seconds(soc, ("cpu", "a"), ("cpu", "b")) == pytest.approx(8 * MS)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"cpu.crossing.relayout_at": "kernel"}, "relayout_at: has no effect: 'relayout' is zero"),
        ({"npu.crossing.relayout_at": "tile"}, "relayout_at"),
        ({"cpu.fuse": [], "cpu.fused_tails": "free"}, "has no effect: 'fuse' names no chain"),
        ({"runtime.exchange": "hosts"}, "exchange"),
        ({"runtime.input_copy": "0 GB/s"}, "input_copy"),
    ],
)
def test_a_knob_that_would_do_nothing_is_told(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        hetsim.load_soc("edge-mcu", changes)
