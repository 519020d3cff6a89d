"""Figures of streams for papers: how latencies spread, over time, and who waits for whom.

Each is a function of a run that returns a matplotlib figure, listed in :data:`STREAM_FIGURES`.
Streams differ in line and marker as well as in colour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from hetsim.analysis.serving.result import ServedRun, StreamRun
from hetsim.numeric import Floats
from hetsim.report.figures.heatmap import heatmap_figure
from hetsim.report.figures.plotting import (
    COLUMN_IN,
    FONT,
    SERIES,
    bare,
    clip,
    new_figure,
    paper_style,
)
from hetsim.report.palette import BLACK, VERMILION
from hetsim.report.summary import time_unit
from hetsim.sim.serving.served import DONE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_POINTS = 4_000
"""Inferences that a scatter draws one by one; of more it draws ranges."""

_BINS = 400


def distribution_figure(run: ServedRun, *, width_in: float = COLUMN_IN) -> Figure:
    """The share of a stream's inferences that take at least so long; both axes in powers of ten.

    Dashed lines are deadlines, dotted ones proven bounds.

    Raises:
        ValueError: nothing ended after the warm-up.
    """
    told = [(found, values) for found in run.streams if len(values := _latencies(run, found))]
    if not told:
        raise ValueError(f"nothing of {run.label} has ended")
    unit, factor = time_unit(float(np.median(np.concatenate([values for _, values in told]))))
    with paper_style():
        figure, ax = new_figure(width_in, 2.4)
        for i, (found, values) in enumerate(told):
            colour, _, line = SERIES[i % len(SERIES)]
            ordered = np.sort(values) / factor
            share = np.arange(len(ordered), 0, -1) / len(ordered)
            keep = np.unique(np.rint(len(ordered) - np.geomspace(1, len(ordered), 800)).astype(int))
            ax.step(
                ordered[keep], share[keep], where="pre", color=colour, linestyle=line,
                label=clip(found.stream.name, 24),
            )  # fmt: skip
            for at, style in _limits(found):
                ax.axvline(at / factor, color=colour, linewidth=0.7, linestyle=style)
        ax.set(xscale="log", yscale="log", ylabel="share at least as long")
        ax.set_xlabel(f"latency ({unit})")
        _plain_ticks(ax)
        ax.grid(linewidth=0.3, color="#dddddd")
        bare(ax)
        ax.set_title(clip(run.label, 60), loc="left")
        if len(told) > 1:
            ax.legend(frameon=False, fontsize=FONT - 1, loc="lower left")
    return figure


def latency_figure(run: ServedRun, *, width_in: float = 2 * COLUMN_IN) -> Figure:
    """Latencies over time, a panel per stream, with deadline and proven bound.

    Of many inferences each place shows the range from the least to the greatest.

    Raises:
        ValueError: nothing arrived.
    """
    assert run.served is not None
    told = [found for found in run.streams if len(run.served.ledgers[found.stream.name])]
    if not told:
        raise ValueError(f"nothing of {run.label} has arrived")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with paper_style():
        figure = Figure(figsize=(width_in, 0.5 + 1.2 * len(told)), dpi=150, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(len(told), 1, squeeze=False, sharex=True)[:, 0]
        for i, (ax, found) in enumerate(zip(axes, told, strict=True)):
            _panel(ax, run, found, SERIES[i % len(SERIES)][0])
        axes[-1].set_xlabel("simulated time (s)")
        axes[0].set_title(clip(run.label, 60), loc="left")
    return figure


def blocking_figure(run: ServedRun, *, width_in: float = COLUMN_IN) -> Figure:
    """Who waited how long for whom, as a heat map.

    Raises:
        ValueError: nobody waited.
    """
    assert run.served is not None
    own = run.served.by_stream
    if not waited(run):
        raise ValueError(f"nobody in {run.label} waited for anybody")
    unit, factor = time_unit(float(own.blocked_s.max()))
    rows = [[value / factor for value in row] for row in own.blocked_s.tolist()]
    return heatmap_figure(
        own.streams, own.streams, rows, column_label="who had the unit", row_label="who waited",
        value_label=f"time waited ({unit})", title=clip(run.label, 60), width_in=width_in,
    )  # fmt: skip


def waited(run: ServedRun) -> bool:
    """Whether anybody waited for anybody."""
    return run.served is not None and bool((run.served.by_stream.blocked_s > 0.0).any())


@dataclass(frozen=True, slots=True)
class StreamFigure:
    """A figure of a run of streams, and which runs it can be drawn of."""

    draw: Callable[[ServedRun], Figure]
    possible: Callable[[ServedRun], bool]


STREAM_FIGURES = {
    "distribution": StreamFigure(
        distribution_figure, lambda run: any(len(_latencies(run, s)) for s in run.streams)
    ),
    "latency": StreamFigure(
        latency_figure,
        lambda run: run.served is not None and any(map(len, run.served.ledgers.values())),
    ),
    "blocking": StreamFigure(blocking_figure, waited),
}
"""By the word for ``--figures``."""


def _latencies(run: ServedRun, found: StreamRun) -> Floats:
    if run.served is None:
        return np.zeros(0)
    ledger = run.served.ledgers[found.stream.name]
    counted = (ledger.status == DONE) & (ledger.arrival >= run.warm_up_s)
    values: Floats = (ledger.finish - ledger.arrival)[counted]
    return values[values > 0.0]


def _limits(found: StreamRun) -> Sequence[tuple[float, str]]:
    limits = []
    if found.stream.deadline_s < inf:
        limits.append((found.stream.deadline_s, "--"))
    if (bound := found.metrics.get("response_bound_s")) is not None:
        limits.append((bound, ":"))
    return limits


def _panel(ax: Axes, run: ServedRun, found: StreamRun, colour: str) -> None:
    assert run.served is not None
    ledger = run.served.ledgers[found.stream.name]
    order = np.argsort(ledger.arrival, kind="stable")
    at, ended = ledger.arrival[order], ledger.status[order] == DONE
    latency = ledger.finish[order] - at
    unit, factor = time_unit(float(latency.max()) or 1e-3)
    if len(at) <= _MOST_POINTS:
        ax.scatter(at[ended], latency[ended] / factor, s=3, color=colour, linewidths=0)
    else:
        edges = np.linspace(at[0], at[-1], _BINS, endpoint=False)
        starts = np.unique(np.searchsorted(at, edges))
        low, high = (of.reduceat(latency, starts) / factor for of in (np.minimum, np.maximum))
        ax.vlines(at[starts], low, high, color=colour, linewidth=0.8)
    if not ended.all():
        ax.scatter(at[~ended], latency[~ended] / factor, s=9, marker="x", color=VERMILION,
                   linewidths=0.6)  # fmt: skip
    for limit, style in _limits(found):
        ax.axhline(limit / factor, color=BLACK, linewidth=0.7, linestyle=style)
    if run.warm_up_s:
        ax.axvspan(0.0, run.warm_up_s, color="#eeeeee", linewidth=0)
    ax.set_ylim(bottom=0)
    ax.set_ylabel(f"{clip(found.stream.name, 18)}\n({unit})")
    ax.grid(axis="y", linewidth=0.3, color="#dddddd")
    bare(ax)


def _plain_ticks(ax: Axes) -> None:
    """Numbers on the time axis, shares as percent."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
