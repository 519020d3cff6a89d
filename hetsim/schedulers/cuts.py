"""Where a network falls apart: cut units, and the blocks between them.

A cut unit is an ancestor or descendant of every other, so nothing before it can overlap anything
after it. Schedulers that search may treat the blocks between cuts one by one.
"""

from __future__ import annotations

from hetsim.schedulers.units import Units
from hetsim.workload.cuts import cut_positions


def cut_units(units: Units) -> list[int]:
    """Units that everything else comes before or after, ascending. O(V + E)."""
    return cut_positions(units.preds, units.succs)


def blocks_between_cuts(units: Units) -> list[list[int]]:
    """All units in order: each block ends with a cut unit, or with the last unit."""
    blocks: list[list[int]] = [[]]
    cuts = set(cut_units(units))
    for u in range(len(units)):
        blocks[-1].append(u)
        if u in cuts:
            blocks.append([])
    return [block for block in blocks if block]
