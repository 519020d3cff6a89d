"""Figures of a whole result for papers: the comparison, where the time goes, the gap to the bound.

Each is a function of the result that returns a matplotlib figure, listed in :data:`RESULT_FIGURES`.
Nothing is told by colour alone: parts have hatches, schedulers have markers or stand in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hetsim.analysis.result import Result, Run
from hetsim.report.figures.plotting import (
    COLUMN_IN,
    FONT,
    SERIES,
    bare,
    clip,
    new_figure,
    paper_style,
)
from hetsim.report.palette import BLUE, PALE, PARTS
from hetsim.report.summary import models_of, schedulers_of, tidy_time, time_unit, winners

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BAR_IN = 0.135
_TITLE_IN, _AXIS_IN = 0.21, 0.33
"""Above and below the bars of a panel."""

_LETTER_IN = 0.052
_LABEL = 24
"""Width of a letter beside a bar, and how many there may be."""

Panel = Callable[["Axes", Sequence[Run], float], None]
"""Draws the runs of a network; times are divided by the last argument."""


def comparison_figure(result: Result, *, width_in: float | None = None) -> Figure:
    """Makespans as bars, a panel per network; the bound is a line, predictions are diamonds.

    ``width_in`` defaults to a paper's column, or to both for several networks.

    Raises:
        ValueError: no run succeeded.
    """

    def draw(ax: Axes, runs: Sequence[Run], factor: float) -> None:
        best = winners(result, runs[0].model)
        times = [(run.makespan_s or 0.0) / factor for run in runs]
        longest = max(times)
        ax.barh(
            range(len(runs)), times, height=0.72, linewidth=0.4, edgecolor="#222222",
            color=[BLUE if run.scheduler in best else PALE for run in runs],
        )  # fmt: skip
        for row, (run, time) in enumerate(zip(runs, times, strict=True)):
            ax.text(
                1.0, row, f"{time:.4g}", ha="right", va="center", fontsize=FONT - 1.5,
                fontweight="bold" if run.scheduler in best else "normal",
                transform=ax.get_yaxis_transform(),
            )  # fmt: skip
            if run.predicted_s is not None:
                at = min(run.predicted_s / factor, 1.03 * longest)
                ax.plot(at, row, marker="D", markersize=2.6, color="white", mec="black", mew=0.6)
        bound = runs[0].lower_bound_s
        if bound is not None:
            ax.axvline(bound / factor, color="black", linewidth=0.8, linestyle=(0, (4, 2)))
        ax.set_xlim(0, 1.24 * longest)

    with _panels(result, width_in, draw, below_in=0.14) as figure:
        _note(figure, "bold, dark: fastest   ◇ predicted by the scheduler   ┆ proven lower bound")
        return figure


def attribution_figure(result: Result, *, width_in: float | None = None) -> Figure:
    """Where the makespans go along the critical path, as stacked bars; a panel per network.

    ``width_in`` as for :func:`comparison_figure`.

    Raises:
        ValueError: no run succeeded.
    """
    from matplotlib.patches import Patch

    used = [p for p in PARTS if any(run.attribution.get(p, 0.0) > 0.0 for run in result.runs)]

    def draw(ax: Axes, runs: Sequence[Run], factor: float) -> None:
        left = [0.0] * len(runs)
        for part in used:
            wide = [run.attribution.get(part, 0.0) / factor for run in runs]
            ax.barh(
                range(len(runs)), wide, left=left, height=0.72, linewidth=0.3,
                color=PARTS[part].colour, hatch=PARTS[part].hatch or None, edgecolor="#222222",
            )  # fmt: skip
            left = [a + b for a, b in zip(left, wide, strict=True)]
        ax.set_xlim(0, 1.02 * max(left))

    handles = [
        Patch(
            facecolor=PARTS[p].colour, hatch=PARTS[p].hatch * 2 or None, edgecolor="#222222",
            linewidth=0.3, label=PARTS[p].label,
        )
        for p in used
    ]  # fmt: skip
    models = [
        m for m in models_of(result) if any(r.model == m and r.makespan_s for r in result.runs)
    ]
    width = width_in or COLUMN_IN * min(2, len(models))
    columns = max(1, min(len(handles), int(width / 1.3)))
    below = 0.125 * -(-len(handles) // columns) + 0.06
    with _panels(result, width_in, draw, below_in=below) as figure:
        figure.legend(
            handles=handles, loc="lower left", ncols=columns, frameon=False, fontsize=FONT - 1,
            handlelength=1.6, columnspacing=1.2, labelspacing=0.35, borderaxespad=0.2,
        )  # fmt: skip
        return figure


def gap_figure(result: Result, *, width_in: float = COLUMN_IN) -> Figure:
    """How far above the proven lower bound each scheduler ends: a row per network, log scale.

    Raises:
        ValueError: no run has a makespan and a bound.
    """
    runs = [run for run in result.runs if run.gap is not None]
    if not runs:
        raise ValueError("no run has a makespan and a lower bound")
    models = [name for name in models_of(result) if any(run.model == name for run in runs)]
    labels = [name for name in schedulers_of(result) if any(r.scheduler == name for r in runs)]
    with paper_style():
        height = (0.16 + 0.03 * len(labels)) * len(models) + 0.65 + 0.13 * -(-len(labels) // 2)
        figure, ax = new_figure(width_in, height)
        for number, label in enumerate(labels):
            own = [run for run in runs if run.scheduler == label]
            # Spread within the row, so that equal gaps do not hide one another.
            shift = 0.78 * ((number + 0.5) / len(labels) - 0.5)
            colour, marker, _ = SERIES[number % len(SERIES)]
            filled = number < len(SERIES)
            ax.plot(
                [1.0 + (run.gap or 0.0) for run in own],
                [models.index(run.model) + shift for run in own],
                marker=marker, linestyle="none", color=colour, label=clip(label, 24),
                markeredgecolor="black" if filled else colour, markeredgewidth=0.4 if filled else 1,
                fillstyle="full" if filled else "none",
            )  # fmt: skip
        ax.set_xscale("log")
        farthest = max(1.0 + (run.gap or 0.0) for run in runs)
        ticks = [t for t in (1, 1.1, 1.2, 1.5, 2, 3, 5, 7, 10, 20, 50, 100) if t <= farthest * 1.3]
        shown = ticks if len(ticks) <= 7 else [t for t in ticks if t in (1, 1.5, 2, 3, 5, 10, 20)]
        ax.set_xticks(shown, [f"{t:g}×" for t in shown])
        ax.minorticks_off()
        ax.set_xlim(0.96, farthest * 1.12)
        ax.axvline(1.0, color="black", linewidth=0.8)
        ax.set_ylim(len(models) - 0.5, -0.5)
        ax.set_yticks(range(len(models)), [clip(name, 20) for name in models])
        for line in range(1, len(models)):
            ax.axhline(line - 0.5, color="#dddddd", linewidth=0.4)
        ax.set_xlabel("makespan / proven lower bound")
        bare(ax)
        figure.legend(
            loc="outside lower center", ncols=2 if width_in < 5 else 4, frameon=False,
            fontsize=FONT - 1,
        )  # fmt: skip
    return figure


@dataclass(frozen=True, slots=True)
class ResultFigure:
    """A figure of whole results, and which results it can be drawn of."""

    draw: Callable[[Result], Figure]
    able: Callable[[Run], object]

    def possible(self, result: Result) -> bool:
        """Whether ``result`` has a run to be drawn."""
        return any(run.makespan_s and self.able(run) for run in result.runs)


RESULT_FIGURES = {
    "comparison": ResultFigure(comparison_figure, lambda run: True),
    "attribution": ResultFigure(attribution_figure, lambda run: run.attribution),
    "gap": ResultFigure(gap_figure, lambda run: run.gap is not None),
}
"""By file stem."""


@contextmanager
def _panels(
    result: Result, width_in: float | None, draw: Panel, below_in: float
) -> Iterator[Figure]:
    """A panel per network, each with a row per scheduler; ``draw`` fills it.

    ``below_in`` inches stay free below the panels. Places are computed from the number of letters:
    measuring them, as matplotlib's layout engines do, takes longer than all the drawing.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    groups = [
        runs
        for model in models_of(result)
        if (runs := [r for r in result.runs if r.model == model and r.makespan_s])
    ]
    if not groups:
        raise ValueError("no run succeeded")
    columns = 1 if len(groups) == 1 else 2
    lines = [groups[i : i + columns] for i in range(0, len(groups), columns)]
    rows = [max(map(len, line)) for line in lines]
    width = width_in or columns * COLUMN_IN
    height = sum(rows) * _BAR_IN + len(lines) * (_TITLE_IN + _AXIS_IN) + below_in
    longest = max(len(clip(run.scheduler, _LABEL)) for runs in groups for run in runs)
    left, wide = 0.14 + _LETTER_IN * longest, width / columns
    with paper_style():
        figure = Figure(figsize=(width, height), dpi=150)
        FigureCanvasAgg(figure)
        top = height
        for line, count in zip(lines, rows, strict=True):
            top -= _TITLE_IN + count * _BAR_IN
            for column, runs in enumerate(line):
                box = (column * wide + left, top, wide - left - 0.12, count * _BAR_IN)
                ax = figure.add_axes(
                    (box[0] / width, box[1] / height, box[2] / width, box[3] / height)
                )
                _panel(ax, runs, count, draw)
            top -= _AXIS_IN
        yield figure


def _panel(ax: Axes, runs: Sequence[Run], rows: int, draw: Panel) -> None:
    unit, factor = time_unit(min(run.makespan_s or 0.0 for run in runs))
    draw(ax, runs, factor)
    ax.locator_params(axis="x", nbins=5)
    ax.set_ylim(rows - 0.45, -0.55)
    ax.set_yticks(range(len(runs)), [clip(run.scheduler, _LABEL) for run in runs])
    ax.tick_params(axis="y", length=0)
    ax.tick_params(labelsize=FONT - 1)
    ax.set_xlabel(f"time per inference ({unit})", fontsize=FONT - 1, labelpad=1)
    ax.set_title(_title(runs), loc="left", fontsize=FONT, pad=3)
    bare(ax)


def _title(runs: Sequence[Run]) -> str:
    fastest = min(run.makespan_s or 0.0 for run in runs)
    return f"{clip(runs[0].model, 30)}: {tidy_time(fastest, 3)}"


def _note(figure: Figure, text: str) -> None:
    """A line of small print below the panels."""
    height = figure.get_size_inches()[1]
    figure.text(
        0.5, 0.03 / height, text, ha="center", va="bottom", fontsize=FONT - 1.5, color="#444444"
    )
