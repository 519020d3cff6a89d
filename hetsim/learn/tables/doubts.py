"""Rows whose time is so far from the rest of their device that its unit must be another one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hetsim.learn.tables.forms import Form, Row
from hetsim.learn.tables.table import Problem

FAR = 100.0
"""A row this many times faster or slower than expected is taken for a wrong unit."""

FEWEST = 5
"""Devices with fewer rows give nothing to compare with."""

Entry = tuple[int, Row, float]


def doubt_units(form: Form, rows: Sequence[Entry]) -> tuple[list[Entry], list[Problem]]:
    """Drops rows in another unit than the rest, milliseconds among microseconds, say.

    What is expected of a row is the device's median time per operation, and for slowness also
    the time of its short rows, which is mostly overhead. Transfers span so many decades of size
    that their rates say nothing about units; they are left alone.
    """
    if not all("macs" in row for _, row, _ in rows):
        return list(rows), []
    devices: dict[tuple[object, ...], list[Entry]] = {}
    for entry in rows:
        devices.setdefault(tuple(entry[1][n] for n in form.device_columns), []).append(entry)
    doubtful: dict[int, str] = {}
    for key, entries in devices.items():
        if len(entries) < FEWEST:
            continue
        work = np.array([float(row["macs"]) for _, row, _ in entries])
        time = np.array([seconds for _, _, seconds in entries])
        expected = work * float(np.median(time / work))
        overhead = float(np.quantile(time, 0.1))
        name = "/".join(str(part) for part in key if part)
        for (line, _, _), fast, slow in zip(
            entries, expected / time, time / (expected + overhead), strict=True
        ):
            if fast > FAR:
                doubtful[line] = f"{fast:.0f} times faster per operation than is usual on {name}"
            elif slow > FAR:
                doubtful[line] = f"{slow:.0f} times slower than is usual on {name}"
    kept = [entry for entry in rows if entry[0] not in doubtful]
    problems = [
        Problem(line, "unit doubtful", f"{said}; is the unit right?")
        for line, said in doubtful.items()
    ]
    return kept, problems
