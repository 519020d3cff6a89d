"""The family that leaves the units to the plan and decides about the order on each."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Iterable, Sequence

from hetsim.sim.dispatch import Dispatcher, unblocked
from hetsim.sim.dispatchers.queues import Queues, Rank
from hetsim.sim.source import Inference
from hetsim.sim.task import Task
from hetsim.sim.view import View


class Line:
    """An inference under way: what of it is not ready, by unit in plan order."""

    __slots__ = ("count", "inference", "left", "waiting")

    def __init__(self, inference: Inference, count: int, tasks: Sequence[Task]) -> None:
        self.inference = inference
        self.count = count
        self.left = len(tasks)
        self.waiting: dict[int, deque[Task]] = {}
        for task in tasks:
            self.waiting.setdefault(task.job.pu, deque()).append(task)


class Planned(Dispatcher):
    """Each inference's tasks run in plan order on each PU; of several inferences, the one whose
    task ranks first.

    A subclass says how tasks rank. With ``preemptive`` a task of strictly smaller rank goes between
    two launches of another. Equal ranks go by arrival.
    """

    def __init__(self, preemptive: bool = False) -> None:
        self.preempts = preemptive

    def begin(self, view: View) -> None:
        super().begin(view)
        self._queues = Queues(view.units)
        self._lines: dict[int, Line] = {}
        self._count = 0

    @abstractmethod
    def rank(self, task: Task, inference: Inference) -> float:
        """The smaller the earlier; asked when ``task`` is ready, and again where it runs."""

    def add(self, tasks: Sequence[Task], inference: Inference) -> Iterable[int]:
        line = self._lines[tasks[0].inference] = Line(inference, self._count, tasks)
        self._count += 1
        return [unit for unit in sorted(line.waiting) if self._ready(line, unit)]

    def next(self, unit: int) -> Task | None:
        task = self._queues.pop(unit)
        return None if task is None else self._taken(task)

    def urgent(self, task: Task) -> Task | None:
        line = self._lines[task.inference]
        rank = self.rank(task, line.inference)
        urgent = self._queues.pop(task.job.pu, (rank, -1))
        return None if urgent is None else self._taken(urgent)

    def finished(self, task: Task) -> Iterable[int]:
        line = self._lines[task.inference]
        line.left -= 1
        if not line.left:
            del self._lines[task.inference]
        woken = []
        for reader in unblocked(task):
            other = self._lines.get(reader.inference)  # of another, where it waits for state
            if other is not None and other.waiting[reader.job.pu][0] is reader:
                self._ready(other, reader.job.pu)
                woken.append(reader.job.pu)
        return woken

    def withdraw(self, tasks: Sequence[Task]) -> Iterable[int]:
        line = self._lines.pop(tasks[0].inference)
        self._queues.forget(tasks[0].inference, line.waiting)
        return ()

    def _taken(self, task: Task) -> Task:
        line = self._lines[task.inference]
        line.waiting[task.job.pu].popleft()
        self._ready(line, task.job.pu)
        return task

    def _ready(self, line: Line, unit: int) -> bool:
        """The next task of an inference on ``unit`` waits there, if it can begin."""
        queue = line.waiting[unit]
        if not queue or queue[0].blockers:
            return False
        rank: Rank = (self.rank(queue[0], line.inference), line.count)
        self._queues.push(queue[0], rank)
        return True
