"""Every network as if it were alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from hetsim.plan.model import Plan
from hetsim.schedulers.joint.base import JointProblem, JointScheduler


class Each(JointScheduler):
    """Each network gets the plan that its scheduler makes for it alone on the whole SoC."""

    name: ClassVar[str] = "each"
    source: ClassVar[str] = "baseline"

    def plan(self, problem: JointProblem) -> Mapping[str, Plan]:
        """Raises :class:`SchedulerError` as the schedulers do."""
        return {
            name: problem.ask(graph, problem.soc, name) for name, graph in problem.graphs.items()
        }
