"""What an exploration leaves: the front as a page, pictures, data, and SoC files that run."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hetsim.report.figures.bars import bars_figure
from hetsim.report.figures.curves import curves_figure
from hetsim.report.figures.pareto import pareto_figure
from hetsim.report.figures.plotting import figure_images
from hetsim.report.files.jsonout import dumps
from hetsim.report.page.study import Page, Picture, Section
from hetsim.report.page.tables import Table
from hetsim.study.explore.designs import design_files
from hetsim.study.explore.objectives import label
from hetsim.study.explore.result import Design, Exploration
from hetsim.study.result import html_sentence, html_table, to_figures, to_html

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_FILES = 50
"""Designs of the front that are written as SoC files; a longer front is thinned evenly."""


def headline(study: Exploration) -> str:
    """The best design, or what stands in the way of any."""
    count = f"{len(study.designs)} designs"
    front = study.front
    if not front:
        return f"None of {count} will do: {obstacles(study)}."
    first = front[0]
    values = ", ".join(f"{path} = {value}" for path, value in first.values.items())
    measured = ", ".join(f"{label(n)} {first.measures[n]:.4g}" for n in study.objectives)
    under = f" under {' and '.join(map(str, study.constraints))}" if study.constraints else ""
    if len(study.objectives) == 1:
        return f"The best of {count}{under}: {measured} with {values}."
    return (
        f"{len(front)} of {count} are Pareto-optimal{under}; the first in {study.objectives[0]}"
        f" has {measured} with {values}."
    )


def obstacles(study: Exploration) -> str:
    """What rules out how many designs, the deadliest first, and how close the closest came."""
    ran = [design for design in study.designs if design.error is None]
    parts = []
    for name, count in sorted(study.killed().items(), key=lambda item: -item[1]):
        if not count:
            continue
        if name == "cannot run":
            reasons = Counter((d.error or "").partition("\n")[0] for d in study.designs if d.error)
            parts.append(f"{count} cannot run (mostly: {reasons.most_common(1)[0][0]})")
            continue
        constraint = next(c for c in study.constraints if str(c) == name)
        best = min(ran, key=lambda d: d.violations[name]).measures[constraint.measure]
        parts.append(f"{name} is missed by {count} of {len(ran)} (the closest has {best:.4g})")
    return "; ".join(parts) or "nothing is in the way"


def front_table(study: Exploration) -> Table:
    """The Pareto front, a row per design."""
    names = measures_of(study)
    paths = [axis.path for axis in study.axes]
    rows = [
        [
            f"{design.number:03d}",
            *(f"{design.measures[name]:.4g}" for name in names),
            *(str(design.values[path]) for path in paths),
        ]
        for design in study.front
    ]
    return Table(["design", *(label(name) for name in names), *paths], rows)


def measures_of(study: Exploration) -> list[str]:
    """Objectives, then what only constraints speak of."""
    return list(dict.fromkeys([*study.objectives, *(c.measure for c in study.constraints)]))


@to_figures.register(Exploration)
def figures(study: Exploration) -> dict[str, Figure]:
    """Pareto plot or history, and parameter importance, by file stem."""
    found: dict[str, Figure] = {}
    ran = [design for design in study.designs if design.error is None]
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
    if study.importance:
        paths = list(dict.fromkeys(p for shares in study.importance.values() for p in shares))
        series = {
            label(name): [shares.get(path, 0.0) for path in paths]
            for name, shares in study.importance.items()
        }
        found["importance"] = bars_figure(paths, series, label="importance (share of one)")
    return found


def explore_files(study: Exploration) -> tuple[Page, dict[str, str | bytes]]:
    """The page and all other files of the results directory."""
    files: dict[str, str | bytes] = {
        "explore.json": dumps(to_dict(study)),
        "designs.csv": _csv(study),
    }
    for design in _thinned(study.front):
        measured = ", ".join(f"{label(n)} {design.measures[n]:.4g}" for n in measures_of(study))
        remark = (
            f"design {design.number:03d} of an exploration of {study.scenario.name}: {measured}"
        )
        files |= design_files(study.scenario, design.values, f"{design.number:03d}", remark)
    pictures = []
    for name, figure in figures(study).items():
        svg, png = figure_images(figure)
        files |= {f"{name}.svg": svg, f"{name}.png": png}
        pictures.append(Picture(svg, name.replace("-", " ")))
    text = ["Each is written as soc-NUMBER.yaml, with run-NUMBER.yaml for 'hetsim run'."]
    title = "Pareto front" if len(study.objectives) > 1 else "Best design"
    sections = [
        Section(title, text if study.front else [], (), front_table(study)),
        Section("Pictures", pictures=pictures),
        Section("Ruled out", [obstacles(study)]),
    ]
    scenario = study.scenario
    page = Page(
        f"exploration of {scenario.name}",
        f"explore · {scenario.name} on {scenario.soc.name} · {study.sampler} ·"
        f" minimise {', '.join(study.objectives)}"
        + (f" · {', '.join(map(str, study.constraints))}" if study.constraints else ""),
        headline(study),
        sections,
    )
    return page, files


def to_dict(study: Exploration) -> dict[str, Any]:
    """The exploration as plain JSON values."""
    front = {design.number for design in study.front}
    return {
        "schema": "hetsim.explore/1",
        "scenario": study.scenario.name,
        "soc": study.scenario.soc.name,
        "sampler": study.sampler,
        "axes": {axis.path: list(axis.values) for axis in study.axes},
        "objectives": list(study.objectives),
        "constraints": [str(c) for c in study.constraints],
        "ruled_out": study.killed(),
        "importance": {name: dict(shares) for name, shares in study.importance.items()},
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
    paths, names = [axis.path for axis in study.axes], measures_of(study)
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
