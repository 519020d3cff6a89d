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
class Swing:
    """A bar of the chart: the number with the parameter lowered and raised, ``None`` if it failed.

    ``kept_low`` and ``kept_high`` are the same without planning anew, drawn as marks.
    """

    name: str
    low: float | None
    high: float | None
    low_label: str = ""
    high_label: str = ""
    kept_low: float | None = None
    kept_high: float | None = None


def tornado_figure(
    swings: Sequence[Swing],
    base: float,
    *,
    label: str,
    title: str = "",
    limit: int = 16,
    width_in: float = COLUMN_IN,
) -> Figure:
    """The ``limit`` widest swings around ``base``; values and ``base`` in the unit of ``label``."""
    shown = sorted(swings, key=lambda swing: -_width(swing, base))[:limit]
    with paper_style():
        figure, ax = new_figure(width_in, 0.85 + 0.19 * max(1, len(shown)))
        for row, swing in enumerate(shown):
            sides = (
                (swing.low, swing.low_label, ORANGE, "///", swing.kept_low),
                (swing.high, swing.high_label, BLUE, "", swing.kept_high),
            )
            # The longer bar first: both may lie on one side, and neither must hide the other.
            order = sorted(sides, key=lambda s: -abs((s[0] if s[0] is not None else base) - base))
            for value, text, colour, hatch, kept in order:
                if value is not None and value != base:
                    ax.barh(
                        row, value - base, left=base, height=0.7, color=colour, hatch=hatch,
                        edgecolor="white", linewidth=0.3,
                    )  # fmt: skip
                    right = value > base
                    ax.annotate(
                        clip(text, 14), (value, row), xytext=(2 if right else -2, 0),
                        textcoords="offset points", ha="left" if right else "right", va="center",
                        fontsize=FONT - 1.5,
                    )  # fmt: skip
                if kept is not None:
                    ax.plot([kept], [row], marker="|", color="black", markersize=7, linestyle="")
        ax.axvline(base, color="#222222", linewidth=0.8)
        ax.set_yticks(range(len(shown)), [clip(swing.name, 36) for swing in shown])
        ax.invert_yaxis()
        ax.tick_params(axis="y", length=0)
        ax.margins(x=0.16)
        ax.set_xlabel(label)
        bare(ax)
        if title:
            ax.set_title(title, loc="left")
        _legend(ax, any(s.kept_low is not None or s.kept_high is not None for s in shown))
    return figure


def _width(swing: Swing, base: float) -> float:
    ends = [v for v in (swing.low, swing.high, base) if v is not None]
    return max(ends) - min(ends)


def _legend(ax: object, with_marks: bool) -> None:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    assert isinstance(ax, Axes)
    handles: list[Patch | Line2D] = [
        Patch(facecolor=ORANGE, hatch="///", edgecolor="white", label="lowered"),
        Patch(facecolor=BLUE, edgecolor="white", label="raised"),
    ]
    if with_marks:
        handles.append(Line2D([], [], marker="|", color="black", linestyle="", label="plan kept"))
    ax.legend(handles=handles, frameon=False, fontsize=6, loc="lower right")
