"""Minimum execution time."""

from __future__ import annotations

from typing import ClassVar

from hetsim.sim.dispatchers.placing import Live, Placing
from hetsim.sim.task import Task


class MET(Placing):
    """Each partition to the unit that runs it fastest, busy or not, wherever its inputs are."""

    name: ClassVar[str] = "met"
    optimises: ClassVar[str] = "the time of each partition's kernels"
    ignores: ClassVar[str] = "how busy units are, where data lies"
    source: ClassVar[str] = "Braun et al., J. Parallel Distrib. Comput. 61(6) 2001"

    def choose(self, task: Task, live: Live) -> int:
        """Of equals the unit that stands first in the SoC."""
        units = live.choices.units(task.position)
        return min(units, key=lambda unit: self.kernels(task, live, unit))

    def kernels(self, task: Task, live: Live, unit: int) -> float:
        """Seconds of the kernels alone on ``unit``."""
        return self.expected.launches(unit, self.job(task, live, unit).launches)
