"""Earliest finish time."""

from __future__ import annotations

from typing import ClassVar

from hetsim.sim.dispatchers.placing import Live, Placing
from hetsim.sim.task import Task


class EFT(Placing):
    """Each partition to the unit where it is expected to end first.

    Counted are what the unit has taken on, what brings the inputs there, and the kernels. Braun et
    al. call it minimum completion time.
    """

    name: ClassVar[str] = "eft"
    optimises: ClassVar[str] = "the end of each partition, in the order in which they are ready"
    ignores: ClassVar[str] = "what comes after it, contention"
    source: ClassVar[str] = "MCT in Braun et al., J. Parallel Distrib. Comput. 61(6) 2001"

    def choose(self, task: Task, live: Live) -> int:
        """Of equals the unit that stands first in the SoC."""
        units = live.choices.units(task.position)
        return min(units, key=lambda unit: self.end(task, live, unit))

    def end(self, task: Task, live: Live, unit: int) -> float:
        """When ``task`` would end on ``unit``, seconds."""
        return self.available(unit) + self.expected.job(self.job(task, live, unit))
