"""Gantt above Gantt: the same network on several SoCs or plans, on one time axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hetsim.analysis.result import Run
from hetsim.report.figures.plotting import COLUMN_IN, bare, clip, paper_style
from hetsim.report.lanes import rows_of
from hetsim.report.palette import STYLES, style_of
from hetsim.report.summary import tidy_time, time_unit
from hetsim.soc.model import SoC

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW_IN = 0.17
_HEAD_IN = 0.24


def stacked_gantt_figure(
    runs: Sequence[tuple[str, Run, SoC]], *, width_in: float = 2 * COLUMN_IN
) -> Figure:
    """A Gantt chart for each labelled run that has a trace, from top to bottom.

    All share the time axis, so that lengths compare; the end of each is marked.

    Raises:
        ValueError: no run has a trace.
    """
    shown = [(label, run, soc) for label, run, soc in runs if run.trace is not None]
    if not shown:
        raise ValueError("no run has a trace")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    longest = max(run.makespan_s or 0.0 for _, run, _ in shown)
    unit, factor = time_unit(longest)
    heights = [len(rows_of(run.trace, soc)) for _, run, soc in shown if run.trace is not None]
    kinds = {span.kind for _, run, _ in shown if run.trace is not None for span in run.trace.spans}
    with paper_style():
        inches = _ROW_IN * sum(heights) + _HEAD_IN * len(shown) + 0.85
        figure = Figure(figsize=(width_in, inches), dpi=150, layout="constrained")
        FigureCanvasAgg(figure)
        grid = figure.subplots(
            len(shown), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
        )
        for ax, (label, run, soc) in zip(grid[:, 0], shown, strict=True):
            _draw(ax, run, soc, factor)
            end = (run.makespan_s or 0.0) / factor
            ax.axvline(end, color="#222222", linewidth=0.8, linestyle="--")
            ax.set_title(f"{clip(label, 60)} · {tidy_time(run.makespan_s or 0.0)}", loc="left")
        grid[-1, 0].set_xlim(0, longest / factor * 1.01 or 1.0)
        grid[-1, 0].set_xlabel(f"time ({unit})")
        handles = [
            Patch(facecolor=style.colour, hatch=style.hatch, edgecolor="white", label=style.label)
            for kind, style in STYLES.items()
            if kind in kinds
        ]
        figure.legend(
            handles=handles, loc="outside lower center", ncols=min(8, max(1, len(handles))),
            frameon=False, fontsize=6,
        )  # fmt: skip
    return figure


def _draw(ax: Axes, run: Run, soc: SoC, factor: float) -> None:
    assert run.trace is not None
    rows = rows_of(run.trace, soc)
    for y, row in enumerate(rows):
        by_kind: dict[str, list[tuple[float, float]]] = {}
        for position in row.spans:
            span = run.trace.spans[position]
            bars = by_kind.setdefault(span.kind, [])
            bars.append((span.start / factor, (span.end - span.start) / factor))
        for kind, bars in by_kind.items():
            style = style_of(kind)
            ax.broken_barh(
                bars, (y - 0.4, 0.8), facecolors=style.colour, hatch=style.hatch,
                edgecolor="white", linewidth=0.15, rasterized=len(bars) > 2000,
            )  # fmt: skip
    ax.set_yticks(range(len(rows)), [clip(row.label, 16) for row in rows], fontsize=6)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    bare(ax)
