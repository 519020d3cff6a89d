"""HEFT: heterogeneous earliest finish time.

Source: Topcuoglu, Hariri, Wu, "Performance-effective and low-complexity task scheduling for
heterogeneous computing", IEEE TPDS 13(3), 2002, section 4.1. Units of work are those of
:mod:`hetsim.schedulers.units`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.list.timeline import Schedule
from hetsim.schedulers.units import Units


@dataclass(frozen=True)
class HEFT(Scheduler):
    """Units by upward rank, each to the PU where it ends first, gaps included. No parameters."""

    name: ClassVar[str] = "heft"
    optimises: ClassVar[str] = "each unit's finish time, most critical unit first"
    ignores: ClassVar[str] = "what a placement costs its successors, contention"
    complexity: ClassVar[str] = "O(V·log V + E·P)"
    source: ClassVar[str] = "Topcuoglu, Hariri, Wu, IEEE TPDS 13(3) 2002"

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` when no PU runs some operator."""
        units = Units(problem)
        schedule = Schedule(units)
        for u in by_rank(upward_ranks(units)):
            start, pu = earliest_finish(schedule, u)
            schedule.place(u, pu, start)
        return schedule.to_plan(problem, self.name)


def upward_ranks(units: Units) -> list[float]:
    """Mean time of each unit plus the costliest way from it to the end, seconds."""
    ranks = [0.0] * len(units)
    for u in reversed(range(len(units))):
        onward = max((units.mean_comm(u, v) + ranks[v] for v in units.succs[u]), default=0.0)
        ranks[u] = units.mean_time(u) + onward
    return ranks


def by_rank(ranks: list[float]) -> list[int]:
    """Units by falling rank; of equals the one that stands first, which keeps dependencies."""
    return sorted(range(len(ranks)), key=lambda u: (-ranks[u], u))


def earliest_finish(schedule: Schedule, u: int) -> tuple[float, int]:
    """Start and PU that let ``u`` end first; of equals the PU that stands first in the SoC."""
    offers = ((*schedule.earliest(u, p), p) for p in schedule.units.pus)
    start, _, pu = min(offers, key=lambda offer: (offer[1], offer[2]))
    return start, pu
