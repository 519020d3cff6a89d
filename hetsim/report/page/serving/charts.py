"""Charts of a run of streams: how latencies spread, over time, who waits, who is busy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf

import numpy as np

from hetsim.analysis.metrics.base import Metrics
from hetsim.analysis.serving.result import ServedResult, ServedRun, StreamRun
from hetsim.numeric import Floats
from hetsim.report.page.charts import (
    Axis,
    Bar,
    Bars,
    Chart,
    Guide,
    Heat,
    Line,
    Mark,
    Plot,
    Point,
    Segment,
    Series,
    Tile,
)
from hetsim.report.page.serving.cells import Rows
from hetsim.report.serving import busy_shares, interval, metric
from hetsim.report.summary import metric_text, share_text, tidy_time

BINS = 160
"""Places along time, and of latencies, in a chart."""

LISTED = 30
"""Rows of the table beside a chart; ``inferences.npz`` has all."""

POINTS = 400
"""Inferences that are drawn one by one; of more it is ranges."""

_LATENCY = Axis("latency", "time")
_TIME = Axis("simulated time", "time")


def comparison_charts(result: ServedResult) -> list[Bars]:
    """Of each stream the p99 of every run, with its confidence, deadline, bound and maximum."""
    runs = [(i, run) for i, run in enumerate(result.runs)]
    return [
        _compared(result, j, stream.name, runs) for j, stream in enumerate(result.service.streams)
    ]


def _compared(
    result: ServedResult, j: int, name: str, runs: Sequence[tuple[int, ServedRun]]
) -> Bars:
    p99 = metric("latency_p99")
    known = [run.streams[j].metrics.get(p99.column) for _, run in runs if run.error is None]
    least = min((value for value in known if value is not None), default=None)
    bars = []
    for i, run in runs:
        if run.error is not None:
            bars.append(Bar(run.label, problem=f"failed: {run.error}"))
            continue
        found = run.streams[j]
        value = found.metrics.get(p99.column)
        if value is None:
            bars.append(Bar(run.label, problem="nothing ended"))
            continue
        low, high = interval(p99, found.metrics) or (None, None)
        bars.append(
            Bar(
                run.label, (Segment(value, low=low, high=high),), [*_marks(found)],
                link=f"#run-{i}", facts=_facts(found.metrics), strong=value == least,
            )
        )  # fmt: skip
    stream = result.service.streams[j]
    text = f"{stream.model} · {stream.arrivals.told}"
    if stream.priority:
        text += f" · priority {stream.priority}"
    if stream.deadline_s < inf:
        text += f" · deadline {tidy_time(stream.deadline_s)}"
    seen = "Nothing ended." if least is None else f"The least p99 is {tidy_time(least)}."
    return Bars(name, text, seen, Axis("99th percentile of latency", "time"), bars, "run",
                order="value")  # fmt: skip


def _marks(found: StreamRun) -> Iterator[Mark]:
    if found.stream.deadline_s < inf:
        yield Mark(_due(found), found.stream.deadline_s)
    if (bound := found.metrics.get("response_bound_s")) is not None:
        yield Mark("proven bound", bound, "bracket")
    if (longest := found.metrics.get("latency_max_s")) is not None:
        yield Mark("longest", longest, "diamond")


def _due(found: StreamRun) -> str:
    """What its deadline is called beside latencies, which are from the arrival on."""
    return "deadline" if found.stream.deadline_from == "arrival" else "deadline, from the release"


def _facts(values: Metrics) -> list[tuple[str, str]]:
    names = ("latency_p50", "latency_max", "misses", "miss_rate", "throughput")
    return [(m.title, metric_text(m, values.get(m.column))) for m in map(metric, names)]


def run_charts(run: ServedRun) -> list[Chart]:
    """All charts of one run that did not fail."""
    if run.served is None:
        return []
    rows = [
        (found, Rows.of(run.served.ledgers[found.stream.name])) for found in run.streams
    ]  # fmt: skip
    counted = [(found, _counted(own, run.warm_up_s)) for found, own in rows]
    charts: list[Chart] = []
    if any(len(values) for _, values in counted):
        charts += [_tails(counted), _histogram(counted)]
    charts += [_over_time(found, own, run) for found, own in rows if len(own)]
    charts.append(_queues(rows, run.served.end_s))
    charts.append(_busy(run))
    if (blocking := _blocking(run)) is not None:
        charts.append(blocking)
    return charts


def _counted(rows: Rows, warm_up_s: float) -> Floats:
    return np.sort(rows.latency[rows.ended & (rows.arrival >= warm_up_s)])


def _series(found: Sequence[tuple[StreamRun, object]]) -> list[Series]:
    return [Series(own.stream.name) for own, _ in found]


def _guides(found: Sequence[StreamRun], axis: str = "x") -> list[Guide]:
    guides = []
    for own in found:
        name = f"{own.stream.name}: " if len(found) > 1 else ""
        if own.stream.deadline_s < inf:
            guides.append(Guide(f"{name}{_due(own)}", own.stream.deadline_s, axis))  # type: ignore[arg-type]
        if (bound := own.metrics.get("response_bound_s")) is not None:
            guides.append(Guide(f"{name}proven bound", bound, axis))  # type: ignore[arg-type]
    return guides


def _tails(counted: Sequence[tuple[StreamRun, Floats]]) -> Plot:
    """Which share of the inferences takes longer, both axes in powers of ten."""
    lines = []
    for i, (_, values) in enumerate(counted):
        if not len(values):
            continue
        count = len(values)
        # Ranks from the longest, ever closer towards it: the tail is what a deadline is about.
        ranks = np.unique(np.rint(np.geomspace(1, count, 60)).astype(int))[::-1]
        points = [(float(values[count - r]), r / count) for r in ranks.tolist()]
        lines.append(Line(points, series=i, step=True))
    worst = max(counted, key=lambda found: found[1][-1] if len(found[1]) else 0.0)
    return Plot(
        "How long inferences take", "The share of them that takes at least so long; 1 % is the 99th"
        " percentile. Steps end at the longest one.",
        f"The longest of all is of {worst[0].stream.name}: {tidy_time(float(worst[1][-1]))}.",
        Axis("latency", "time", log=True), Axis("share that takes at least so long", "share",
        log=True), lines=lines, series=_series(counted),
        guides=_guides([found for found, _ in counted]), listed=LISTED,
    )  # fmt: skip


def _histogram(counted: Sequence[tuple[StreamRun, Floats]]) -> Plot:
    every = np.concatenate([values for _, values in counted])
    every = every[every > 0.0]
    low, high = (float(every.min()), float(every.max())) if len(every) else (1e-3, 1e-3)
    edges = np.geomspace(low * 0.999, max(high, low * 1.001) * 1.001, 41)
    lines = []
    for i, (_, values) in enumerate(counted):
        if not len(values):
            continue
        heights = np.histogram(values, edges)[0] / len(values)
        points = [*zip(edges[:-1].tolist(), heights.tolist(), strict=True), (float(edges[-1]), 0.0)]
        lines.append(Line(points, series=i, step=True, base=0.0))
    middle, values = max(counted, key=lambda found: len(found[1]))
    spread = f"{tidy_time(float(values[0]))} to {tidy_time(float(values[-1]))}"
    return Plot(
        "Histogram of latencies", "Share of a stream's inferences by latency; the bins are as wide"
        " as their place on the axis is far.",
        f"{middle.stream.name}, of which most came, takes {spread}.",
        Axis("latency", "time", log=True), Axis("share of its inferences", "share"),
        lines=lines, series=_series(counted), listed=LISTED,
    )  # fmt: skip


def _over_time(found: StreamRun, rows: Rows, run: ServedRun) -> Plot:
    """Each inference, or of many the range within each stretch of time, so that no spike hides."""
    stream = found.stream
    where = int(np.argmax(rows.latency))
    lost = int((~rows.ended).sum())
    seen = (
        f"The longest, {tidy_time(float(rows.latency[where]))}, arrived at"
        f" {tidy_time(float(rows.arrival[where]))}."
    )
    if lost:
        seen += f" {lost:,} did not end; they are shown for as long as they were there."
    guides = _guides([found], "y")
    if run.warm_up_s:
        guides.append(Guide("counted from here", run.warm_up_s))
    if len(rows) <= POINTS:
        points = [
            Point(a, v, series=0 if e else 1)
            for a, v, e in zip(
                rows.arrival.tolist(), rows.latency.tolist(), rows.ended.tolist(), strict=True
            )
        ]  # fmt: skip
        series = [Series("ended"), *([Series("given up", "#D55E00")] if lost else [])]
        return Plot(f"{stream.name}: latency over time", f"Its {len(rows):,} inferences.", seen,
                    _TIME, _LATENCY, points, series=series, guides=guides,
                    what="inference", listed=LISTED)  # fmt: skip
    times, low, high, mean = (values.tolist() for values in _stretches(rows))
    lines = [
        Line(list(zip(times, high, strict=True)), series=0, base=low),
        Line(list(zip(times, mean, strict=True)), series=1, dashed=True),
    ]
    return Plot(f"{stream.name}: latency over time",
                f"From the least to the greatest of its {len(rows):,} inferences in each of"
                f" {len(times)} stretches, and the mean.", seen, _TIME, _LATENCY, lines=lines,
                series=[Series("least to greatest"), Series("mean")], guides=guides,
                listed=LISTED)  # fmt: skip


def _stretches(rows: Rows) -> tuple[Floats, Floats, Floats, Floats]:
    """Stretches of equal length with something in them: begin, least, greatest and mean latency."""
    edges = np.linspace(rows.arrival[0], rows.arrival[-1], BINS, endpoint=False)
    starts = np.unique(np.searchsorted(rows.arrival, edges))
    counts = np.diff(starts, append=len(rows))
    least, most, total = (
        of.reduceat(rows.latency, starts) for of in (np.minimum, np.maximum, np.add)
    )
    return rows.arrival[starts], least, most, total / counts


def _queues(rows: Sequence[tuple[StreamRun, Rows]], end_s: float) -> Plot:
    """The most that waited at once within each stretch of time."""
    edges = np.linspace(0.0, end_s, BINS + 1)
    lines, most, who = [], 0, ""
    for i, (found, own) in enumerate(rows):
        heights = _most_waiting(own, edges)
        lines.append(
            Line(list(zip(edges[:-1].tolist(), heights, strict=True)), series=i, step=True)
        )
        if max(heights, default=0) > most:
            most, who = int(max(heights)), found.stream.name
    seen = f"At most {most} of {who} wait at once." if most else "Nothing ever waits."
    return Plot("How many wait", f"Arrived and not begun: the most at once in each of {BINS}"
                " stretches.", seen, _TIME, Axis("inferences"), lines=lines,
                series=_series(rows), listed=LISTED)  # fmt: skip


def _most_waiting(rows: Rows, edges: Floats) -> list[float]:
    there = rows.wait > 0.0
    begin, end = rows.arrival[there], (rows.arrival + rows.wait)[there]
    times = np.concatenate((end, begin))
    changes = np.concatenate((-np.ones(len(end)), np.ones(len(begin))))
    order = np.argsort(times, kind="stable")
    times, level = times[order], np.cumsum(changes[order])
    # A stretch begins with what is there already; within it every change may be the most.
    at = np.searchsorted(times, edges, side="right")
    held = np.concatenate(([0.0], level))
    return [
        float(held[a : b + 1].max()) for a, b in zip(at[:-1].tolist(), at[1:].tolist(), strict=True)
    ]


def _busy(run: ServedRun) -> Bars:
    """By stream where that is known; the pieces add up to the share of the time."""
    served = run.served
    assert served is not None
    own, shares, bars = served.by_stream, busy_shares(run), []
    for name, share in shares.items():
        pieces, at = [], 0.0
        if name in own.units and served.end_s > 0.0:
            for i, seconds in enumerate(own.busy_s[own.units.index(name)].tolist()):
                if seconds > 0.0:
                    end = at + seconds / served.end_s
                    pieces.append(Segment(end, at, i))
                    at = end
        bars.append(Bar(name, pieces, text=share_text(share)))
    most = max(shares, key=lambda name: shares[name], default="")
    seen = f"{most} is busy for {share_text(shares[most])} of the time." if most else ""
    return Bars("How busy the units are", "Share of the simulated time with a kernel on the unit,"
                " by stream.", seen, Axis("busy", "share", most=1.0), bars, "unit",
                [Series(name) for name in own.streams], stacked=True)  # fmt: skip


def _blocking(run: ServedRun) -> Heat | None:
    """Who waited for whom; nothing where nobody did."""
    served = run.served
    assert served is not None
    own = served.by_stream
    if not (own.blocked_s > 0.0).any():
        return None
    waiter, holder = divmod(int(np.argmax(own.blocked_s)), len(own.streams))
    seconds = float(own.blocked_s[waiter, holder])
    seen = f"{own.streams[waiter]} waits the most for {own.streams[holder]}: {tidy_time(seconds)}."
    rows = [[Tile(value) for value in row] for row in own.blocked_s.tolist()]
    return Heat("Who waits for whom", "Time that a stream's work was ready and waited, because a"
                " stream had the unit; for itself: its own frames before.", seen,
                Axis("who had the unit", names=own.streams), Axis("who waited", names=own.streams),
                Axis("time waited", "time"), rows, "more", judged=False)  # fmt: skip


def runs_shown(result: ServedResult, most: int) -> list[int]:
    """Positions of the runs whose charts a page holds: all, or of many the best ones."""
    known = [i for i, run in enumerate(result.runs) if run.error is None]
    return sorted(sorted(known, key=lambda i: result.runs[i].merit or (0.0, inf))[:most])
