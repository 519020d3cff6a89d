"""The page of a study: headline, then sections of text, pictures and tables, in one file.

It loads nothing and runs no script; a content security policy in the page says so to the browser.
Everything that comes from a file is escaped.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources


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
class Table:
    """Headings and rows of text; the first column is to the left, others to the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of the page."""

    title: str
    text: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page; ``eyebrow`` is the small line above the headline."""

    title: str
    eyebrow: str
    headline: str
    sections: Sequence[Section] = field(default_factory=tuple)


def render_page(page: Page, versions: Mapping[str, str]) -> str:
    """The page as HTML text; ``versions`` are listed at its end."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("hetsim.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates = resources.files("hetsim.report") / "templates"
    style = (templates / "report.css").read_text(encoding="utf-8")
    return environment.get_template("study.html.j2").render(
        page=page, style=style, versions=versions
    )
