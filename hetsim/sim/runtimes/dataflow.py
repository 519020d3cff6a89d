"""Dataflow: every PU takes its partitions in plan order, each as soon as what it reads is there.

Several inferences share the SoC, and a dispatcher decides. Unless told otherwise a free PU takes
the first inference, by priority, then arrival, whose next partition is ready. A partition that has
begun is run to its end under ``dataflow``; under ``preemptive`` strictly more urgent ones go
between its launches.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import simpy

from hetsim.catalogue import innermost
from hetsim.cost.work import Step
from hetsim.errors import DispatcherError, HetsimError, shortened
from hetsim.lower.program import Job, Program
from hetsim.sim.dispatch import Dispatcher
from hetsim.sim.dispatchers.priority import Priority
from hetsim.sim.machine import Machine
from hetsim.sim.runtimes.base import Runtime, wait_for
from hetsim.sim.source import Inference, Sink, Source
from hetsim.sim.story import Story
from hetsim.sim.task import Task
from hetsim.sim.trace import RUNTIME
from hetsim.sim.unit import Unit
from hetsim.sim.view import View


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
        self.dispatcher = dispatcher or Priority()
        self.view = View(machine, self._think)
        self._thread = simpy.Resource(machine.env)
        self._pause = self._urgent if self.dispatcher.preempts else None
        self._live: dict[int, Live] = {}

    def start(self) -> None:
        self.dispatcher.begin(self.view)
        env = self.machine.env
        env.process(self._arrivals())
        for unit in self.machine.units:
            env.process(self._serve(unit))

    def _arrivals(self) -> Story:
        env = self.machine.env
        for inference in self.source.arrivals():
            while inference.arrival > env.now:
                yield env.timeout(wait_for(env.now, inference.arrival))
            self.admit(Live(self.arrive(), inference))

    def admit(self, live: Live) -> None:
        """An inference has arrived: it may begin."""
        program = self.dispatcher.program(live.inference)
        if program is not live.inference.program:
            if not isinstance(program, Program):
                raise self._misanswered("program", program, "a program")
            live.inference = replace(live.inference, program=program)
        live.tasks = tasks = self.tasks(live.number, live.inference)
        live.left = len(tasks)
        self._live[live.number] = live
        self._wake(self.dispatcher.add(tasks, live.inference), "add")

    def take(self, task: Task, live: Live) -> None:
        """A unit takes ``task`` of ``live`` now."""
        task.begun = True
        self.view.took(task)
        if live.start is None:
            live.start = self.machine.env.now

    def release(self, task: Task, live: Live) -> None:
        """``task`` of ``live`` has ended now."""
        self.view.ended(task)
        live.left -= 1
        if not live.left:
            assert live.start is not None
            del self._live[live.number]
            self.follow(self.end(live.number, live.inference, live.start))
        self._wake(self.dispatcher.finished(task), "finished")

    def _serve(self, unit: Unit) -> Story:
        env, dispatcher = self.machine.env, self.dispatcher
        while True:
            task = dispatcher.next(unit.index)
            if task is None:
                unit.idle = env.event()
                yield unit.idle
            elif not isinstance(task, Task):
                raise self._misanswered("next", task, "a task or None")
            elif task.withdrawn:
                self._skip(task)
            else:
                yield from self._carry_out(task, unit.index)

    def _carry_out(self, task: Task, unit: int) -> Story:
        if task.begun or task.blockers or task.job.pu != unit:
            raise self._refused(task, unit)
        live = self._live[task.inference]
        self.take(task, live)
        if self.dispatcher.overhead_s:
            yield from self._decide(self.dispatcher.overhead_s, task)
        yield from self.machine.run(task, self._pause)
        self.release(task, live)

    def _urgent(self, task: Task) -> tuple[Task, Story] | None:
        urgent = self.dispatcher.urgent(task)
        while isinstance(urgent, Task) and urgent.withdrawn:
            self._skip(urgent)
            urgent = self.dispatcher.urgent(task)
        if urgent is None:
            return None
        if not isinstance(urgent, Task):
            raise self._misanswered("urgent", urgent, "a task or None")
        return urgent, self._carry_out(urgent, task.job.pu)

    def _decide(self, seconds: float, task: Task) -> Story:
        """The dispatcher's thread works so long on the host, after what it has to do before."""
        with self._thread.request() as turn:
            yield turn
            lane = self.machine.units[task.job.pu].host_lane
            yield from self.machine.host_step(Step("call", "decide", seconds), lane, task)

    def _think(self, seconds: float, then: Callable[[], None]) -> None:
        self.machine.env.process(self._thought(seconds, then))

    def _thought(self, seconds: float, then: Callable[[], None]) -> Story:
        if seconds > 0.0:
            job = Job("decide", self.machine.host_unit.index, (), (), ())
            yield from self._decide(seconds, Task(job, RUNTIME, -1))
        then()

    def _refused(self, task: Task, unit: int) -> DispatcherError:
        """What is wrong with handing ``task`` to ``unit`` now."""
        what = "that has begun before"
        if task.blockers:
            what = f"that still waits for {task.blockers} others"
        elif task.job.pu != unit:
            what = f"that runs on {self.machine.units[task.job.pu].lane}"
        return DispatcherError(
            f"dispatcher {self.dispatcher.name!r} gave {self.machine.units[unit].lane} partition"
            f" {task.job.name!r} of inference {task.inference}, {what}"
        )

    def _misanswered(self, method: str, answer: object, right: str) -> DispatcherError:
        """What is wrong with an answer that is none."""
        return DispatcherError(
            f"dispatcher {self.dispatcher.name!r}: {method}() returned"
            f" {shortened(repr(answer), 60)}, expected {right}"
        )

    def stuck(self) -> HetsimError:
        left = [
            task for live in self._live.values() for task in live.tasks
            if not (task.begun or task.blockers or task.withdrawn)
        ]  # fmt: skip
        if not left:
            return super().stuck()
        return DispatcherError(
            f"dispatcher {self.dispatcher.name!r} has left {len(left)} partitions that could run,"
            f" the first of them {left[0].job.name!r} of inference {left[0].inference}"
        )

    def blamed(self, error: Exception | SystemExit) -> BaseException:
        """As that of a dispatcher that is not ours, where it has come out of it."""
        dispatcher = self.dispatcher
        if type(dispatcher).__module__.startswith("hetsim."):
            return error
        files = [inspect.getsourcefile(cls) for cls in type(dispatcher).__mro__[:-1]]
        raised: BaseException | None = error
        while raised is not None:
            for file in files:  # its own, then those of what it is made from
                where = innermost(raised, file)
                if where is not None:
                    what = f"dispatcher {dispatcher.name!r} raised {type(error).__name__}: {error}"
                    return DispatcherError(what, where=where)
            raised = raised.__cause__  # SimPy raises a copy of what a process raised
        return error

    def _skip(self, task: Task) -> None:
        """Nothing is done of an inference that was given up, and what waits for it may go on."""
        task.done = True
        self._wake(self.dispatcher.finished(task), "finished")

    def follow(self, inferences: Iterable[Inference]) -> None:
        """These arrive, each in its time."""
        env = self.machine.env
        for inference in inferences:
            if inference.arrival > env.now:
                env.process(self._later(inference))
            else:
                self.admit(Live(self.arrive(), inference))

    def _later(self, inference: Inference) -> Story:
        env = self.machine.env
        while inference.arrival > env.now:
            yield env.timeout(wait_for(env.now, inference.arrival))
        self.admit(Live(self.arrive(), inference))

    def _wake(self, units: Iterable[int], method: str) -> None:
        """Tells ``units``, which the dispatcher's ``method`` returned, that there may be work."""
        try:
            for index in units:
                unit = self.machine.units[index]
                if unit.idle is not None:
                    idle, unit.idle = unit.idle, None
                    idle.succeed()
        except (TypeError, IndexError) as error:
            if error.__traceback__ is not None and error.__traceback__.tb_next is None:  # from here
                raise self._misanswered(method, units, "positions of units") from None
            raise


class Preemptive(Dataflow):
    """Dataflow in which what is strictly more urgent goes between the launches of a partition."""

    def __init__(self, machine: Machine, source: Source, sink: Sink) -> None:
        super().__init__(machine, source, sink, Priority(preemptive=True))
