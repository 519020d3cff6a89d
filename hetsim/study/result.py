"""What is common to the results of studies: how they are shown, in a terminal and a notebook.

A result is plain data. What draws it registers with :func:`to_html` and :func:`to_figures`, so the
data need not know its report; the module that makes results imports both.
"""

from __future__ import annotations

import html
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, Literal

from hetsim.report.page.tables import Cell, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@singledispatch
def to_html(result: object) -> str | None:
    """What a notebook shows of ``result``; ``None`` leaves it its ``repr``."""
    return None


@singledispatch
def to_figures(result: object) -> dict[str, Figure]:
    """The pictures of ``result`` by name."""
    return {}


class StudyResult:
    """Base of results; a notebook shows them."""

    def figures(self) -> dict[str, Figure]:
        """The pictures that go with it, by name."""
        return to_figures(self)

    def _repr_html_(self) -> str | None:
        return to_html(self)


@dataclass(frozen=True, slots=True)
class Words:
    """A line for the terminal; an empty one is a gap."""

    text: str = ""
    style: Literal["", "dim", "bold"] = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """A table for the terminal: the first ``left`` columns to the left, others to the right.

    Columns at the positions ``unbroken`` never wrap.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    title: str = ""
    left: int = 1
    unbroken: Collection[int] = ()


Shown = Words | Rows


def html_table(table: Table) -> str:
    """A table of a report for a notebook; all text is escaped."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in table.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in table.rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def html_sentence(text: str) -> str:
    """A sentence that matters, for a notebook."""
    return f"<p><b>{html.escape(text)}</b></p>"
