"""Dataflow: every PU takes its partitions in plan order, each as soon as what it reads is there.

Several inferences share the SoC: a free PU takes the first inference, by priority, then arrival,
whose next partition is ready. A partition that has begun is run to its end under ``dataflow``;
under ``preemptive`` strictly more urgent ones go between its launches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hetsim.sim.dispatch import Dispatcher, PlanOrder
from hetsim.sim.machine import Machine
from hetsim.sim.runtimes.base import Runtime
from hetsim.sim.source import Inference, Sink, Source
from hetsim.sim.story import Story
from hetsim.sim.task import Task
from hetsim.sim.unit import Unit


@dataclass(slots=True)
class Live:
    """An inference that has arrived and not ended, its tasks, and how many of them are left.

    It has no tasks until it may begin. ``start`` is when the first of them did, seconds.
    """

    number: int
    inference: Inference
    tasks: Sequence[Task] = ()
    left: int = 0
    start: float | None = None


class Dataflow(Runtime):
    """Partitions start when their inputs are there and their PU is free."""

    separable = True
    in_order = True

    def __init__(
        self, machine: Machine, source: Source, sink: Sink, dispatcher: Dispatcher | None = None
    ) -> None:
        super().__init__(machine, source, sink)
        self.dispatcher = dispatcher or PlanOrder(len(machine.units))
        self._pause = self._urgent if self.dispatcher.preempts else None
        self._live: dict[int, Live] = {}

    def start(self) -> None:
        env = self.machine.env
        env.process(self._arrivals())
        for unit in self.machine.units:
            env.process(self._serve(unit))

    def _arrivals(self) -> Story:
        env = self.machine.env
        for inference in self.source.arrivals():
            if inference.arrival > env.now:
                yield env.timeout(inference.arrival - env.now)
            self.admit(Live(self.arrive(), inference))

    def admit(self, live: Live) -> None:
        """An inference has arrived: it may begin."""
        live.tasks = tasks = self.tasks(live.number, live.inference)
        live.left = len(tasks)
        self._live[live.number] = live
        self._wake(self.dispatcher.add(tasks, live.inference.priority))

    def take(self, task: Task, live: Live) -> None:
        """A unit takes ``task`` of ``live`` now."""
        if live.start is None:
            live.start = self.machine.env.now

    def release(self, task: Task, live: Live) -> None:
        """``task`` of ``live`` has ended now."""
        live.left -= 1
        if not live.left:
            assert live.start is not None
            del self._live[live.number]
            self.follow(self.end(live.number, live.inference, live.start))
        self._wake(self.dispatcher.finished(task))

    def _serve(self, unit: Unit) -> Story:
        env, dispatcher = self.machine.env, self.dispatcher
        while True:
            task = dispatcher.next(unit.index)
            if task is None:
                unit.idle = env.event()
                yield unit.idle
            elif task.withdrawn:
                self._skip(task)
            else:
                yield from self._carry_out(task)

    def _carry_out(self, task: Task) -> Story:
        live = self._live[task.inference]
        self.take(task, live)
        yield from self.machine.run(task, self._pause)
        self.release(task, live)

    def _urgent(self, task: Task) -> Story | None:
        urgent = self.dispatcher.urgent(task)
        while urgent is not None and urgent.withdrawn:
            self._skip(urgent)
            urgent = self.dispatcher.urgent(task)
        return None if urgent is None else self._carry_out(urgent)

    def _skip(self, task: Task) -> None:
        """Nothing is done of an inference that was given up, and what waits for it may go on."""
        task.done = True
        self._wake(self.dispatcher.finished(task))

    def follow(self, inferences: Iterable[Inference]) -> None:
        """These arrive, each in its time."""
        env = self.machine.env
        for inference in inferences:
            if inference.arrival > env.now:
                env.process(self._later(inference))
            else:
                self.admit(Live(self.arrive(), inference))

    def _later(self, inference: Inference) -> Story:
        yield self.machine.env.timeout(inference.arrival - self.machine.env.now)
        self.admit(Live(self.arrive(), inference))

    def _wake(self, units: Iterable[int]) -> None:
        for index in units:
            idle = self.machine.units[index].idle
            if idle is not None:
                self.machine.units[index].idle = None
                idle.succeed()


class Preemptive(Dataflow):
    """Dataflow in which what is strictly more urgent goes between the launches of a partition."""

    def __init__(self, machine: Machine, source: Source, sink: Sink) -> None:
        super().__init__(machine, source, sink, PlanOrder(len(machine.units), preempts=True))
