"""Streams on a machine: who may begin, who waits, who is given up, and when all is stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

from simpy.core import StopSimulation

from hetsim.sim.dispatch import Dispatcher
from hetsim.sim.machine import Machine
from hetsim.sim.runtimes.dataflow import Dataflow, Live
from hetsim.sim.serving.accounts import Waits
from hetsim.sim.serving.sample import Onlooker
from hetsim.sim.serving.served import DROPPED, OPEN, Ledger
from hetsim.sim.source import Completion, Source
from hetsim.sim.task import Task
from hetsim.streams.service import Stream


@dataclass(slots=True)
class _Line:
    """A stream's inferences that have arrived and not ended, by number, in order of arrival.

    Those that are ``waiting`` have not begun; of them those ``held`` may not yet begin, the others
    are in the dispatcher's hands. ``inside`` counts those that are there or have begun. ``alarm``
    is the next moment at which one of them is too late, seconds.
    """

    stream: Stream
    ledger: Ledger
    waiting: dict[int, Live] = field(default_factory=dict)
    held: dict[int, Live] = field(default_factory=dict)
    inside: int = 0
    alarm: float = inf

    @property
    def has_room(self) -> bool:
        """Whether one more may be inside."""
        return self.stream.in_flight is None or self.inside < self.stream.in_flight


class Serving(Dataflow):
    """Dataflow that treats what waits as its stream says; results go to ``ledgers``.

    Every inference that arrives is in its ledger once, whatever becomes of it. With ``backlog``
    inferences of one stream waiting the simulation stops, and ``stopped`` says why. ``last_s`` is
    when the last inference left, seconds.
    """

    def __init__(
        self, machine: Machine, source: Source, streams: Sequence[Stream],
        ledgers: Sequence[Ledger], dispatcher: Dispatcher | None = None, *, backlog: float = inf,
        onlooker: Onlooker | None = None,
    ) -> None:  # fmt: skip
        super().__init__(machine, source, self._ended_well, dispatcher)
        pairs = zip(streams, ledgers, strict=True)
        self.waits = Waits(len(streams), len(machine.units), places=self.dispatcher.places)
        self._lines = [_Line(stream, ledger) for stream, ledger in pairs]
        self._backlog = backlog
        self._onlooker = onlooker or Onlooker()
        self.last_s = 0.0

    def admit(self, live: Live) -> None:
        line = self._lines[live.inference.stream]
        stream = line.stream
        line.waiting[live.number] = live
        self._onlooker.arrived(live.number, self.machine.env.now)
        too_late = stream.late == "drop" and live.inference.deadline < self.machine.env.now
        if not too_late and line.has_room:
            self._enter(line, live)
        else:
            line.held[live.number] = live
        if too_late:  # at its arrival, at the end of a chain
            self._give_up(line, live)
            return
        if stream.late == "drop":
            self._set_alarm(line, live.inference.deadline)
        # Units that are free take what they can get at this moment; what waits then does wait.
        waiting = len(line.waiting)
        if (stream.queue is not None and waiting > stream.queue) or waiting >= self._backlog:
            self.machine.network.at(0.0, lambda _: self._crowded(line))

    def take(self, task: Task, live: Live) -> None:
        if live.start is None:
            del self._lines[task.stream].waiting[live.number]
        self.waits.take(task, self.machine.env.now)
        super().take(task, live)

    def release(self, task: Task, live: Live) -> None:
        now = self.machine.env.now
        self.waits.release(task, now)
        super().release(task, live)
        for reader in task.readers:
            if not reader.blockers:
                self.waits.ready(reader, now)
        task.readers.clear()  # who remembers a task need not remember all that came of it

    def _ended_well(self, done: Completion) -> None:
        line = self._lines[done.inference.stream]
        self.last_s = done.finish
        self._onlooker.ended(done)
        asked = done.inference
        line.ledger.add(
            done.number, asked.arrival, done.start, done.finish, deadline=asked.deadline
        )
        line.inside -= 1
        self._next(line)

    def _enter(self, line: _Line, live: Live) -> None:
        line.inside += 1
        super().admit(live)
        now = self.machine.env.now
        self.waits.behind(live.inference.stream, now - live.inference.arrival)
        for task in live.tasks:
            if not task.blockers:
                self.waits.ready(task, now)

    def _next(self, line: _Line) -> None:
        """Somebody has left; perhaps there is room for one more inside."""
        if line.held and line.has_room:
            self._enter(line, line.held.pop(next(iter(line.held))))

    def _crowded(self, line: _Line) -> None:
        """More may be waiting than there is room for."""
        bound = line.stream.queue
        while bound is not None and len(line.waiting) > bound:
            by_age = iter if line.stream.when_full == "oldest" else reversed
            self._give_up(line, line.waiting[next(by_age(line.waiting))])
        if len(line.waiting) >= self._backlog:
            self._stop(line)

    def _give_up(self, line: _Line, live: Live) -> None:
        del line.waiting[live.number]
        self.last_s = now = self.machine.env.now
        self._note_waiting(line, live)
        if live.number in line.held:
            del line.held[live.number]
        else:
            self._withdraw(live)
            line.inside -= 1
        self._ended += 1
        self._onlooker.gave_up(live.number)
        asked = live.inference
        line.ledger.add(live.number, asked.arrival, now, now, DROPPED, asked.deadline)
        completion = Completion(live.number, live.inference, now, now)
        self._next(line)
        self.follow(self.source.given_up(completion))

    def _note_waiting(self, line: _Line, live: Live) -> None:
        """An inference that has not begun has waited until now."""
        now = self.machine.env.now
        if live.number in line.held:
            self.waits.behind(live.inference.stream, now - live.inference.arrival)
        for task in live.tasks:
            if not task.blockers:
                self.waits.give_up(task, now)

    def _withdraw(self, live: Live) -> None:
        del self._live[live.number]
        for task in live.tasks:
            task.withdrawn = True
        # Where state passes on, later inferences wait for these: they are passed over in turn.
        if not live.inference.program.states:
            self._wake(self.dispatcher.withdraw(live.tasks), "withdraw")

    def _set_alarm(self, line: _Line, deadline: float) -> None:
        if deadline < line.alarm:
            line.alarm = deadline
            delay = max(deadline - self.machine.env.now, 0.0)
            self.machine.network.at(delay, lambda _: self._too_late(line, deadline))

    def _too_late(self, line: _Line, deadline: float) -> None:
        """Gives up what waits past its deadline."""
        if deadline != line.alarm:
            return  # an earlier one was set since
        line.alarm = inf
        for live in [w for w in line.waiting.values() if w.inference.deadline <= deadline]:
            self._give_up(line, live)
        if line.waiting:
            self._set_alarm(line, min(w.inference.deadline for w in line.waiting.values()))

    def _stop(self, line: _Line) -> None:
        now, ledger = self.machine.env.now, line.ledger
        came = len(ledger) + line.inside + len(line.held)
        busiest = max(self.machine.units, key=lambda unit: unit.busy_s)
        seen = f"{came} arrived and {ledger.count()} ended"
        if now > 0.0:
            seen = (
                f"{came / now:.4g} arrived per second and {ledger.count() / now:.4g} ended, with"
                f" {busiest.lane} busy {busiest.busy_s / now:.0%} of the time"
            )
        self.stopped = (
            f"overloaded: {len(line.waiting)} inferences of {line.stream.name!r} wait at"
            f" {now:.6g} s; {seen}"
        )
        raise StopSimulation(None)

    def close(self) -> None:
        """Notes what has arrived and not ended, after a simulation that was stopped."""
        if not self.stopped:
            return
        self.last_s = now = self.machine.env.now
        self._onlooker.stopped(now)
        for line in self._lines:
            for live in line.waiting.values():
                self._note_waiting(line, live)
        for number, live in self._open():
            start = now if live.start is None else live.start
            ledger = self._lines[live.inference.stream].ledger
            asked = live.inference
            ledger.add(number, asked.arrival, start, now, OPEN, asked.deadline)

    def _open(self) -> list[tuple[int, Live]]:
        held = (item for line in self._lines for item in line.held.items())
        return sorted((*self._live.items(), *held), key=lambda item: item[0])
