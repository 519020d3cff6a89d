"""The picture of ``contention_study.py``: the gap over the load of the bus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from contention_rows import Row

from hetsim.report.figures.plotting import SERIES, bare, new_figure, paper_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def load_figure(rows: Sequence[Row]) -> Figure:
    """Published and tuned plan side by side; a curve per network and SoC, a board in one.

    x is the load that the published plan puts on the bus, in both panels.
    """
    series: dict[str, list[Row]] = {}
    for row in rows:
        if not row.error:
            alone = row.soc.startswith("zcu102")
            name = row.soc if alone else f"{row.model}, {row.soc}"
            series.setdefault(name, []).append(row)
    with paper_style():
        figure, ax = new_figure(6.6, 2.9)
        figure.delaxes(ax)
        axes = figure.subplots(1, 2, sharey=True)
        for ax, title in zip(axes, ("published", "tuned plan"), strict=True):
            for k, (name, several) in enumerate(series.items()):
                colour, marker, line = SERIES[k % len(SERIES)]
                ordered = sorted(several, key=lambda row: row.load)
                seconds = [
                    row.starts["partition_tuner"] if title == "published" else row.plan_s
                    for row in ordered
                ]
                ax.plot(
                    [100 * row.load for row in ordered],
                    [100 * (s / r.bound_s - 1) for s, r in zip(seconds, ordered, strict=True)],
                    color=colour, marker=marker, label=name,
                    linestyle="" if name.startswith("zcu102") else line, clip_on=False,
                )  # fmt: skip
            ax.set_title(title, loc="left")
            ax.set_xlabel("load of the bus under the published plan (%)")
            ax.set_xlim(0, 100)
            ax.set_ylim(bottom=0)
            ax.grid(axis="y", linewidth=0.3, color="#cccccc")
            bare(ax)
        axes[0].set_ylabel("above the proven bound (%)")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, frameon=False, loc="outside lower center", ncols=3)
    return figure
