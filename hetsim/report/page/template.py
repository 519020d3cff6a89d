"""What all pages are made with: one skeleton, one stylesheet, one set of scripts.

A page is one file that loads nothing. Its content security policy forbids every request and runs no
script but the page's own, which it knows by its hash. Everything that comes from a file is escaped.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from hetsim.report.page.charts import plain
from hetsim.units import NAMED, endings

if TYPE_CHECKING:
    from jinja2 import Environment

STYLES = ("theme.css", "charts.css", "tables.css", "page.css")
SCRIPTS = (
    "text.js", "scales.js", "labels.js", "marks.js", "bars.js", "plot.js", "heat.js", "chart.js",
    "tables.js",
)  # fmt: skip
"""Of every page, in order; together with those of a kind of page they are one function."""

TIMELINE = (
    "data.js", "viewport.js", "timeline.js", "panels.js", "usage.js", "lists.js", "picking.js",
    "pointer.js", "page.js",
)  # fmt: skip
"""Of pages with timelines, after those."""

STREAMS = ("viewport.js", "streams.js", "pointer.js", "streamspage.js")
"""Of pages of streams, after those of every page."""


def render(name: str, *, scripts: Sequence[str] = (), **values: object) -> str:
    """The template ``name`` filled with ``values``; ``scripts`` come after those of all pages."""
    script = page_script(scripts)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    style = "".join(map(_asset, STYLES))
    return _environment().get_template(name).render(
        style=style, script=script, script_hash=digest, linked=True, **values
    )  # fmt: skip


def render_part(name: str, **values: object) -> str:
    """The template ``name`` as HTML with its own style and script, for a notebook.

    What would lead elsewhere on a page, or to a file beside it, leads nowhere.
    """
    style = "".join(map(_asset, STYLES[:-1]))
    return _environment().get_template(name).render(
        style=style, script=page_script(), linked=False, **values
    )  # fmt: skip


def page_script(scripts: Sequence[str] = ()) -> str:
    """The scripts of a page as one strict function."""
    units = {name: sorted(endings(name).values(), key=lambda unit: -unit[1]) for name in NAMED}
    units["share"] = [("%", 0.01)]
    table = f"const UNITS = {json.dumps(units, ensure_ascii=False)};"
    body = "\n".join([table, *(_asset(name) for name in (*SCRIPTS, *scripts))])
    return f'(() => {{\n"use strict";\n{body}\n}})();'


def script_json(value: object) -> str:
    """JSON text that is safe inside a ``<script>`` block, whatever the names in it hold."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("hetsim.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["chart_json"] = lambda chart, linked: script_json(plain(chart, linked))
    return environment


def _asset(name: str) -> str:
    return (resources.files("hetsim.report") / "templates" / name).read_text(encoding="utf-8")
