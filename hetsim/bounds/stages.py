"""Stages: the stretches of a network between its cuts.

An operator that everything else comes before or after cuts the inference in two: no work of the
one side overlaps work of the other. What the sides know of each other is only where the operators
ran whose results cross the cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from hetsim.bounds.floors import Floors
from hetsim.workload.cuts import cut_positions
from hetsim.workload.graph import Graph

MOST_STATES = 64
"""Placements at a cut beyond which it is not used as one."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A window whose placements are open; ``before`` and ``after`` are read across its ends.

    ``cut`` is the operator that opens it, ``None`` at the beginning; ``last``: nothing follows it;
    ``closes``: its last operator is a cut, as in all others.
    """

    ops: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    cut: int | None
    last: bool
    closes: bool


def stages_of(graph: Graph, floors: Floors) -> list[Stage]:
    """The whole network as stages, in order. O(V + E) for networks that fall apart well.

    A stage ends only where all operators that later floors refer to are read across its end.
    """
    size = len(graph)
    last_reader = [max(readers, default=-1) for readers in graph.successors]
    stages: list[Stage] = []
    begin = 0
    before: tuple[int, ...] = ()
    live: list[int] = []
    cuts = set(cut_positions(graph.predecessors, graph.successors))
    last_named = [-1] * size  # the last operator whose floor depends on where this one runs
    for op in range(size):
        for neighbour in {n for least in floors.ops[op] for n, _ in least.beside}:
            last_named[neighbour] = max(last_named[neighbour], op)
    open_names: set[int] = set()
    for op in range(size):
        live.append(op)
        open_names = {n for n in (*open_names, op) if last_named[n] > op}
        if op not in cuts or op == size - 1:
            continue
        live = [i for i in live if last_reader[i] > op]
        after = tuple(live)
        if not open_names <= set(after):
            continue
        if prod(len(floors.feasible(i)) for i in after) <= MOST_STATES:
            cut = begin - 1 if begin else None
            stages.append(
                Stage(tuple(range(begin, op + 1)), before, after, cut, last=False, closes=True)
            )
            begin, before = op + 1, after
    cut = begin - 1 if begin else None
    stages.append(
        Stage(tuple(range(begin, size)), before, (), cut, last=True, closes=size - 1 in cuts)
    )
    return stages
