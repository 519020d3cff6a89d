"""Charts of a page as plain data: bars, a plane of points and lines, a heat map.

A :class:`hetsim.report.page.study.Section` holds them; the page draws them to its width and answers
the pointer and the keyboard. Every chart has a title, a line that says what is shown, a line that
says what is seen, and the same figures as a table for whoever does not look at pictures.

Values are SI where their axis has a dimension; the page picks the unit. Series differ in colour and
in shape or hatch, so that a grey print still tells them apart. A link is an anchor on the page
(``#run-3``) or a file beside it (``run-007.yaml``).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from hetsim.analysis.metrics.base import Metric
from hetsim.report.page.tables import LONGEST, Cell, Table
from hetsim.units import format_quantity

Facts = Sequence[tuple[str, str]]
"""Further lines of a tooltip, and columns of the table: what it is, and how much."""


@dataclass(frozen=True, slots=True)
class Axis:
    """What runs along an axis, in words (``label``).

    ``dimension`` is one of :data:`hetsim.units.NAMED` and makes values SI, or ``share``: of one,
    shown as percent. Without one ``unit`` is written behind them (``mm²``). With ``names`` values
    are positions among these. A linear axis begins at nothing unless ``zero`` is off, and reaches
    ``most`` where the values do not.
    """

    label: str
    dimension: str = ""
    unit: str = ""
    log: bool = False
    names: Sequence[str] = ()
    zero: bool = True
    most: float | None = None

    @classmethod
    def of(cls, metric: Metric, *, log: bool = False, zero: bool = True) -> Axis:
        """The axis of a metric's SI values."""
        if metric.unit in ("share", "count"):
            return cls(metric.label, "share" if metric.unit == "share" else "", "", log, zero=zero)
        return cls(metric.label, metric.dimension or "", metric.unit, log, zero=zero)

    def text(self, value: float | None, digits: int = 4) -> str:
        """``value`` as people write it; a dash for ``None``."""
        if value is None:
            return "–"
        if self.names:
            return self.names[round(value)]
        if self.dimension == "share":
            return f"{100.0 * value:.{digits}g} %"
        if self.dimension:
            return format_quantity(value, self.dimension, digits).replace(" u", " µ")
        number = f"{value:.{digits}g}"
        return f"{number} {self.unit}" if self.unit else number

    def cell(self, value: float | None, link: str = "") -> Cell:
        """``value`` in a table."""
        return Cell(self.text(value), value, link)


@dataclass(frozen=True, slots=True)
class Series:
    """An entry of the legend. The page gives colours in order unless ``colour`` (#rrggbb) is set.

    ``hatch`` begins with one of ``/ \\ | - x +``, as matplotlib's does.
    """

    name: str
    colour: str = ""
    hatch: str = ""


@dataclass(frozen=True, slots=True)
class Guide:
    """A line at ``at`` across the chart: a baseline, or the limit of a constraint.

    The side that it ``forbids`` is shaded.
    """

    label: str
    at: float
    axis: Literal["x", "y"] = "x"
    forbids: Literal["", "above", "below"] = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark on a bar, and its ``meaning`` for the legend."""

    meaning: str
    at: float
    shape: Literal["line", "diamond", "bracket"] = "line"


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a bar from ``start`` to ``end``, of the series at that position.

    ``text`` stands at its end, ``low`` and ``high`` are the ends of a whisker around that.
    """

    end: float
    start: float = 0.0
    series: int = 0
    text: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """A line of a bar chart. ``text`` stands at its end; else the page writes the last value there.

    Bars of one ``group`` stand under its name. ``strong`` is the one to look at, ``problem`` is why
    there is nothing to show.
    """

    label: str
    segments: Sequence[Segment] = ()
    marks: Sequence[Mark] = ()
    group: str = ""
    text: str = ""
    link: str = ""
    facts: Facts = ()
    strong: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Bars:
    """Horizontal bars: plain, stacked, or around a baseline (a tornado).

    ``what`` heads the labels. ``stacked`` says that the length of a segment is its value, else its
    end is. ``order`` is the one in which the reader finds the bars: as given, or by value, the
    least first; with ``switch`` there is a button for the other one.
    """

    kind: ClassVar[str] = "bars"

    title: str
    shows: str
    seen: str
    axis: Axis
    bars: Sequence[Bar]
    what: str = ""
    series: Sequence[Series] = ()
    guides: Sequence[Guide] = ()
    stacked: bool = False
    order: Literal["given", "value"] = "given"
    switch: bool = False

    def table(self) -> Table:
        """A row per bar: its values by series, its marks, its facts."""
        used = {segment.series for bar in self.bars for segment in bar.segments}
        names = {i: series.name for i, series in enumerate(self.series) if i in used}
        names = names or {0: self.axis.label}
        marks = list(dict.fromkeys(m.meaning for bar in self.bars for m in bar.marks))
        facts = _titles(bar.facts for bar in self.bars)
        grouped = any(bar.group for bar in self.bars)
        rows = []
        for bar in self.bars:
            row: list[str | Cell] = [bar.group] if grouped else []
            row.append(Cell(bar.label, link=bar.link))
            row += [self._value(bar, i) for i in names]
            row += [self.axis.cell(_at(bar.marks, meaning)) for meaning in marks]
            row += _told(bar.facts, facts)
            if bar.problem:
                row[-1] = bar.problem
            rows.append(row)
        first = ["", self.what] if grouped else [self.what]
        return Table([*first, *names.values(), *marks, *facts], rows, left=len(first))

    def _value(self, bar: Bar, series: int) -> Cell:
        own = [s for s in bar.segments if s.series == series]
        if not own:
            return Cell("–")
        value = sum(s.end - s.start for s in own) if self.stacked else own[-1].end
        text = self.axis.text(value)
        more = [s.text for s in own if s.text and s.text != text]
        if own[-1].low is not None and own[-1].high is not None:
            more.append(f"{self.axis.text(own[-1].low)} … {self.axis.text(own[-1].high)}")
        return Cell(f"{text} ({', '.join(more)})" if more else text, value)


