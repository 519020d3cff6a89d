"""``hetsim diff`` in the terminal: a line per network and scheduler, then where it comes from."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hetsim.analysis.metrics.base import Metric
from hetsim.analysis.metrics.registry import metrics, told
from hetsim.report.diff import ResultDiff, RowChange
from hetsim.report.palette import PARTS
from hetsim.report.summary import metric_text, tidy_time

_SHOWN = 20
"""Lines of changed SoC parameters before the rest is only counted."""


def print_diff(diff: ResultDiff, console: Console) -> None:
    """Prints what changed from a to b."""
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
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("network", overflow="fold")
    table.add_column("scheduler", overflow="fold")
    for title in ("a", "b", "speed of b", "plan"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in diff.rows:
        table.add_row(*_cells(row))
    console.print(table)
    for row in diff.rows:
        told = [(about, words) for about, words in _told(row) if words]
        if told:
            console.print(Text(f"{row.model} · {row.scheduler}", style="dim"))
        for about, words in told:
            # Wrapped lines stand below the text, not below its name.
            lines = Text(words).wrap(console, max(20, console.width - 8))
            for number, part in enumerate(lines):
                console.print(Text(f"  {'' if number else about:4}  ").append_text(part))
    for row in diff.rows:
        for side, reason in row.error.items():
            line = " ".join(reason.split())
            text = f"failed in {side}: {row.model} / {row.scheduler}: {line}"
            console.print(Text(text, style="red"))
    console.print(Text(verdict(diff), style="bold"))


def verdict(diff: ResultDiff) -> str:
    """The difference in one sentence."""
    both = [row for row in diff.rows if row.ratio is not None]
    faster = sum(row.changed and (row.ratio or 1.0) > 1.0 for row in both)
    slower = sum(row.changed and (row.ratio or 1.0) < 1.0 for row in both)
    text = f"{faster} of {len(both)} rows faster in b, {slower} slower"
    text += f", {len(both) - faster - slower} the same"
    others = len(diff.rows) - len(both)
    return f"{text}; {others} cannot be compared." if others else f"{text}."


def _cells(row: RowChange) -> list[Text]:
    ratio = row.ratio
    style = "" if ratio is None or not row.changed else "green" if ratio > 1.0 else "red"
    speed = "–" if ratio is None else f"{ratio:.3f}×" if row.changed else "same"
    return [
        Text(row.model),
        Text(row.scheduler),
        Text(_time(row.a_us, row, "a")),
        Text(_time(row.b_us, row, "b")),
        Text(speed, style=style),
        Text(_plan(row)),
    ]


def _told(row: RowChange) -> tuple[tuple[str, str], ...]:
    """What else is to say of a row, by what it is about."""
    plan = "" if row.plan is None else row.plan.text
    return ("time", _parts(row)), ("also", _others(row)), ("plan", plan)


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
        change = f" ({b / a - 1:+.1%})".replace("-", "−") if a and b else ""
        words.append(f"{metric.title} {' → '.join(texts)}{change}")
    return ", ".join(words)


def _plan(row: RowChange) -> str:
    if row.plan is not None:
        return "another"
    return "same" if row.plans_known else "not known" if row.status == "both" else "–"
