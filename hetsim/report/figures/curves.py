"""Curves: one number over one varied parameter, a curve per series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hetsim.report.figures.plotting import COLUMN_IN, SERIES, bare, clip, new_figure, paper_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def curves_figure(
    ticks: Sequence[object],
    series: Mapping[str, Sequence[float | None]],
    *,
    x_label: str,
    y_label: str,
    positions: Sequence[float] | None = None,
    title: str = "",
    width_in: float = COLUMN_IN,
) -> Figure:
    """A curve per entry of ``series``, one value per tick; ``None`` leaves a gap.

    ``positions`` are the ticks as numbers; they choose a linear or logarithmic axis. Without them
    ticks stand at equal distances. The y axis starts at zero, so that heights compare.

    Raises:
        ValueError: a series of another length than the ticks.
    """
    if any(len(values) != len(ticks) for values in series.values()):
        raise ValueError(f"each series must have {len(ticks)} values")
    at = list(positions) if positions is not None else [float(i) for i in range(len(ticks))]
    with paper_style():
        figure, ax = new_figure(width_in, 2.3)
        for k, (name, values) in enumerate(series.items()):
            colour, marker, line = SERIES[k % len(SERIES)]
            ys: list[Any] = [float("nan") if v is None else v for v in values]
            ax.plot(at, ys, color=colour, marker=marker, linestyle=line, label=clip(name, 40))
        if positions is not None and _geometric(at):
            ax.set_xscale("log")
            ax.minorticks_off()
        step = -(-len(ticks) // 9)
        ax.set_xticks(
            at[::step],
            [clip(str(t), 12) for t in ticks[::step]],
            rotation=45 if len(ticks) > 5 else 0,
        )
        ax.set_ylim(bottom=0)
        ax.set_xlabel(x_label)
        ax.set_ylabel(y_label)
        ax.grid(axis="y", linewidth=0.3, color="#cccccc")
        bare(ax)
        if title:
            ax.set_title(title, loc="left")
        if len(series) > 1:
            ax.legend(frameon=False, fontsize=6, ncols=1 if len(series) < 4 else 2)
    return figure


def _geometric(numbers: Sequence[float]) -> bool:
    """Whether the steps look more alike as ratios than as differences."""
    if len(numbers) < 3 or min(numbers) <= 0:
        return False
    ordered = sorted(numbers)
    return ordered[-1] / ordered[0] > 5 and (ordered[-1] - ordered[-2]) > 1.5 * (
        ordered[1] - ordered[0]
    )
