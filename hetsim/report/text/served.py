"""Streams of inferences on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from hetsim.analysis.metrics.registry import told
from hetsim.analysis.serving.result import ServedResult
from hetsim.report.summary import metric_text


def print_served(result: ServedResult, console: Console) -> None:
    """A table for each scheduler and dispatcher: a row for each stream, and one for all."""
    chosen = [metric for metric in told(served=True) if not metric.of_the_soc]
    for run in result.runs:
        if run.error is not None:
            continue
        table = Table(title=run.label, title_justify="left")
        table.add_column("stream")
        for metric in chosen:
            table.add_column(metric.title, justify="right")
        rows = [(found.stream.name, found.metrics) for found in run.streams]
        for name, values in [*rows, ("all", run.metrics)]:
            table.add_row(name, *(metric_text(m, values.get(m.column)) for m in chosen))
        console.print(table)
