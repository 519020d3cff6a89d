"""The graph partitioner: branches whose operators have PUs become partitions.

Source: Yu et al., "PartitionTuner", ETRI Journal 45(2), 2023, doi 10.4218/etrij.2021-0446, step 4,
and for what joins what the authors' public code. Level by level: sets of branches that run at the
same time, a partition for each member, then all other branches of the level in line, cut where the
PU changes. The line of a level with one branch goes on with the partition before it where the PU is
the same; one of several branches begins anew. Their static baseline is cut in the same places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Literal

from hetsim.plan.build import Block
from hetsim.schedulers.branches import Branch, extract_branches
from hetsim.workload.graph import Graph

Merge = Literal["none", "single", "all"]
"""Lines that may go on with the partition before them: none, those of one branch, all."""

Cut = Literal["branches", "none"]
"""Where a static plan is cut besides at changes of the PU."""


class Partitions:
    """Blocks in execution order, the parallel groups among them, and where each operator runs."""

    def __init__(self, merge: Merge) -> None:
        self._merge = merge
        self._drafts: list[tuple[list[int], int]] = []
        self.groups: list[tuple[int, ...]] = []
        self.pu_of: dict[int, int] = {}
        self._open = False

    @property
    def blocks(self) -> list[Block]:
        """What has been added so far."""
        return [Block(tuple(ops), pu) for ops, pu in self._drafts]

    def add_line(self, placed: Iterable[tuple[int, int]], *, branches: int) -> None:
        """Operators with their PUs, of so many branches, one after the other."""
        joins = self._merge == "all" or (self._merge == "single" and branches == 1)
        goes_on = joins and self._open
        for pu, run in groupby(placed, key=lambda pair: pair[1]):
            ops = [op for op, _ in run]
            if goes_on and self._drafts[-1][1] == pu:
                self._drafts[-1][0].extend(ops)
            else:
                self._drafts.append((ops, pu))
            self.pu_of.update(dict.fromkeys(ops, pu))
            self._open = True

    def add_parallel(self, members: Sequence[tuple[Sequence[int], int]]) -> None:
        """Operators of branches that run at the same time, with the PU of each."""
        start = len(self._drafts)
        for ops, pu in members:
            self._drafts.append((list(ops), pu))
            self.pu_of.update(dict.fromkeys(ops, pu))
        self.groups.append(tuple(range(start, len(self._drafts))))
        self._open = False


def levels(branches: Sequence[Branch]) -> Iterator[list[Branch]]:
    """Branches level by level, in execution order."""
    for _, members in groupby(branches, key=lambda b: b.level):
        yield list(members)


def cut_at_branches(
    graph: Graph, units: Sequence[Sequence[int]], pus: Sequence[int]
) -> list[Block]:
    """The partitions of a static plan, ``pus[i]`` the PU index of ``units[i]``.

    A unit of several operators stands where its last one does: nobody else reads the others.
    """
    ends = {unit[-1]: (unit, pu) for unit, pu in zip(units, pus, strict=True)}
    draft = Partitions("single")
    for level in levels(extract_branches(graph)):
        ending = [ends[op] for branch in level for op in branch.operators if op in ends]
        draft.add_line([(op, pu) for unit, pu in ending for op in unit], branches=len(level))
    return draft.blocks
