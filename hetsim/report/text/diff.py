"""``hetsim diff`` in the terminal: a row per network and scheduler, under it what else differs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hetsim.analysis.metrics.base import Metric
from hetsim.analysis.metrics.registry import metrics, told
from hetsim.report.diff import ResultDiff, RowChange
from hetsim.report.palette import PARTS
from hetsim.report.serveddiff import ServedDiff
from hetsim.report.summary import chance_text, metric_text, tidy_time

_SHOWN = 20
"""Lines of changed SoC parameters before the rest is only counted."""


def print_diff(diff: ResultDiff, console: Console) -> None:
    """Prints what changed from a to b."""
    print_settings(diff, console)
    _print_rows(diff, console)
    for row in diff.rows:
        for side, reason in row.error.items():
            line = " ".join(reason.split())
            text = f"failed in {side}: {row.model} / {row.scheduler}: {line}"
            console.print(Text(text, style="red"))
    console.print(Text(verdict(diff), style="bold"))


def print_settings(diff: ResultDiff | ServedDiff, console: Console) -> None:
    """Prints the names of both sides, and what differs in how they came about."""
    console.print(Text(f"a: {diff.a}\nb: {diff.b}", style="bold"))
    for note in diff.notes:
        console.print(Text(f"note: {note}", style="yellow"))
    for name, (a, b) in diff.settings.items():
        console.print(Text(f"{name}: {a} → {b}", style="yellow"))
    for number, (name, (a, b)) in enumerate(diff.soc.items()):
        if number == _SHOWN:
            console.print(Text(f"… and {len(diff.soc) - _SHOWN} more", style="yellow"))
            break
        console.print(Text(f"soc {name}: {a} → {b}", style="yellow"))


def verdict(diff: ResultDiff) -> str:
    """The difference in one sentence."""
    both = [row for row in diff.rows if row.ratio is not None]
    faster = sum(row.changed and (row.ratio or 1.0) > 1.0 for row in both)
    slower = sum(row.changed and (row.ratio or 1.0) < 1.0 for row in both)
    text = f"{faster} of {len(both)} rows faster in b, {slower} slower"
    text += f", {len(both) - faster - slower} the same"
    others = len(diff.rows) - len(both)
    return f"{text}; {others} cannot be compared." if others else f"{text}."


def _print_rows(diff: ResultDiff, console: Console) -> None:
    """The times of a row on a line of a table, and under it what there is to say about it."""
    heads = ("network", "scheduler", "a", "b", "speed of b")
    cells = [_cells(row) for row in diff.rows]
    widths = [max(len(text) for text in column) for column in zip(heads, *cells, strict=True)]
    console.print(Text(_line(heads, widths), style="dim"))
    for row, texts in zip(diff.rows, cells, strict=True):
        line = Text(_line(texts[:-1], widths[:-1]) + "  ")
        ratio = row.ratio
        style = "" if ratio is None or not row.changed else "green" if ratio > 1.0 else "red"
        console.print(line.append(texts[-1].rjust(widths[-1]), style=style))
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(style="dim", no_wrap=True, min_width=len("time"))
        grid.add_column(overflow="fold")
        said = {"time": _parts(row), "also": _others(row), "plan": _plan(row), "sure": _sure(row)}
        for name, text in said.items():
            if text:
                grid.add_row(name, Text(text))
        console.print(Padding(grid, (0, 0, 0, 4), expand=False))


def _line(texts: Sequence[str], widths: Sequence[int]) -> str:
    """Two names to the left, figures to the right."""
    parts = zip(texts, widths, strict=True)
    return "  ".join(t.ljust(w) if i < 2 else t.rjust(w) for i, (t, w) in enumerate(parts))


def _cells(row: RowChange) -> list[str]:
    ratio = row.ratio
    speed = "–" if ratio is None else f"{ratio:.3f}×" if row.changed else "same"
    return [row.model, row.scheduler, _time(row.a_us, row, "a"), _time(row.b_us, row, "b"), speed]


def _time(us: float | None, row: RowChange, side: str) -> str:
    if us is not None:
        return tidy_time(us / 1e6)
    return "failed" if side in row.error else "–"


def _parts(row: RowChange) -> str:
    """The three largest changes."""
    order = sorted(row.attribution_us.items(), key=lambda item: -abs(item[1]))[:3]
    words = []
    for part, change in order:
        label = PARTS[part].label if part in PARTS else part
        words.append(f"{'+' if change > 0 else '−'}{tidy_time(abs(change) / 1e6, 3)} {label}")
    return ", ".join(words)


def _others(row: RowChange) -> str:
    """The metrics that people are told beside the times, and unknown ones, where they differ."""
    known = {metric.key: metric for metric in metrics()}
    people = told()
    words = []
    for key, (a, b) in row.metrics.items():
        metric = known.get(key, Metric(key, key, "", heading=key))
        if key in known and (metric not in people or metric.stands == "front"):
            continue
        texts = (metric_text(metric, metric.from_file(value), scaled=True) for value in (a, b))
        change = f" ({b / a - 1:+.1%})" if a and b else ""
        words.append(f"{metric.title} {' → '.join(texts)}{change}")
    return ", ".join(words)


def _sure(row: RowChange) -> str:
    """How likely it is that b is faster, where it is not the same."""
    if row.b_faster is None or not row.changed:
        return ""
    return f"b really is faster with a probability of {chance_text(row.b_faster)}"


def _plan(row: RowChange) -> str:
    if row.plan is not None:
        return row.plan.text
    return "same" if row.plans_known else "not known" if row.status == "both" else "–"
