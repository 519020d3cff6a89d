"""When everything that a program says took place: its host steps and its kernels, one by one.

A trace leaves out what took no time. Here every step and launch of an inference has its moment; of
one that took no time it is where the one before it ended.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hetsim.cost.work import Step
from hetsim.lower.program import Job, Launch, Program
from hetsim.sim.trace import Span, Trace

Moment = tuple[float, float]
"""From when to when, seconds."""

StepMoment = tuple[Step, Moment]


@dataclass(frozen=True, slots=True)
class LaunchMoments:
    """A kernel, and the host's steps around it."""

    launch: Launch
    at: Moment
    before: tuple[StepMoment, ...]
    after: tuple[StepMoment, ...]


@dataclass(frozen=True, slots=True)
class JobMoments:
    """A partition: what the host did before and after it, and its kernels, in order."""

    job: Job
    at: Moment
    entry: tuple[StepMoment, ...]
    launches: tuple[LaunchMoments, ...]
    exit: tuple[StepMoment, ...]

    @property
    def steps(self) -> Iterator[StepMoment]:
        """All host steps, in order."""
        yield from self.entry
        for launch in self.launches:
            yield from launch.before
            yield from launch.after
        yield from self.exit


def moments(program: Program, trace: Trace) -> tuple[JobMoments, ...]:
    """The moments of the first inference, by position in ``program``. Linear in its spans."""
    kernels: dict[tuple[str, str], Moment] = {}
    steps: defaultdict[tuple[str, str, str], deque[Moment]] = defaultdict(deque)
    for span in trace.spans:
        if span.inference:
            continue
        if span.operators:
            _widen(kernels, (span.partition, _kernel_of(span)), span)
        else:
            steps[span.partition, span.kind, span.name].append((span.start, span.end))
    tasks = {row.position: row for row in trace.tasks if not row.inference}
    found = []
    for position, job in enumerate(program.jobs):
        row = tasks[position]
        clock = _Clock(job.name, row.start, steps)
        entry = clock.through(job.entry)
        launches = []
        for launch in job.launches:
            before = clock.through(launch.before)
            at = kernels.get((job.name, launch.name), (clock.now, clock.now))
            clock.now = at[1]
            launches.append(LaunchMoments(launch, at, before, clock.through(launch.after)))
        leave = clock.through(job.exit)
        found.append(JobMoments(job, (row.start, row.end), entry, tuple(launches), leave))
    return tuple(found)


def _kernel_of(span: Span) -> str:
    """The launch that a span belongs to; those of tiles have the tile's number behind its name."""
    return "+".join(span.operators)


def _widen(kernels: dict[tuple[str, str], Moment], key: tuple[str, str], span: Span) -> None:
    start, end = kernels.get(key, (span.start, span.end))
    kernels[key] = (min(start, span.start), max(end, span.end))


class _Clock:
    """Walks through a partition's steps; ``now`` is where the last of them ended."""

    def __init__(
        self, partition: str, start: float, spans: defaultdict[tuple[str, str, str], deque[Moment]]
    ) -> None:
        self.now = start
        self._partition = partition
        self._spans = spans

    def through(self, steps: Iterable[Step]) -> tuple[StepMoment, ...]:
        found = []
        for step in steps:
            waiting = self._spans.get((self._partition, step.kind, step.name))
            at = (self.now, self.now)
            # A step of no time has no span, so the next one may be that of a later step like it.
            if waiting and (step.seconds or step.bytes):
                at = waiting.popleft()
            self.now = at[1]
            found.append((step, at))
        return tuple(found)
