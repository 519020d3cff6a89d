"""Placements without thought: what any idea has to beat."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar

from hetsim.plan.build import make_plan, merge_eager
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.estimate import predict
from hetsim.schedulers.units import Units


@dataclass(frozen=True)
class Random(Scheduler):
    """Each unit to one of the PUs that can run it, by chance; the scenario's seed decides which."""

    name: ClassVar[str] = "random"
    optimises: ClassVar[str] = "nothing (a control)"
    ignores: ClassVar[str] = "everything but what PUs can run"
    complexity: ClassVar[str] = "O(V·P)"
    source: ClassVar[str] = "control"

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` when no PU runs some operator."""
        units = Units(problem)
        rng = random.Random(problem.seed)
        pus = [rng.choice(units.feasible(u)) for u in range(len(units))]
        return _as_placed(problem, units, pus, self.name)


@dataclass(frozen=True)
class RoundRobin(Scheduler):
    """Each unit to the next PU in SoC order that can run it. It has no parameters."""

    name: ClassVar[str] = "round_robin"
    optimises: ClassVar[str] = "nothing (a control)"
    ignores: ClassVar[str] = "everything but what PUs can run"
    complexity: ClassVar[str] = "O(V·P)"
    source: ClassVar[str] = "control"

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` when no PU runs some operator."""
        units = Units(problem)
        count = len(units.pus)
        pus: list[int] = []
        turn = 0
        for u in range(len(units)):
            pu = min(units.feasible(u), key=lambda p: (p - turn) % count)
            pus.append(pu)
            turn = pu + 1
        return _as_placed(problem, units, pus, self.name)


def _as_placed(problem: Problem, units: Units, pus: list[int], scheduler: str) -> Plan:
    blocks = merge_eager(problem.graph, units.ops, pus)
    return make_plan(
        problem.graph,
        problem.soc,
        blocks,
        scheduler=scheduler,
        predicted_s=predict(problem, blocks),
    )
