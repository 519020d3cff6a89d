"""Gantt charts for papers: one run as a matplotlib figure, saved as SVG and PNG.

Lanes are the rows of :mod:`hetsim.report.lanes`; below them each on-chip memory has a strip with
its occupancy and each link one with its traffic, as shares of their capacity. Colours are safe for
colour-blind readers, and what is not computation is hatched too. Spans that follow one another
more closely than paper can resolve are drawn as shares (:mod:`hetsim.report.figures.ganttrows`).
The same run always gives the same bytes (for one matplotlib version).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hetsim.analysis.result import Run
from hetsim.names import printable
from hetsim.report.counters import Counter, link_counters, memory_counters
from hetsim.report.figures.columns import thinned
from hetsim.report.figures.ganttframe import (
    FONT,
    INK,
    LEGEND_IN,
    kind_legend,
    name_rows,
    time_axis,
)
from hetsim.report.figures.ganttrows import Scale, draw_partitions, draw_rows
from hetsim.report.figures.plotting import make_printable
from hetsim.report.lanes import rows_of
from hetsim.report.palette import STYLES
from hetsim.report.summary import tidy_time, time_unit
from hetsim.sim.trace import Trace
from hetsim.soc.model import SoC
from hetsim.units import format_quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMN_IN = 3.5
"""Width of a column of a two-column paper, inches."""

_ROW_IN = 0.2
_STRIP_IN = 0.2
_COLUMNS = 600
"""A strip of many more steps than this is averaged over this many columns."""

_DIMENSION = {"rate": "bandwidth", "memory": "size"}
_RC = {
    "font.family": ["DejaVu Sans"],
    "font.size": FONT,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.5,
    "hatch.linewidth": 0.35,
    "svg.hashsalt": "hetsim",
    "svg.fonttype": "path",
    "text.parse_math": False,
    "path.simplify": True,
}


def gantt_figure(run: Run, soc: SoC, *, width_in: float = COLUMN_IN) -> Figure:
    """The Gantt chart of a run that succeeded.

    ``width_in`` is the figure's width in inches; its height follows from the number of rows.

    Raises:
        ValueError: the run has no trace.
    """
    if run.trace is None:
        raise ValueError(f"{run.model} / {run.scheduler} has no trace")
    with _settings():
        return _draw(run, run.trace, soc, width_in)


def gantt_images(run: Run, soc: SoC, *, width_in: float = COLUMN_IN) -> tuple[bytes, bytes]:
    """The chart as (SVG, PNG at 300 dpi) file contents, without dates."""
    figure = gantt_figure(run, soc, width_in=width_in)
    svg, png = io.BytesIO(), io.BytesIO()
    make_printable(figure)
    with _settings():
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": "hetsim"})
        figure.savefig(
            png,
            format="png",
            dpi=300,
            metadata={"Software": "hetsim"},
            pil_kwargs={"compress_level": 4},
        )
    return svg.getvalue(), png.getvalue()


@contextmanager
def _settings() -> Iterator[None]:
    """Our own fonts and lines, whatever the user's matplotlibrc says; restored afterwards."""
    import warnings

    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        defaults: Any = {k: v for k, v in matplotlib.rcParamsDefault.items() if k != "backend"}
        matplotlib.rcParams.update(defaults | _RC)
        # A name in a script the font lacks is drawn as boxes; the picture is still right.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def _draw(run: Run, trace: Trace, soc: SoC, width_in: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = rows_of(trace, soc)
    curves = (*memory_counters(trace, soc), *link_counters(trace, soc))
    unit, factor = time_unit(trace.makespan_s)
    used = {span.kind for span in trace.spans}
    kinds = [kind for kind in STYLES if kind in used] + sorted(used - STYLES.keys())[:1]
    names = [_clip(printable(row.label), 16) for row in rows]
    names += [_clip(_strip_name(curve), 16) for curve in curves]
    left = 0.1 + 0.056 * max(map(len, names), default=4)
    legend_columns = max(1, min(len(kinds), int((width_in - left) / LEGEND_IN[0])))
    legend_in = LEGEND_IN[1] * -(-len(kinds) // legend_columns)
    top, lanes_in, strips_in = 0.22, _ROW_IN * len(rows), _STRIP_IN * len(curves)
    axis_in, gap = 0.29, 0.06
    height = top + lanes_in + gap + strips_in + axis_in + legend_in + 0.05
    figure = Figure(figsize=(width_in, height), dpi=150)
    FigureCanvasAgg(figure)

    def axes(bottom_in: float, height_in: float) -> Axes:
        box = (left / width_in, bottom_in / height, 1 - (left + 0.08) / width_in)
        return figure.add_axes((box[0], box[1], box[2], max(height_in, 0.01) / height))

    lanes = axes(height - top - lanes_in, lanes_in)
    strips = axes(legend_in + 0.05 + axis_in, strips_in)
    scale = Scale(factor, trace.makespan_s, (width_in - left - 0.08) * 72)
    draw_rows(lanes, trace, rows, scale)
    has_path = draw_partitions(lanes, run, trace, rows, scale)
    _draw_strips(strips, curves, trace.makespan_s, factor)
    name_rows(lanes, names[: len(rows)], 0.6)
    name_rows(strips, names[len(rows) :], 0.38)
    for ax in (lanes, strips):
        ax.set_xlim(0, max(trace.makespan_s / factor, 1e-9))
    bottom = legend_in + 0.05 + axis_in
    end = max(trace.makespan_s / factor, 1e-9)
    time_axis(figure, left, width_in - left - 0.08, bottom, end, unit)
    if has_path:
        figure.text(
            1 - 0.08 / width_in, (bottom - 0.26) / height, "thick, joined: critical path",
            ha="right", va="bottom", fontsize=FONT - 1.5, color="#555555",
        )  # fmt: skip
    title = f"{_clip(printable(run.model), 28)} · {_clip(printable(run.scheduler), 28)}"
    figure.text(
        left / width_in, 1 - 0.06 / height, f"{title} · {tidy_time(trace.makespan_s)}",
        va="top", fontsize=FONT + 0.5, fontweight="bold",
    )  # fmt: skip
    kind_legend(figure, kinds, left, legend_columns)
    return figure


def _draw_strips(ax: Axes, curves: Sequence[Counter], makespan: float, factor: float) -> None:
    from matplotlib.collections import PolyCollection

    areas = []
    for number, curve in enumerate(curves):
        base, scale = number + 0.94, 0.82 / (curve.capacity or 1.0)
        outline = [(0.0, base)]
        level = base
        for time, rate in thinned(curve, makespan, _COLUMNS):
            outline.append((time / factor, level))
            level = base - min(rate * scale, 0.88)
            outline.append((time / factor, level))
        outline += [(makespan / factor, level), (makespan / factor, base)]
        areas.append(outline)
        ax.axhline(base - 0.82, color=INK, linewidth=0.3, linestyle=(0, (4, 3)))
        ax.axhline(base, color=INK, linewidth=0.3)
        ax.text(
            -0.009, base, format_quantity(curve.capacity, _DIMENSION[curve.kind], 3), ha="right",
            va="bottom", fontsize=FONT - 2.2, transform=ax.get_yaxis_transform(), color="#555555",
        )  # fmt: skip
    ax.add_collection(
        PolyCollection(areas, facecolor="#7A7A7A", edgecolor="none", linewidth=0), autolim=False
    )


def _strip_name(counter: Counter) -> str:
    """The label of a strip: links have their name, memories that of their PU."""
    name = printable(counter.name)
    return f"{_clip(name, 11)} SRAM" if counter.kind == "memory" else name


def _clip(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
