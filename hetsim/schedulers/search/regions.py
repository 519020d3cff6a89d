"""Which part of a network is searched next.

At a cut operator (an ancestor or descendant of every other) a network falls apart, and so does
every genome's order. A search that changes one *region* between two cuts at a time finds what is
better there undisturbed by noise from elsewhere, and regions that do not overlap can be searched at
the same time and the gains put together.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hetsim.schedulers.search.space import Space

_SIZES = (8, 16, 32, 64)
"""How many operators a region should have, about."""

Region = tuple[int, int]
"""Positions in the order: from, up to."""


def boundaries(space: Space) -> list[int]:
    """Positions between which regions lie: the ends, and behind cuts that tear no chain."""
    inner = (c + 1 for c in space.cuts if space.chain[c][-1] == c)
    return [0, *(at for at in inner if at < len(space.graph)), len(space.graph)]


def blocks(space: Space) -> list[Region]:
    """The smallest regions, in order."""
    return list(pairwise(boundaries(space)))


def draw_regions(space: Space, draw: Random, count: int) -> list[Region]:
    """``count`` regions that do not overlap, or fewer when there is no room for them.

    Regions grow from a random operator that has a choice; a network without cuts is one region.
    """
    edges = boundaries(space)
    anchors = space.movable or tuple(range(len(space.graph)))
    chosen: list[Region] = []
    for _ in range(count):
        anchor = draw.choice(anchors)
        size = draw.choice(_SIZES)
        low = max(i for i, at in enumerate(edges) if at <= anchor)
        high = low + 1
        while edges[high] - edges[low] < size and (low > 0 or high < len(edges) - 1):
            if high < len(edges) - 1 and (low == 0 or draw.random() < 0.5):
                high += 1
            else:
                low -= 1
        region = (edges[low], edges[high])
        if all(region[1] <= a or b <= region[0] for a, b in chosen):
            chosen.append(region)
    return sorted(chosen)