@dataclass(frozen=True, slots=True)
class Point:
    """A point; ``low`` and ``high`` are the ends of a whisker along y.

    Labels are placed where they cover nothing, those of ``strong`` points first; one that finds no
    place is told by the pointer.
    """

    x: float
    y: float
    label: str = ""
    series: int = 0
    link: str = ""
    facts: Facts = ()
    strong: bool = False
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """Points joined in order, straight or by steps, labelled at the last.

    With ``base`` (one value, or one for each point) the area down to it is filled; stacked areas
    are lines whose base is the line below. ``marked`` shows the points.
    """

    points: Sequence[tuple[float, float]]
    label: str = ""
    series: int = 0
    step: bool = False
    dashed: bool = False
    marked: bool = False
    base: float | Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class Plot:
    """Points and lines in the plane of two axes; the lines lie under the points.

    ``square`` keeps both axes to one range, for what is compared with itself. ``what`` is what a
    point is, for the table, which has ``listed`` rows at most. Unless points are ``named``, only
    strong ones carry their labels.
    """

    kind: ClassVar[str] = "plot"

    title: str
    shows: str
    seen: str
    x: Axis
    y: Axis
    points: Sequence[Point] = ()
    lines: Sequence[Line] = ()
    series: Sequence[Series] = ()
    guides: Sequence[Guide] = ()
    what: str = "point"
    square: bool = False
    named: bool = True
    listed: int = LONGEST

    def table(self) -> Table:
        """A row per point, then a row per point of each line; at most ``listed``."""
        facts = _titles(point.facts for point in self.points)
        rows: list[list[str | Cell]] = []
        for p in self.points:
            which = [self.series[p.series].name] if self.series else []
            rows.append([
                Cell(p.label, link=p.link if p.label else ""), *which,
                self.x.cell(p.x, "" if p.label else p.link), self._y(p),
                *_told(p.facts, facts),
            ])  # fmt: skip
        for line in self.lines:
            name = self.series[line.series].name if self.series else line.label
            which = [name] if self.series else []
            none = [""] * len(facts)
            rows += [
                [line.label or name, *which, self.x.cell(x), self.y.cell(y), *none]
                for x, y in line.points
            ]
        which = ["series"] if self.series else []
        columns = [self.what, *which, self.x.label, self.y.label, *facts]
        most = self.listed
        cut = f"The first {most} of {len(rows):,} points." if len(rows) > most else ""
        return Table(columns, rows[:most], cut, left=1 + len(which))

    def _y(self, point: Point) -> Cell:
        text = self.y.text(point.y)
        if point.low is not None and point.high is not None:
            text += f" ({self.y.text(point.low)} … {self.y.text(point.high)})"
        return Cell(text, point.y)


@dataclass(frozen=True, slots=True)
class Tile:
    """A field of a heat map."""

    value: float
    link: str = ""
    facts: Facts = ()


@dataclass(frozen=True, slots=True)
class Heat:
    """A field for each pair of ``x.names`` and ``y.names``; ``None`` where there is no value.

    ``better`` says which end of ``value`` stands out; the best field has a frame, unless values are
    not ``judged``: then deeper is more, and no more than that.
    """

    kind: ClassVar[str] = "heat"

    title: str
    shows: str
    seen: str
    x: Axis
    y: Axis
    value: Axis
    rows: Sequence[Sequence[Tile | None]]
    better: Literal["less", "more"] = "less"
    judged: bool = True

    def table(self) -> Table:
        """The fields as they lie."""
        rows: list[list[str | Cell]] = [
            [name, *(Cell("–") if t is None else self.value.cell(t.value, t.link) for t in line)]
            for name, line in zip(self.y.names, self.rows, strict=True)
        ]
        head = f"{self.y.label} \\ {self.x.label}"
        return Table([head, *self.x.names], rows, f"{self.value.label} of each pair.")


Chart = Bars | Plot | Heat


def plain(chart: Chart, linked: bool = True) -> dict[str, object]:
    """What the page's script reads: JSON values without those that are as a default.

    Without links, where there is no page that they lead to.
    """
    return {"kind": chart.kind, **_fields(chart, linked)}


def _fields(value: object, linked: bool) -> dict[str, object]:
    assert dataclasses.is_dataclass(value)
    pairs = ((field, getattr(value, field.name)) for field in dataclasses.fields(value))
    return {
        field.name: _plain(held, linked)
        for field, held in pairs
        if held != field.default and (linked or field.name != "link")
    }


def _plain(value: object, linked: bool) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if dataclasses.is_dataclass(value):
        return _fields(value, linked)
    if isinstance(value, list | tuple):
        return [_plain(part, linked) for part in value]
    return value


def _at(marks: Sequence[Mark], meaning: str) -> float | None:
    return next((mark.at for mark in marks if mark.meaning == meaning), None)


def _titles(facts: Iterable[Facts]) -> list[str]:
    return list(dict.fromkeys(title for own in facts for title, _ in own))


def _told(facts: Facts, titles: Sequence[str]) -> list[str]:
    own = dict(facts)
    return [own.get(title, "") for title in titles]
