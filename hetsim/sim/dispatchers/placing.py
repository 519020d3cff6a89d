"""The family that chooses the unit of each partition as well, when its inputs are there."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from hetsim.errors import DispatcherError
from hetsim.lower.program import Choices, Job
from hetsim.sim.dispatch import Dispatcher, unblocked
from hetsim.sim.dispatchers.queues import Queues, Rank
from hetsim.sim.source import Inference
from hetsim.sim.task import Task
from hetsim.sim.view import View

Order = Literal["fifo", "priority", "edf"]
"""Of those that wait for one unit: who was placed first, the most urgent, the nearest deadline."""

Grain = Literal["fused", "plan"]


class Live:
    """An inference under way: its tasks by position, and how many have not ended."""

    __slots__ = ("choices", "inference", "left", "tasks")

    def __init__(self, inference: Inference, choices: Choices, tasks: Sequence[Task]) -> None:
        self.inference = inference
        self.choices = choices
        self.tasks = tasks
        self.left = len(tasks)

    def homes(self, task: Task) -> list[int]:
        """The units that ran what ``task`` needs; all have ended."""
        return [self.tasks[need].job.pu for need in task.job.needs]


class Placing(Dispatcher):
    """Each partition goes to a unit of the dispatcher's choice at the moment its inputs are there.

    A partition is an operator or a chain that some unit fuses, or with ``grain`` = ``plan`` one of
    the scheduler's plan. A subclass says which unit: it sees all that have become ready at one
    moment, and what every unit has taken on so far. There a partition waits its turn, by ``order``;
    with ``preemptive`` one of strictly smaller rank goes between two launches of another.
    """

    places: ClassVar[bool] = True

    def __init__(
        self, order: Order = "fifo", preemptive: bool = False, grain: Grain = "fused"
    ) -> None:
        self.order = order
        self.grain = grain
        self.preempts = preemptive

    def begin(self, view: View) -> None:
        super().begin(view)
        self.expected = view.expected
        self._queues = Queues(view.units)
        self._backlog = [0.0] * view.units
        self._live: dict[int, Live] = {}
        self._count = 0

    @abstractmethod
    def choose(self, task: Task, live: Live) -> int:
        """The unit that shall run ``task``, one of ``live.choices.units(task.position)``."""

    def ready(self, tasks: Sequence[Task]) -> Sequence[Task]:
        """``tasks`` have become ready together: the order in which their units are chosen."""
        return tasks

    def available(self, unit: int) -> float:
        """When ``unit`` is expected to have done all it has taken on, seconds; not before now."""
        return self.view.free_at(unit) + self._backlog[unit]

    def job(self, task: Task, live: Live, unit: int) -> Job:
        """``task`` on ``unit``, its inputs where they are."""
        return live.choices.job(task.position, unit, live.homes(task))

    def add(self, tasks: Sequence[Task], inference: Inference) -> Iterable[int]:
        program = inference.program
        if program.choices is None or program.states:
            why = "has state" if program.states else "has no choices: its plan says the units"
            raise DispatcherError(
                f"dispatcher {self.name!r} chooses units, and {program.model!r} {why}"
            )
        self._live[tasks[0].inference] = Live(inference, program.choices, tasks)
        return self._place([task for task in tasks if not task.blockers])

    def finished(self, task: Task) -> Iterable[int]:
        live = self._live[task.inference]
        live.left -= 1
        if not live.left:
            del self._live[task.inference]
        return self._place(unblocked(task))

    def next(self, unit: int) -> Task | None:
        return self._taken(self._queues.pop(unit))

    def urgent(self, task: Task) -> Task | None:
        before = self._rank(self._live[task.inference].inference), -1
        return self._taken(self._queues.pop(task.job.pu, before))

    def withdraw(self, tasks: Sequence[Task]) -> Iterable[int]:
        del self._live[tasks[0].inference]
        waiting = [task for task in tasks if not task.blockers]
        self._queues.forget(tasks[0].inference, {task.job.pu for task in waiting})
        for task in waiting:
            self._relieve(task)
        return ()

    def _place(self, tasks: Sequence[Task]) -> list[int]:
        woken = []
        for task in self.ready(tasks) if len(tasks) > 1 else tasks:
            live = self._live[task.inference]
            unit = self.choose(task, live)
            task.place(self.job(task, live, unit))
            self._backlog[unit] += self.expected.job(task.job)
            rank: Rank = (self._rank(live.inference), self._count)
            self._count += 1
            self._queues.push(task, rank)
            woken.append(unit)
        return woken

    def _taken(self, task: Task | None) -> Task | None:
        if task is not None:
            self._relieve(task)
        return task

    def _relieve(self, task: Task) -> None:
        unit = task.job.pu
        left = self._backlog[unit] - self.expected.job(task.job)
        self._backlog[unit] = left if self._queues.waiting(unit) else 0.0  # whatever rounding says

    def _rank(self, inference: Inference) -> float:
        if self.order == "fifo":
            return 0.0
        return inference.deadline if self.order == "edf" else -inference.priority
