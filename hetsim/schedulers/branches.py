"""Branches: PartitionTuner's view of a network as levels of chains.

Source: Yu et al., "PartitionTuner", ETRI Journal 45(2), 2023, doi 10.4218/etrij.2021-0446, step 2.

Walking back from the outputs, a branch grows over a producer as long as nobody outside the branch
reads that producer. Where the branch's first operator has several such producers, each opens a
parallel branch one level deeper. A producer with readers in several branches ends them all and
opens a branch below. So an Inception block gives stem, parallel branches, join; a residual with a
projection gives two parallel branches; one with an identity shortcut gives a single branch.

Two defects of the published program are mended. A branch's level is one more than the *deepest* of
the branches that read it, not that of its first visit, so executing levels from the deepest up
respects all dependencies, nested forks included. And every join keeps its own group of parallel
branches, also when it feeds another join or is the output.

Why this is safe: every operator of a branch but the last is read inside the branch only. So
all its paths to the outside leave from its end, no branch can wait for itself by way of others,
and branches opened by one join are independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hetsim.workload.graph import Graph


@dataclass(frozen=True, slots=True)
class Branch:
    """A chain of operators (positions, in execution order) at a level; 0 is nearest the output.

    ``group`` numbers the set of parallel branches it belongs to, ``None`` outside any.
    """

    operators: tuple[int, ...]
    level: int
    group: int | None = None


def extract_branches(graph: Graph) -> list[Branch]:
    """All branches, in an order that respects dependencies: deepest level first.

    Within a level, branches outside groups come first, then group by group; ties in graph order.
    O(V + E).
    """
    finder = _Finder(graph)
    branches = finder.run()
    return sorted(
        branches,
        key=lambda b: (-b.level, -1 if b.group is None else b.group, b.operators[-1]),
    )


class _Finder:
    """Grows branches backwards. Branches are numbered in the order they are opened."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.home = [-1] * len(graph)
        self.chains: list[list[int]] = []
        self.levels: list[int] = []
        self.groups: list[int | None] = []

    def run(self) -> list[Branch]:
        # In reverse order all readers of an operator are settled before it is looked at.
        for op in reversed(range(len(self.graph))):
            if self.home[op] < 0:
                self._open_and_grow(op)
        self._number_groups_forward()
        return [
            Branch(tuple(reversed(chain)), level, group)
            for chain, level, group in zip(self.chains, self.levels, self.groups, strict=True)
        ]

    def _open_and_grow(self, op: int) -> None:
        pending: list[tuple[int, int | None]] = [(op, None)]
        while pending:
            last, group = pending.pop()
            branch = len(self.chains)
            readers = [self.home[s] for s in self.graph.successors[last]]
            self.chains.append([])
            self.levels.append(1 + max((self.levels[r] for r in readers), default=-1))
            self.groups.append(group)
            # A branch opens one group at most, so its own number tells the group apart.
            pending += [(feeder, branch) for feeder in self._grow(branch, last)]

    def _grow(self, branch: int, head: int) -> Sequence[int]:
        """Extends ``branch`` back from ``head``; returns the ends of the parallel branches."""
        graph, chain = self.graph, self.chains[branch]
        while True:
            self.home[head] = branch
            chain.append(head)
            own = [
                p
                for p in graph.predecessors[head]
                if all(self.home[reader] == branch for reader in graph.successors[p])
            ]
            if len(own) != 1:
                return own
            head = own[0]

    def _number_groups_forward(self) -> None:
        """Renumbers groups so that they ascend in the order of the graph."""
        first: dict[int, int] = {}
        for chain, group in zip(self.chains, self.groups, strict=True):
            if group is not None:
                first[group] = min(first.get(group, chain[0]), chain[0])
        order = {g: i for i, g in enumerate(sorted(first, key=lambda g: first[g]))}
        self.groups = [None if g is None else order[g] for g in self.groups]
