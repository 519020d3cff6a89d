"""Profiling-based scheduling, PartitionTuner's second baseline.

Source: Yu et al., "PartitionTuner", ETRI Journal 45(2), 2023, doi 10.4218/etrij.2021-0446: each
operator on its own goes to the PU with the least profiled time, a transfer being added where the
PU changes. It knows no groups and nothing runs in parallel. (The stronger form of the idea is
MOSAIC's dynamic programming.)
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar

from hetsim.cost.profile import INFEASIBLE
from hetsim.errors import SchedulerError
from hetsim.plan.build import make_plan
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.estimate import sequential_time
from hetsim.schedulers.partitions import Cut
from hetsim.schedulers.simple.preference import cut_plan
from hetsim.schedulers.transfers import Transfer, Transfers


@dataclass(frozen=True)
class ProfileGreedy(Scheduler):
    """Per operator the PU of least P + T, T only when a producer ran elsewhere.

    An operator that no PU runs alone follows its producer where the two can be fused; with
    ``groups`` so does any that is then cheaper than anywhere by itself. The paper does not say
    which its baseline does, and the authors' public code does not have it. ``transfer``: what T is
    (:mod:`hetsim.schedulers.transfers`). ``cut``: partitions also end where branches fork, as in
    the authors' code, or only where the PU changes.
    """

    name: ClassVar[str] = "profile_greedy"
    optimises: ClassVar[str] = "each operator's own profiled time"
    ignores: ClassVar[str] = "what a choice costs later operators, fused groups, parallelism"
    complexity: ClassVar[str] = "O(V·P + E)"
    source: ClassVar[str] = "Yu et al., ETRI Journal 45(2) 2023 (baseline)"

    groups: bool = False
    transfer: Transfer = "memcpy"
    cut: Cut = "branches"

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` when no PU runs some operator."""
        graph, profile = problem.graph, problem.profile
        pus = range(len(problem.soc.pus))
        transfers = Transfers(problem, self.transfer)
        placed: list[int] = []
        unit_of: list[int] = []
        units: list[list[int]] = []
        for op in range(len(graph)):
            producers = graph.predecessors[op]
            transfer = transfers.paid(op)
            costs = [
                profile.time(op, p) + (transfer if any(placed[q] != p for q in producers) else 0.0)
                for p in pus
            ]
            best = min(pus, key=lambda p: (costs[p], p))
            if producers and (self.groups or costs[best] == INFEASIBLE):
                unit, pu = units[unit_of[producers[-1]]], placed[producers[-1]]
                so_far = (
                    profile.time(unit[0], pu) if len(unit) == 1 else profile.group_time(unit, pu)
                )
                more = profile.group_time([*unit, op], pu) - so_far
                if more < costs[best]:
                    placed.append(pu)
                    unit_of.append(unit_of[producers[-1]])
                    unit.append(op)
                    continue
            if costs[best] == INFEASIBLE:
                operator = graph.operators[op]
                raise SchedulerError(
                    f"no processing unit can run {operator.kind} {operator.name!r} by itself"
                )
            placed.append(best)
            unit_of.append(len(units))
            units.append([op])
        blocks = cut_plan(problem, units, [placed[unit[0]] for unit in units], self.cut)
        return make_plan(
            graph,
            problem.soc,
            blocks,
            scheduler=self.name,
            parameters=asdict(self),
            predicted_s=sequential_time(problem, blocks),
        )
