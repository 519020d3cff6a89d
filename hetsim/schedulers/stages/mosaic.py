"""MOSAIC: the optimal slicing of a linear order of layers over PUs, by dynamic programming.

Source: Han et al., "MOSAIC: Heterogeneity-, communication-, and constraint-aware model slicing and
execution for accurate and efficient inference", PACT 2019. With layers in a line,
``f(l, p) = t(l, p) + min over q of [f(l - 1, q) + comm(q -> p)]``, exact for chains. Layers are
units (:mod:`hetsim.schedulers.units`) in a topological order; everything a layer reads is taken to
be where the previous layer of the line ran, which is the one approximation on branchy networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hetsim.cost.profile import INFEASIBLE
from hetsim.plan.build import make_plan, merge_runs
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.units import Units


@dataclass(frozen=True)
class Mosaic(Scheduler):
    """Minimises the sum of times and transfers along the line of layers. It has no parameters."""

    name: ClassVar[str] = "mosaic"
    optimises: ClassVar[str] = "execution and communication along a linear order, exactly"
    ignores: ClassVar[str] = "parallel branches, contention"
    complexity: ClassVar[str] = "O(V·P²)"
    source: ClassVar[str] = "Han et al., PACT 2019"

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` when no PU runs some operator."""
        units = Units(problem)
        pus, total = best_line(units)
        blocks = merge_runs(units.ops, pus)
        return make_plan(problem.graph, problem.soc, blocks, scheduler=self.name, predicted_s=total)


def best_line(units: Units) -> tuple[list[int], float]:
    """A PU for each unit, and the time of the line in seconds, network inputs and outputs included.

    Of equal choices the PU that stands first in the SoC wins.
    """
    cost = [INFEASIBLE for _ in units.pus]
    came_from: list[list[int]] = []
    for u in range(len(units)):
        reads = units.reads(u)
        now = []
        origin = []
        for p in units.pus:
            if units.time[u][p] == INFEASIBLE:
                now.append(INFEASIBLE)
                origin.append(0)
                continue
            if u == 0:
                best, q = units.entry(0, p), p
            else:
                best, q = min((cost[q] + _change(units, reads, q, p), q) for q in units.pus)
            best += units.exit(u, p)
            now.append(best + units.time[u][p])
            origin.append(q)
        cost = now
        came_from.append(origin)
    total, p = min((seconds, p) for p, seconds in enumerate(cost))
    pus = [p]
    for origin in reversed(came_from[1:]):
        p = origin[p]
        pus.append(p)
    return pus[::-1], total


def _change(units: Units, reads: tuple[str, ...], source: int, target: int) -> float:
    if source == target:
        return 0.0
    return units.call + sum(units.crossing(tensor, source, target) for tensor in reads)
