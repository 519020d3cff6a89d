"""Where each network changes its unit, once at most, given the others.

A network runs on one unit up to a place, and on another one from there on; or all of it on one.
Places are operators that everything else comes before or after. From the best way to give every
network one unit on, one network after the other tries all its choices while the others stay as they
are, until no change lets the last of them end sooner when one inference of each begins at once. How
soon that is comes from simulation, contention included. How often networks run is not looked at.

Source: Dagli and Belviranli, "HaX-CoNN", PPoPP 2024, section 3: layer groups, costs of a change of
unit, few changes, the longest latency as the objective. Theirs decides by a solver over predicted
slowdowns and is optimal for its model; this one may end at a choice that only two networks together
could leave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import inf, prod
from typing import ClassVar

from hetsim.errors import HetsimError, SchedulerError
from hetsim.plan.build import make_plan, merge_runs, single_units
from hetsim.plan.model import Plan
from hetsim.schedulers.joint.base import JointProblem, JointScheduler
from hetsim.schedulers.search.space import Space
from hetsim.soc.model import SoC
from hetsim.workload.cuts import cut_positions
from hetsim.workload.graph import Graph

PLACES = 12
"""Where a network may change its unit, about; HaX-CoNN has some ten groups of layers."""

MOST_WHOLE = 64
"""Ways to put every network on one unit each that are all tried, the best to begin with."""

Ends = Callable[[Mapping[str, Plan]], Mapping[str, float]]
"""Seconds until each network ends when one inference of each begins at once."""


class Cuts(JointScheduler):
    """Every network on one unit or two, changing once, found one after the other in simulation."""

    name: ClassVar[str] = "cuts"
    source: ClassVar[str] = "HaX-CoNN, Dagli and Belviranli, PPoPP 2024"
    asks: ClassVar[bool] = False

    def plan(self, problem: JointProblem) -> Mapping[str, Plan]:
        """Raises :class:`SchedulerError` when some network runs by no such plan."""
        return best_cuts(problem.graphs, problem.soc, problem.together)


@dataclass(frozen=True, slots=True)
class Choice:
    """Units by position: ``first`` before operator ``cut`` (by position), ``second`` from there."""

    first: int
    second: int
    cut: int


class Divisible:
    """A network and its plans of at most two units."""

    def __init__(self, graph: Graph, soc: SoC) -> None:
        self.graph = graph
        self.soc = soc
        self._space = Space(graph, soc)

    @cached_property
    def places(self) -> list[int]:
        """Operators before which the unit may change, ascending: no fused chain is torn."""
        graph, chain = self.graph, self._space.chain
        ends = cut_positions(graph.predecessors, graph.successors)
        able = [i + 1 for i in ends if i + 1 < len(graph) and i + 1 not in chain[i]]
        step = max(1, len(able) // PLACES)
        return able[step - 1 :: step]

    @cached_property
    def whole(self) -> list[Choice]:
        """All of it on a unit, in the order of the SoC; on the host only where nothing else is.

        A unit that could not run a single operator is left out.
        """
        homes = self._space.homes
        able = [pu.index for pu in self.soc.pus if any(pu.index in home for home in homes)]
        units = [u for u in able if u != self.soc.host.index] or able
        return [Choice(u, u, len(self.graph)) for u in units]

    @cached_property
    def choices(self) -> list[Choice]:
        """Whole units, then every change between two."""
        units = [choice.first for choice in self.whole]
        return self.whole + [
            Choice(u, v, cut) for u in units for v in units if u != v for cut in self.places
        ]

    def plan(self, choice: Choice) -> Plan:
        """What a unit cannot run goes to the other one, else to the first unit that can."""
        pus = []
        for op, homes in enumerate(self._space.homes):
            wanted = (choice.first, choice.second)
            ordered = wanted if op < choice.cut else wanted[::-1]
            pus.append(next((u for u in (*ordered, *homes) if u in homes), ordered[0]))
        blocks = merge_runs(single_units(self.graph), pus)
        return make_plan(self.graph, self.soc, blocks, scheduler=Cuts.name)


def best_cuts(graphs: Mapping[str, Graph], soc: SoC, ends: Ends) -> dict[str, Plan]:
    """A plan for each network; ``ends`` judges plans of all of them.

    Raises:
        SchedulerError: a network runs by no plan of one unit and what falls back from it.
    """
    networks = {name: Divisible(graph, soc) for name, graph in graphs.items()}
    known: dict[tuple[Choice, ...], tuple[float, float]] = {}
    failed: list[HetsimError] = []

    def merit(choices: Mapping[str, Choice]) -> tuple[float, float]:
        key = tuple(choices.values())
        if key not in known:
            try:
                times = ends({n: networks[n].plan(c) for n, c in choices.items()}).values()
                known[key] = max(times), sum(times)
            except HetsimError as error:
                failed.append(error)
                known[key] = inf, inf
        return known[key]

    best = {name: network.whole[0] for name, network in networks.items()}
    if prod(len(network.whole) for network in networks.values()) <= MOST_WHOLE:
        wholes = product(*(network.whole for network in networks.values()))
        best = min((dict(zip(networks, whole, strict=True)) for whole in wholes), key=merit)
    while True:
        before = merit(best)
        for name, network in networks.items():
            tried = ({**best, name: choice} for choice in (best[name], *network.choices))
            best = min(tried, key=merit)
        if merit(best) >= before:
            break
    if merit(best)[0] == inf:
        raise SchedulerError(
            "no plan of one unit or two, changing once, lets the networks run"
        ) from failed[-1]
    return {name: networks[name].plan(choice) for name, choice in best.items()}
