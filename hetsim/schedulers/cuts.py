"""Where a network falls apart: cut units, and the blocks between them.

A cut unit is an ancestor or descendant of every other, so nothing before it can overlap anything
after it. Schedulers that search may treat the blocks between cuts one by one.
"""

from __future__ import annotations

from hetsim.schedulers.units import Units


def cut_units(units: Units) -> list[int]:
    """Units that everything else comes before or after, ascending. O(V + E)."""
    count = len(units)
    passing = [0] * (count + 1)
    for u in range(count):
        last = max(units.succs[u], default=u)
        # Edges from u jump over everything strictly between u and its last reader.
        passing[u + 1] += 1
        passing[max(last, u + 1)] -= 1
    ends = [u for u in range(count) if not units.succs[u]]
    first_end = ends[0]
    last_start = max(u for u in range(count) if not units.preds[u])
    cuts = []
    over = 0
    for u in range(count):
        over += passing[u]
        if over == 0 and last_start <= u <= first_end:
            cuts.append(u)
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
