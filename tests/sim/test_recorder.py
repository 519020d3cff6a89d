"""Rows of a trace, from what the engine tells: each span and each part of a stretch by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hetsim.cost.work import Phase, Step, Traffic, Work
from hetsim.lower.program import Job, Launch
from hetsim.sim.recorder import SpanRecorder
from hetsim.sim.trace import RUNTIME, Activity, Hit, Span, TaskRow

PHASES = (Phase("load", 1.0), Phase("stream", 5.0), Phase("store", 2.0))
WORK = Work(0.5, 4.0, PHASES, on_chip_bytes=7, note="3 tiles")
KERNEL = Launch("a+b", ("a", "b"), WORK)
MEASURED = Launch("a+b", ("a", "b"), Work(0.5, 4.0, PHASES, source="measured"))
JOB = Job("p0", 1, (), (), (KERNEL,))
TASK: Any = SimpleNamespace(inference=5, stream=0, position=3, job=JOB)
NPU: Any = SimpleNamespace(
    lane="npu", dma_lane="npu.dma", host_lane="cpu:npu", index=1, owns_cores=False
)
CPU: Any = SimpleNamespace(
    lane="cpu", dma_lane="cpu.dma", host_lane="cpu", index=0, owns_cores=True
)


def flow(
    amount: float = 0.0, *, lost: float = 0.0, bus: float = 1.0, latency: float = 0.0,
    turning: float = 0.0,
) -> Any:  # fmt: skip
    """Over links that carry ``bus`` bytes a second; without any when nothing moves."""
    links = ("dram",) if amount else ()
    route = SimpleNamespace(links=links, bus=bus, latency=latency, turning=lambda _: turning)
    return SimpleNamespace(amount=amount, lost=lost, route=route)


class Kept(SpanRecorder):
    def __init__(self) -> None:
        self.of: list[Activity] = []
        super().__init__([], [], self.of, [])

    @property
    def shown(self) -> list[tuple[str, str, float, float]]:
        assert isinstance(self.spans, list)
        return [(s.lane, s.kind, s.start, s.end) for s in self.spans]

    @property
    def parts(self) -> list[tuple[float, ...]]:
        """(compute, contention, transfer, dma, crossing, sharing), which add up to the stretch."""
        found = []
        for a in self.of:
            parts = (a.compute, a.contention, a.transfer, a.dma, a.crossing, a.sharing)
            assert sum(parts) == pytest.approx(a.end - a.start, rel=1e-12)
            assert a.inference == 5
            found.append(parts)
        return found


@pytest.fixture
def kept() -> Kept:
    return Kept()


def test_what_a_stretch_is_said_to_have_gone_into_is_nothing_unless_told() -> None:
    empty = Activity(1, 2, 3.0, 7.0)
    assert (empty.compute, empty.contention, empty.transfer) == (0.0, 0.0, 0.0)
    assert (empty.dma, empty.crossing, empty.sharing) == (0.0, 0.0, 0.0)


def test_a_hit_and_a_task_are_rows_of_their_own(kept: Kept) -> None:
    kept.hit("kernel", "a+b", 64, TASK)
    kept.task(TASK, NPU, 1.0, 4.0)
    assert kept.hits == [Hit(5, 3, "kernel", "a+b", 64)]
    assert kept.tasks == [TaskRow(5, 3, 1, 1.0, 4.0)]


@pytest.mark.parametrize(
    ("seconds", "moves", "crossing", "sharing"),
    [
        (2.0, flow(lost=1.0), 2.0, 3.0),  # five alone, of which others' threads had three
        (2.0, flow(3.0, lost=1.0, bus=1.0, latency=0.5), 3.5, 1.5),  # the bus is the slower one
        (2.0, flow(8.0, lost=1.0, bus=4.0, turning=4.5), 4.5, 0.5),  # and a channel slower still
        (9.0, flow(lost=1.0), 5.0, 0.0),  # never more than there was
    ],
)
def test_a_host_step_crosses_loses_and_shares(
    kept: Kept, seconds: float, moves: Any, crossing: float, sharing: float
) -> None:
    kept.host("cpu:npu", Step("convert", "x", seconds, 8), 2.0, 8.0, moves, TASK)
    assert kept.spans == [Span("cpu:npu", "convert", "x", 2.0, 8.0, 5, "p0", (), 8, 5.0)]
    assert kept.parts == [(0.0, 1.0, 0.0, 0.0, crossing, sharing)]
    assert (kept.of[0].position, kept.of[0].start, kept.of[0].end) == (3, 2.0, 8.0)


def test_forks_and_joins_belong_to_no_task_and_what_takes_no_time_is_no_row(kept: Kept) -> None:
    assert RUNTIME == -1  # files say so, and no task has that position
    for kind in ("fork", "join", "call"):
        kept.host("runtime", Step(kind, "p0", 1.0), 0.0, 1.0, flow(), TASK)
    assert [activity.position for activity in kept.of] == [RUNTIME, RUNTIME, 3]
    kept.host("runtime", Step("call", "p0", 0.0), 1.0, 1.0, flow(), TASK)
    assert len(kept.of) == len(kept.shown) == 3


def test_polling_costs_the_task_nothing_and_an_interrupt_does(kept: Kept) -> None:
    kept.wait("cpu:npu", "poll", "npu", 1.0, 4.0, TASK)
    assert kept.parts == []
    kept.wait("npu", "interrupt", "completion", 4.0, 4.5, TASK)
    assert kept.spans == [
        Span("cpu:npu", "poll", "npu", 1.0, 4.0, 5, "p0", (), 0, 3.0),
        Span("npu", "interrupt", "completion", 4.0, 4.5, 5, "p0", (), 0, 0.5),
    ]
    assert kept.of == [Activity(5, 3, 4.0, 4.5, crossing=0.5)]


def test_who_stands_aside_shares_its_unit(kept: Kept) -> None:
    kept.preempted(NPU, 1.0, 4.0, TASK)
    assert kept.spans == [Span("npu", "preempted", "p0", 1.0, 4.0, 5, "p0")]
    assert kept.of == [Activity(5, 3, 1.0, 4.0, sharing=3.0)]


def test_a_phase_follows_its_dispatch_and_a_stream_is_seen_on_both_lanes(kept: Kept) -> None:
    kept.phase(NPU, KERNEL, Phase("stream", 5.0, 6, 2, 3.0), 0.5, 1.0, 7.5, flow(8.0), TASK)
    said = ("a+b",), ("a", "b"), "analytical; 3 tiles", 7
    assert kept.shown == [
        ("npu", "dispatch", 1.0, 1.5), ("npu", "compute", 1.5, 7.5), ("npu.dma", "stream", 1.5, 7.5)
    ]  # fmt: skip
    for span, moved, alone in zip(kept.spans, (0, 8, 8), (0.5, 6.0, 6.0), strict=True):  # type: ignore[call-overload]
        assert (span.bytes, span.alone_s, span.inference, span.partition) == (moved, alone, 5, "p0")
        assert ((span.name,), span.operators, span.note, span.on_chip_bytes) == said
    assert kept.of[0] == Activity(5, 3, 1.0, 1.5, crossing=0.5)
    assert (kept.of[1].start, kept.of[1].end, kept.of[1].position) == (1.5, 7.5, 3)


def test_a_load_is_seen_on_the_engines_lane_alone_and_arithmetic_on_the_units(kept: Kept) -> None:
    for kind, load, store in (("load", 4, 0), ("store", 0, 4), ("stream", 0, 0), ("compute", 4, 4)):
        kept.phase(NPU, MEASURED, Phase(kind, 2.0, load, store), 0.0, 1.0, 3.0, flow(), TASK)
    assert kept.shown == [
        ("npu.dma", "load", 1.0, 3.0), ("npu.dma", "store", 1.0, 3.0),
        ("npu", "compute", 1.0, 3.0), ("npu", "compute", 1.0, 3.0),
    ]  # fmt: skip
    assert {span.note for span in kept.spans} == {"measured"}  # type: ignore[attr-defined]


def test_bytes_of_other_memories_count_in_the_row_and_a_launch_may_be_all_there_is(
    kept: Kept,
) -> None:
    both = Phase("load", 2.0, 4, 1, elsewhere=(Traffic("sram", 32, 8), Traffic("rom", 64)))
    kept.phase(NPU, KERNEL, both, 0.0, 1.0, 3.0, flow(), TASK)
    assert [span.bytes for span in kept.spans] == [109]  # type: ignore[attr-defined]
    kept.phase(NPU, KERNEL, Phase("stream", 0.0), 0.5, 3.0, 3.5, flow(), TASK)
    assert kept.shown[1:] == [("npu", "dispatch", 3.0, 3.5)]
    assert len(kept.parts) == 2


@pytest.mark.parametrize(
    ("compute", "moves", "expected"),
    [
        # Ten seconds, of which two were lost: three of arithmetic, two more of the idle bus's five.
        (3.0, flow(5.0, lost=2.0), (3.0, 2.0, 2.0, 3.0)),
        # Arithmetic hides the bus, but not its latency.
        (6.0, flow(3.0, lost=2.0), (6.0, 2.0, 0.0, 2.0)),
        (6.0, flow(3.0, lost=2.0, latency=0.5), (6.0, 2.0, 0.5, 1.5)),
        # Nothing is told of more than there was.
        (7.0, flow(9.0, lost=2.0), (7.0, 2.0, 1.0, 0.0)),
        (9.0, flow(9.0, lost=2.0), (8.0, 2.0, 0.0, 0.0)),
        (0.0, flow(), (0.0, 0.0, 0.0, 10.0)),
    ],
)
def test_a_stretch_is_arithmetic_then_the_idle_bus_and_what_is_left_is_the_engines_or_the_cores(
    kept: Kept, compute: float, moves: Any, expected: tuple[float, ...]
) -> None:
    phase = Phase("stream", 1.0, 4, 0, compute)
    for unit in (NPU, CPU):
        kept.phase(unit, KERNEL, phase, 0.0, 20.0, 30.0, moves, TASK)
    did, lost, moved, rest = expected
    assert kept.parts == [(did, lost, moved, rest, 0.0, 0.0), (did, lost, moved, 0.0, 0.0, rest)]
    assert kept.spans[0].alone_s == 10.0 - moves.lost  # type: ignore[index]


def test_tiles_have_a_lane_for_each_direction(kept: Kept) -> None:
    for kind in ("load", "compute", "store"):
        kept.tile(NPU, KERNEL, kind, 2, 1.0, 3.0, 64, TASK)
    assert kept.spans == [
        Span(lane, kind, "a+b [2]", 1.0, 3.0, 5, "p0", ("a", "b"), 64, 2.0, "3 tiles", 7)
        for lane, kind in (
            ("npu.dma.load", "load"), ("npu", "compute"), ("npu.dma.store", "store")
        )
    ]  # fmt: skip
    assert kept.parts == []


@pytest.mark.parametrize(
    ("end", "lost", "contention"),
    [
        (10.5, 3.0, 1.5),  # the fluid takes eight: what its transfers lost was mostly hidden
        (10.5, 1.0, 1.0),
        (8.0, 3.0, 0.0),  # tiles may be a little quicker than the fluid
    ],
)
def test_of_tiles_only_what_made_the_kernel_longer_is_lost(
    kept: Kept, end: float, lost: float, contention: float
) -> None:
    kept.tiled(NPU, KERNEL, 0.5, end, lost, 5.0, 0.25, TASK)
    rest = end - 1.0 - contention - 5.0
    assert kept.shown == [("npu", "dispatch", 0.5, 1.0)]
    assert kept.parts == [
        (0.0, 0.0, 0.0, 0.0, 0.5, 0.0), pytest.approx((4.0, contention, 1.0, rest, 0.0, 0.0))
    ]  # fmt: skip
    assert (kept.of[1].start, kept.of[1].end) == (1.0, end)
