"""Barrier: the runtime of NEST-C.

A main thread calls partitions in list order; a parallel group forks one thread per member and joins
them all before the next partition starts. Inferences are run one after the other, by arrival.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count

from hetsim.cost.work import Step
from hetsim.sim.runtimes.base import Runtime, wait_for
from hetsim.sim.source import Inference
from hetsim.sim.story import Story
from hetsim.sim.task import Task


class Barrier(Runtime):
    """Partitions in list order on a main thread, parallel groups forked and joined."""

    forks = True
    separable = True

    def start(self) -> None:
        self._agenda: list[tuple[float, int, Inference]] = []
        self._ties = count()
        self.machine.env.process(self._main())

    def _main(self) -> Story:
        env = self.machine.env
        for inference in self._turns():
            while inference.arrival > env.now:
                yield env.timeout(wait_for(env.now, inference.arrival))
            yield from self._run(inference)

    def _turns(self) -> Iterator[Inference]:
        """Inferences by arrival: the source's own, and those that follow others' ends."""
        given = self.source.arrivals()
        upcoming = next(given, None)
        while upcoming is not None or self._agenda:
            # Nothing that follows is still to be heard of: nothing is running now.
            if upcoming is None or (self._agenda and self._agenda[0][0] < upcoming.arrival):
                yield heappop(self._agenda)[2]
            else:
                yield upcoming
                upcoming = next(given, None)

    def _run(self, inference: Inference) -> Story:
        machine, env = self.machine, self.machine.env
        runtime = machine.soc.runtime
        start = env.now
        number = self.arrive()
        tasks = self.tasks(number, inference)
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
        for following in self.end(number, inference, start):
            heappush(self._agenda, (following.arrival, next(self._ties), following))

    def _thread(self, kind: str, seconds: float, task: Task) -> Story:
        if seconds > 0.0:
            step = Step(kind, task.job.name, seconds)
            yield from self.machine.host_step(step, "runtime", task)
