"""Earliest deadline first."""

from __future__ import annotations

from typing import ClassVar

from hetsim.sim.dispatchers.planned import Planned
from hetsim.sim.source import Inference
from hetsim.sim.task import Task


class EDF(Planned):
    """On each PU the inference whose deadline is nearest; those without one go last."""

    name: ClassVar[str] = "edf"
    optimises: ClassVar[str] = "deadlines; meets all that can be met on one preemptive unit"
    ignores: ClassVar[str] = "priorities, what is left to do until the deadline"
    source: ClassVar[str] = "Liu, Layland, J. ACM 20(1) 1973"

    def rank(self, task: Task, inference: Inference) -> float:
        """The deadline."""
        return inference.deadline
