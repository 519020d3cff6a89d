"""Columns of a table that are split into several tables where the terminal is too narrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

GAP = 2
"""Blanks between columns."""


def width_of(first: int, columns: Mapping[str, Sequence[str]], gap: int = GAP) -> int:
    """Letters of a line: a first column of that width, then ``columns``, texts by heading."""
    return first + sum(
        max(map(len, (*title.split("\n"), *texts)), default=0) + gap
        for title, texts in columns.items()
    )


def split(
    first: int, columns: Mapping[str, Sequence[str]], width: int, gap: int = GAP
) -> list[dict[str, Sequence[str]]]:
    """``columns`` as tables that fit ``width``, each behind the same first column."""
    tables: list[dict[str, Sequence[str]]] = []
    for title, texts in columns.items():
        if not tables or width_of(first, {**tables[-1], title: texts}, gap) > width:
            tables.append({})
        tables[-1][title] = texts
    return tables
