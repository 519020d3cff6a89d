"""Rows that measure the same thing twice: the median stays, and disagreement is told."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from hetsim.learn.tables.forms import Form, Row
from hetsim.learn.tables.table import Problem

AGREE = 0.05
"""Repeated measurements within this share of their median are taken to agree."""

Entry = tuple[int, Row, float]


def merge_duplicates(form: Form, rows: Sequence[Entry]) -> tuple[list[Entry], list[Problem]]:
    """One row per thing measured, its time the median of the repeats.

    A group whose spread exceeds :data:`AGREE` is reported once, at the line of its first row.
    """
    groups: dict[tuple[object, ...], list[Entry]] = {}
    for entry in rows:
        key = tuple(v for name, v in entry[1].items() if name not in form.ignored_in_key)
        groups.setdefault(key, []).append(entry)
    merged: list[Entry] = []
    problems: list[Problem] = []
    for entries in groups.values():
        line, row, _ = entries[0]
        times = [time for _, _, time in entries]
        middle = median(times)
        merged.append((line, row, middle))
        spread = max(abs(time - middle) for time in times) / middle
        if spread > AGREE:
            others = ", ".join(str(other) for other, _, _ in entries[1:6])
            problems.append(
                Problem(
                    line,
                    "repeats disagree",
                    f"the same measurement stands again at line {others}, up to {spread:.0%} away;"
                    f" the median of {len(times)} is used",
                    dropped=False,
                )
            )
    return merged, problems
