"""The pictures of an exploration for papers and notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hetsim.report.figures.bars import bars_figure
from hetsim.report.figures.curves import curves_figure
from hetsim.report.figures.pareto import pareto_figure
from hetsim.study.explore.answer import price_of
from hetsim.study.explore.objectives import known_measure, label
from hetsim.study.explore.result import Exploration
from hetsim.study.result import to_figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@to_figures.register(Exploration)
def figures(study: Exploration) -> dict[str, Figure]:
    """Pareto plot or history, and what decides, by file stem."""
    found: dict[str, Figure] = {}
    ran = study.ran
    price = price_of(study)
    numbers = {design.number for design in study.front}
    front = [i for i, design in enumerate(ran) if design.number in numbers]
    for other in study.objectives:
        if ran and other != price:
            found[f"pareto-{other}-{price}"] = pareto_figure(
                [(d.measures[other], d.measures[price]) for d in ran],
                front,
                x_label=label(other),
                y_label=label(price),
                feasible=[d.feasible for d in ran],
                labels=[ran[i].stem for i in front],
            )
    if ran and len(study.objectives) == 1:
        found["history"] = _history(study)
    told = {name: found for name, found in study.importance.items() if found.effect}
    if told:
        paths = list(dict.fromkeys(path for found in told.values() for path in found.effect))
        series = {
            known_measure(name).plain: [f.effect[p] for p in paths] for name, f in told.items()
        }
        found["importance"] = bars_figure(paths, series, label="share of what decides")
    return found


def _history(study: Exploration) -> Figure:
    """The best feasible value so far over the designs tried."""
    name = study.objectives[0]
    line = best_so_far(study, name)
    ticks = list(range(1, len(line) + 1))
    return curves_figure(
        ticks,
        {"best so far": line},
        x_label="designs tried",
        y_label=label(name),
        positions=[float(tick) for tick in ticks],
    )


def best_so_far(study: Exploration, name: str) -> list[float | None]:
    """The least of a measure among the feasible designs up to each; ``None`` before the first."""
    best: float | None = None
    line: list[float | None] = []
    for design in study.designs:
        if design.feasible and (best is None or design.measures[name] < best):
            best = design.measures[name]
        line.append(best)
    return line
