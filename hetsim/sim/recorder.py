"""Recorders: who writes the trace's rows. The silent one is the neutral element."""

from __future__ import annotations

from typing import Protocol, TypeVar

from hetsim.cost.work import Phase, Step
from hetsim.lower.program import Job, Launch
from hetsim.sim.network.flow import Flow
from hetsim.sim.trace import RUNTIME, Activity, Hit, Span, TaskRow


class Lane(Protocol):
    """What a recorder reads of a unit."""

    lane: str
    dma_lane: str
    host_lane: str
    index: int
    owns_cores: bool


class Work(Protocol):
    """What a recorder reads of a task."""

    inference: int
    stream: int
    position: int
    job: Job


class Recorder:
    """Keeps nothing. The engine calls these methods whether or not anybody listens."""

    def task(self, task: Work, unit: Lane, start: float, end: float) -> None:
        """A unit has finished a task it took at ``start``."""

    def host(self, lane: str, step: Step, start: float, end: float, flow: Flow, task: Work) -> None:
        """A host thread has done a step, whose bytes were ``flow``."""

    def occupied(self, unit: Lane, start: float, end: float, task: Work) -> None:
        """A unit has run kernels of ``task``, or moved what they had left on chip."""

    def moved(self, flow: Flow, task: Work) -> None:
        """A transfer that is no phase or step of its own has ended: a tile's."""

    def hit(self, kind: str, name: str, amount: int, task: Work) -> None:
        """A system cache has ``amount`` bytes of what a kernel or a host step reads."""

    def wait(self, lane: str, kind: str, name: str, start: float, end: float, task: Work) -> None:
        """A host thread polled, or an interrupt or a change of tasks took its time."""

    def preempted(self, unit: Lane, start: float, end: float, task: Work) -> None:
        """A unit has run something more urgent between two launches of ``task``."""

    def phase(
        self, unit: Lane, launch: Launch, phase: Phase, delay: float, start: float, end: float,
        flow: Flow, task: Work,
    ) -> None:  # fmt: skip
        """One phase of a kernel, begun at ``start``, after ``delay`` seconds of dispatch."""

    def tile(
        self, unit: Lane, launch: Launch, kind: str, index: int, start: float, end: float,
        moved: int, task: Work,
    ) -> None:  # fmt: skip
        """One load, compute or store of a tile."""

    def tiled(
        self, unit: Lane, launch: Launch, start: float, end: float, lost: float, moving: float,
        latency: float, task: Work,
    ) -> None:  # fmt: skip
        """A kernel has run tile by tile; its transfers lost ``lost`` seconds to contention.

        On idle buses they take ``moving`` seconds, ``latency`` included.
        """


Row = TypeVar("Row", contravariant=True)


class Rows(Protocol[Row]):
    """Somewhere rows can be appended: a list, or a file."""

    def append(self, row: Row, /) -> None:
        """Takes one row."""


