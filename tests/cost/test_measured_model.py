"""Measured times in the place of analytical ones, by hand: 1 GB/s at the end of 0.5 ms."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from hetsim.cost.measured.fit import alone_s
from hetsim.cost.measured.keys import group_key
from hetsim.cost.measured.model import MeasuredModel
from hetsim.cost.measured.table import Entry, Scope
from hetsim.cost.work import NOWHERE, Kernel, Phase, Residency, Work
from hetsim.errors import InfeasibleError
from hetsim.soc.model import PU
from hetsim.workload.graph import Graph
from tests.cost.samples import BASE, LOAD, MEMORY, RUN, SLOW, Told, matmul, network, table
from tests.sim.samples import NPU, make_soc

MS = 1e-3
MB = 1_000_000
CPU = SLOW.by_name["cpu"]
NPU_ = SLOW.by_name["npu"]  # with managed memory
KEPT = Residency(frozenset({"x"}))
GRAPH = network(matmul(4, 4, 4))
ONE, BOTH = Kernel.of(GRAPH, GRAPH.operators[:1]), Kernel.of(GRAPH, GRAPH.operators)
HEAD, GROUP = (group_key(GRAPH, kernel.operators) for kernel in (ONE, BOTH))


def model(
    *entries: Entry, told: Told | None = None, pu: PU = NPU_, scope: Scope = "kernel",
    behind: Told | None = None, around: float = 0.0,
) -> MeasuredModel:  # fmt: skip
    tables = {pu.cluster: table(list(entries), scope)}
    return MeasuredModel(tables, told or Told(), lambda *_: around, behind)


def test_a_measured_time_is_that_of_the_kernel_alone() -> None:
    found = model(Entry(HEAD, 20 * MS)).work(GRAPH, ONE, NPU_)
    assert alone_s(found, NPU_.home) == pytest.approx(20 * MS)
    assert (found.source, found.note, found.spread) == ("measured", "20000 us, profile t", 0.05)
    assert model(Entry(GROUP, 20 * MS)).work(GRAPH, ONE, NPU_) is None


@pytest.mark.parametrize(("tail", "factor"), [(5 * MS, 1.5), (-1 * MS, 1.0)])
def test_a_tail_that_nobody_measured_is_added_in_proportion(tail: float, factor: float) -> None:
    """10 ms alone and 15 with its tail: half as long again, and as unsure as that."""
    known = model(Entry(HEAD, 20 * MS, 1 * MS), told=Told(tail_s=tail))
    found = known.work(GRAPH, BOTH, NPU_)
    assert alone_s(found, NPU_.home) == pytest.approx(20 * MS * factor)
    assert found.source == "measured-head"
    assert found.spread == pytest.approx(math.hypot(0.05 / 0.6745, math.log(factor)))


def test_a_head_that_takes_no_time_says_nothing_of_its_tail() -> None:
    nothing = Told({NOWHERE: Work(0.0, 0.0, (Phase("run", 0.0),))})
    found = model(Entry(HEAD, 20 * MS), told=nothing).work(GRAPH, BOTH, NPU_)
    assert alone_s(found, NPU_.home) == pytest.approx(20 * MS)


def test_what_cannot_run_alone_cannot_run_with_a_tail() -> None:
    for kernel in (ONE, BOTH):
        with pytest.raises(InfeasibleError, match=r"cannot run on npu, says profile t$"):
            model(Entry(HEAD, math.inf), scope="partition").work(GRAPH, kernel, NPU_)


def test_a_partition_s_time_is_of_the_kernel_what_is_not_around_it() -> None:
    around = {"scope": "partition", "around": 8 * MS}
    found = model(Entry(HEAD, 28 * MS), **around).work(GRAPH, BOTH, NPU_)
    assert alone_s(found, NPU_.home) == pytest.approx(30 * MS)  # 20 and half as much
    assert model(Entry(HEAD, 8 * MS), **around).work(GRAPH, BOTH, NPU_) is None
    bare = MeasuredModel({"npu": table([Entry(HEAD, 20 * MS)], "partition")}, Told())
    assert alone_s(bare.work(GRAPH, ONE, NPU_), NPU_.home) == pytest.approx(20 * MS)


def test_times_that_are_too_short_are_told_four_of_them_by_name() -> None:
    graph = network(*(matmul(4, 4, n) for n in range(1, 6)))
    kernels = [Kernel.of(graph, (op,)) for op in graph.operators[:5]]
    entries = [Entry(group_key(graph, kernel.operators), 1 * MS) for kernel in kernels]
    short = model(*entries, scope="partition", around=8 * MS)
    for kernel in (*kernels[:4], *kernels[:4]):
        assert short.work(graph, kernel, NPU_) is None
    said = "; ".join(f"m{i} on npu, 1000 of 8000 us" for i in range(4))
    assert short.notes() == [
        "profile t: 4 measured times are shorter than the call and the crossings that they hold,"
        f" and are not used: {said}"
    ]
    assert short.work(graph, kernels[4], NPU_) is None
    assert short.notes()[0].startswith("profile t: 5 measured times")
    assert short.notes()[0].endswith(f"{said} and others")


def resident(run: Phase, base: Work = BASE, pu: PU = NPU_) -> Work:
    """``run`` is all that is left to do where ``x`` stays on chip."""
    kept = replace(base, phases=(run,), compute_s=run.compute_s)
    known = model(Entry(HEAD, 20 * MS, 1 * MS), told=Told({NOWHERE: base, KEPT: kept}), pu=pu)
    found = known.work(GRAPH, ONE, pu, KEPT)
    assert (found.source, found.note, found.tiles, found.clock_hz, found.spread) == (
        "measured", "20000 us, profile t", (), 0.0, pytest.approx(0.05 / 0.6745)
    )  # fmt: skip
    return found


def test_where_a_tensor_stays_arithmetic_is_what_the_measurement_made_of_it() -> None:
    """Dispatch, latency, the load and the bytes of the run leave 11 ms: 13 instead of 3."""
    found = resident(RUN)
    assert found.phases == (
        replace(RUN, seconds=pytest.approx(13 * MS), compute_s=pytest.approx(13 * MS)),
    )
    assert (found.compute_s, found.dispatch_s) == (pytest.approx(13 * MS), 2 * MS)
    moving = replace(RUN, load_bytes=15 * MB)
    assert resident(moving).phases[0].seconds == pytest.approx(15 * MS)
    idle = Phase("load", 1 * MS, MB)
    assert resident(idle).phases == (idle,)


def test_where_nothing_computes_nothing_is_multiplied() -> None:
    copying = replace(BASE, phases=(LOAD,), compute_s=0.0)
    assert resident(RUN, copying).phases == (RUN,)


def test_keeping_a_tensor_on_chip_never_takes_longer() -> None:
    assert resident(replace(RUN, load_bytes=18 * MB)).load_bytes == 3 * MB  # 20.5 ms
    assert resident(replace(RUN, load_bytes=17 * MB)).load_bytes == 17 * MB
    assert resident(RUN, pu=CPU).load_bytes == 3 * MB  # a cache keeps what it likes


FUSING = make_soc(
    {"cpu": {"fuse": ["MatMul-Relu", "MatMul-Add-Relu"], "operators": "all"}}, memory=MEMORY
).by_name["cpu"]


def floor(*entries: Entry, pu: PU = CPU, op: int = 0, **told: object) -> float | None:
    return model(*entries, pu=pu, **told).floor(GRAPH, op, pu)  # type: ignore[arg-type]


def test_a_floor_is_what_was_measured_where_nothing_can_be_saved() -> None:
    time = Entry(HEAD, 20 * MS)
    assert floor(time) == 20 * MS
    assert model(time).floor(GRAPH, 0, CPU) is None  # nothing was measured there
    # Who answers for the rest says it of the rest.
    assert floor(Entry("Relu[] int8", 1.0), behind=Told(floors=4 * MS)) == 4 * MS
    assert floor(Entry("Relu[] int8", 1.0), behind=Told(floors=None)) == math.inf
    assert floor(Entry(HEAD, math.inf)) == math.inf
    assert floor(time, behind=Told(floors=math.inf)) == math.inf


def test_a_floor_is_that_of_the_quickest_kernel_it_may_head() -> None:
    assert floor(Entry(HEAD, 20 * MS), pu=FUSING) == 20 * MS  # the tail only adds to it
    assert floor(Entry(HEAD, 20 * MS), Entry(GROUP, 12 * MS), pu=FUSING) == 12 * MS
    assert floor(Entry(HEAD, 20 * MS), Entry(GROUP, 25 * MS), pu=FUSING) == 20 * MS
    # It may run alone, of which the analytical model says 2.5 ms.
    assert floor(Entry(GROUP, 12 * MS), pu=FUSING) == 2.5 * MS
    assert floor(Entry(HEAD, 20 * MS), pu=FUSING, op=1) == 0.0  # inside the kernel of its head


@pytest.mark.parametrize("pu", [NPU_, make_soc({"npu": NPU | {
    "dispatch": "2 ms", "prefetch": True,
    "sram": {"input": "1 MB", "weight": "1 MB", "accumulator": "1 MB"},
}}, memory=MEMORY).by_name["npu"]])  # fmt: skip
def test_where_transfers_may_be_saved_a_floor_is_dispatch_and_arithmetic(pu: PU) -> None:
    """Of the floor of 2.5 ms half a millisecond is arithmetic, which takes 13/3 of that."""
    time = Entry(HEAD, 20 * MS)
    assert floor(time, pu=pu) == pytest.approx(2 * MS + 0.5 * MS * 13 / 3)
    assert floor(time, pu=pu, told=Told(floors=1 * MS)) == 2 * MS
    assert floor(time, pu=pu, told=Told(floors=None), behind=Told()) == 0.0
    copying = replace(BASE, phases=(LOAD,), compute_s=0.0)
    assert floor(time, pu=pu, told=Told({NOWHERE: copying})) == 0.0


def test_keys_are_those_of_the_network_that_is_asked_about() -> None:
    known = model(Entry(HEAD, 20 * MS))
    other: Graph = network(matmul(4, 4, 5))
    asked = [Kernel.of(graph, graph.operators[:1]) for graph in (GRAPH, other, GRAPH)]
    found = [
        known.work(graph, kernel, NPU_)
        for graph, kernel in zip((GRAPH, other, GRAPH), asked, strict=True)
    ]
    assert [work is not None for work in found] == [True, False, True]
    assert known.entry(GRAPH, ONE, CPU) is None
    assert known.caches
