"""The whole network as one partition on the PU that is fastest for it.

The control every heterogeneous schedule has to beat; list schedulers are known to lose to it on
networks with much communication.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from hetsim.cost.profile import INFEASIBLE
from hetsim.errors import SchedulerError
from hetsim.names import suggest
from hetsim.plan.build import Block, make_plan
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.estimate import sequential_time
from hetsim.soc.model import PU


@dataclass(frozen=True)
class BestSinglePU(Scheduler):
    """Tries each PU that can run every operator and keeps the fastest.

    ``among``: names of the PUs to try; ``None`` for all. With one name it answers what that unit
    takes for the whole network.
    """

    among: Sequence[str] | None = None

    name: ClassVar[str] = "best_single_pu"
    optimises: ClassVar[str] = "the one PU that runs everything"
    ignores: ClassVar[str] = "using more than one PU"
    complexity: ClassVar[str] = "O(V·P)"
    source: ClassVar[str] = "baseline"

    def __post_init__(self) -> None:
        """Raises :class:`SchedulerError` when ``among`` is no list of names."""
        if self.among is not None and (isinstance(self.among, str) or not self.among):
            raise SchedulerError(
                f"{self.name}: among must be a list of processing units, not {self.among!r}",
                hint="write it like among: [gpu]",
            )

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` when no PU can run the whole network."""
        graph, profile = problem.graph, problem.profile
        everything = tuple(range(len(graph)))
        candidates: dict[int, float] = {}
        for pu in self._tried(problem):
            if profile.chain_time(everything, pu.index) < INFEASIBLE:
                block = Block(everything, pu.index)
                candidates[pu.index] = sequential_time(problem, [block])
        if not candidates:
            units = "" if self.among is None else f" ({', '.join(self.among)} tried)"
            raise SchedulerError(
                f"no single processing unit of {problem.soc.name!r} can run all of {graph.name!r}"
                + units,
                hint="'npu_only' and 'type_based' fall back to other units where one is unable",
            )
        best = min(candidates, key=lambda p: (candidates[p], p))
        return make_plan(
            graph,
            problem.soc,
            [Block(everything, best)],
            scheduler=self.name,
            predicted_s=candidates[best],
            details={
                "candidates_us": {
                    problem.soc.pus[p].name: seconds * 1e6 for p, seconds in candidates.items()
                }
            },
        )

    def _tried(self, problem: Problem) -> Sequence[PU]:
        if self.among is None:
            return problem.soc.pus
        for name in self.among:
            if name not in problem.soc.by_name:
                known = [pu.name for pu in problem.soc.pus]
                raise SchedulerError(
                    f"{self.name}: {problem.soc.name!r} has no unit {name!r}",
                    hint=suggest(name, known),
                )
        return [problem.soc.by_name[name] for name in self.among]
