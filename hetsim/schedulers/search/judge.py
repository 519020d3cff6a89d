"""What a search wants to know about a draft of a plan, and who answers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol

from hetsim.errors import HetsimError
from hetsim.plan.model import Partition, Plan
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph
from hetsim.workload.rewrite import Rewrite

NEVER = math.inf
"""The makespan of a draft that cannot run."""


class Piece(NamedTuple):
    """A partition in the making: PU index, operator positions in execution order, fusing or not."""

    pu: int
    operators: tuple[int, ...]
    fuse: bool = True


class Draft(NamedTuple):
    """A plan without names: pieces in plan order, parallel groups of positions of pieces."""

    pieces: tuple[Piece, ...]
    groups: tuple[tuple[int, ...], ...] = ()


class Verdict(NamedTuple):
    """What a draft is worth, in seconds.

    ``seconds`` is the simulated makespan where ``exact``, and otherwise a lower bound on it.
    """

    seconds: float
    exact: bool = True


class Judge(Protocol):
    """Simulates drafts. Its answers must not depend on what it was asked before."""

    def judge(self, draft: Draft, worthless_above: float = NEVER) -> Verdict:
        """The makespan of ``draft``; a bound may do where that is above ``worthless_above``."""


class PlanJudge:
    """Asks a function of plans, such as ``Problem.evaluate``; remembers nothing."""

    def __init__(self, graph: Graph, soc: SoC, makespan: Callable[[Plan], float]) -> None:
        self.graph = graph
        self.soc = soc
        self.makespan = makespan

    def judge(self, draft: Draft, worthless_above: float = NEVER) -> Verdict:
        """Never a bound. A plan that raises ``HetsimError`` cannot run."""
        try:
            return Verdict(self.makespan(plan_of(self.graph, self.soc, draft, "tuning")))
        except HetsimError:
            return Verdict(NEVER)


def plan_of(
    graph: Graph, soc: SoC, draft: Draft, scheduler: str, rewrites: tuple[Rewrite, ...] = ()
) -> Plan:
    """``draft`` as a plan; partitions are called ``p0``, ``p1``, ... in plan order.

    ``graph`` is the network after ``rewrites``.
    """
    partitions = tuple(
        Partition(
            f"p{i}",
            soc.pus[piece.pu].name,
            tuple(graph.operators[op].name for op in piece.operators),
            piece.fuse,
        )
        for i, piece in enumerate(draft.pieces)
    )
    groups = tuple(tuple(f"p{i}" for i in group) for group in draft.groups)
    return Plan(graph.name, partitions, groups, scheduler, rewrites=rewrites)


def draft_of(graph: Graph, soc: SoC, plan: Plan) -> Draft:
    """A valid plan as a draft; ``graph`` is the network after the plan's rewrites."""
    position = {partition.name: i for i, partition in enumerate(plan.partitions)}
    pieces = tuple(
        Piece(
            soc.by_name[partition.pu].index,
            tuple(graph.index[name] for name in partition.operators),
            partition.fuse,
        )
        for partition in plan.partitions
    )
    groups = (tuple(sorted(position[name] for name in group)) for group in plan.parallel_groups)
    return Draft(pieces, tuple(sorted(groups)))
