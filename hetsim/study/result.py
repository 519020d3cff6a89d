"""What is common to the results of studies: how they are shown, in a terminal and a notebook.

A result is plain data. What draws it registers with :func:`page_of` and :func:`to_figures`, so the
data need not know its report; the module that makes results imports both.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, Literal

from hetsim.report.page.study import Page, fragment
from hetsim.report.page.tables import Cell

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@singledispatch
def page_of(result: object) -> Page | None:
    """The page of ``result``: that of its results directory, and what a notebook shows.

    ``None`` leaves a notebook its ``repr``.
    """
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
        page = page_of(self)
        return None if page is None else fragment(page)


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
