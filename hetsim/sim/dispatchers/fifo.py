"""First in, first out."""

from __future__ import annotations

from typing import ClassVar, Literal

from hetsim.sim.dispatchers.planned import Planned
from hetsim.sim.source import Inference
from hetsim.sim.task import Task


class Fifo(Planned):
    """On each PU the inference that arrived first, of those whose next partition is ready."""

    name: ClassVar[str] = "fifo"
    optimises: ClassVar[str] = "nothing: whoever came first goes first"
    ignores: ClassVar[str] = "priorities, deadlines, what a partition takes"
    fixed: ClassVar[Literal["priority", "arrival"] | None] = "arrival"
    source: ClassVar[str] = "baseline"

    def __init__(self) -> None:
        super().__init__()  # nobody is ever strictly before somebody else

    def rank(self, task: Task, inference: Inference) -> float:
        """The same for all."""
        return 0.0
