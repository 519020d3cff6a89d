"""What the figures of studies share: a paper's fonts, safe colours, reproducible bytes.

Series differ in marker and line as well as in colour (:mod:`hetsim.report.palette`), so that a
grey print still tells them apart.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hetsim.names import printable
from hetsim.report.palette import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMN_IN = 3.5
"""Width of a column of a two-column paper, inches."""

SERIES = (
    (BLUE, "o", "-"),
    (VERMILION, "s", "--"),
    (GREEN, "^", "-."),
    (ORANGE, "D", ":"),
    (PURPLE, "v", "-"),
    (SKY, "P", "--"),
    (BLACK, "X", "-."),
)
"""Colour, marker and line style of the first, second, ... series."""

FONT = 7.0
_INK = "#222222"
_STYLE = {
    "font.family": ["DejaVu Sans"],
    "font.size": FONT,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.linewidth": 0.5,
    "axes.titlesize": FONT + 0.5,
    "axes.titleweight": "bold",
    "xtick.color": _INK,
    "ytick.color": _INK,
    "lines.linewidth": 1.0,
    "lines.markersize": 3.5,
    "hatch.linewidth": 0.35,
    "svg.hashsalt": "hetsim",
    "svg.fonttype": "path",
    "text.parse_math": False,
}


@contextmanager
def paper_style() -> Iterator[None]:
    """Our fonts and lines whatever the user's matplotlibrc says; restored afterwards."""
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        defaults: Any = {k: v for k, v in matplotlib.rcParamsDefault.items() if k != "backend"}
        matplotlib.rcParams.update(defaults | _STYLE)
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def new_figure(width_in: float, height_in: float) -> tuple[Figure, Axes]:
    """A figure with one set of axes, outside pyplot's global state. Inside :func:`paper_style`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def figure_images(figure: Figure) -> tuple[bytes, bytes]:
    """The figure as (SVG, PNG at 300 dpi) file contents, without dates."""
    svg, png = io.BytesIO(), io.BytesIO()
    make_printable(figure)
    with paper_style():
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": "hetsim"})
        figure.set_layout_engine("none")  # the second picture has the layout of the first
        figure.savefig(png, format="png", dpi=300, metadata={"Software": "hetsim"})
    return svg.getvalue(), png.getvalue()


def image_files(figures: Mapping[str, Figure]) -> dict[str, bytes]:
    """``NAME.svg`` and ``NAME.png`` of each figure, as :func:`figure_images` makes them."""
    files: dict[str, bytes] = {}
    for name, figure in figures.items():
        files[f"{name}.svg"], files[f"{name}.png"] = figure_images(figure)
    return files


def make_printable(figure: Figure) -> None:
    """Takes out of all words what no picture can hold; labels may be anything."""
    from matplotlib.text import Text

    for words in figure.findobj(Text):
        words.set_text(printable(words.get_text()))
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            formatter: Any = axis.get_major_formatter()
            formatter.format_ticks = _printing(formatter.format_ticks)


def _printing(label: Callable[[Any], list[str]]) -> Callable[[Any], list[str]]:
    return lambda values: [printable(text) for text in label(values)]


def bare(ax: Axes) -> None:
    """Takes away the two sides of the frame that say nothing."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def clip(text: str, length: int) -> str:
    """``text`` on one line, cut to ``length`` characters."""
    line = " ".join(str(text).split())
    return line if len(line) <= length else f"{line[: length - 1]}…"
