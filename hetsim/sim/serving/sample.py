"""A trace of the moments worth a look: of each stream its slowest inferences, and some by chance.

What is heard of is remembered for a while; rows are made, at the end, only of what happened while
one of the chosen inferences was open, whoever did it. So a spike is never lost, and its cause is
shown with it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappush, heappushpop
from itertools import count
from random import Random
from typing import Any

from hetsim.cost.work import Phase, Step
from hetsim.lower.program import Launch
from hetsim.sim.network.flow import Flow
from hetsim.sim.recorder import Lane, Recorder, Work
from hetsim.sim.source import Completion


@dataclass(frozen=True)
class Sample:
    """Which rows to keep: of each stream the ``slowest`` inferences and some at ``random``.

    At most ``rows`` calls of the recorder are remembered at once; what a window lacks then is its
    beginning.
    """

    slowest: int = 2
    random: int = 2
    rows: int = 4_000


@dataclass(frozen=True)
class Window:
    """A stretch of time (seconds) of which there are all rows, and ``why``.

    It is that of inference ``number`` of ``stream``, from its arrival on, or from where memory
    began. ``why`` is ``slowest``, ``random``, or ``stopped`` for the last before an overload ended
    the simulation, which is nobody's: its ``number`` is -1.
    """

    stream: str
    number: int
    why: str
    start_s: float
    end_s: float


_Call = tuple[float, int, str, tuple[Any, ...]]
"""When, the how many-th, and what the recorder was told."""


@dataclass(slots=True)
class _Kept:
    """Windows of one stream: the slowest as a heap by latency, and the reservoir."""

    slowest: list[tuple[float, int, Window, list[_Call]]]
    random: list[tuple[Window, list[_Call]]]
    seen: int = 0


class Onlooker:
    """Hears of what becomes of inferences; this one does not care."""

    def arrived(self, number: int, now: float) -> None:
        """An inference has arrived."""

    def gave_up(self, number: int) -> None:
        """It will not begin."""

    def ended(self, done: Completion) -> None:
        """An inference has ended."""

    def stopped(self, now: float) -> None:
        """The simulation was cut short."""


class Sampler(Recorder, Onlooker):
    """Remembers what happened, until it knows whether anybody wants to see it.

    What a system cache had of a kernel's reads is told in the kernel's row only.
    """

    def __init__(self, sample: Sample, streams: Sequence[str], seed: int) -> None:
        self._sample = sample
        self._streams = streams
        self._kept = [_Kept([], []) for _ in streams]
        self._random = [Random(f"{seed} {name}") for name in streams]
        self._recent: deque[_Call] = deque(maxlen=sample.rows)
        self._open: dict[int, float] = {}
        self._order = count()

    def arrived(self, number: int, now: float) -> None:
        self._open[number] = now

    def gave_up(self, number: int) -> None:
        del self._open[number]

    def ended(self, done: Completion) -> None:
        """Keeps its window, if it is one to look at."""
        stream, latency = done.inference.stream, done.latency
        kept, sample = self._kept[stream], self._sample
        kept.seen += 1
        if len(kept.slowest) < sample.slowest:
            heappush(kept.slowest, (latency, -done.number, *self._window(done, "slowest")))
        elif sample.slowest and latency > kept.slowest[0][0]:
            heappushpop(kept.slowest, (latency, -done.number, *self._window(done, "slowest")))
        # Reservoir sampling (Vitter 1985, algorithm R): each has the same chance to stay.
        if len(kept.random) < sample.random:
            kept.random.append(self._window(done, "random"))
        elif sample.random:
            place = int(self._random[stream].random() * kept.seen)
            if place < sample.random:
                kept.random[place] = self._window(done, "random")
        del self._open[done.number]
        oldest = next(iter(self._open.values()), done.finish)
        recent = self._recent
        while recent and recent[0][0] < oldest:
            recent.popleft()

    def stopped(self, now: float) -> None:
        calls = list(self._recent)
        start = calls[0][0] if calls else now
        self._kept[0].random.append((Window("", -1, "stopped", start, now), calls))

    def replay(self, rows: Recorder) -> tuple[Window, ...]:
        """Tells ``rows`` of everything in the windows, in its order; returns these by time."""
        found = [(w, calls) for kept in self._kept for *_, w, calls in kept.slowest]
        found += [pair for kept in self._kept for pair in kept.random]
        by_order = {call[1]: call for _, calls in found for call in calls}
        for order in sorted(by_order):
            _, _, name, arguments = by_order[order]
            getattr(rows, name)(*arguments)
        windows = {(w.start_s, w.number): w for w, _ in reversed(found)}
        return tuple(windows[key] for key in sorted(windows))

    def _window(self, done: Completion, why: str) -> tuple[Window, list[_Call]]:
        arrival, recent = done.inference.arrival, self._recent
        calls = []
        for call in reversed(recent):
            if call[0] < arrival:
                break
            calls.append(call)
        start = arrival
        if len(calls) == self._sample.rows:
            start = calls[-1][0]
        stream = self._streams[done.inference.stream]
        return Window(stream, done.number, why, start, done.finish), calls

    def _remember(self, now: float, name: str, arguments: tuple[Any, ...]) -> None:
        self._recent.append((now, next(self._order), name, arguments))

    def task(self, task: Work, unit: Lane, start: float, end: float) -> None:
        self._remember(end, "task", (task, unit, start, end))

    def host(self, lane: str, step: Step, start: float, end: float, flow: Flow, task: Work) -> None:
        self._remember(end, "host", (lane, step, start, end, flow, task))

    def wait(self, lane: str, kind: str, name: str, start: float, end: float, task: Work) -> None:
        self._remember(end, "wait", (lane, kind, name, start, end, task))

    def preempted(self, unit: Lane, start: float, end: float, task: Work) -> None:
        self._remember(end, "preempted", (unit, start, end, task))

    def phase(
        self, unit: Lane, launch: Launch, phase: Phase, delay: float, start: float, end: float,
        flow: Flow, task: Work,
    ) -> None:  # fmt: skip
        arguments = (unit, launch, phase, delay, start, end, flow, task)
        # As _remember does: this comes for every kernel.
        self._recent.append((end, next(self._order), "phase", arguments))

    def tile(
        self, unit: Lane, launch: Launch, kind: str, index: int, start: float, end: float,
        moved: int, task: Work,
    ) -> None:  # fmt: skip
        self._remember(end, "tile", (unit, launch, kind, index, start, end, moved, task))

    def tiled(
        self, unit: Lane, launch: Launch, start: float, end: float, lost: float, moving: float,
        latency: float, task: Work,
    ) -> None:  # fmt: skip
        arguments = (unit, launch, start, end, lost, moving, latency, task)
        self._remember(end, "tiled", arguments)
