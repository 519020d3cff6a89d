"""Tornado charts: how far each parameter moves one number, the widest on top.

After T. Eschenbach, "Spiderplots versus tornado diagrams for sensitivity analysis" (Interfaces
22(6), 1992).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hetsim.report.figures.plotting import COLUMN_IN, FONT, bare, clip, new_figure, paper_style
from hetsim.report.palette import BLUE, ORANGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class End:
    """One end of a bar: the number, its label, and the range it may be in."""

    value: float
    label: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Swing:
    """A bar: the number with the parameter lowered and raised; ``None`` if it failed."""

    name: str
    low: End | None
    high: End | None


def tornado_figure(
    swings: Sequence[Swing],
    base: float,
    *,
    label: str,
    title: str = "",
    limit: int = 16,
    width_in: float = COLUMN_IN,
) -> Figure:
    """The first ``limit`` swings around ``base``; values and ``base`` in the unit of ``label``."""
    shown = swings[:limit]
    with paper_style():
        figure, ax = new_figure(width_in, 0.85 + 0.19 * max(1, len(shown)))
        for row, swing in enumerate(shown):
            sides = [
                (end, colour, hatch)
                for end, colour, hatch in ((swing.low, ORANGE, "///"), (swing.high, BLUE, ""))
                if end is not None
            ]
            # The longer bar first: both may lie on one side, and neither must hide the other.
            for end, colour, hatch in sorted(sides, key=lambda side: -abs(side[0].value - base)):
                if end.value != base:
                    ax.barh(
                        row, end.value - base, left=base, height=0.7, color=colour, hatch=hatch,
                        edgecolor="white", linewidth=0.3,
                    )  # fmt: skip
                    right = end.value > base
                    ax.annotate(
                        clip(end.label, 14), (end.value, row), xytext=(2 if right else -2, 0),
                        textcoords="offset points", ha="left" if right else "right", va="center",
                        fontsize=FONT - 1.5,
                    )  # fmt: skip
                if end.low is not None and end.high is not None and end.high > end.low:
                    ax.plot(
                        [end.low, end.high], [row, row], marker="|", color="black", markersize=4,
                        linewidth=0.7,
                    )  # fmt: skip
        ax.axvline(base, color="#222222", linewidth=0.8)
        ax.set_yticks(range(len(shown)), [clip(swing.name, 36) for swing in shown])
        ax.invert_yaxis()
        ax.tick_params(axis="y", length=0)
        ax.margins(x=0.16)
        ax.set_xlabel(label)
        bare(ax)
        if title:
            ax.set_title(title, loc="left")
        _legend(ax)
    return figure


def _legend(ax: object) -> None:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    assert isinstance(ax, Axes)
    handles: list[Patch | Line2D] = [
        Patch(facecolor=ORANGE, hatch="///", edgecolor="white", label="lowered"),
        Patch(facecolor=BLUE, edgecolor="white", label="raised"),
        Line2D([], [], marker="|", color="black", linewidth=0.7, label="may be the scheduler's"),
    ]
    ax.legend(handles=handles, frameon=False, fontsize=6, loc="lower right")
