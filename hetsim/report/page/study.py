"""The page of a study: headline, then sections of text, charts and tables, in one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hetsim.names import distinct_name, plain_name
from hetsim.report.page.charts import Chart
from hetsim.report.page.payload import Told, timelines
from hetsim.report.page.tables import Table
from hetsim.report.page.template import TIMELINE, render, render_part, script_json


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of the page, which ``#title`` leads to (:func:`anchored`).

    ``code`` is what the reader may type. What is ``folded`` shows when the reader opens it; charts
    that are ``dense`` stand two abreast on a desk.
    """

    title: str
    text: Sequence[str] = ()
    table: Table | None = None
    charts: Sequence[Chart] = ()
    code: str = ""
    folded: bool = False
    dense: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page; ``eyebrow`` is the small line above the headline.

    The ``timelines`` of runs, one of which the reader chooses, come after the sections;
    ``#run-N`` leads to the one at position N.
    """

    title: str
    eyebrow: str
    headline: str
    sections: Sequence[Section] = field(default_factory=tuple)
    timelines: Sequence[Told] = ()


def anchored(sections: Sequence[Section]) -> list[tuple[str, Section]]:
    """Each section with its anchor: its title in plain letters, numbered where two are alike."""
    taken: set[str] = set()
    return [
        (distinct_name(plain_name(section.title, "section").lower(), taken), section)
        for section in sections
    ]


def fragment(page: Page) -> str:
    """Headline and sections as HTML with its own style and script, for a notebook."""
    return render_part("fragment.html.j2", page=page)


def render_page(page: Page, versions: Mapping[str, str]) -> str:
    """The page as HTML text; ``versions`` are listed at its end."""
    return render(
        "study.html.j2",
        scripts=TIMELINE if page.timelines else (),
        page=page,
        sections=anchored(page.sections),
        versions=versions,
        data=script_json(timelines(page.timelines)) if page.timelines else "",
    )
