"""Fixed priorities."""

from __future__ import annotations

from typing import ClassVar, Literal

from hetsim.sim.dispatchers.planned import Planned
from hetsim.sim.source import Inference
from hetsim.sim.task import Task


class Priority(Planned):
    """On each PU the inference of the highest priority, its stream's.

    Preemptive, with priorities by falling rate, it is the rate monotonic scheduler of Liu and
    Layland (section 4).
    """

    name: ClassVar[str] = "priority"
    optimises: ClassVar[str] = "the latency of urgent streams"
    ignores: ClassVar[str] = "deadlines, what a partition takes"
    fixed: ClassVar[Literal["priority", "arrival"] | None] = "priority"
    source: ClassVar[str] = "Liu, Layland, J. ACM 20(1) 1973"

    def rank(self, task: Task, inference: Inference) -> float:
        """The larger the priority the smaller."""
        return -inference.priority
