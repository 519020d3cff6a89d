"""Runtimes: who starts which partition when.

``dataflow``: every PU takes its partitions in plan order, each as soon as what it reads is there.
``barrier`` is the runtime of NEST-C: a main thread calls partitions in list order; a parallel group
forks one thread per member and joins them all before the next partition starts.

Several inferences share the SoC under ``dataflow``: a free PU takes the first inference, by
priority, then arrival, whose next partition is ready.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from hetsim.cost.work import Step
from hetsim.lower.program import Program
from hetsim.sim.machine import Machine, Task, Unit
from hetsim.sim.story import Story


@dataclass(frozen=True, slots=True)
class Inference:
    """One run of a program: when it arrives (seconds) and how urgent it is (higher first)."""

    program: Program
    arrival: float = 0.0
    priority: int = 0


class Dispatcher(ABC):
    """Decides what a free PU does next.

    The engine calls :meth:`add` when an inference arrives, :meth:`next` when a PU is free, and
    :meth:`finished` when a task has ended; :meth:`add` and :meth:`finished` return the units for
    which there may now be something to do.
    """

    @abstractmethod
    def add(self, tasks: Sequence[Task], priority: int) -> Iterable[int]:
        """A new inference's tasks, in plan order."""

    @abstractmethod
    def next(self, unit: int) -> Task | None:
        """The task ``unit`` shall run now, or ``None`` to wait."""

    @abstractmethod
    def finished(self, task: Task) -> Iterable[int]:
        """``task`` has ended."""


class PlanOrder(Dispatcher):
    """Each inference's tasks run in plan order on each PU."""

    def __init__(self, units: int) -> None:
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
                task = queue.popleft()
                if not queue:
                    del queues[i]
                return task
        return None

    def finished(self, task: Task) -> Iterable[int]:
        woken = []
        for reader in task.readers:
            reader.blockers -= 1
            if not reader.blockers:
                woken.append(reader.job.pu)
        return woken


class Runtime(ABC):
    """Starts the processes that carry out ``inferences`` on ``machine``."""

    def __init__(self, machine: Machine, inferences: Sequence[Inference]) -> None:
        self.machine = machine
        self.inferences = inferences
        self.finished_at: list[float | None] = [None] * len(inferences)

    @abstractmethod
    def start(self) -> None:
        """Adds the first processes to the environment."""


def tasks_of(program: Program, inference: int) -> list[Task]:
    """Fresh tasks for one inference, linked to those that read their results."""
    tasks = [Task(job, i, inference) for i, job in enumerate(program.jobs)]
    for task in tasks:
        for need in task.job.needs:
            tasks[need].readers.append(task)
    return tasks


class Dataflow(Runtime):
    """Partitions start when their inputs are there and their PU is free."""

    def __init__(
        self,
        machine: Machine,
        inferences: Sequence[Inference],
        dispatcher: Dispatcher | None = None,
    ) -> None:
        super().__init__(machine, inferences)
        self.dispatcher = dispatcher or PlanOrder(len(machine.units))
        self._left = [len(inference.program.jobs) for inference in inferences]

    def start(self) -> None:
        env = self.machine.env
        order = sorted(range(len(self.inferences)), key=lambda i: self.inferences[i].arrival)
        env.process(self._arrivals(order))
        for unit in self.machine.units:
            env.process(self._serve(unit))

    def _arrivals(self, order: Sequence[int]) -> Story:
        env = self.machine.env
        for i in order:
            inference = self.inferences[i]
            if inference.arrival > env.now:
                yield env.timeout(inference.arrival - env.now)
            self._wake(self.dispatcher.add(tasks_of(inference.program, i), inference.priority))

    def _serve(self, unit: Unit) -> Story:
        env, dispatcher, run = self.machine.env, self.dispatcher, self.machine.run
        while True:
            task = dispatcher.next(unit.index)
            if task is None:
                unit.idle = env.event()
                yield unit.idle
                continue
            yield from run(task)
            self._left[task.inference] -= 1
            if not self._left[task.inference]:
                self.finished_at[task.inference] = env.now
            self._wake(dispatcher.finished(task))

    def _wake(self, units: Iterable[int]) -> None:
        for index in units:
            idle = self.machine.units[index].idle
            if idle is not None:
                self.machine.units[index].idle = None
                idle.succeed()


class Barrier(Runtime):
    """Partitions in list order on a main thread, parallel groups forked and joined."""

    def start(self) -> None:
        self.machine.env.process(self._main())

    def _main(self) -> Story:
        machine, env = self.machine, self.machine.env
        runtime = machine.soc.runtime
        order = sorted(range(len(self.inferences)), key=lambda i: self.inferences[i].arrival)
        for i in order:
            inference = self.inferences[i]
            if inference.arrival > env.now:
                yield env.timeout(inference.arrival - env.now)
            tasks = tasks_of(inference.program, i)
            for group in inference.program.groups:
                if len(group) == 1:
                    yield from machine.run(tasks[group[0]])
                    continue
                members = []
                for position in group:
                    task = tasks[position]
                    yield from self._thread("fork", runtime.thread_create, task)
                    members.append(env.process(machine.run(task)))
                yield env.all_of(members)
                for position in group:
                    yield from self._thread("join", runtime.thread_join, tasks[position])
            self.finished_at[i] = env.now

    def _thread(self, kind: str, seconds: float, task: Task) -> Story:
        if seconds > 0.0:
            step = Step(kind, task.job.name, seconds)
            yield from self.machine.host_step(step, "runtime", task)


RUNTIMES: Mapping[str, Callable[[Machine, Sequence[Inference]], Runtime]] = {
    "dataflow": Dataflow,
    "barrier": Barrier,
}
"""Runtimes by the name that scenarios use for ``execution``."""
