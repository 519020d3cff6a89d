"""Heat maps: one number over two varied parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hetsim.report.figures.plotting import COLUMN_IN, FONT, clip, new_figure, paper_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def heatmap_figure(
    columns: Sequence[object],
    rows: Sequence[object],
    values: Sequence[Sequence[float | None]],
    *,
    column_label: str,
    row_label: str,
    value_label: str,
    title: str = "",
    width_in: float = COLUMN_IN,
) -> Figure:
    """``values[row][column]`` as colours with the numbers written in; ``None`` stays hatched.

    Labels of columns and rows are written as they are given. Dark is small.

    Raises:
        ValueError: the table has another shape than its labels.
    """
    import numpy as np

    if len(values) != len(rows) or any(len(row) != len(columns) for row in values):
        raise ValueError(f"values must be {len(rows)} rows of {len(columns)}")
    table = np.array([[np.nan if v is None else v for v in row] for row in values], dtype=float)
    with paper_style():
        height = 0.75 + max(0.2 * len(rows), 0.6) + (0.15 if title else 0.0)
        figure, ax = new_figure(width_in, min(height, 9.0))
        ax.set_facecolor("white")
        ax.patch.set_hatch("////")
        ax.patch.set_edgecolor("#bbbbbb")
        image = ax.imshow(
            np.ma.masked_invalid(table), aspect="auto", cmap="cividis", origin="lower"
        )
        step_x, step_y = -(-len(columns) // 12), -(-len(rows) // 30)
        ax.set_xticks(
            range(0, len(columns), step_x),
            [clip(str(c), 12) for c in columns[::step_x]],
            rotation=45 if len(columns) > 4 else 0,
        )
        ax.set_yticks(range(0, len(rows), step_y), [clip(str(r), 14) for r in rows[::step_y]])
        ax.tick_params(length=0)
        ax.set_xlabel(column_label)
        ax.set_ylabel(row_label)
        if title:
            ax.set_title(title, loc="left")
        figure.colorbar(image, ax=ax, label=value_label, pad=0.02)
        if len(columns) <= 8 and len(rows) <= 30:
            finite = table[np.isfinite(table)]
            middle = (finite.min() + finite.max()) / 2 if finite.size else 0.0
            for r, row in enumerate(table):
                for c, value in enumerate(row):
                    if np.isfinite(value):
                        colour = "white" if value < middle else "black"
                        ax.text(
                            c, r, f"{value:.3g}", ha="center", va="center", color=colour,
                            fontsize=FONT - 1,
                        )  # fmt: skip
    return figure
