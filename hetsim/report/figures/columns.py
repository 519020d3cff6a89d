"""Columns: many events told as shares of a grid of time, when a picture cannot resolve each.

Shares keep what matters: the surface of a colour stays its time, and the surface under a rate stays
the bytes it carried.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from hetsim.report.counters import Counter
from hetsim.report.lanes import Row
from hetsim.report.palette import STYLES
from hetsim.sim.trace import Trace

_RANK = {kind: rank for rank, kind in enumerate(STYLES)}


def shares_of(trace: Trace, row: Row, count: int) -> list[tuple[str, float, float, float, float]]:
    """The row in columns: (kind, from, to in seconds, from, to as a share of the height)."""
    cell = trace.makespan_s / count
    spent: list[dict[str, float]] = [{} for _ in range(count)]
    for position in row.spans:
        span = trace.spans[position]
        for index, seconds in _cells(span.start, span.end, cell, count):
            spent[index][span.kind] = spent[index].get(span.kind, 0.0) + seconds
    columns = []
    for index, kinds in enumerate(spent):
        level = 0.0
        for kind in sorted(kinds, key=lambda kind: (kind not in STYLES, _RANK.get(kind, 0), kind)):
            share = kinds[kind] / cell
            columns.append((kind, index * cell, (index + 1) * cell, level, level + share))
            level += share
    return columns


def _cells(start: float, end: float, cell: float, count: int) -> Iterator[tuple[int, float]]:
    """The cells of a grid that [start, end) touches, with the seconds spent in each."""
    first, last = (min(max(int(t / cell), 0), count - 1) for t in (start, end))
    if first == last:
        yield first, end - start
        return
    yield first, (first + 1) * cell - start
    for index in range(first + 1, last):
        yield index, cell
    yield last, end - last * cell


def thinned(counter: Counter, makespan: float, count: int) -> list[tuple[float, float]]:
    """The steps of ``counter``; many are averaged over columns, keeping the surface."""
    steps = list(zip(counter.times, counter.values, strict=True))
    if len(steps) <= 4 * count or makespan <= 0:
        return steps
    cell = makespan / count
    carried = [0.0] * count
    for (begin, rate), (end, _) in itertools.pairwise(steps):
        for index, seconds in _cells(begin, end, cell, count):
            carried[index] += rate * seconds
    return [(index * cell, amount / cell) for index, amount in enumerate(carried)]
