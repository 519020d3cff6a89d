"""The charts of a sweep's page, those that the shape of the sweep gives sense to.

One numeric axis gives curves, two give a heat map, names give bars, a sample gives points over each
axis; whatever people weigh against the time gives a plane with its front. Each network has its own.
Marks lead to their rows in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from hetsim.analysis.metrics.base import Metric
from hetsim.analysis.metrics.registry import lead
from hetsim.analysis.metrics.time import MAKESPAN
from hetsim.report.figures.pareto import pareto_front
from hetsim.report.page.charts import (
    Axis,
    Bar,
    Bars,
    Chart,
    Facts,
    Heat,
    Line,
    Plot,
    Point,
    Segment,
    Series,
    Tile,
)
from hetsim.report.summary import metric_text, tidy_time
from hetsim.study.axes import Axis as Varied
from hetsim.study.outcome import Outcome
from hetsim.study.point import Point as Run
from hetsim.study.sweep.quantities import in_order, quantities
from hetsim.study.sweep.result import Sweep
from hetsim.units import NAMED

Row = tuple[int, Run, Outcome]
"""Its position in the sweep, what ran, what came of it."""

_MOST = 4
"""Axes of a sample that have a chart each."""


def sweep_charts(sweep: Sweep, beside: Sequence[Metric], linked: Collection[int]) -> list[Chart]:
    """All charts. ``beside`` are the metrics to weigh, ``linked`` the rows that the page shows."""
    charts: list[Chart] = []
    for model in dict.fromkeys(point.model for point, _ in sweep.rows):
        rows = [
            (i, point, outcome)
            for i, (point, outcome) in enumerate(sweep.rows)
            if point.model == model and outcome.merit is not None
        ]
        if not rows:
            continue
        network = _Network(model, rows, linked)
        planes = (_front(network, metric) for metric in beside)
        charts += [*_of_network(network, sweep), *(plane for plane in planes if plane)]
    return charts


class _Network:
    """The successful runs of one network, and how they are told."""

    def __init__(self, model: str, rows: Sequence[Row], linked: Collection[int]) -> None:
        self.model, self.rows, self.linked = model, rows, linked
        self.lead = lead(row[2].metrics for row in rows)
        self.time = Axis.of(self.lead)
        word = "Time per inference" if self.lead is MAKESPAN else self.lead.label.capitalize()
        self.told = word.replace("P99", "The p99")

    def link(self, row: Row) -> str:
        return f"#{anchor(row[0])}" if row[0] in self.linked else ""

    def best(self, key: Callable[[Run], Any]) -> dict[Any, Row]:
        """The fastest row for each value of ``key``."""
        found: dict[Any, Row] = {}
        for row in sorted(self.rows, key=_merit):
            found.setdefault(key(row[1]), row)
        return found

    @property
    def fastest(self) -> Row:
        return min(self.rows, key=_merit)


def anchor(position: int) -> str:
    """The name of a row of the sweep on the page."""
    return f"row-{position}"


def seconds(row: Row) -> float:
    """The time that a row, which has one, is judged by."""
    return row[2].lead_s or 0.0


def _merit(row: Row) -> tuple[float, ...]:
    return row[2].merit or ()


def _of_network(network: _Network, sweep: Sweep) -> list[Chart]:
    several = [axis for axis in sweep.axes if len(set(map(str, axis.values))) > 1]
    if not several:
        return []
    if sweep.mode == "cartesian" and len(several) > 1:
        first, second = sorted(several, key=lambda axis: -len(axis.values))[:2]
        return [_heat(network, first, second, len(several) > 2)]
    if len(several) == 1 or sweep.mode == "zip":
        axis = value_axis(several[0].path, several[0].values)
        return [_bars(network, several[0]) if axis.names else _curves(network, several[0], axis)]
    return [_points(network, axis) for axis in several[:_MOST]]


def value_axis(path: str, values: Sequence[Any]) -> Axis:
    """The axis of what was varied: numbers in their unit, or names. Wide ranges are logarithmic."""
    found = quantities(in_order(values))
    if found is None or (found[0] and found[0] not in (*NAMED, "×")):
        return Axis(path, names=tuple(map(str, in_order(values))))
    dimension, numbers = found
    log = min(numbers) > 0 and max(numbers) / min(numbers) >= 8
    unit = dimension if dimension == "×" else ""
    return Axis(path, "" if unit else dimension, unit, log, zero=False)


def position(axis: Axis, value: Any) -> float:
    """Where ``value`` of what was varied is on its axis."""
    if axis.names:
        return axis.names.index(str(value))
    found = quantities([value])
    assert found is not None
    return found[1][0]


def _curves(network: _Network, varied: Varied, axis: Axis) -> Plot:
    schedulers = list(dict.fromkeys(point.scheduler for _, point, _ in network.rows))
    best = network.best(lambda point: (point.scheduler, str(point.design[varied.path])))
    values = in_order(varied.values)
    lines, points = [], []
    for s, scheduler in enumerate(schedulers):
        rows = [row for v in values if (row := best.get((scheduler, str(v)))) is not None]
        places = [(position(axis, row[1].design[varied.path]), seconds(row)) for row in rows]
        lines.append(Line(places, series=s))
        points += [
            Point(
                x, y, series=s, link=network.link(row), facts=facts(row),
                low=row[2].makespan_low_s, high=row[2].makespan_high_s,
            )
            for (x, y), row in zip(places, rows, strict=True)
        ]  # fmt: skip
    return Plot(
        f"{network.model}: time over {varied.path}",
        f"{network.told} at each value of {varied.path}, a curve per scheduler.",
        _fastest(network), axis, network.time, points, lines, tuple(map(Series, schedulers)),
        what="run",
    )  # fmt: skip


def _bars(network: _Network, varied: Varied) -> Bars:
    best = network.best(lambda point: (str(point.design[varied.path]), point.scheduler))
    bars = [
        Bar(
            row[1].scheduler, (_with_range(row),), group=f"{varied.path} = {value}",
            link=network.link(row), facts=facts(row)[1:], strong=row is network.fastest,
        )
        for value in map(str, in_order(varied.values))
        for (own, _), row in best.items()
        if own == value
    ]  # fmt: skip
    return Bars(
        f"{network.model}: time by {varied.path}",
        f"{network.told} under each scheduler, for each value of {varied.path}.",
        _fastest(network), network.time, bars, "scheduler", order="value", switch=True,
    )  # fmt: skip


def _with_range(row: Row) -> Segment:
    return Segment(seconds(row), low=row[2].makespan_low_s, high=row[2].makespan_high_s)


def _heat(network: _Network, first: Varied, second: Varied, more: bool) -> Heat:
    columns, lines = ([str(v) for v in in_order(axis.values)] for axis in (first, second))
    best = network.best(lambda p: (str(p.design[first.path]), str(p.design[second.path])))
    rows = [
        [
            Tile(seconds(row), network.link(row), facts(row))
            if (row := best.get((column, line))) is not None
            else None
            for column in columns
        ]
        for line in lines
    ]
    others = " and of what else was varied" if more else ""
    return Heat(
        f"{network.model}: time over {first.path} and {second.path}",
        f"{network.told} at each pair of values; the best of the schedulers{others}.",
        _fastest(network), Axis(first.path, names=columns), Axis(second.path, names=lines),
        network.time, rows,
    )  # fmt: skip


def _points(network: _Network, varied: Varied) -> Plot:
    axis = value_axis(varied.path, varied.values)
    schedulers = list(dict.fromkeys(point.scheduler for _, point, _ in network.rows))
    points = [
        Point(
            position(axis, row[1].design[varied.path]), seconds(row),
            "fastest" if row is network.fastest else "", schedulers.index(row[1].scheduler),
            network.link(row), facts(row), row is network.fastest,
        )
        for row in network.rows
    ]  # fmt: skip
    return Plot(
        f"{network.model}: time over {varied.path}",
        f"Every run of the sample over {varied.path}; the other parameters vary as well.",
        _fastest(network), axis, network.time, points, (), tuple(map(Series, schedulers)),
        what="run",
    )  # fmt: skip


def _front(network: _Network, metric: Metric) -> Plot | None:
    """Every run in the plane of time and ``metric``; ``None`` where nothing is to be weighed."""
    known = [
        (row, v) for row in network.rows if (v := row[2].metrics.get(metric.column)) is not None
    ]
    if metric.better is None or len({value for _, value in known}) < 2:
        return None
    sign = -1.0 if metric.better == "more" else 1.0
    on = set(pareto_front([(seconds(row), sign * value) for row, value in known]))
    points = [
        Point(
            seconds(row), value, _named(row) if i in on else "", 0 if i in on else 1,
            network.link(row), facts(row), i in on,
        )
        for i, (row, value) in enumerate(known)
    ]  # fmt: skip
    stairs = sorted((seconds(known[i][0]), known[i][1]) for i in on)
    least = min((known[i] for i in on), key=lambda pair: sign * pair[1])
    return Plot(
        f"{network.model}: time against {metric.title}",
        f"Every run by its time and its {metric.label}; nothing beats those on the front in both.",
        f"On the front: {len(on)} of {len(known)} runs; the fastest takes"
        f" {tidy_time(stairs[0][0])}, the best {metric.title} is"
        f" {metric_text(metric, least[1], scaled=True)} ({_named(least[0])}).",
        Axis.of(network.lead, zero=False), Axis.of(metric, zero=False), points,
        [Line(stairs, series=0, step=True, dashed=True)],
        (Series("on the front"), Series("beaten")), what="run",
    )  # fmt: skip


def facts(row: Row) -> Facts:
    """Scheduler, what was varied, how far from the bound."""
    _, point, outcome = row
    gap = [] if outcome.gap is None else [("gap to bound", f"{outcome.gap:.0%}")]
    return [
        ("scheduler", point.scheduler), *((k, str(v)) for k, v in point.design.items()), *gap,
    ]  # fmt: skip


def _named(row: Row) -> str:
    values = ", ".join(str(value) for value in row[1].design.values())
    return f"{values} · {row[1].scheduler}" if values else row[1].scheduler


def _fastest(network: _Network) -> str:
    row = network.fastest
    values = ", ".join(f"{k} = {v}" for k, v in row[1].design.items())
    slowest = max(map(seconds, network.rows))
    ratio = slowest / seconds(row) if seconds(row) else 1.0
    spread = f"; the slowest run takes {ratio:.3g} times as long" if ratio > 1.005 else ""
    return (
        f"The fastest is {tidy_time(seconds(row))} with {values} under {row[1].scheduler}{spread}."
    )
