"""``operators.csv``: every kernel launch of every run, one line each."""

from __future__ import annotations

import csv
import io

from hetsim.analysis.result import Result
from hetsim.report.files.jsonout import microseconds

COLUMNS = (
    "model", "scheduler", "partition", "pu", "operators", "kinds", "macs", "load_bytes",
    "store_bytes", "start_us", "end_us", "duration_us", "alone_us", "cost_source",
)  # fmt: skip
"""Header of the file. ``alone_us`` is what the launch would have taken without contention."""


def operators_csv(result: Result) -> str:
    """The text of ``operators.csv`` (RFC 4180 quoting, lines end with a bare newline)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for run in result.runs:
        for row in run.operators:
            writer.writerow(
                (
                    row.model, row.scheduler, row.partition, row.pu, row.operators, row.kinds,
                    row.macs, row.load_bytes, row.store_bytes, microseconds(row.start_s),
                    microseconds(row.end_s), microseconds(row.end_s - row.start_s),
                    microseconds(row.alone_s), row.cost_source,
                )
            )  # fmt: skip
    return text.getvalue()
