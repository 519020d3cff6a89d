"""Schedules with times, for list schedulers: who runs when on which PU, and the plan made of it.

The model is that of the list-scheduling literature, and its makespans are too low on SoCs whose
host converts what passes between PUs. Communication is a delay that occupies nobody and all inputs
of a unit travel at once; in simulation conversions are work of the host, one after the other, that
keeps the waiting partition's PU from starting and the host's cores from computing. Of HEFT's error
on GoogLeNet and Inception-v3 on ``zcu102-vta`` (389 ms predicted, 415 simulated; 337 and 413) the
conversions explain 16 and 51 ms, shared host cores 10 and 25 ms, and bus contention nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

from hetsim.cost.profile import INFEASIBLE
from hetsim.plan.build import make_plan, merge_eager, overlapping_groups
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem
from hetsim.schedulers.units import Units
from hetsim.workload.rewrite import Rewrite


class Schedule:
    """A growing schedule of units. Times in seconds; a unit may fill a gap left on its PU."""

    def __init__(self, units: Units) -> None:
        self.units = units
        self.pu = [-1] * len(units)
        self.start = [0.0] * len(units)
        self.end = [0.0] * len(units)
        self.placed: list[int] = []
        # Per PU, when it is busy: stretches in order, those that touch joined into one.
        self._starts: list[list[float]] = [[] for _ in units.pus]
        self._ends: list[list[float]] = [[] for _ in units.pus]
        self._replaced: list[tuple[int, list[float], list[float]]] = []

    def ready(self, u: int, pu: int) -> float:
        """When all inputs of ``u`` can be on ``pu``; producers not placed yet do not count."""
        units = self.units
        arrival = units.entry(u, pu)
        for v in units.preds[u]:
            if self.pu[v] >= 0:
                arrival = max(arrival, self.end[v] + units.comm(v, u, self.pu[v], pu))
        return arrival

    def earliest(self, u: int, pu: int) -> tuple[float, float]:
        """Earliest start and end of ``u`` on ``pu``, gaps included; infinite if unsupported."""
        duration = self.units.time[u][pu]
        if duration == INFEASIBLE:
            return INFEASIBLE, INFEASIBLE
        start = self.ready(u, pu)
        starts, ends = self._starts[pu], self._ends[pu]
        # The first busy stretch that ends after the inputs are there may still lie ahead of them.
        for i in range(bisect_right(ends, start), len(starts)):
            if start + duration <= starts[i]:
                break
            start = max(start, ends[i])
        return start, start + duration

    def place(self, u: int, pu: int, start: float) -> None:
        """Puts ``u`` on ``pu`` at ``start``, which :meth:`earliest` must have offered."""
        end = start + self.units.time[u][pu]
        self.pu[u], self.start[u], self.end[u] = pu, start, end
        starts, ends = self._starts[pu], self._ends[pu]
        first = last = bisect_left(ends, start)
        low, high = start, end
        if last < len(ends) and ends[last] == start:
            low = starts[last]
            last += 1
        if last < len(starts) and starts[last] == end:
            high = ends[last]
            last += 1
        self._replaced.append((first, starts[first:last], ends[first:last]))
        starts[first:last], ends[first:last] = [low], [high]
        self.placed.append(u)

    def unplace(self) -> None:
        """Takes back the latest :meth:`place`."""
        u = self.placed.pop()
        first, starts, ends = self._replaced.pop()
        pu = self.pu[u]
        self._starts[pu][first : first + 1] = starts
        self._ends[pu][first : first + 1] = ends
        self.pu[u] = -1

    def makespan(self) -> float:
        """End of the last unit, network outputs brought back to the host."""
        units = self.units
        return max((self.end[u] + units.exit(u, self.pu[u]) for u in self.placed), default=0.0)

    def to_plan(
        self,
        problem: Problem,
        scheduler: str,
        parameters: Mapping[str, object] | None = None,
        details: Mapping[str, object] | None = None,
        rewrites: Sequence[Rewrite] = (),
    ) -> Plan:
        """The plan that executes this schedule, merged where that delays nobody.

        ``problem`` is that of the network after ``rewrites``.
        """
        rank = {u: i for i, u in enumerate(self.placed)}
        # Units were placed in a topological order, so ties in time keep it.
        order = sorted(self.placed, key=lambda u: (self.start[u], rank[u]))
        chains = [self.units.ops[u] for u in order]
        blocks = merge_eager(problem.graph, chains, [self.pu[u] for u in order])
        spans = [(self.start[order[b.units[0]]], self.end[order[b.units[-1]]]) for b in blocks]
        return make_plan(
            problem.graph,
            problem.soc,
            blocks,
            overlapping_groups(problem.graph, blocks, spans),
            scheduler=scheduler,
            parameters=parameters,
            predicted_s=self.makespan(),
            details=details,
            rewrites=rewrites,
        )
