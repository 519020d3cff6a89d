"""The pictures that fit a sweep: curves over one axis, heat maps over two, Pareto fronts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hetsim.analysis.metrics.base import Metric
from hetsim.analysis.metrics.registry import told
from hetsim.analysis.metrics.time import MAKESPAN
from hetsim.errors import ConfigError
from hetsim.names import stems, suggest
from hetsim.report.figures.curves import curves_figure
from hetsim.report.figures.heatmap import heatmap_figure
from hetsim.report.figures.pareto import pareto_figure, pareto_front
from hetsim.study.result import to_figures
from hetsim.study.sweep.quantities import as_numbers, in_order
from hetsim.study.sweep.result import Sweep
from hetsim.study.table import Row, StudyTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@to_figures.register(Sweep)
def sweep_figures(sweep: Sweep) -> dict[str, Figure]:
    """Pictures by file stem; as many as the shape of the sweep gives sense to."""
    table = sweep.table
    figures: dict[str, Figure] = {}
    grid = sweep.mode == "cartesian"
    lengths = [len(axis.values) for axis in sweep.axes]
    if len(sweep.axes) == 1 or (sweep.axes and sweep.mode == "zip"):
        figures["curves"] = curves(table, sweep.axes[0].path)
    elif grid and sum(n > 1 for n in lengths) >= 2:
        first, second = [a.path for a in sorted(sweep.axes, key=lambda a: -len(a.values))[:2]]
        models = dict.fromkeys(str(row["model"]) for row in table.rows)
        for model, stem in stems("heatmap", models).items():
            figures[stem] = heatmap(table, first, second, model=model)
    for metric in beside_the_time(table):
        if sweep.axes and metric.better is not None:
            figures[f"pareto-{metric.name}"] = pareto(table, table.lead, metric.column)
    return figures


def beside_the_time(table: StudyTable) -> list[Metric]:
    """The metrics that people weigh against the time, where the table has them."""
    chosen = told(served=table.lead != MAKESPAN.column)
    return [m for m in chosen if m.stands == "end" and m.column in table.columns]


def curves(table: StudyTable, axis: str, measure: str | None = None) -> Figure:
    """``measure``, by default the time, over ``axis``, a curve per network and scheduler.

    It is the best over other axes.

    Raises:
        ConfigError: no such column.
    """
    measure = measure or table.lead
    metric = _measure(table, measure)
    unit = metric.axis_unit[1]
    ticks = _ticks(table, axis)
    series: dict[str, list[float | None]] = {}
    models = {row["model"] for row in table.rows}
    for row in table.rows:
        name = f"{row['model']} · {row['scheduler']}" if len(models) > 1 else row["scheduler"]
        values = series.setdefault(name, [None] * len(ticks))
        value, at = row.get(measure), ticks.index(row[axis])
        best = values[at]
        if value is not None and (best is None or metric.improves(value / unit, best)):
            values[at] = value / unit
    return curves_figure(
        ticks, series, x_label=axis, y_label=metric.axis, positions=as_numbers(ticks)
    )


def heatmap(
    table: StudyTable,
    column: str,
    row: str,
    measure: str | None = None,
    *,
    model: str | None = None,
) -> Figure:
    """``measure``, by default the time, over two axes for one network.

    It is the best over schedulers and other axes.

    Raises:
        ConfigError: no such column.
    """
    measure = measure or table.lead
    metric = _measure(table, measure)
    unit = metric.axis_unit[1]
    columns, lines = _ticks(table, column), _ticks(table, row)
    model = model if model is not None else str(table.rows[0]["model"])
    best: dict[tuple[int, int], float] = {}
    for entry in table.rows:
        value = entry.get(measure)
        if entry["model"] == model and value is not None:
            at = (lines.index(entry[row]), columns.index(entry[column]))
            if at not in best or metric.improves(value / unit, best[at]):
                best[at] = value / unit
    values = [[best.get((r, c)) for c in range(len(columns))] for r in range(len(lines))]
    return heatmap_figure(
        columns, lines, values, column_label=column, row_label=row, value_label=metric.axis,
        title=model,
    )  # fmt: skip


def pareto(table: StudyTable, x: str, y: str) -> Figure:
    """All rows in the plane of two measures, and the front.

    Raises:
        ConfigError: no such column.
    """
    across, up = _measure(table, x), _measure(table, y)
    rows: Sequence[Row] = [r for r in table.rows if r.get(x) is not None and r.get(y) is not None]
    points = [(r[x] / across.axis_unit[1], r[y] / up.axis_unit[1]) for r in rows]
    signs = [-1.0 if metric.better == "more" else 1.0 for metric in (across, up)]
    front = pareto_front([(signs[0] * a, signs[1] * b) for a, b in points])
    return pareto_figure(points, front, x_label=across.axis, y_label=up.axis)


def _ticks(table: StudyTable, axis: str) -> list[Any]:
    if axis not in table.axes:
        raise ConfigError(f"{axis!r} was not varied", hint=suggest(axis, table.axes, "varied"))
    return in_order([row[axis] for row in table.rows])


def _measure(table: StudyTable, name: str) -> Metric:
    """The metric of a column; other columns (``utilization.npu``) are plain numbers."""
    if name not in table.columns:
        raise ConfigError(f"there is no {name!r}", hint=suggest(name, table.columns, "columns"))
    known = {
        metric.column: metric for metric in told("record", served=table.lead != MAKESPAN.column)
    }
    return known.get(name, Metric(name, name, ""))
