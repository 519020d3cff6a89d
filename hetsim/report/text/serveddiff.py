"""``hetsim diff`` of streams in the terminal: what changed of each stream, and what is noise."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hetsim.analysis.metrics.base import Metric
from hetsim.analysis.metrics.registry import metrics
from hetsim.report.serveddiff import MetricChange, ServedDiff, StreamChange
from hetsim.report.serving import MAIN, told_of_streams
from hetsim.report.summary import metric_text
from hetsim.report.text.diff import print_settings

_SAID = {True: "within noise", False: "beyond noise", None: ""}


def print_served_diff(diff: ServedDiff, console: Console) -> None:
    """Prints what changed from a to b."""
    print_settings(diff, console)
    for row in diff.rows:
        if row.status != "both":
            console.print(Text(f"{row.run}, {row.stream}: {row.status}", style="yellow"))
        elif row.metrics:
            _print_row(row, console)
    for label, (a, b) in diff.errors.items():
        for side, reason in (("a", a), ("b", b)):
            if reason:
                line = " ".join(reason.split())
                console.print(Text(f"{label} in {side}: {line}", style="red"))
    console.print(Text(verdict(diff), style="bold"))


def verdict(diff: ServedDiff) -> str:
    """The difference in one sentence."""
    changes = [change for row in diff.rows for change in _told(row).values()]
    alone = sum(row.status != "both" for row in diff.rows)
    if alone == len(diff.rows):
        text = "Nothing is compared: no run of a stream is in both by its name"
    elif not changes:
        text = "No figure of any stream differs"
    else:
        sure = [change for change in changes if change.noise is False]
        better = sum(change.better is True for change in sure)
        worse = sum(change.better is False for change in sure)
        text = f"Beyond noise {better} figures are better in b, {worse} worse"
        if noise := sum(change.noise is True for change in changes):
            text += f"; {noise} differ within noise: their confidence intervals overlap"
        if unknown := sum(change.noise is None for change in changes):
            text += f"; {unknown} differ and have no interval"
    return f"{text}; {alone} rows are in one only." if alone else f"{text}."


def _told(row: StreamChange) -> dict[str, MetricChange]:
    """The changes that people are told of, the main figures first."""
    order = [metric.key for metric in told_of_streams()]
    known = {metric.key for metric in metrics()}
    order += [key for key in row.metrics if key not in known]
    return {key: row.metrics[key] for key in order if key in row.metrics}


def _print_row(row: StreamChange, console: Console) -> None:
    known = {metric.key: metric for metric in metrics()}
    told = _told(row)
    if not told:
        return
    console.print(Text(f"{row.run}, {row.stream}", style="bold"))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2), header_style="dim")
    table.add_column("")
    for name in ("a", "b", "change"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    rest = 0
    for key, change in told.items():
        metric = known.get(key, Metric(key, key, "", heading=key))
        if key in known and metric.name not in MAIN and change.noise is not False:
            rest += 1
            continue
        a, b = (metric_text(metric, metric.from_file(value)) for value in (change.a, change.b))
        sure = change.noise is False and change.better is not None
        style = "" if not sure else "green" if change.better else "red"
        table.add_row(metric.title, a, b, Text(_ratio(change), style=style),
                      Text(_SAID[change.noise], "dim"))  # fmt: skip
    console.print(table)
    if rest:
        console.print(Text(f"  and {rest} more, not beyond noise", style="dim"))


def _ratio(change: MetricChange) -> str:
    return f"{change.b / change.a - 1:+.1%}" if change.a and change.b else ""
