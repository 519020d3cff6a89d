"""What a dispatcher may see of the SoC while it runs, and what it may expect."""

from __future__ import annotations

from collections.abc import Callable

from hetsim.sim.expected import Expected
from hetsim.sim.machine import Machine
from hetsim.sim.task import Task


class View:
    """The present, and expectations; nothing of the future.

    ``expected`` are times on an idle SoC, those that schedulers see; with contention everything
    may take longer. ``units`` is how many there are. ``think(seconds, then)`` keeps a thread of the
    host busy for so long, behind other decisions, and then calls ``then``.
    """

    def __init__(self, machine: Machine, think: Callable[[float, Callable[[], None]], None]):
        self._env = machine.env
        self.soc = machine.soc
        self.units = len(machine.units)
        self.expected = Expected(machine.soc)
        self.think = think
        self._running: list[list[tuple[Task, float]]] = [[] for _ in machine.units]

    @property
    def now(self) -> float:
        """Seconds of simulated time."""
        return float(self._env.now)

    def running(self, unit: int) -> Task | None:
        """The task that ``unit`` has begun and not ended; the latest, where it went before one."""
        stack = self._running[unit]
        return stack[-1][0] if stack else None

    def free_at(self, unit: int) -> float:
        """When ``unit`` is expected to be free: now, or when what it has begun should end."""
        stack, now = self._running[unit], self.now
        left, until = 0.0, now
        for task, begun in reversed(stack):  # each went before the one under it
            left += max(self.expected.job(task.job) - (until - begun), 0.0)
            until = begun
        return now + left

    def took(self, task: Task) -> None:
        """The engine's: a unit has taken ``task``."""
        self._running[task.job.pu].append((task, self.now))

    def ended(self, task: Task) -> None:
        """The engine's: ``task``, the latest of its unit, has ended."""
        self._running[task.job.pu].pop()
