"""The rows of a Gantt chart: spans as boxes, crowds as shares, names, and the critical path.

A span that paper can show is a box. Where many follow one another more closely than that, a picture
of each would be stripes that say nothing: they become thin columns, in which the height of a colour
is its share of the time. What a row does stays its surface either way.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hetsim.analysis.result import Run
from hetsim.names import printable
from hetsim.report.figures.columns import crowds_of, shares_of
from hetsim.report.figures.ganttframe import FONT, INK
from hetsim.report.lanes import Row
from hetsim.report.palette import VERMILION, style_of
from hetsim.report.why import critical_steps
from hetsim.sim.trace import Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.path import Path

Box = tuple[float, float, float, float]
"""A rectangle: left, low, right, high, in axes data units."""

_WIDE_PT = 2.0
"""A box narrower than this (points) is colour only: its outline and its hatch would hide that."""

_THIN_PT, _COLUMN_PT = 2.0, 1.2
"""What is narrower may be one of a crowd; and the columns that a crowd is drawn in."""

_LETTER = 0.62
"""Width of a letter as a share of its height."""

_SMALL = 3.6
"""Points of the names inside boxes; so many of a row's longest have one, where it fits."""
_NAMED = 12

_DARK = frozenset({"compute", "interrupt"})
"""Kinds whose colour asks for white letters."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From seconds to the picture: ``factor`` seconds are one unit of the axis of time."""

    factor: float
    makespan: float
    width_pt: float

    def points(self, seconds: float) -> float:
        """How wide on paper."""
        return seconds * self.width_pt / max(self.makespan, 1e-12)

    def seconds(self, points: float) -> float:
        """The time of a width on paper."""
        return points * max(self.makespan, 1e-12) / self.width_pt


def draw_rows(ax: Axes, trace: Trace, rows: Sequence[Row], scale: Scale) -> None:
    """The boxes of all rows, in axes data units: time, and a unit of height for each row."""
    from matplotlib.patches import PathPatch

    boxes: dict[tuple[str, bool], list[Box]] = {}
    wide = scale.seconds(_WIDE_PT)
    for number, row in enumerate(rows):
        low, high = _extent(number, row)
        alone, crowds = crowds_of(trace, row, scale.seconds(_THIN_PT))
        for crowd in crowds:
            for kind, start, end, below, above in shares_of(
                trace, crowd, scale.seconds(_COLUMN_PT)
            ):
                top, bottom = high - above * (high - low), high - below * (high - low)
                box = (start / scale.factor, top, end / scale.factor, bottom)
                boxes.setdefault((kind, False), []).append(box)
        for position in alone:
            span = trace.spans[position]
            key = span.kind, span.end - span.start >= wide
            box = (span.start / scale.factor, low, span.end / scale.factor, high)
            boxes.setdefault(key, []).append(box)
        _name_longest(ax, trace, row, (low + high) / 2, scale)
    for kind, outlined in sorted(boxes):
        style = style_of(kind)
        patch = PathPatch(
            _rectangles(boxes[kind, outlined]),
            facecolor=style.colour,
            hatch=style.hatch if outlined else None,
            edgecolor="none" if not outlined else INK if style.hatch else "white",
            linewidth=0.2 if outlined else 0.0,
            snap=False,  # else boxes thinner than a pixel would vanish from the PNG
        )
        ax.add_artist(patch)


def _extent(number: int, row: Row) -> tuple[float, float]:
    """Top and bottom of a row's boxes; PUs leave room for the brackets over their partitions."""
    return (number + 0.42, number + 0.94) if row.role == "pu" else (number + 0.14, number + 0.86)


def _rectangles(boxes: Sequence[Box]) -> Path:
    """One path of many rectangles: a single object draws far faster than one for each."""
    import numpy as np
    from matplotlib.path import Path

    x0, y0, x1, y1 = np.asarray(boxes, dtype=float).T
    corners = np.empty((len(boxes), 5, 2))
    corners[:, :, 0] = np.stack([x0, x0, x1, x1, x0], axis=1)
    corners[:, :, 1] = np.stack([y0, y1, y1, y0, y0], axis=1)
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(boxes)
    return Path(corners.reshape(-1, 2), codes)


