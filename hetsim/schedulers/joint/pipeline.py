"""Networks cut into stages, each on a unit of its own: for many frames, not for one.

A unit that works on one frame lets the others work on the frames before and behind it. Then what
limits the rate is the busiest unit, and not the length of the way through all of them. So each
network is a row of stages in the order of its operators, no unit has two stages of one network, and
the time of the busiest unit is the least: dynamic programming over places and sets of units. Loads
are rates times the times of operators on an idle SoC, data in place; crossings are left out. What
a unit cannot run goes to the first unit that can, and the stage is counted as if it waited for it.
Several networks go one after the other, the largest first, each given what the others have put on
the units, and round again until nothing gets better.

Source: the slowest stage by dynamic programming as in PipeDream (Narayanan et al., SOSP 2019,
section 3.1), whose workers are alike; without replication of stages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from math import inf
from typing import ClassVar

from hetsim.cost.profile import INFEASIBLE
from hetsim.errors import SchedulerError
from hetsim.plan.build import make_plan, merge_runs
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem
from hetsim.schedulers.joint.base import JointProblem, JointScheduler
from hetsim.schedulers.search.space import Space

PLACES = 24
"""Where stages may end, about: the work grows with the square."""

Loads = Sequence[float]
"""Seconds of work for each unit in a second of arrivals."""

Stages = tuple[tuple[int, int], ...]
"""Of each stage the unit, and the chain (by position) before which it ends."""


class Pipeline(JointScheduler):
    """Every network a row of stages on different units, the busiest unit as idle as can be."""

    name: ClassVar[str] = "pipeline"
    source: ClassVar[str] = "the slowest stage, as PipeDream, Narayanan et al., SOSP 2019"
    asks: ClassVar[bool] = False

    def plan(self, problem: JointProblem) -> Mapping[str, Plan]:
        """Raises :class:`SchedulerError` when some operator runs nowhere."""
        rows = {s.name: _Row(problem.problem(s.name)) for s in problem.streams}
        rates = problem.rates
        units = range(len(problem.soc.pus))
        none = [0.0] * len(units)
        order = sorted(rows, key=lambda name: -rates[name] * sum(map(min, rows[name].seconds)))
        found: dict[str, Stages] = {}
        loads = dict.fromkeys(rows, none)
        best = inf
        while True:
            for name in order:
                others = [sum(loads[o][u] for o in rows if o != name) for u in units]
                found[name] = rows[name].stages(others, rates[name])
                loads[name] = [rates[name] * t for t in rows[name].loads(found[name])]
            busiest = max(sum(load[u] for load in loads.values()) for u in units)
            if busiest >= best * (1.0 - 1e-12):
                return {name: rows[name].plan(found[name]) for name in rows}
            best = busiest


@dataclass(frozen=True)
class _Row:
    """A network as a row of fused chains, and what each takes on each unit."""

    problem: Problem

    @cached_property
    def _space(self) -> Space:
        return Space(self.problem.graph, self.problem.soc)

    @cached_property
    def chains(self) -> list[tuple[int, ...]]:
        """Chains in the order of their last operators; of two that share one the longer."""
        taken: set[int] = set()
        found = []
        for chain in sorted(dict.fromkeys(self._space.chain), key=lambda c: (-len(c), c)):
            own = chain if taken.isdisjoint(chain) else ()
            taken.update(own)
            found += [own] if own else []
        found += [(op,) for op in range(len(self.problem.graph)) if op not in taken]
        return sorted(found, key=lambda chain: chain[-1])

    @cached_property
    def seconds(self) -> list[list[float]]:
        """By chain and unit; what a unit cannot run takes what it takes where it can."""
        table = []
        for chain in self.chains:
            times = [self.problem.profile.chain_time(chain, pu.index)
                     for pu in self.problem.soc.pus]  # fmt: skip
            least = min(times)
            if least == INFEASIBLE:
                apart = [[self.problem.profile.chain_time((op,), pu.index) for op in chain]
                         for pu in self.problem.soc.pus]  # fmt: skip
                least = sum(min(column) for column in zip(*apart, strict=True))
            if least == INFEASIBLE:
                operator = self.problem.graph.operators[chain[0]]
                raise SchedulerError(f"no unit runs {operator.kind} {operator.name!r}")
            table.append([least if t == INFEASIBLE else t for t in times])
        return table

    @cached_property
    def _places(self) -> list[int]:
        """Chains before which a stage may begin, ascending, and the end."""
        size = len(self.chains)
        count = min(PLACES, size)
        return sorted({round(i * size / count) for i in range(count + 1)})

    @cached_property
    def _sums(self) -> list[list[float]]:
        """By unit, seconds of all chains before each."""
        return [[0.0, *accumulate(column)] for column in zip(*self.seconds, strict=True)]

    def _takes(self, unit: int, begin: int, end: int) -> float:
        return self._sums[unit][end] - self._sums[unit][begin]

    def stages(self, others: Loads, rate: float) -> Stages:
        """The best row of stages where units have the loads of ``others``.

        The least load of the busiest of its units, and of equals the least work.
        """
        places, units = self._places, range(len(others))
        best: dict[tuple[int, int], tuple[float, float, Stages]] = {(0, 0): (0.0, 0.0, ())}
        for at, begin in enumerate(places[:-1]):
            here = [(used, value) for (place, used), value in best.items() if place == begin]
            for used, (most, work, stages) in here:
                for unit in units:
                    if used >> unit & 1:
                        continue
                    for end in places[at + 1 :]:
                        took = rate * self._takes(unit, begin, end)
                        value = max(most, others[unit] + took), work + took
                        key = end, used | 1 << unit
                        if key not in best or value < best[key][:2]:
                            best[key] = (*value, (*stages, (unit, end)))
        ends = [value for (place, _), value in best.items() if place == places[-1]]
        return min(ends, key=lambda value: value[:2])[2]

    def loads(self, stages: Stages) -> list[float]:
        """Seconds of one inference by unit."""
        found, begin = [0.0] * len(self.problem.soc.pus), 0
        for unit, end in stages:
            found[unit] += self._takes(unit, begin, end)
            begin = end
        return found

    def plan(self, stages: Stages) -> Plan:
        """The plan of these stages."""
        units: list[tuple[int, ...]] = []
        pus: list[int] = []
        homes, begin = self._space.homes, 0
        for unit, end in stages:
            for chain in self.chains[begin:end]:
                if self._space.runs(unit, chain):
                    units.append(chain)
                    pus.append(unit)
                    continue
                for op in chain:
                    able = [u for u in homes[op] if self._space.runs(u, (op,))] or [unit]
                    units.append((op,))
                    pus.append(unit if unit in able else able[0])
            begin = end
        blocks = merge_runs(units, pus)
        return make_plan(self.problem.graph, self.problem.soc, blocks, scheduler=Pipeline.name)
