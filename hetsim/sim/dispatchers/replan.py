"""New plans whenever a network enters or leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Literal

from hetsim.errors import DispatcherError
from hetsim.lower.program import Program
from hetsim.sim.dispatchers.priority import Priority
from hetsim.sim.source import Inference
from hetsim.sim.task import Task
from hetsim.sim.view import View


class Replan(Priority):
    """Fixed priorities under plans that are made for the networks that are there.

    A network is there while an inference of it is under way. When that set is one that was not seen
    before, the run's scheduler plans it, in the way ``plans`` (``hetsim list joint-schedulers``):
    each on its own, as their union, or each on units of its own. Plans of a set are made once. What
    has begun goes on by the plan that it began with.

    Planning takes a thread of the host ``planning_us``, behind other decisions; until it has ended,
    what arrives goes by the plans made last. ``measured`` is the time that planning takes here and
    now, ``factor`` times: no two runs are then alike, and what was planned before takes no time.
    """

    name: ClassVar[str] = "replan"
    optimises: ClassVar[str] = "the plans of the networks that run beside one another"
    ignores: ClassVar[str] = "deadlines; that a plan is in effect only for what arrives later"
    source: ClassVar[str] = "as Planaria divides its units anew, Ghodrati et al., MICRO 2020"
    replans: ClassVar[bool] = True

    def __init__(
        self,
        plans: str = "spatial",
        planning_us: float | Literal["measured"] = 0.0,
        factor: float = 1.0,
        preemptive: bool = False,
    ) -> None:
        super().__init__(preemptive)
        self.plans = plans
        self.planning_us = planning_us
        self.factor = factor
        if planning_us != "measured" and planning_us < 0.0:
            raise ValueError(f"planning_us is {planning_us}, and no time is below zero")
        if factor <= 0.0:
            raise ValueError(f"factor is {factor}, and must be more than zero")
        if factor != 1.0 and planning_us != "measured":
            raise ValueError("factor has no effect: planning_us is not 'measured'")

    def begin(self, view: View) -> None:
        super().begin(view)
        self._there: dict[int, int] = {}
        self._made: dict[frozenset[int], Mapping[int, Program]] = {}
        self._asked: set[frozenset[int]] = set()
        self._latest: Mapping[int, Program] = {}

    def program(self, inference: Inference) -> Program:
        stream = inference.stream
        self._there[stream] = self._there.get(stream, 0) + 1
        active = frozenset(self._there)
        if active not in self._asked:
            self._asked.add(active)
            self._plan(active)
        self._latest = self._made.get(active, self._latest)
        return self._latest.get(stream, inference.program)

    def finished(self, task: Task) -> Iterable[int]:
        line = self._lines[task.inference]
        woken = super().finished(task)
        if not line.left:
            self._left(line.inference.stream)
        return woken

    def withdraw(self, tasks: Sequence[Task]) -> Iterable[int]:
        self._left(tasks[0].stream)
        return super().withdraw(tasks)

    def _left(self, stream: int) -> None:
        self._there[stream] -= 1
        if not self._there[stream]:
            del self._there[stream]

    def _plan(self, active: frozenset[int]) -> None:
        if self.planner is None:
            raise DispatcherError(f"dispatcher {self.name!r} plans anew, and nobody can plan here")
        programs, took = self.planner(sorted(active), self.plans)

        def known() -> None:
            self._made[active] = programs

        measured = self.planning_us == "measured"
        seconds = took * self.factor if measured else float(self.planning_us) * 1e-6
        if seconds:
            self.view.think(seconds, known)
        else:
            known()
