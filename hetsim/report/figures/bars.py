"""Horizontal bars: shares of several things, side by side for several series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hetsim.report.figures.plotting import COLUMN_IN, SERIES, bare, clip, new_figure, paper_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HATCHES = ("", "///", "xxx", "...")


def bars_figure(
    names: Sequence[str],
    series: Mapping[str, Sequence[float]],
    *,
    label: str,
    title: str = "",
    width_in: float = COLUMN_IN,
) -> Figure:
    """A group of bars per name, one bar per series.

    Raises:
        ValueError: a series of another length than the names.
    """
    if any(len(values) != len(names) for values in series.values()):
        raise ValueError(f"each series must have {len(names)} values")
    count = max(1, len(series))
    height = 0.8 / count
    with paper_style():
        figure, ax = new_figure(width_in, 0.75 + 0.2 * len(names) * max(1.0, count * 0.6))
        for k, (name, values) in enumerate(series.items()):
            at = [i - 0.4 + height * (k + 0.5) for i in range(len(names))]
            ax.barh(
                at, values, height=height, color=SERIES[k % len(SERIES)][0], label=clip(name, 30),
                hatch=_HATCHES[k % len(_HATCHES)], edgecolor="white", linewidth=0.3,
            )  # fmt: skip
        ax.set_yticks(range(len(names)), [clip(name, 32) for name in names])
        ax.invert_yaxis()
        ax.tick_params(axis="y", length=0)
        ax.set_xlim(left=0)
        ax.set_xlabel(label)
        bare(ax)
        if title:
            ax.set_title(title, loc="left")
        if len(series) > 1:
            ax.legend(frameon=False, fontsize=6)
    return figure
