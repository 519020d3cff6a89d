"""The frame of a timeline figure: names of rows, the axis of time, the legend.

Drawn by hand: matplotlib's own ticks and legends take longer than everything they frame.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hetsim.report.palette import style_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FONT = 6.5
INK = "#222222"
LEGEND_IN = (0.72, 0.125)
"""Width and height of an entry of the legend, inches."""


def time_axis(
    figure: Figure, left: float, width: float, bottom: float, end: float, unit: str
) -> None:
    """Ticks and label below the strips, all in inches (matplotlib's own take far longer)."""
    from matplotlib.collections import LineCollection

    inches = figure.dpi_scale_trans
    step = nice_step(end / 5)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    marks = []
    for number in range(int(end / step + 1e-9) + 1):
        x = left + width * number * step / end
        marks.append([(x, bottom), (x, bottom - 0.03)])
        figure.text(
            x, bottom - 0.05, f"{number * step:.{digits}f}", ha="center", va="top",
            transform=inches,
        )  # fmt: skip
    figure.add_artist(LineCollection(marks, colors=INK, linewidths=0.5, transform=inches))
    figure.text(
        left + width / 2, bottom - 0.27, f"time ({unit})", ha="center", va="bottom",
        transform=inches,
    )  # fmt: skip


def nice_step(least: float) -> float:
    """The first of 1, 2, 5, 10, ... that is not below ``least``."""
    power = 10.0 ** math.floor(math.log10(max(least, 1e-12)))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * 0.999)


def name_rows(ax: Axes, names: Sequence[str], middle: float) -> None:
    """Names the rows at ``middle`` (share of a row from its top) and draws the lines between."""
    from matplotlib.collections import LineCollection

    count = len(names)
    ax.set_ylim(count or 1, 0)
    ax.xaxis.set_visible(False)  # matplotlib's ticks would take a third of the time
    ax.yaxis.set_visible(False)
    beside = ax.get_yaxis_transform()
    for i, name in enumerate(names):
        ax.text(-0.009, i + middle, name, ha="right", va="center", transform=beside)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    lines = LineCollection(
        [[(0, i), (1, i)] for i in range(1, count)],
        colors="#DDDDDD",
        linewidths=0.3,
        transform=beside,
        zorder=0,
    )
    ax.add_collection(lines, autolim=False)


def kind_legend(figure: Figure, kinds: Sequence[str], left_in: float, columns: int) -> None:
    """Swatches in ``columns`` columns from the bottom up (matplotlib's own legend is slow)."""
    from matplotlib.patches import Rectangle

    width, height = figure.get_size_inches()
    lines = -(-len(kinds) // columns)
    for number, kind in enumerate(kinds):
        style = style_of(kind)
        x = left_in + (number // lines) * LEGEND_IN[0]
        y = 0.05 + (lines - 1 - number % lines) * LEGEND_IN[1]
        swatch = Rectangle(
            (x / width, y / height),
            0.14 / width,
            0.08 / height,
            facecolor=style.colour,
            hatch=style.hatch * 2 or None,
            edgecolor=INK,
            linewidth=0.3,
            transform=figure.transFigure,
        )
        figure.add_artist(swatch)
        figure.text(
            (x + 0.18) / width, (y + 0.034) / height, style.label, va="center", fontsize=FONT - 0.5
        )
