"""Tables of a page: cells that sort by value and may lead somewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LONGEST = 500
"""Rows of a table that a page shows beside a chart; who wants all has a CSV file."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A text with the value by which its column is sorted, and where it leads.

    ``key`` is a number in whatever unit the column keeps to; without one the text is sorted by the
    number it begins with, or as text. ``link`` is an anchor on the page (``#run-3``) or a file
    beside it (``variant/report.html#run-0``).
    """

    text: str
    key: float | None = None
    link: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Table:
    """Headings and rows of text; the first ``left`` columns are to the left, others to the right.

    Columns further on that are read, not compared, are named in ``words``: to the left, and broken
    into lines. ``caption`` stands above it: one sentence that says what is seen. ``anchors`` are
    the names by which links find the rows.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    caption: str = ""
    left: int = 1
    anchors: Sequence[str] = ()
    words: Sequence[str] = ()
