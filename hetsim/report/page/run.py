"""``report.html``: one file that shows a whole result, offline, on a desk or a phone.

The page is a template filled here (headline, comparison, published figures, inputs: readable
without scripts) plus a block of data (:mod:`hetsim.report.page.payload`) and a script that draws
the timeline of the chosen run on a canvas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hetsim.analysis.metrics.base import Metric
from hetsim.analysis.result import Result, Run
from hetsim.report.files.jsonout import FileNames
from hetsim.report.page.anatomy import anatomy
from hetsim.report.page.payload import report_data
from hetsim.report.page.study import Section, anchored
from hetsim.report.page.template import render, script_json
from hetsim.report.summary import (
    BASELINES,
    band_note,
    best_run,
    columns_of_runs,
    headline,
    metric_text,
    models_of,
    published_figures,
    speedup,
    tidy_time,
    time_shares,
    winners,
)
from hetsim.soc.describe import describe_soc

SCRIPTS = ("data.js", "timeline.js", "panels.js", "page.js")
"""What the page has beside the scripts of every page, in order."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A line of the comparison: positions are percent of the longest bar of its network.

    ``cells`` are its figures in the table, under :func:`_headings`.
    """

    run: int
    scheduler: str
    best: bool
    error: str | None
    width: float
    predicted: float | None
    bound: float | None
    makespan_text: str
    predicted_text: str
    bound_text: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """The comparison of one network."""

    model: str
    about: str
    fastest: str
    shares: str
    bars: tuple[Bar, ...]


def render_report(
    result: Result,
    files: FileNames | None = None,
    versions: Mapping[str, str] | None = None,
    *,
    sections: Sequence[Section] = (),
) -> str:
    """The text of ``report.html``.

    ``files`` names the files written beside it, ``versions`` the libraries to list at its end.
    ``sections`` (of a what-if study, say) come after those of :mod:`~hetsim.report.page.anatomy`.
    """
    return render(
        "report.html.j2",
        scripts=SCRIPTS,
        result=result,
        headline=headline(result),
        headings=_headings(),
        cards=[_card(result, model) for model in models_of(result)],
        figures=published_figures(result),
        band=band_note(result),
        soc_text=_soc_text(result),
        versions=versions or {},
        sections=anchored((*anatomy(result), *sections)),
        data=script_json(report_data(result, files)),
    )


def _soc_text(result: Result) -> str:
    """The SoC as simulated, changes of the command line included, as its file would say it."""
    import yaml

    described = describe_soc(result.soc)
    return yaml.safe_dump(described, sort_keys=False, allow_unicode=True, width=100)


def _headings() -> list[str]:
    """Of the table of runs, behind network and scheduler."""
    before, after = ([metric.title for metric in half] for half in columns_of_runs())
    return [*before, *(f"× {name}" for name in BASELINES), *after]


def _card(result: Result, model: str) -> Card:
    rows = [(i, run) for i, run in enumerate(result.runs) if run.model == model]
    longest = max((run.makespan_s or 0.0 for _, run in rows), default=0.0)
    best = winners(result, model)
    graph = rows[0][1].graph
    about = f"{len(graph)} operators · {graph.macs / 1e9:.3g} GMAC"
    if graph.parameters:
        about += f" · {graph.parameters / 1e6:.3g} M parameters"
    first = best_run(result, model)
    name, shares = ("", "") if first is None else (first.scheduler, time_shares(first))
    return Card(
        model,
        about,
        name,
        shares,
        tuple(_bar(result, i, run, longest, run.scheduler in best) for i, run in rows),
    )


def _bar(result: Result, index: int, run: Run, longest: float, best: bool) -> Bar:
    def place(seconds: float | None) -> float | None:
        if seconds is None or not longest:
            return None
        return round(min(100.0, 100.0 * seconds / longest), 3)

    def text(seconds: float | None) -> str:
        return "–" if seconds is None else tidy_time(seconds)

    def ratio(baseline: str) -> str:
        value = speedup(result, run, baseline)
        return "–" if value is None else f"{value:.2f}×"

    def figures(columns: Sequence[Metric]) -> list[str]:
        return [metric_text(metric, run.metrics.get(metric.column)) for metric in columns]

    before, after = columns_of_runs()
    failed = run.error is not None
    return Bar(
        run=index,
        scheduler=run.scheduler,
        best=best,
        error=run.error,
        width=place(run.makespan_s) or 0.0,
        predicted=None if failed else place(run.predicted_s),
        bound=None if failed else place(run.lower_bound_s),
        makespan_text=text(run.makespan_s),
        predicted_text=text(run.predicted_s),
        bound_text=text(run.lower_bound_s),
        cells=(*figures(before), *map(ratio, BASELINES), *figures(after)),
    )
