"""PEFT: predict earliest finish time.

Source: Arabnejad, Barbosa, "List scheduling algorithm for heterogeneous systems by an optimistic
cost table", IEEE TPDS 25(3), 2014. Units of work are those of :mod:`hetsim.schedulers.units`.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import ClassVar

from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.list.timeline import Schedule
from hetsim.schedulers.units import Units


@dataclass(frozen=True)
class PEFT(Scheduler):
    """Ready units by mean optimistic cost, each to the PU of least finish time plus that cost.

    The optimistic cost of a unit on a PU is the time of all that must follow it if every
    successor could have its best PU at once. It has no parameters.
    """

    name: ClassVar[str] = "peft"
    optimises: ClassVar[str] = "finish time, and what a placement costs later units"
    ignores: ClassVar[str] = "competition for PUs among later units, contention"
    complexity: ClassVar[str] = "O(V·log V + E·P²)"
    source: ClassVar[str] = "Arabnejad, Barbosa, IEEE TPDS 25(3) 2014"

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` when no PU runs some operator."""
        units = Units(problem)
        table = optimistic_costs(units)
        ranks = [sum(row) / len(row) for row in table]
        schedule = Schedule(units)
        waiting = [len(units.preds[u]) for u in range(len(units))]
        ready = [(-ranks[u], u) for u in range(len(units)) if not waiting[u]]
        heapq.heapify(ready)
        while ready:
            _, u = heapq.heappop(ready)
            offers = ((*schedule.earliest(u, p), p) for p in units.feasible(u))
            start, _, pu = min(offers, key=lambda o: (o[1] + table[u][o[2]], o[2]))
            schedule.place(u, pu, start)
            for v in units.succs[u]:
                waiting[v] -= 1
                if not waiting[v]:
                    heapq.heappush(ready, (-ranks[v], v))
        return schedule.to_plan(problem, self.name)


def optimistic_costs(units: Units) -> list[list[float]]:
    """The optimistic cost table: seconds still to come after each unit on each PU."""
    table = [[0.0] * len(units.pus) for _ in range(len(units))]
    for u in reversed(range(len(units))):
        row = table[u]
        for v in units.succs[u]:
            onward = [table[v][w] + units.time[v][w] for w in units.pus]
            mean = units.mean_comm(u, v)
            elsewhere = min(onward) + mean
            for p in units.pus:
                row[p] = max(row[p], min(onward[p], elsewhere))
    return table
