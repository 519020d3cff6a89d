"""What an exploration leaves: a page, data, SoC files that run, and timelines of the cheapest."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from hetsim.report.files.jsonout import dumps
from hetsim.report.page.charts import Chart
from hetsim.report.page.study import Page, Section
from hetsim.report.page.tables import Cell, Table
from hetsim.study.base import Files
from hetsim.study.explore.answer import (
    answer,
    by_price,
    details,
    headline,
    nearest,
    obstacles,
    price_of,
)
from hetsim.study.explore.charts import Link, deciding_charts, front_charts
from hetsim.study.explore.deciding import basis, together
from hetsim.study.explore.designs import design_files, design_page
from hetsim.study.explore.objectives import known_measure, label, text
from hetsim.study.explore.result import Design, Exploration
from hetsim.study.result import page_of

TIMELINES = 3
"""Designs of the front that get a page with their timeline unless somebody asks for more."""

MAX_FILES = 50
"""Designs of the front that are written as SoC files; a longer front is thinned evenly."""


def front_table(study: Exploration, link: Link = lambda design: "") -> Table:
    """The Pareto front, a row per design, the cheapest first."""
    price = price_of(study)
    names = [price, *(name for name in study.measured if name != price)]
    paths = [axis.path for axis in study.axes]
    rows: list[list[str | Cell]] = [
        [
            Cell(design.stem, link=link(design)),
            *(Cell(f"{design.measures[name]:.4g}", design.measures[name]) for name in names),
            *(str(design.values[path]) for path in paths),
        ]
        for design in by_price(study, study.front)
    ]
    return Table(["design", *(label(name) for name in names), *paths], rows)


def explore_files(study: Exploration, timelines: int = TIMELINES) -> tuple[Page, Files]:
    """The page and all other files of the results directory.

    So many of the cheapest designs of the front run once more for a page with their
    ``timelines``; where there is no front, the nearest design stands for it.
    """
    files: dict[str, str | bytes] = {
        "explore.json": dumps(to_dict(study)),
        "designs.csv": _csv(study),
    }
    near = nearest(study)
    chosen = by_price(study, study.front) or ([] if near is None else [near])
    drawn = {design.number for design in chosen[:timelines]}
    written = {design.number for design in _thinned(chosen)} | drawn
    for design in chosen:
        if design.number in written:
            files |= _files_of(study, design, drawn=design.number in drawn)

    def link(design: Design) -> str:
        kinds = ("design-{}.html", "run-{}.yaml", "soc-{}.yaml")
        names = (kind.format(design.stem) for kind in kinds)
        return next((name for name in names if name in files), "")

    return _page(study, link, len(drawn)), files


def _files_of(study: Exploration, design: Design, *, drawn: bool) -> Files:
    told = ", ".join(text(name, design.measures[name]) for name in study.measured)
    remark = f"design {design.stem} of an exploration of {study.scenario.name}: {told}"
    files = design_files(study.scenario, design.values, design.stem, remark)
    if drawn:
        page = design_page(study.scenario, design.values, design.stem)
        files[f"design-{design.stem}.html"] = page
    return files


@page_of.register(Exploration)
def _page(study: Exploration, link: Link = lambda design: "", drawn: int = 0) -> Page:
    front = bool(study.front)
    told, code = _way_on(study, link, drawn)
    sections = [
        Section("The front" if front else "The designs tried", [*details(study), told],
                front_table(study, link) if front else None, list(front_charts(study, link)),
                code),
        _deciding(study),
    ]  # fmt: skip
    if front and any(study.killed().values()):
        sections.append(Section("Ruled out", [f"{obstacles(study)}."]))
    scenario = study.scenario
    return Page(
        f"exploration of {scenario.name}",
        f"explore · {scenario.name} on {scenario.soc.name} · {study.sampler} ·"
        f" minimise {', '.join(known_measure(name).plain for name in study.objectives)}"
        + "".join(f" · {limit.words}" for limit in study.constraints),
        headline(study),
        sections,
    )


def _way_on(study: Exploration, link: Link, drawn: int) -> tuple[str, str]:
    """Where numbers lead, and the command that shows the first design without a timeline."""
    if not study.ran:
        return "No design runs.", ""
    links = [name for name in map(link, by_price(study, study.ran)) if name]
    if not links:  # in a notebook, which has no files
        return "hetsim.run with the values of a design as overrides shows its timeline.", ""
    if not study.scenario.in_words:
        first = f"The first {drawn} numbers open timelines, the" if drawn else "The"
        told = "The networks or schedulers are objects of a program, so no file can name them."
        return f"{first} others SoC files, soc-NUMBER.yaml. {told}", ""
    files = [name for name in links if name.startswith("run-")]
    code = f"hetsim run {files[0]}" if files else ""
    written = "; each design is written as soc-NUMBER.yaml and run-NUMBER.yaml, too."
    if not study.front:
        return f"The point of the nearest design opens its timeline{written}", code
    if not files:
        return f"Numbers open timelines{written}", code
    first = f"The first {drawn} numbers open timelines, the others" if drawn else "Numbers open"
    return f"{first} files that 'hetsim run' takes, for theirs:", code


def _deciding(study: Exploration) -> Section:
    lines: list[str] = []
    charts: list[Chart] = []
    for name, found in study.importance.items():
        charts += deciding_charts(name, found)
        # The first pair has a chart, which says it.
        lines += [*together(name, found)][1:] if found.effect else [basis(name, found)]
    return Section("What decides", lines, charts=charts)


def to_dict(study: Exploration) -> dict[str, Any]:
    """The exploration as plain JSON values."""
    front = {design.number for design in study.front}
    return {
        "schema": "hetsim.explore/2",
        "scenario": study.scenario.name,
        "soc": study.scenario.soc.name,
        "sampler": study.sampler,
        "axes": {axis.path: list(axis.values) for axis in study.axes},
        "objectives": list(study.objectives),
        "constraints": [str(c) for c in study.constraints],
        "ruled_out": study.killed(),
        "answer": _answer(study),
        "importance": {name: asdict(found) for name, found in study.importance.items()},
        "designs": [
            {
                "number": design.number,
                "values": dict(design.values),
                "measures": dict(design.measures),
                "feasible": design.feasible,
                "on_front": design.number in front,
                "error": design.error,
            }
            for design in study.designs
        ],
    }


def _answer(study: Exploration) -> dict[str, Any] | None:
    found = answer(study)
    if found is None:
        return None
    return {
        "price": found.price,
        "design": found.design.number,
        "next": found.next.number if found.next else None,
        "without": {limit: design.number for limit, design in found.without.items()},
    }


def _thinned(front: Sequence[Design]) -> list[Design]:
    if len(front) <= MAX_FILES:
        return list(front)
    step = (len(front) - 1) / (MAX_FILES - 1)
    return [front[round(i * step)] for i in range(MAX_FILES)]


def _csv(study: Exploration) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    paths, names = [axis.path for axis in study.axes], study.measured
    front = {design.number for design in study.front}
    writer.writerow(["design", *paths, *names, "feasible", "on_front", "error"])
    for design in study.designs:
        values = [design.values[path] for path in paths]
        measured = [design.measures.get(name) for name in names]
        on_front = design.number in front
        writer.writerow(
            [design.number, *values, *measured, design.feasible, on_front, design.error]
        )
    return text.getvalue()
