"""Who used what: units, links and waiting by stream, added up as things happen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hetsim.cost.work import Phase, Step
from hetsim.lower.program import Launch
from hetsim.sim.network.flow import Flow
from hetsim.sim.network.links import Route
from hetsim.sim.recorder import Lane, Recorder, Work
from hetsim.sim.task import Task

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ByStream:
    """What ``streams`` (names) had of the SoC, each in its place of the arrays.

    ``busy_s`` are seconds that units ran their kernels, shape (units, streams), and ``bytes`` what
    links carried for them, shape (links, streams). ``blocked_s[i, j]`` are the seconds that tasks
    of i waited for a unit that a task of j held, though all that they read was there, or that
    frames of i waited for those in flight (then j is i). ``ready_s`` are the seconds that they
    waited so altogether; for what is more than the row of ``blocked_s`` nobody held the unit.
    """

    streams: tuple[str, ...]
    units: tuple[str, ...]
    links: tuple[str, ...]
    busy_s: Floats
    bytes: Floats
    blocked_s: Floats
    ready_s: Floats


class Accounts(Recorder):
    """Adds up units' time and links' bytes by stream, and passes all it hears on to ``rows``."""

    def __init__(self, streams: int, units: int, rows: Recorder) -> None:
        self._busy = [[0.0] * streams for _ in range(units)]
        self._moved: list[dict[Route, float]] = [{} for _ in range(streams)]
        self._shares: list[dict[str, float]] = [{} for _ in range(streams)]
        self._rows = rows

    def occupied(self, unit: Lane, start: float, end: float, task: Work) -> None:
        self._busy[unit.index][task.stream] += end - start  # of which no rows are made

    def moved(self, flow: Flow, task: Work) -> None:
        route = flow.route
        if route.whole:
            moved = self._moved[task.stream]
            moved[route] = moved.get(route, 0.0) + flow.amount
        else:  # made for this transfer alone
            shares = self._shares[task.stream]
            for link, part in flow.shares:
                amount = flow.amount if part == 1.0 else flow.carried(part)
                shares[link.name] = shares.get(link.name, 0.0) + amount

    def phase(
        self, unit: Lane, launch: Launch, phase: Phase, delay: float, start: float, end: float,
        flow: Flow, task: Work,
    ) -> None:  # fmt: skip
        if flow.links:
            self.moved(flow, task)
        self._rows.phase(unit, launch, phase, delay, start, end, flow, task)

    def host(self, lane: str, step: Step, start: float, end: float, flow: Flow, task: Work) -> None:
        if flow.links:
            self.moved(flow, task)
        self._rows.host(lane, step, start, end, flow, task)

    def task(self, task: Work, unit: Lane, start: float, end: float) -> None:
        self._rows.task(task, unit, start, end)

    def hit(self, kind: str, name: str, amount: int, task: Work) -> None:
        self._rows.hit(kind, name, amount, task)

    def wait(self, lane: str, kind: str, name: str, start: float, end: float, task: Work) -> None:
        self._rows.wait(lane, kind, name, start, end, task)

    def preempted(self, unit: Lane, start: float, end: float, task: Work) -> None:
        self._rows.preempted(unit, start, end, task)

    def tile(
        self, unit: Lane, launch: Launch, kind: str, index: int, start: float, end: float,
        moved: int, task: Work,
    ) -> None:  # fmt: skip
        self._rows.tile(unit, launch, kind, index, start, end, moved, task)

    def tiled(
        self, unit: Lane, launch: Launch, start: float, end: float, lost: float, moving: float,
        latency: float, task: Work,
    ) -> None:  # fmt: skip
        self._rows.tiled(unit, launch, start, end, lost, moving, latency, task)

    def close(
        self, streams: Sequence[str], units: Sequence[str], links: Sequence[str], waits: Waits
    ) -> ByStream:
        """Everything, by the names of all."""
        moved = np.zeros((len(links), len(streams)))
        place = {name: i for i, name in enumerate(links)}
        for j, (plain, shared) in enumerate(zip(self._moved, self._shares, strict=True)):
            for route, amount in plain.items():
                for link in route.links:
                    moved[place[link.name], j] += amount
            for name, amount in shared.items():
                moved[place[name], j] += amount
        return ByStream(
            tuple(streams), tuple(units), tuple(links), np.array(self._busy), moved,
            np.array(waits.blocked_s), np.array(waits.ready_s),
        )  # fmt: skip


class Waits:
    """Who waits while whose task holds a unit.

    For every unit it knows how long each stream has held it so far; a task remembers that from the
    moment it is ready, so that it costs the same however many others come and go meanwhile. Where a
    dispatcher ``places`` tasks, it does so for all units: who holds the one that it gets at last is
    whom it has waited for.
    """

    def __init__(self, streams: int, units: int, *, places: bool = False) -> None:
        self._places = places
        self._held = [[0.0] * streams for _ in range(units)]
        self._since = [0.0] * units
        self._holders: list[list[Task]] = [[] for _ in range(units)]
        self.blocked_s = [[0.0] * streams for _ in range(streams)]
        self.ready_s = [0.0] * streams

    def ready(self, task: Task, now: float) -> None:
        """Nothing but its unit keeps ``task`` from running."""
        if self._places:
            each = (self._so_far(unit, now) for unit in range(len(self._held)))
            task.seen = (now, *(seconds for held in each for seconds in held))
        else:
            task.seen = (now, *self._so_far(task.job.pu, now))

    def behind(self, stream: int, seconds: float) -> None:
        """A frame has waited so long for those of its stream in flight."""
        self.ready_s[stream] += seconds
        self.blocked_s[stream][stream] += seconds

    def take(self, task: Task, now: float) -> None:
        """Its unit takes ``task``, which is :meth:`ready`; who had it stands aside."""
        unit = task.job.pu
        if task.seen[0] != now:
            self._book(task, now)
        holders = self._holders[unit]
        if holders:
            self.ready(holders[-1], now)
        holders.append(task)

    def give_up(self, task: Task, now: float) -> None:
        """``task``, which was ready, waits no longer and never runs."""
        self._book(task, now)

    def release(self, task: Task, now: float) -> None:
        """``task`` has ended; whom it kept aside goes on."""
        unit = task.job.pu
        self._so_far(unit, now)
        holders = self._holders[unit]
        holders.pop()
        if holders:
            self._book(holders[-1], now)

    def _so_far(self, unit: int, now: float) -> list[float]:
        held = self._held[unit]
        holders = self._holders[unit]
        if holders:
            held[holders[-1].stream] += now - self._since[unit]
        self._since[unit] = now
        return held

    def _book(self, task: Task, now: float) -> None:
        unit = task.job.pu
        held, seen = self._so_far(unit, now), task.seen
        self.ready_s[task.stream] += now - seen[0]
        row = self.blocked_s[task.stream]
        first = 1 + (unit * len(held) if self._places else 0)
        for j, seconds in enumerate(held):
            row[j] += seconds - seen[first + j]
