"""Time slots: the whole SoC belongs to one stream at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from math import inf
from typing import ClassVar

from hetsim.sim.dispatchers.planned import Planned
from hetsim.sim.source import Inference
from hetsim.sim.task import Task
from hetsim.sim.view import View

_Waiting = tuple[Sequence[Task], Inference]


class Slots(Planned):
    """One inference at a time on all units; streams take turns.

    A stream whose turn it is goes on with its next inference until ``slot_s`` seconds have passed
    since its turn began or nothing of it waits; an inference that has begun is ended. By itself a
    turn is one inference. Nobody waits for a stream that has nothing to do.
    """

    name: ClassVar[str] = "slots"
    optimises: ClassVar[str] = "nothing: each network has the SoC for itself in turn"
    ignores: ClassVar[str] = "priorities, deadlines, units that idle meanwhile"
    source: ClassVar[str] = "time-multiplexed NPUs: the baseline of Choi, Rhu, HPCA 2020"

    def __init__(self, slot_s: float = 0.0) -> None:
        super().__init__()  # nobody else is there to preempt
        self.slot_s = slot_s

    def begin(self, view: View) -> None:
        super().begin(view)
        self._streams: dict[int, deque[_Waiting]] = {}
        self._turn, self._since = -1, -inf

    def rank(self, task: Task, inference: Inference) -> float:
        """The same for all: there is only one."""
        return 0.0

    def add(self, tasks: Sequence[Task], inference: Inference) -> Iterable[int]:
        self._streams.setdefault(inference.stream, deque()).append((tasks, inference))
        return self._go_on()

    def finished(self, task: Task) -> Iterable[int]:
        return [*super().finished(task), *self._go_on()]

    def withdraw(self, tasks: Sequence[Task]) -> Iterable[int]:
        if tasks[0].inference in self._lines:
            super().withdraw(tasks)
            return self._go_on()
        for line in self._streams.values():
            for waiting in line:
                if waiting[0] is tasks:
                    line.remove(waiting)
                    return ()
        return ()

    def _go_on(self) -> Iterable[int]:
        """Lets the next one in if nobody is; the units on which it begins."""
        waiting = sorted(stream for stream, line in self._streams.items() if line)
        if self._lines or not waiting:
            return ()
        if self._turn not in waiting or self.view.now - self._since >= self.slot_s:
            later = (stream for stream in waiting if stream > self._turn)
            self._turn = next(later, waiting[0])
            self._since = self.view.now
        return super().add(*self._streams[self._turn].popleft())
