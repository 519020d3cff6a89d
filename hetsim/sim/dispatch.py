"""Who is next on a unit: the decisions of the dataflow runtime."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Sequence

from hetsim.sim.task import Task


class Dispatcher(ABC):
    """Decides what a free PU does next, and whether a busy one is to do something else first.

    The engine calls :meth:`add` when an inference arrives, :meth:`next` when a PU is free, and
    :meth:`finished` when a task has ended; :meth:`add` and :meth:`finished` return the units for
    which there may now be something to do. If it ``preempts``, the engine calls :meth:`urgent`
    before each launch of a task, the only moments at which a unit can be given up.
    """

    preempts = False

    @abstractmethod
    def add(self, tasks: Sequence[Task], priority: int) -> Iterable[int]:
        """A new inference's tasks, in plan order."""

    @abstractmethod
    def next(self, unit: int) -> Task | None:
        """The task ``unit`` shall run now, or ``None`` to wait."""

    @abstractmethod
    def finished(self, task: Task) -> Iterable[int]:
        """``task`` has ended."""

    def urgent(self, task: Task) -> Task | None:
        """A task that its unit shall run from start to end before it goes on with ``task``."""
        return None

    def withdraw(self, tasks: Sequence[Task]) -> Iterable[int]:
        """An inference, added and not begun, was given up: forget its tasks.

        Who does not may hand them out later, and the engine passes over them.
        """
        return ()


class PlanOrder(Dispatcher):
    """Each inference's tasks run in plan order on each PU; of inferences the more urgent first.

    With ``preempts`` a task of strictly higher priority goes between two launches of another.
    """

    def __init__(self, units: int, *, preempts: bool = False) -> None:
        self.preempts = preempts
        self._queues: list[list[tuple[int, int, deque[Task]]]] = [[] for _ in range(units)]
        self._count = 0

    def add(self, tasks: Sequence[Task], priority: int) -> Iterable[int]:
        mine: dict[int, deque[Task]] = {}
        for task in tasks:
            mine.setdefault(task.job.pu, deque()).append(task)
        for unit, queue in mine.items():
            self._queues[unit].append((-priority, self._count, queue))
            self._queues[unit].sort(key=lambda entry: entry[:2])
        self._count += 1
        return sorted(mine)

    def next(self, unit: int) -> Task | None:
        queues = self._queues[unit]
        for i, (_, _, queue) in enumerate(queues):
            if not queue[0].blockers:
                return self._take(queues, i)
        return None

    def urgent(self, task: Task) -> Task | None:
        queues = self._queues[task.job.pu]
        for i, (rank, _, queue) in enumerate(queues):
            if -rank <= task.priority:
                break
            if not queue[0].blockers:
                return self._take(queues, i)
        return None

    def withdraw(self, tasks: Sequence[Task]) -> Iterable[int]:
        units = {task.job.pu for task in tasks}
        for unit in units:
            queues = self._queues[unit]
            # All of a queue's tasks are of one inference.
            queues[:] = [entry for entry in queues if entry[2][0].inference != tasks[0].inference]
        return ()

    @staticmethod
    def _take(queues: list[tuple[int, int, deque[Task]]], place: int) -> Task:
        queue = queues[place][2]
        task = queue.popleft()
        if not queue:
            del queues[place]
        return task

    def finished(self, task: Task) -> Iterable[int]:
        woken = []
        for reader in task.readers:
            reader.blockers -= 1
            if not reader.blockers:
                woken.append(reader.job.pu)
        return woken
