"""``report.html``: one file that shows a whole result, offline, on a desk or a phone.

The page is a template filled here (headline, comparison, published figures, inputs: readable
without scripts) plus a block of data (:mod:`hetsim.report.page.payload`) and a script that draws
the timeline of the chosen run on a canvas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hetsim.analysis.metrics.time import LOWER_BOUND, MAKESPAN, PREDICTED
from hetsim.analysis.result import Result, Run
from hetsim.report.files.jsonout import FileNames
from hetsim.report.overlooked import overlooked
from hetsim.report.page.anatomy import anatomy
from hetsim.report.page.charts import Axis, Bar, Bars, Mark, Segment
from hetsim.report.page.payload import Told, timelines
from hetsim.report.page.study import Section, anchored
from hetsim.report.page.tables import Cell, Table
from hetsim.report.page.template import TIMELINE, render, script_json
from hetsim.report.summary import (
    BASELINES,
    LEVEL_TEXT,
    band_note,
    beaten_text,
    best_run,
    columns_of_runs,
    gap_text,
    headline,
    metric_text,
    models_of,
    published_figures,
    range_notes,
    ranged_time,
    speedup,
    time_shares,
    winners,
)
from hetsim.soc.describe import describe_soc
from hetsim.soc.model import SoC


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
        scripts=TIMELINE,
        result=result,
        headline=headline(result),
        ranges=" ".join(range_notes(result)),
        charts=[comparison_chart(result, model) for model in models_of(result)],
        reference=_reference(result),
        band=band_note(result),
        notes=result.notes,
        soc_text=soc_text(result.soc),
        versions=versions or {},
        sections=anchored((*anatomy(result), *sections)),
        data=script_json(timelines(_told(result, files or {}))),
    )


def _told(result: Result, files: FileNames) -> list[Told]:
    return [Told(run, result.soc, files=files.get(i, {})) for i, run in enumerate(result.runs)]


def soc_text(soc: SoC) -> str:
    """The SoC as simulated, changes of the command line included, as its file would say it."""
    import yaml

    return yaml.safe_dump(describe_soc(soc), sort_keys=False, allow_unicode=True, width=100)


def comparison_chart(result: Result, model: str) -> Bars:
    """The runs of one network; each bar leads to its timeline."""
    rows = [(i, run) for i, run in enumerate(result.runs) if run.model == model]
    best = winners(result, model)
    graph = rows[0][1].graph
    about = f"{len(graph)} operators · {graph.macs / 1e9:.3g} GMAC"
    if graph.parameters:
        about += f" · {graph.parameters / 1e6:.3g} M parameters"
    if any(run.makespan_range_s for _, run in rows):
        about += f" · whiskers: {LEVEL_TEXT} of what is measured lies there"
    return Bars(
        model, about, _seen(result, model), Axis.of(MAKESPAN),
        [_bar(result, i, run, run.scheduler in best) for i, run in rows],
        "scheduler", order="value",
    )  # fmt: skip


def _bar(result: Result, index: int, run: Run, best: bool) -> Bar:
    if run.makespan_s is None:
        return Bar(run.scheduler, problem=f"failed: {run.error}")
    marks = []
    if run.lower_bound_s is not None:
        marks.append(Mark("best proven lower bound", run.lower_bound_s))
    if run.predicted_s is not None:
        marks.append(Mark("predicted by the scheduler", run.predicted_s, "diamond"))
    marked = {MAKESPAN.column, PREDICTED.column, LOWER_BOUND.column}
    before, after = columns_of_runs()
    ratios = [(f"× {name}", speedup(result, run, name)) for name in BASELINES]
    facts = [
        *((name, "–" if ratio is None else f"{ratio:.2f}×") for name, ratio in ratios),
        *((metric.title, metric_text(metric, run.metrics.get(metric.column)))
          for metric in (*before, *after) if metric.column not in marked),
    ]  # fmt: skip
    link = "" if run.trace is None else f"#run-{index}"
    if (sure := beaten_text(result, run)) != "–":
        facts.append(("beaten by best", sure))
    segments = (Segment(run.makespan_s, low=run.makespan_low_s, high=run.makespan_high_s),)
    return Bar(run.scheduler, segments, marks, link=link, facts=facts, strong=best)


def _seen(result: Result, model: str) -> str:
    first = best_run(result, model)
    if first is None:
        return "No run succeeded."
    gap = "" if first.gap is None else f", {gap_text(first)} above the bound"
    shares = time_shares(first)
    where = f" Along its critical path: {shares}." if shares else ""
    seen = f"{first.scheduler} takes {ranged_time(first.metrics)}{gap}.{where}"
    return f"{seen} {overlooked(result, model)}".rstrip()


def _reference(result: Result) -> Table | None:
    """Published figures beside ours."""
    figures = published_figures(result)
    if not figures:
        return None
    banded = any(figure.band for figure in figures)

    def percents(value: float | None) -> Cell:
        return Cell("not run") if value is None else Cell(f"{value:+.2f} %", value)

    rows: list[list[str | Cell]] = []
    for f in figures:
        band = [f"{f.band[0]:+.1f} … {f.band[1]:+.1f} %" if f.band else "–"] * banded
        rows.append([
            f.model, f.scheduler, f.baseline, percents(f.published), percents(f.ours), *band,
            percents(f.ours_saved),
        ])  # fmt: skip
    columns = ["network", "scheduler", "over", "published", "simulated", *["band"] * banded]
    return Table([*columns, "time saved"], rows, left=3)