class SpanRecorder(Recorder):
    """Appends every row to where it belongs."""

    def __init__(
        self, spans: Rows[Span], tasks: Rows[TaskRow], activities: Rows[Activity], hits: Rows[Hit]
    ) -> None:
        self.spans = spans
        self.tasks = tasks
        self.activities = activities
        self.hits = hits

    def hit(self, kind: str, name: str, amount: int, task: Work) -> None:
        self.hits.append(Hit(task.inference, task.position, kind, name, amount))

    def task(self, task: Work, unit: Lane, start: float, end: float) -> None:
        self.tasks.append(TaskRow(task.inference, task.position, unit.index, start, end))

    def host(self, lane: str, step: Step, start: float, end: float, flow: Flow, task: Work) -> None:
        if end <= start:
            return
        lost = flow.lost
        alone = end - start - lost
        self.spans.append(
            Span(lane, step.kind, step.name, start, end, task.inference, task.job.name, (),
                 step.bytes, alone)
        )  # fmt: skip
        transfer, _ = _alone(flow)
        crossing = min(max(step.seconds, transfer), alone)
        position = RUNTIME if step.kind in ("fork", "join") else task.position
        self.activities.append(
            Activity(task.inference, position, start, end, contention=lost,
                     crossing=crossing, sharing=alone - crossing)
        )  # fmt: skip

    def wait(self, lane: str, kind: str, name: str, start: float, end: float, task: Work) -> None:
        self.spans.append(
            Span(lane, kind, name, start, end, task.inference, task.job.name, (), 0, end - start)
        )
        if kind != "poll":
            self.activities.append(
                Activity(task.inference, task.position, start, end, crossing=end - start)
            )

    def preempted(self, unit: Lane, start: float, end: float, task: Work) -> None:
        self.spans.append(
            Span(unit.lane, "preempted", task.job.name, start, end, task.inference, task.job.name)
        )
        self.activities.append(
            Activity(task.inference, task.position, start, end, sharing=end - start)
        )

    def phase(
        self, unit: Lane, launch: Launch, phase: Phase, delay: float, start: float, end: float,
        flow: Flow, task: Work,
    ) -> None:  # fmt: skip
        begin = start + delay
        self._dispatch(unit, launch, delay, start, task)
        if end <= begin:
            return
        alone = end - begin - flow.lost
        moved = phase.load_bytes + phase.store_bytes
        if phase.elsewhere:
            moved += sum(traffic.bytes for traffic in phase.elsewhere)
        moving, latency = _alone(flow)
        if phase.kind in ("load", "store"):
            self._span(unit.dma_lane, phase.kind, launch, begin, end, moved, alone, task)
        else:
            self._span(unit.lane, "compute", launch, begin, end, moved, alone, task)
            if phase.kind == "stream" and moved:
                self._span(unit.dma_lane, "stream", launch, begin, end, moved, alone, task)
        self._account(unit, begin, end, flow.lost, phase.compute_s, moving, latency, task)

    def tile(
        self, unit: Lane, launch: Launch, kind: str, index: int, start: float, end: float,
        moved: int, task: Work,
    ) -> None:  # fmt: skip
        lane = unit.lane if kind == "compute" else f"{unit.dma_lane}.{kind}"
        self.spans.append(
            Span(lane, kind, f"{launch.name} [{index}]", start, end, task.inference,
                 task.job.name, launch.operators, moved, end - start, launch.work.note,
                 launch.work.on_chip_bytes)
        )  # fmt: skip

    def tiled(
        self, unit: Lane, launch: Launch, start: float, end: float, lost: float, moving: float,
        latency: float, task: Work,
    ) -> None:  # fmt: skip
        delay = launch.work.dispatch_s
        self._dispatch(unit, launch, delay, start, task)
        begin = start + delay
        # Transfers overlap computing: only what lengthened the kernel counts as lost to others.
        alone = sum(phase.seconds for phase in launch.work.phases)
        lost = min(lost, max(end - begin - alone, 0.0))
        compute_s = launch.work.compute_s
        self._account(unit, begin, end, lost, compute_s, moving, latency, task)

    def _dispatch(self, unit: Lane, launch: Launch, delay: float, start: float, task: Work) -> None:
        if delay > 0.0:
            end = start + delay
            self._span(unit.lane, "dispatch", launch, start, end, 0, delay, task)
            self.activities.append(
                Activity(task.inference, task.position, start, end, crossing=delay)
            )

    def _span(
        self, lane: str, kind: str, launch: Launch, start: float, end: float, moved: int,
        alone: float, task: Work,
    ) -> None:  # fmt: skip
        note = f"{launch.work.source}; {launch.work.note}" if launch.work.note else ""
        self.spans.append(
            Span(lane, kind, launch.name, start, end, task.inference, task.job.name,
                 launch.operators, moved, alone, note or launch.work.source,
                 launch.work.on_chip_bytes)
        )  # fmt: skip

    def _account(
        self, unit: Lane, begin: float, end: float, lost: float, compute_s: float,
        moving: float, latency: float, task: Work,
    ) -> None:  # fmt: skip
        """Splits a stretch of a kernel: what an idle SoC would have taken, and what was lost."""
        alone = end - begin - lost
        compute = min(compute_s, alone)
        # Latency passes before any byte moves, so it is never hidden behind arithmetic.
        transfer = min(max(moving - compute, latency), alone - compute)
        rest = alone - compute - transfer
        self.activities.append(
            Activity(
                task.inference, task.position, begin, end, compute, lost, transfer,
                dma=0.0 if unit.owns_cores else rest, sharing=rest if unit.owns_cores else 0.0,
            )
        )  # fmt: skip


def _alone(flow: Flow) -> tuple[float, float]:
    """Seconds that idle buses take for what ``flow`` moves, and of them latency."""
    route = flow.route
    if not route.links:
        return 0.0, 0.0
    moving = max(flow.amount / route.bus, route.turning(flow.amount))
    return route.latency + moving, route.latency
