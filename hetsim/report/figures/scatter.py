"""Scatter plots of what a model says against a reference: log-log, one panel or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hetsim.report.figures.plotting import COLUMN_IN, FONT, SERIES, bare, clip, paper_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Pairs = Sequence[tuple[float, float]]
"""Reference and what the model says."""


def scatter_figure(
    panels: Mapping[str, Mapping[str, Pairs]],
    *,
    x_label: str,
    y_label: str,
    band: float = 0.2,
    title: str = "",
) -> Figure:
    """A panel for each title: pairs by group (``""`` for one without a name), the diagonal, a band.

    All panels share both axes. ``band`` is the share of the reference that it is wide to each side.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    every = [pair for groups in panels.values() for pairs in groups.values() for pair in pairs]
    values = [value for pair in every for value in pair]
    ends = (min(values) / 1.5, max(values) * 1.5)
    groups = list(dict.fromkeys(name for of in panels.values() for name in of))
    with paper_style():
        figure = Figure(figsize=(COLUMN_IN * max(1, len(panels)), 3.4), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(1, len(panels), squeeze=False, sharex=True, sharey=True)[0]
        for ax, (name, of) in zip(axes, panels.items(), strict=True):
            low, high = [[end * factor for end in ends] for factor in (1 - band, 1 + band)]
            ax.fill_between(ends, low, high, color="0.9", linewidth=0)
            ax.plot(ends, ends, color="0.45", linewidth=0.6)
            for position, group in enumerate(groups):
                colour, marker, _ = SERIES[position % len(SERIES)]
                xs, ys = zip(*of.get(group, ()), strict=True) if of.get(group) else ((), ())
                hollow = position >= len(SERIES)
                ax.scatter(
                    xs, ys, s=7, marker=marker, linewidths=0.5, alpha=0.8, label=clip(group, 40),
                    facecolors="none" if hollow else colour, edgecolors=colour,
                )  # fmt: skip
            ax.set(xscale="log", yscale="log", xlim=ends, ylim=ends, xlabel=x_label)
            ax.set_aspect("equal")
            ax.grid(linewidth=0.3, color="#dddddd")
            bare(ax)
            ax.set_title(clip(name, 60), loc="left")
        axes[0].set_ylabel(y_label)
        if len(groups) > 1 or groups[0]:
            axes[-1].legend(frameon=False, fontsize=FONT - 2, loc="upper left")
        if title:
            figure.suptitle(clip(title, 90), fontsize=FONT + 1)
    return figure
