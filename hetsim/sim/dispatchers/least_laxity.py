"""Least laxity first."""

from __future__ import annotations

from typing import ClassVar

from hetsim.sim.dispatchers.planned import Planned
from hetsim.sim.source import Inference
from hetsim.sim.task import Task


class LeastLaxity(Planned):
    """On each PU the task with the least time to spare until the deadline.

    Laxity is deadline - now - what is left: the longest path from this task to the end of its
    inference, in times expected on an idle SoC. Of two tasks that wait it falls alike, so their
    order never changes. That of the task that runs is looked at anew before each of its launches.
    """

    name: ClassVar[str] = "least_laxity"
    optimises: ClassVar[str] = "deadlines, by the time to spare along the longest path"
    ignores: ClassVar[str] = "priorities, waiting for others further down the path"
    source: ClassVar[str] = "Dertouzos, Mok, IEEE TSE 15(12) 1989"

    def rank(self, task: Task, inference: Inference) -> float:
        """Laxity + now: the latest moment at which ``task`` may go on."""
        expected, job = self.view.expected, task.job
        left = expected.tail(inference.program, task.position)
        if task.launched:
            whole = expected.launches(job.pu, job.launches)
            left -= whole - expected.launches(job.pu, job.launches, task.launched)
        return inference.deadline - left
