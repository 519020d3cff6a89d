"""Where a network falls apart: cut units, and the blocks between them.

A cut unit is an ancestor or descendant of every other, so nothing before it can overlap anything
after it. Schedulers that search may treat the blocks between cuts one by one.
"""

from __future__ import annotations

from collections.abc import Sequence

from hetsim.schedulers.units import Units


def cut_units(units: Units) -> list[int]:
    """Units that everything else comes before or after, ascending. O(V + E)."""
    return cut_positions(units.preds, units.succs)


def cut_positions(preds: Sequence[Sequence[int]], succs: Sequence[Sequence[int]]) -> list[int]:
    """The same of any graph whose nodes stand in a topological order.

    Everything before ``u`` leads to ``u`` iff each such unit has a reader no later than ``u``: one
    can then always walk on without passing ``u``. Likewise for everything after and producers.
    """
    count = len(preds)
    first_reader = [min(readers, default=count) for readers in succs]
    last_producer = [max(producers, default=-1) for producers in preds]
    after = [count] * (count + 1)
    for u in reversed(range(count)):
        after[u] = min(after[u + 1], last_producer[u])
    cuts = []
    before = -1
    for u in range(count):
        if before <= u <= after[u + 1]:
            cuts.append(u)
        before = max(before, first_reader[u])
    return cuts


def blocks_between_cuts(units: Units) -> list[list[int]]:
    """All units in order: each block ends with a cut unit, or with the last unit."""
    blocks: list[list[int]] = [[]]
    cuts = set(cut_units(units))
    for u in range(len(units)):
        blocks[-1].append(u)
        if u in cuts:
            blocks.append([])
    return [block for block in blocks if block]
