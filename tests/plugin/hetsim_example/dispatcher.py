"""A dispatcher: of what is ready on a unit, the partition that is expected to take the least."""

from __future__ import annotations

from typing import ClassVar

from hetsim.sim.dispatchers.planned import Planned
from hetsim.sim.source import Inference
from hetsim.sim.task import Task


class Shortest(Planned):
    """On each unit of the plan the shortest partition first, in times of an idle SoC."""

    name: ClassVar[str] = "shortest"
    optimises: ClassVar[str] = "the mean wait of partitions"
    ignores: ClassVar[str] = "priorities, deadlines, who has waited for long"
    source: ClassVar[str] = "an example"

    def rank(self, task: Task, inference: Inference) -> float:
        """Seconds that it takes alone."""
        return self.view.expected.job(task.job)