def _name_longest(ax: Axes, trace: Trace, row: Row, middle: float, scale: Scale) -> None:
    """The names of the longest kernels of a PU, inside their boxes where at least a part fits."""
    if row.role != "pu":
        return
    own = [trace.spans[i] for i in row.spans]
    plain = [span for span in own if span.operators and not style_of(span.kind).hatch]
    for span in sorted(plain, key=lambda span: (span.start - span.end, span.start))[:_NAMED]:
        letters = int((scale.points(span.end - span.start) - 1.0) / (_LETTER * _SMALL))
        name = printable(span.operators[0].rpartition("/")[2])
        more = f"+{len(span.operators) - 1}" if len(span.operators) > 1 else ""
        if letters >= len(name) + len(more):
            text = name + more
        elif letters >= 5:
            text = f"{name[: letters - 1]}…"
        else:
            continue
        ax.text(
            (span.start + span.end) / 2 / scale.factor, middle, text, fontsize=_SMALL,
            ha="center", va="center", clip_on=True, zorder=3,
            color="white" if span.kind in _DARK else INK,
        )  # fmt: skip


def draw_partitions(ax: Axes, run: Run, trace: Trace, rows: Sequence[Row], scale: Scale) -> bool:
    """A bracket over each partition of a PU, with its name where that fits; the critical path.

    The path's partitions have a thick bracket however short they are, and thin lines lead from one
    to the next. Returns whether there is a path.
    """
    from matplotlib.collections import LineCollection

    path = _path(run)
    lines: list[list[tuple[float, float]]] = []
    widths: list[float] = []
    stops: dict[tuple[int, str], tuple[float, float, float]] = {}
    for number, row in enumerate(rows):
        if row.role != "pu":
            continue
        y = number + 0.36
        for key, (start, end) in _partitions(trace, row).items():
            room = scale.points(end - start)
            if key in path:
                stops[key] = (start, end, y)
            elif room < 1.5:
                continue
            inset = scale.seconds(min(0.4, room / 4))
            lines.append([((start + inset) / scale.factor, y), ((end - inset) / scale.factor, y)])
            widths.append(1.3 if key in path else 0.4)
            label = printable(key[1])
            if len(label) * (FONT - 2) * _LETTER < room:
                ax.text(
                    (start + end) / 2 / scale.factor, y - 0.04, label, fontsize=FONT - 2,
                    ha="center", va="bottom", clip_on=True,
                )  # fmt: skip
    brackets = LineCollection(lines, colors=INK, linewidths=widths, capstyle="butt")
    ax.add_collection(brackets, autolim=False)
    on_the_way = [stops[key] for key in path if key in stops]
    hops = [
        [(end / scale.factor, y), (start / scale.factor, other)]
        for (_, end, y), (start, _, other) in itertools.pairwise(on_the_way)
    ]
    joined = LineCollection(hops, colors=VERMILION, linewidths=0.35, zorder=0.5)
    ax.add_collection(joined, autolim=False)
    return bool(path)


def _path(run: Run) -> Mapping[tuple[int, str], None]:
    """The partitions of the critical path (inference, name), in order of time."""
    if run.plan is None:
        return {}
    parts = run.plan.partitions
    steps = (step for step in critical_steps(run) if step.kind == "task")
    return dict.fromkeys((step.inference, parts[step.position].name) for step in steps)


def _partitions(trace: Trace, row: Row) -> dict[tuple[int, str], tuple[float, float]]:
    """From when to when the row worked on each partition (inference, name)."""
    extents: dict[tuple[int, str], tuple[float, float]] = {}
    for position in row.spans:
        span = trace.spans[position]
        key = (span.inference, span.partition)
        begin, end = extents.get(key, (span.start, span.end))
        extents[key] = (min(begin, span.start), max(end, span.end))
    return extents
