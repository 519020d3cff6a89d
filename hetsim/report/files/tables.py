"""``operators.csv``: every kernel launch of every run, one line each."""

from __future__ import annotations

import csv
import io

from hetsim.analysis.launches import TIMES
from hetsim.analysis.result import Result
from hetsim.report.files.jsonout import microseconds

COLUMNS = (
    "model", "scheduler", "partition", "pu", "operators", "kinds", "macs", "load_bytes",
    "store_bytes", "start_us", "end_us", "duration_us", "alone_us", "cost_source",
    *(f"{name}_us" for name in TIMES), "bound", "operations", "operations_per_s", "peak",
    "peak_per_s", "slowest_link", "link_bytes", "link_bytes_per_s", "energy_uj",
)  # fmt: skip
"""Header of the file. ``alone_us`` is what the launch would have taken without contention.

``duration_us`` is the sum of the columns from ``compute_us`` on, ``bound`` the name of the largest
of them. ``peak_per_s`` is the unit's for such operations; what bytes allow is ``operations`` for
each of ``link_bytes``, times ``link_bytes_per_s``. Unknown peaks are empty.
"""


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
                    *map(microseconds, row.times.values()), row.bound, row.operations,
                    _rate(row.rate), row.roof, _rate(row.roof_per_s), row.link, row.link_bytes,
                    _rate(row.link_bytes_per_s), microseconds(row.energy_j),
                )
            )  # fmt: skip
    return text.getvalue()


def _rate(per_second: float) -> str:
    """To nine digits; nothing where it is not known."""
    return f"{per_second:.9g}" if per_second else ""
