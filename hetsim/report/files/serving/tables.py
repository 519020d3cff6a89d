"""``streams.csv``: every stream of every run, one line each, and one for all of them."""

from __future__ import annotations

import csv
import io

from hetsim.analysis.serving.result import ServedResult
from hetsim.report.files.serving.jsonout import written

ALL = "all"
"""What stands for the name of a stream in the line of all together."""

_FIRST = ("run", "scheduler", "dispatcher", "stream", "model", "planned_by")


def streams_csv(result: ServedResult) -> str:
    """The text of ``streams.csv`` (RFC 4180 quoting, lines end with a bare newline).

    Metrics are written as in ``result.json``; runs that failed have no line.
    """
    lines: list[tuple[tuple[str, ...], dict[str, float | None]]] = []
    for run in result.runs:
        if run.error is not None:
            continue
        names = run.label, run.scheduler, run.dispatcher
        rows = [(s.stream.name, s.stream.model, s.scheduler, s.metrics) for s in run.streams]
        for *told, metrics in [*rows, (ALL, "", "", run.metrics)]:
            lines.append(((*names, *map(str, told)), written(metrics)))
    keys = list(dict.fromkeys(key for _, values in lines for key in values))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*_FIRST, *keys))
    for first, values in lines:
        writer.writerow((*first, *(values.get(key) for key in keys)))
    return text.getvalue()
