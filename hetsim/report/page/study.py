"""The page of a study: headline, then sections of text, charts and tables, in one file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hetsim.names import distinct_name, plain_name
from hetsim.report.page.charts import Chart
from hetsim.report.page.tables import Table
from hetsim.report.page.template import render


@dataclass(frozen=True, slots=True)
class Picture:
    """An SVG with the sentence that goes under it."""

    svg: bytes
    caption: str

    @property
    def base64(self) -> str:
        """The picture as the page embeds it."""
        return base64.b64encode(self.svg).decode()


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of the page, which ``#title`` leads to (:func:`anchored`).

    ``code`` is what the reader may type.
    """

    title: str
    text: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    table: Table | None = None
    charts: Sequence[Chart] = ()
    code: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page; ``eyebrow`` is the small line above the headline."""

    title: str
    eyebrow: str
    headline: str
    sections: Sequence[Section] = field(default_factory=tuple)


def anchored(sections: Sequence[Section]) -> list[tuple[str, Section]]:
    """Each section with its anchor: its title in plain letters, numbered where two are alike."""
    taken: set[str] = set()
    return [
        (distinct_name(plain_name(section.title, "section").lower(), taken), section)
        for section in sections
    ]


def render_page(page: Page, versions: Mapping[str, str]) -> str:
    """The page as HTML text; ``versions`` are listed at its end."""
    return render(
        "study.html.j2", page=page, sections=anchored(page.sections), versions=versions
    )  # fmt: skip
