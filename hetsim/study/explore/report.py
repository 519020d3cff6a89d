"""What an exploration leaves: the front as a page, pictures, data, and SoC files that run."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hetsim.report.figures.bars import bars_figure
from hetsim.report.figures.curves import curves_figure
from hetsim.report.figures.pareto import pareto_figure
from hetsim.report.figures.plotting import figure_images
from hetsim.report.files.jsonout import dumps
from hetsim.report.page.study import Page, Picture, Section
from hetsim.report.page.tables import Table
from hetsim.study.explore.answer import answer, by_price, headline, obstacles, price_of
from hetsim.study.explore.deciding import basis, deciding_table, together
from hetsim.study.explore.designs import design_files
from hetsim.study.explore.importance import Importance
from hetsim.study.explore.objectives import label, measures, text
from hetsim.study.explore.result import Design, Exploration
from hetsim.study.result import html_sentence, html_table, to_figures, to_html

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_FILES = 50
"""Designs of the front that are written as SoC files; a longer front is thinned evenly."""


def front_table(study: Exploration) -> Table:
    """The Pareto front, a row per design, the cheapest first."""
    price = price_of(study)
    names = [price, *(name for name in study.measured if name != price)]
    paths = [axis.path for axis in study.axes]
    rows = [
        [
            f"{design.number:03d}",
            *(f"{design.measures[name]:.4g}" for name in names),
            *(str(design.values[path]) for path in paths),
        ]
        for design in by_price(study, study.front)
    ]
    return Table(["design", *(label(name) for name in names), *paths], rows)


@to_figures.register(Exploration)
def figures(study: Exploration) -> dict[str, Figure]:
    """Pareto plot or history, and parameter importance, by file stem."""
    found: dict[str, Figure] = {}
    ran = study.ran
    numbers = {design.number for design in study.front}
    if ran and len(study.objectives) > 1:
        for other in study.objectives[1:]:
            first = study.objectives[0]
            front = [i for i, design in enumerate(ran) if design.number in numbers]
            found[f"pareto-{first}-{other}"] = pareto_figure(
                [(d.measures[first], d.measures[other]) for d in ran],
                front,
                x_label=label(first),
                y_label=label(other),
                feasible=[d.feasible for d in ran],
                labels=[f"{ran[i].number:03d}" for i in front],
            )
    elif ran:
        found["history"] = _history(study)
    told = {name: found for name, found in study.importance.items() if found.effect}
    if told:
        paths = list(dict.fromkeys(path for found in told.values() for path in found.effect))
        series = {measures()[name].plain: [f.effect[p] for p in paths] for name, f in told.items()}
        found["importance"] = bars_figure(paths, series, label="share of what decides")
    return found


def explore_files(study: Exploration) -> tuple[Page, dict[str, str | bytes]]:
    """The page and all other files of the results directory."""
    files: dict[str, str | bytes] = {
        "explore.json": dumps(to_dict(study)),
        "designs.csv": _csv(study),
    }
    for design in _thinned(study.front):
        measured = ", ".join(text(name, design.measures[name]) for name in study.measured)
        remark = (
            f"design {design.number:03d} of an exploration of {study.scenario.name}: {measured}"
        )
        files |= design_files(study.scenario, design.values, f"{design.number:03d}", remark)
    pictures = []
    for name, figure in figures(study).items():
        svg, png = figure_images(figure)
        files |= {f"{name}.svg": svg, f"{name}.png": png}
        pictures.append(Picture(svg, name.replace("-", " ")))
    told = ["Each is written as soc-NUMBER.yaml, with run-NUMBER.yaml for 'hetsim run'."]
    title = "Pareto front" if len(study.objectives) > 1 else "Best design"
    sections = [
        Section(title, told if study.front else [], (), front_table(study)),
        Section("Pictures", pictures=pictures),
        *(_deciding(name, found) for name, found in study.importance.items()),
        Section("Ruled out", [f"{obstacles(study)}."]),
    ]
    scenario = study.scenario
    page = Page(
        f"exploration of {scenario.name}",
        f"explore · {scenario.name} on {scenario.soc.name} · {study.sampler} ·"
        f" minimise {', '.join(measures()[name].plain for name in study.objectives)}"
        + "".join(f" · {limit.words}" for limit in study.constraints),
        headline(study),
        sections,
    )
    return page, files


def _deciding(name: str, found: Importance) -> Section:
    text = [basis(name, found), *together(name, found)]
    table = deciding_table(name, found) if found.effect else None
    return Section(f"What decides {measures()[name].plain}", text, table=table)


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


@to_html.register(Exploration)
def exploration_html(study: Exploration) -> str:
    """Headline and front for a notebook."""
    return html_sentence(headline(study)) + html_table(front_table(study))


def _history(study: Exploration) -> Figure:
    """The best feasible value so far over the designs tried."""
    name = study.objectives[0]
    best: float | None = None
    line: list[float | None] = []
    for design in study.designs:
        if design.feasible and (best is None or design.measures[name] < best):
            best = design.measures[name]
        line.append(best)
    ticks = list(range(1, len(line) + 1))
    return curves_figure(
        ticks,
        {"best so far": line},
        x_label="designs tried",
        y_label=label(name),
        positions=[float(tick) for tick in ticks],
    )


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
