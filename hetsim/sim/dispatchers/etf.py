"""Earliest task first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from hetsim.sim.dispatchers.placing import Grain, Live, Placing
from hetsim.sim.dispatchers.ranks import UpwardRanks
from hetsim.sim.task import Task
from hetsim.sim.view import View


class ETF(Placing):
    """Whenever a unit is free and something is ready, the pair of the two that can start first.

    A start waits for what brings the inputs there. Of pairs that start alike the one whose task has
    the higher static level (the mean time from it to the end), then the one that ends first. Only
    free units are looked at, so none idles beside work that it can do. Ready tasks wait in one
    pool, and a decision looks at all of it.
    """

    name: ClassVar[str] = "etf"
    optimises: ClassVar[str] = "the start of each partition: no unit idles beside work"
    ignores: ClassVar[str] = "how slow a free unit is, contention"
    source: ClassVar[str] = "Hwang, Chow, Anger, Lee, SIAM J. Comput. 18(2) 1989"

    def __init__(self, grain: Grain = "fused") -> None:
        super().__init__(grain=grain)

    def begin(self, view: View) -> None:
        super().begin(view)
        self._levels = UpwardRanks(view.expected, handover=False)
        self._pool: list[Task] = []
        self._given: list[Task | None] = [None] * view.units

    def choose(self, task: Task, live: Live) -> int:
        raise AssertionError("units are chosen when they are free")

    def _place(self, tasks: Sequence[Task]) -> list[int]:
        self._pool += tasks
        return self._match()

    def next(self, unit: int) -> Task | None:
        if self._given[unit] is None:
            self._match()
        task, self._given[unit] = self._given[unit], None
        return task

    def withdraw(self, tasks: Sequence[Task]) -> Iterable[int]:
        number = tasks[0].inference
        del self._live[number]
        self._pool = [task for task in self._pool if task.inference != number]
        self._given = [t if t is None or t.inference != number else None for t in self._given]
        return self._match()

    def _match(self) -> list[int]:
        """Gives free units tasks of the pool; which units got one."""
        woken = []
        free = {
            u for u in range(self.view.units)
            if self._given[u] is None and self.view.running(u) is None
        }  # fmt: skip
        while free and self._pool:
            offers = (
                (*self._offer(task, unit), place, unit)
                for place, task in enumerate(self._pool)
                for unit in self._live[task.inference].choices.units(task.position)
                if unit in free
            )
            best = min(offers, default=None)
            if best is None:
                break
            place, unit = best[-2:]
            task = self._pool.pop(place)
            task.place(self.job(task, self._live[task.inference], unit))
            self._given[unit] = task
            free.remove(unit)
            woken.append(unit)
        return woken

    def _offer(self, task: Task, unit: int) -> tuple[float, float, float]:
        """When ``task`` could start on the free ``unit`` from now, its level, and its end."""
        live = self._live[task.inference]
        job = self.job(task, live, unit)
        start = self.expected.steps(job.entry)
        level = self._levels.of(live.inference.program, task.position)
        return start, -level, start + self.expected.launches(unit, job.launches)
