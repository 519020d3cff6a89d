"""What a delegating runtime should offload: its subsets chosen by simulation.

A local search over which operators are delegated, and where to. It starts from every choice that
the rule of LiteRT's delegates can make (:mod:`.largest`), on every accelerator, and from where
other schedulers that run one thing at a time place operators. Then it tries, in a fixed order, to
move whole subsets, branches, and operators with all that they read from or are read by: that joins
subsets, drops them, cuts them, and trims their ends. Where there are few choices, all are tried.
The plan is always what the runtime makes of the choice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product
from typing import ClassVar

from hetsim.errors import HetsimError, SchedulerError
from hetsim.plan.build import Block, make_plan
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.branches import extract_branches
from hetsim.schedulers.delegate.subsets import Delegating, Placement
from hetsim.schedulers.estimate import predict
from hetsim.schedulers.registry import create

ONE_AT_A_TIME = ("mosaic", "profile_greedy", "best_single_pu")
"""Schedulers whose placements are worth a try: they place operators for one thread."""

_GAIN = 1.0 - 1e-9
"""A change must be this much better: sums of floats in another order are no gain."""


@dataclass(frozen=True)
class DelegateTuned(Scheduler):
    """Simulation in the loop, over choices of what is delegated.

    ``evaluations``: choices that may be simulated, at least; those of the rules are simulated
    however small it is. ``accelerator``: the only one to delegate to, all of them when ``None``.
    Never worse, in simulation, than ``delegate_largest`` on any of them with any parameters, or
    than nothing delegated. Where there is no simulator, predictions decide.
    """

    name: ClassVar[str] = "delegate_tuned"
    optimises: ClassVar[str] = "the simulated makespan, over what is delegated"
    ignores: ClassVar[str] = "parallelism; it stops when no move gains, or its budget is used up"
    complexity: ClassVar[str] = "evaluations · ((V + E) log V + one simulation)"
    source: ClassVar[str] = "local search, from LiteRT's rule and others"

    evaluations: int = 4000
    accelerator: str | None = None

    def __post_init__(self) -> None:
        """Raises :class:`SchedulerError` for a parameter outside its range."""
        if self.evaluations < 1:
            raise SchedulerError(
                f"{self.name}: evaluations must be at least 1, not {self.evaluations}"
            )

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` for an unknown accelerator, or what no PU can run."""
        search = _Search(problem, Delegating(problem, self.accelerator))
        search.run(self.evaluations)
        if search.seconds == math.inf:
            raise SchedulerError(f"{self.name}: nothing that can be delegated or not can run")
        return make_plan(
            problem.graph,
            problem.soc,
            search.ground.blocks(search.best),
            scheduler=self.name,
            parameters=asdict(self),
            predicted_s=search.seconds,
            details={
                "best_rule_us": search.rules_s * 1e6,
                "evaluations": len(search.known),
                "simulated": problem.evaluate is not None,
            },
        )


class _Search:
    """The best placement so far and what all that were tried are worth, in seconds."""

    def __init__(self, problem: Problem, ground: Delegating) -> None:
        self.problem = problem
        self.ground = ground
        self.known: dict[Placement, float] = {}
        self.best = ground.host
        self.seconds = self.rules_s = math.inf

    def run(self, evaluations: int) -> None:
        """Tries the starts, then moves until none gains."""
        for placement in self._rules():
            self._try(placement)
        self.rules_s = self.seconds
        for placement in self._others():
            self._try(placement)
        ground = self.ground
        options = [
            (home, *(pu for pu in ground.accelerators if pu != home and ground.takes(u, pu)))
            for u, home in enumerate(ground.host)
        ]
        if math.prod(map(len, options)) <= evaluations - len(self.known):
            for placement in product(*options):
                self._try(placement)
            return
        gained = True
        while gained:
            gained = False
            for members, pu in self._moves():
                if len(self.known) >= evaluations:
                    return
                gained |= self._try(self._moved(members, pu))

    def _try(self, placement: Placement) -> bool:
        if placement in self.known:
            return False
        self.known[placement] = seconds = self._worth(self.ground.blocks(placement))
        if seconds >= self.seconds * _GAIN:
            return False
        self.best, self.seconds = placement, seconds
        return True

    def _worth(self, blocks: list[Block]) -> float:
        problem = self.problem
        if problem.evaluate is None:
            return predict(problem, blocks)
        plan = make_plan(problem.graph, problem.soc, blocks, scheduler=DelegateTuned.name)
        try:
            return problem.evaluate(plan)
        except HetsimError:
            return math.inf

    def _rules(self) -> Iterator[Placement]:
        """Nothing; then the largest, the two largest, ..., all subsets.

        For each accelerator alone, and for all in turn.
        """
        ground = self.ground
        yield ground.host
        chosen: list[tuple[int, ...]] = [(pu,) for pu in ground.accelerators]
        if len(chosen) > 1:
            chosen.append(ground.accelerators)
        for pus in chosen:
            everything = ground.blocks(ground.largest(pus, None))
            count = max(sum(block.pu == pu for block in everything) for pu in pus)
            for partitions in range(1, count + 1):
                yield ground.largest(pus, partitions)

    def _others(self) -> Iterator[Placement]:
        """Where other schedulers place operators, as far as a delegating runtime can follow."""
        graph, soc, ground = self.problem.graph, self.problem.soc, self.ground
        alike = {
            pu.name: next((p for p in ground.accelerators if soc.pus[p].spec == pu.spec), None)
            for pu in soc.pus
        }
        for name in ONE_AT_A_TIME:
            try:
                plan = create(name).plan(self.problem)
            except SchedulerError:
                continue
            placed = {
                graph.index[op]: alike[part.pu] for part in plan.partitions for op in part.operators
            }
            yield tuple(
                home if (pu := placed[ops[-1]]) is None or not ground.takes(u, pu) else pu
                for u, (ops, home) in enumerate(zip(ground.units.ops, ground.host, strict=True))
            )

    def _moves(self) -> Iterator[tuple[tuple[int, ...], int | None]]:
        """Units to move together, and the accelerator, ``None`` for home; large moves first."""
        ground = self.ground
        home = ground.units.home
        branches = [
            tuple(dict.fromkeys(home[op] for op in branch.operators))
            for branch in extract_branches(self.problem.graph)
        ]
        count = len(ground.units)
        targets = (None, *ground.accelerators)
        for block in ground.blocks(self.best):
            for pu in targets:
                yield block.units, pu
        for branch in branches:
            for pu in targets:
                yield branch, pu
        for u in range(count):
            for near in (ground.units.preds[u], ground.units.succs[u]):
                for pu in targets:
                    yield (u, *near), pu

    def _moved(self, members: tuple[int, ...], pu: int | None) -> Placement:
        ground, placed = self.ground, list(self.best)
        for u in members:
            placed[u] = pu if pu is not None and ground.takes(u, pu) else ground.host[u]
        return tuple(placed)
