"""Streams of inferences on the terminal: a table of the runs, and one of the streams of each.

Columns that do not fit stand in a further table; nothing is ever cut off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, floor, inf, log, log10
from statistics import fmean

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hetsim.analysis.metrics.base import Metric, Metrics
from hetsim.analysis.serving.result import ServedResult, ServedRun
from hetsim.report.serving import (
    CONFIDENCE,
    MAIN,
    best_served,
    busy_shares,
    done,
    headline_of,
    interval,
    interval_text,
    metric,
    notes_of,
    told_of_streams,
    unproven,
)
from hetsim.report.summary import metric_text, share_text, time_unit
from hetsim.report.text.columns import GAP, split

MOST = 6
"""Runs whose streams are all told; of more only the best one's are."""

Columns = dict[str, list[str]]
"""Texts by heading."""


def print_served(result: ServedResult, console: Console) -> None:
    """Prints the comparison of the runs, the streams of each, what to know, and the headline."""
    runs, best = done(result), best_served(result)
    title = f"{result.scenario} on {result.soc.name}"
    if len(runs) > 1:
        _print_comparison(result, runs, console, title)
    shown = runs if len(runs) <= MOST else (best,) if best is not None else ()
    for run in shown:
        _print_run(run, console, f"{title}: {run.label}")
    if len(shown) < len(runs):
        console.print(Text(f"The streams of the other {len(runs) - 1} runs: report.html.", "dim"))
    if runs:
        console.print(Text(_legend(runs), style="dim"))
    for run in result.failed:
        reason = "; ".join(line.strip() for line in (run.error or "").splitlines())
        console.print(Text(f"failed: {run.label}: {reason}", style="red"))
    for note in notes_of(result):
        console.print(Text(f"note: {note}", style="yellow"))
    console.print()
    console.print(Text(headline_of(result), style="bold"))


def _print_comparison(
    result: ServedResult, runs: Sequence[ServedRun], console: Console, title: str
) -> None:
    """A row for each run: what is missed in all, then the tail and the misses of each stream."""
    due = any(found.stream.deadline_s < inf for run in runs for found in run.streams)
    p99, missed, through = metric("latency_p99"), metric("miss_rate"), metric("throughput")
    columns: Columns = {}
    if due:
        columns["missed\nall"] = [metric_text(missed, r.metrics.get(missed.column)) for r in runs]
    columns["1/s\nall"] = [_number(r.metrics.get(through.column)) for r in runs]
    for i, first in enumerate(runs[0].streams):
        name = first.stream.name
        own = [run.streams[i].metrics for run in runs]
        columns[f"p99\n{name}"] = [metric_text(p99, values.get(p99.column)) for values in own]
        if first.stream.deadline_s < inf:
            columns[f"missed\n{name}"] = [
                metric_text(missed, values.get(missed.column)) for values in own
            ]
    best = best_served(result)
    styles = ["green" if run is best else "" for run in runs]
    labels = [run.label for run in runs]
    _print_tables(console, f"{title}: comparison", "run", labels, columns, styles)


def _print_run(run: ServedRun, console: Console, title: str) -> None:
    """The streams of a run, and how busy its units were."""
    rows: list[tuple[str, Metrics]] = [(s.stream.name, s.metrics) for s in run.streams]
    if len(rows) > 1:
        rows.append(("all", run.metrics))
    found = told_of_streams([column for _, values in rows for column in values])
    columns: Columns = {}
    deadlines = [s.stream.deadline_s for s in run.streams]
    if any(deadline < inf for deadline in deadlines):
        told = ["–" if d == inf else metric_text(metric("latency_max"), d) for d in deadlines]
        columns["deadline"] = [*told, *[""] * (len(rows) - len(deadlines))]
    for about in found:
        values = [of.get(about.column) for _, of in rows]
        if any(values) or (about.name in MAIN and any(value is not None for value in values)):
            heading, texts = _column(about, [of for _, of in rows])
            columns[heading] = texts
    _print_tables(console, title, "stream", [name for name, _ in rows], columns)
    if busy := busy_shares(run):
        words = ", ".join(f"{name} {share_text(share, 0)}" for name, share in busy.items())
        console.print(Text(f"busy: {words}", style="dim"))
    for sentence in unproven(run):
        console.print(Text(sentence, style="dim"))
    console.print()


def _column(about: Metric, rows: Sequence[Metrics]) -> tuple[str, list[str]]:
    """A metric of each row under its heading; times of a column share a unit."""
    if about.dimension != "time":
        unit = "" if about.unit in ("", "count", "share") else about.unit
        heading = f"{about.title}\n{unit}" if unit else about.title.replace(" ", "\n", 1)
        if unit:
            return heading, [_number(values.get(about.column)) for values in rows]
        return heading, [metric_text(about, values.get(about.column)) for values in rows]
    known = [v for values in rows if (v := values.get(about.column)) is not None]
    some = [value for value in known if value > 1e-3 * max(known)]  # else it is next to nothing
    # The unit suits those in the middle, the decimals the shortest of them.
    unit, factor = time_unit(exp(fmean(map(log, some))) if some else 1e-3)
    decimals = min(max(3 - floor(log10(min(some) / factor)), 0), 3) if some else 3
    ends = [interval(about, values) for values in rows]
    texts = []
    for values, own in zip(rows, ends, strict=True):
        value = values.get(about.column)
        text = "–" if value is None else f"{value / factor:,.{decimals}f}"
        texts.append(
            f"{text} ({interval_text(*own, factor)})" if own and value is not None else text
        )
    said = f"{unit} ({CONFIDENCE})" if any(ends) else unit
    return f"{about.title}\n{said}", texts


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.4g}"


def _print_tables(
    console: Console, title: str, first: str, labels: Sequence[str],
    columns: Mapping[str, Sequence[str]], styles: Sequence[str] = (),
) -> None:  # fmt: skip
    """Rows called ``labels``, in as many tables as the terminal's width asks for."""
    wide = min(max(map(len, (first, *labels))), 32)
    console.print(Text(title, style="bold"))
    for part in split(wide + GAP, columns, console.width):
        table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim")
        table.add_column(first, overflow="fold", max_width=wide, min_width=wide)
        for heading in part:
            table.add_column(Text(heading), justify="right", no_wrap=True)
        for i, label in enumerate(labels):
            style = styles[i] if styles else ""
            table.add_row(*(Text(t, style=style) for t in (label, *(c[i] for c in part.values()))))
        console.print(table)


def _legend(runs: Sequence[ServedRun]) -> str:
    p99 = metric("latency_p99")
    ranged = any(interval(p99, found.metrics) for run in runs for found in run.streams)
    text = "Times are from arrival to end. misses: ended after the deadline, or not at all."
    if ranged:
        text += f" In brackets: {CONFIDENCE} confidence."
    if any(found.worst.seconds is not None for run in runs for found in run.streams):
        text += " bound: what no latency exceeds, proven."
    return f"{text} busy: share of the simulated time that a unit ran kernels."
