"""A way to plan several networks: the most frequent one first, the others without its units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from hetsim.plan.model import Plan
from hetsim.schedulers.joint.base import JointProblem, JointScheduler, with_units


class Aside(JointScheduler):
    """The most frequent network gets the whole SoC, the others what it leaves and the host."""

    name: ClassVar[str] = "aside"
    source: ClassVar[str] = "an example"

    def plan(self, problem: JointProblem) -> Mapping[str, Plan]:
        """Raises what the schedulers raise."""
        first = max(problem.graphs, key=lambda name: problem.rates[name])
        plans = {first: problem.ask(problem.graphs[first], problem.soc, first)}
        taken = {partition.pu for partition in plans[first].partitions}
        left = [pu.name for pu in problem.soc.pus if pu.name not in taken or pu is problem.soc.host]
        for name, graph in problem.graphs.items():
            if name != first:
                plans[name] = problem.ask(graph, with_units(problem.soc, left), name)
        return plans
