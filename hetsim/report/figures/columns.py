"""Columns: many events told as shares of a grid of time, when a picture cannot resolve each.

Shares keep what matters: the surface of a colour stays its time, and the surface under a rate stays
the bytes it carried.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from hetsim.report.counters import Counter
from hetsim.report.lanes import Row
from hetsim.report.palette import STYLES
from hetsim.sim.trace import Trace

_RANK = {kind: rank for rank, kind in enumerate(STYLES)}


@dataclass(frozen=True, slots=True)
class Crowd:
    """Spans of a row that follow one another too closely to be told apart, by position."""

    spans: tuple[int, ...]
    start: float
    end: float


FEW = 4
"""Fewer thin spans together are still drawn as they are."""


def crowds_of(trace: Trace, row: Row, thin: float) -> tuple[list[int], list[Crowd]]:
    """The spans of ``row`` that stand alone, and the crowds that the others form.

    A crowd is a run of spans each shorter than ``thin`` seconds and no farther from the one before.
    """
    alone: list[int] = []
    crowds: list[Crowd] = []
    run: list[int] = []

    def close() -> None:
        if len(run) < FEW:
            alone.extend(run)
        else:
            start, end = trace.spans[run[0]].start, trace.spans[run[-1]].end
            crowds.append(Crowd(tuple(run), start, end))
        run.clear()

    for position in row.spans:
        span = trace.spans[position]
        if run and span.start - trace.spans[run[-1]].end > thin:
            close()
        if span.end - span.start < thin:
            run.append(position)
        else:
            close()
            alone.append(position)
    close()
    return alone, crowds


def shares_of(
    trace: Trace, crowd: Crowd, width: float
) -> list[tuple[str, float, float, float, float]]:
    """A crowd in columns of about ``width`` seconds.

    Each is (kind, from, to in seconds, from, to as a share of the height).
    """
    whole = crowd.end - crowd.start
    count = max(1, round(whole / width))
    cell = whole / count
    spent: list[dict[str, float]] = [{} for _ in range(count)]
    for position in crowd.spans:
        span = trace.spans[position]
        begin, end = span.start - crowd.start, span.end - crowd.start
        for index, seconds in _cells(begin, end, cell, count):
            spent[index][span.kind] = spent[index].get(span.kind, 0.0) + seconds
    columns = []
    for index, kinds in enumerate(spent):
        level, left = 0.0, crowd.start + index * cell
        for kind in sorted(kinds, key=lambda kind: (kind not in STYLES, _RANK.get(kind, 0), kind)):
            share = kinds[kind] / cell
            columns.append((kind, left, left + cell, level, level + share))
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
