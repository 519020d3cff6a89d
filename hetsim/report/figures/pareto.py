"""Pareto plots: what one objective costs in another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hetsim.report.figures.plotting import COLUMN_IN, FONT, bare, clip, new_figure, paper_style
from hetsim.report.palette import BLUE, GREY, ORANGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Pair = tuple[float, float]


def pareto_figure(
    points: Sequence[Pair],
    front: Sequence[int],
    *,
    x_label: str,
    y_label: str,
    feasible: Sequence[bool] | None = None,
    labels: Sequence[str] = (),
    title: str = "",
    width_in: float = COLUMN_IN,
) -> Figure:
    """All ``points`` (smaller is better in both), those in ``front`` joined as a staircase.

    ``front`` are positions in ``points``; ``labels`` name them. Points not ``feasible`` are
    crosses.
    """
    feasible = feasible if feasible is not None else [True] * len(points)
    with paper_style():
        figure, ax = new_figure(width_in, 2.6)
        on_front = set(front)
        groups = (
            ("misses a constraint", GREY, "x", [i for i, ok in enumerate(feasible) if not ok]),
            (
                "dominated", ORANGE, "o",
                [i for i, ok in enumerate(feasible) if ok and i not in on_front],
            ),
        )  # fmt: skip
        for name, colour, marker, members in groups:
            if members:
                ax.scatter(
                    [points[i][0] for i in members], [points[i][1] for i in members],
                    s=9, color=colour, marker=marker, linewidths=0.7, label=name,
                )  # fmt: skip
        order = sorted(front, key=lambda i: points[i])
        if order:
            xs, ys = [points[i][0] for i in order], [points[i][1] for i in order]
            ax.step(xs, ys, where="post", color=BLUE, linewidth=0.8)
            ax.scatter(xs, ys, s=18, color=BLUE, marker="D", label="Pareto front", zorder=3)
        for i, label in zip(front, labels, strict=False):
            ax.annotate(
                clip(label, 16), points[i], xytext=(3, 3), textcoords="offset points",
                fontsize=FONT - 1.5,
            )  # fmt: skip
        ax.set_xlabel(x_label)
        ax.set_ylabel(y_label)
        ax.grid(linewidth=0.3, color="#dddddd")
        bare(ax)
        if title:
            ax.set_title(title, loc="left")
        ax.legend(frameon=False, fontsize=6)
    return figure


def pareto_front(points: Sequence[Sequence[float]]) -> list[int]:
    """Positions of the points that no other beats or equals in everything; smaller is better.

    Of equal points only the first. In order of the first coordinate, then the next.
    """
    order = sorted(range(len(points)), key=lambda i: (tuple(points[i]), i))
    front: list[int] = []
    for i in order:
        if not any(all(a <= b for a, b in zip(points[k], points[i], strict=True)) for k in front):
            front.append(i)
    return front
