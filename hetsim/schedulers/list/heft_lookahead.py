"""HEFT with one step of lookahead.

Source: Bittencourt, Sakellariou, Madeira, "DAG scheduling using a lookahead variant of the
heterogeneous earliest finish time algorithm", PDP 2010. Units of work are those of
:mod:`hetsim.schedulers.units`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.list.heft import by_rank, earliest_finish, upward_ranks
from hetsim.schedulers.list.timeline import Schedule
from hetsim.schedulers.units import Units


@dataclass(frozen=True)
class HEFTLookahead(Scheduler):
    """Units by upward rank, each to the PU from which its successors can end first.

    A trial places the unit, then its successors by HEFT, and looks at the last of their ends; of
    equals the unit's own finish time decides. It has no parameters.
    """

    name: ClassVar[str] = "heft_lookahead"
    optimises: ClassVar[str] = "the finish time of each unit's successors"
    ignores: ClassVar[str] = "what comes after the successors, contention"
    complexity: ClassVar[str] = "O(V·log V + E·P²·d), d the mean number of producers"
    source: ClassVar[str] = "Bittencourt, Sakellariou, Madeira, PDP 2010"

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` when no PU runs some operator."""
        units = Units(problem)
        ranks = upward_ranks(units)
        schedule = Schedule(units)
        for u in by_rank(ranks):
            followers = sorted(units.succs[u], key=lambda v: (-ranks[v], v))
            offers = []
            for pu in units.feasible(u):
                start, end = schedule.earliest(u, pu)
                offers.append((self._outlook(schedule, u, pu, start, followers), end, pu, start))
            _, _, pu, start = min(offers)
            schedule.place(u, pu, start)
        return schedule.to_plan(problem, self.name)

    @staticmethod
    def _outlook(schedule: Schedule, u: int, pu: int, start: float, followers: list[int]) -> float:
        """When the last of ``followers`` would end with ``u`` on ``pu``."""
        schedule.place(u, pu, start)
        latest = schedule.end[u]
        for v in followers:
            begin, where = earliest_finish(schedule, v)
            schedule.place(v, where, begin)
            latest = max(latest, schedule.end[v])
        for _ in range(len(followers) + 1):
            schedule.unplace()
        return latest
