"""CPOP: critical path on a processor.

Source: Topcuoglu, Hariri, Wu, "Performance-effective and low-complexity task scheduling for
heterogeneous computing", IEEE TPDS 13(3), 2002, section 4.2. Units of work are those of
:mod:`hetsim.schedulers.units`.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose
from typing import ClassVar

from hetsim.cost.profile import INFEASIBLE
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.list.heft import earliest_finish, upward_ranks
from hetsim.schedulers.list.timeline import Schedule
from hetsim.schedulers.units import Units


@dataclass(frozen=True)
class CPOP(Scheduler):
    """The critical path to the PU that minimises its sum, the rest where it ends first.

    Units of the path which that PU cannot run go where they end first, too. No parameters.
    """

    name: ClassVar[str] = "cpop"
    optimises: ClassVar[str] = "the critical path, kept on one PU"
    ignores: ClassVar[str] = "that a path may need several PUs, contention"
    complexity: ClassVar[str] = "O(V·log V + E·P)"
    source: ClassVar[str] = "Topcuoglu, Hariri, Wu, IEEE TPDS 13(3) 2002"

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` when no PU runs some operator."""
        units = Units(problem)
        up, down = upward_ranks(units), downward_ranks(units)
        priority = [a + b for a, b in zip(up, down, strict=True)]
        path = critical_path(units, priority)
        chosen = _path_pu(units, path)
        on_path = set(path)
        schedule = Schedule(units)
        waiting = [len(units.preds[u]) for u in range(len(units))]
        ready = [(-priority[u], u) for u in range(len(units)) if not waiting[u]]
        heapq.heapify(ready)
        while ready:
            _, u = heapq.heappop(ready)
            if u in on_path and units.time[u][chosen] < INFEASIBLE:
                start, pu = schedule.earliest(u, chosen)[0], chosen
            else:
                start, pu = earliest_finish(schedule, u)
            schedule.place(u, pu, start)
            for v in units.succs[u]:
                waiting[v] -= 1
                if not waiting[v]:
                    heapq.heappush(ready, (-priority[v], v))
        return schedule.to_plan(problem, self.name)


def downward_ranks(units: Units) -> list[float]:
    """The costliest way from the start to each unit, the unit itself excluded, seconds."""
    ranks = [0.0] * len(units)
    for u in range(len(units)):
        ranks[u] = max(
            (ranks[p] + units.mean_time(p) + units.mean_comm(p, u) for p in units.preds[u]),
            default=0.0,
        )
    return ranks


def critical_path(units: Units, priority: Sequence[float]) -> list[int]:
    """Units from a start to an end whose priority is the largest there is."""
    starts = [u for u in range(len(units)) if not units.preds[u]]
    u = max(starts, key=lambda s: (priority[s], -s))
    path = [u]
    while units.succs[u]:
        # Sums in different orders differ in their last bits.
        u = next(
            (v for v in units.succs[u] if isclose(priority[v], priority[u], rel_tol=1e-9)),
            max(units.succs[u], key=lambda v: (priority[v], -v)),
        )
        path.append(u)
    return path


def _path_pu(units: Units, path: Sequence[int]) -> int:
    """The PU that runs most of the path, and of those the fastest."""

    def key(pu: int) -> tuple[int, float, int]:
        times = [units.time[u][pu] for u in path]
        finite = [t for t in times if t < INFEASIBLE]
        return len(times) - len(finite), sum(finite), pu

    return min(units.pus, key=key)
