"""Several networks that are searched together: a space made of theirs.

The genome is that of their union, in which they stand one after the other: every network ends at a
cut, so a change stays within one network or takes whole stretches of several, and no partition
holds operators of two. What a plan of one network is worth depends on the others all the same;
that is for the judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate

from hetsim.schedulers.search.judge import Draft, Piece
from hetsim.schedulers.search.space import Space
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph


class SeveralSpace(Space):
    """The space of ``union``, in which ``parts`` stand one after the other."""

    heats = (0.003, 0.01, 0.03, 0.1, 0.3)
    """Where networks wait for each other, a single change may double what a plan is worth."""

    def __init__(self, union: Graph, parts: Sequence[Graph], soc: SoC) -> None:
        super().__init__(union, soc)
        self.parts = [Space(part, soc) for part in parts]
        self.edges = [0, *accumulate(len(part) for part in parts)]
        self.begins = frozenset(self.edges[1:-1])

    @cached_property
    def cuts(self) -> tuple[int, ...]:
        """Those of every part, and where each ends."""
        found = {end - 1 for end in self.edges[1:]}
        for begin, part in zip(self.edges, self.parts, strict=False):
            found.update(begin + cut for cut in part.cuts)
        return tuple(sorted(found))

    @cached_property
    def ancestors(self) -> tuple[int, ...]:
        """With all operators of the parts before, so that no order mixes two parts."""
        found: list[int] = []
        for begin, part in zip(self.edges, self.parts, strict=False):
            before = (1 << begin) - 1
            found += [bits << begin | before for bits in part.ancestors]
        return tuple(found)

    def apart(self, draft: Draft) -> tuple[Draft, ...]:
        """The draft of every part."""
        pieces: list[list[Piece]] = [[] for _ in self.parts]
        for piece in draft.pieces:
            part = next(i for i, end in enumerate(self.edges[1:]) if piece.operators[0] < end)
            begin = self.edges[part]
            own = tuple(op - begin for op in piece.operators)
            pieces[part].append(Piece(piece.pu, own, piece.fuse))
        return tuple(Draft(tuple(several)) for several in pieces)
