"""What a comparison leaves: a page with a table and stacked Gantt charts, CSV, JSON."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from hetsim.analysis.metrics.base import Metric
from hetsim.analysis.metrics.registry import told
from hetsim.analysis.metrics.time import LOWER_BOUND, MAKESPAN, MAKESPAN_HIGH, MAKESPAN_LOW
from hetsim.analysis.result import Run
from hetsim.names import stems
from hetsim.report.figures.plotting import image_files
from hetsim.report.figures.stacked import stacked_gantt_figure
from hetsim.report.files.jsonout import dumps, microseconds, result_to_dict
from hetsim.report.page.payload import Told
from hetsim.report.page.study import Page, Section
from hetsim.report.page.tables import Table
from hetsim.report.summary import chance_text, metric_text, ranged_time, tidy_time
from hetsim.study.compare.charts import model_charts
from hetsim.study.compare.result import Comparison, Variant
from hetsim.study.result import page_of, to_figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def gantts(comparison: Comparison, model: str) -> Figure:
    """The fastest run of each variant, one above the other.

    Raises:
        ValueError: none succeeded.
    """
    runs = [
        (f"{variant.name} · {run.scheduler}", run, variant.result.soc)
        for variant in comparison.variants
        if (run := variant.best(model)) is not None
    ]
    return stacked_gantt_figure(runs)


def table(comparison: Comparison, model: str) -> Table:
    """The fastest run of each variant: a row per figure, a column per variant."""
    best = [(variant, variant.best(model)) for variant in comparison.variants]
    base = best[0][1]
    rows: list[list[str]] = []

    def add(title: str, cell: Any) -> None:
        put(title, ["failed" if run is None else cell(run) for _, run in best])

    def put(title: str, texts: list[str]) -> None:
        if any(text not in ("–", "failed") for text in texts):
            rows.append([title, *texts])

    add("scheduler", lambda run: run.scheduler)
    add("time", lambda run: ranged_time(run.metrics))
    add("against the first", lambda run: _ratio(base, run))
    put("really faster than it", [_chance(comparison.base, v, model) for v, _ in best])
    add("lower bound", lambda run: _time(run.lower_bound_s))
    for metric in beside_the_time():
        add(metric.title, lambda run, m=metric: metric_text(m, run.metrics.get(m.column)))
    for name in dict.fromkeys(n for _, run in best if run for n in run.pus):
        add(f"busy: {name}", lambda run, n=name: _share(_utilization(run.pus.get(n))))
    for name in dict.fromkeys(n for _, run in best if run for n in run.links):
        add(f"used: {name}", lambda run, n=name: _share(_utilization(run.links.get(n))))
    for part in dict.fromkeys(p for _, run in best if run for p in run.attribution):
        add(f"path: {part.replace('_', ' ')}", lambda run, p=part: _part(run, p))
    return Table([model, *(variant.name for variant, _ in best)], rows)


def beside_the_time() -> list[Metric]:
    """The metrics of runs that people weigh against the time."""
    return [metric for metric in told() if metric.stands == "end" and not metric.of_the_soc]


def headline(comparison: Comparison) -> str:
    """The fastest variant of each network."""
    parts = []
    for model in comparison.models:
        runs = [(v, run) for v in comparison.variants if (run := v.best(model)) is not None]
        base = comparison.base.best(model)
        if not runs:
            parts.append(f"{model} runs on no variant")
            continue
        variant, run = min(runs, key=lambda pair: pair[1].makespan_s or 0.0)
        assert run.makespan_s is not None
        text = f"{model} is fastest {_with(variant)}: {ranged_time(run.metrics)}"
        if base is not None and base.makespan_s and variant is not comparison.base:
            text += f", {1 - run.makespan_s / base.makespan_s:.1%} less than {comparison.base.name}"
        parts.append(text)
    return "; ".join(parts) + "."


def comparison_to_dict(comparison: Comparison) -> dict[str, Any]:
    """The comparison as plain JSON values; each result as ``hetsim run`` writes it.

    ``borrowed`` names plans of other variants that are faster than the result's own,
    ``faster_than_first`` the probability that the variant's fastest plan really is faster.
    """
    return {
        "schema": "hetsim.compare/1",
        "scenario": comparison.scenario,
        "variants": [
            {
                "name": variant.name,
                "changes": dict(variant.changes),
                "result": result_to_dict(variant.result),
                "borrowed": {
                    model: {
                        "scheduler": run.scheduler,
                        "makespan_us": microseconds(run.makespan_s),
                    }
                    for model, run in variant.borrowed.items()
                },
                "faster_than_first": {
                    model: _faster(comparison.base, variant, model) for model in comparison.models
                },
            }
            for variant in comparison.variants
        ],
    }


def compare_files(comparison: Comparison) -> tuple[Page, dict[str, str | bytes]]:
    """The page and all other files of the results directory."""
    files: dict[str, str | bytes] = {
        "compare.json": dumps(comparison_to_dict(comparison)),
        "compare.csv": _csv(comparison),
    }
    return _page(comparison), files | image_files(comparison_figures(comparison))


@page_of.register(Comparison)
def _page(comparison: Comparison) -> Page:
    sections = []
    timelines: list[Told] = []
    for model in comparison.models:
        links: dict[str, str] = {}
        for variant in comparison.variants:
            if (run := variant.best(model)) is not None:
                links[variant.name] = f"#run-{len(timelines)}"
                label = f"{variant.name} · {run.scheduler}"
                timelines.append(Told(run, variant.result.soc, label))
        charts = model_charts(comparison, model, links)
        sections.append(Section(model, charts=charts, table=table(comparison, model)))
    sections.append(Section("Variants", table=_variants(comparison)))
    if comparison.failed:
        lines = [
            f"{variant.name}: {run.model} / {run.scheduler}: {run.error}"
            for variant, run in comparison.failed
        ]
        sections.append(Section("Failed", lines))
    return Page(
        f"variants of {comparison.scenario}",
        f"comparison · {comparison.scenario} · {len(comparison.variants)} variants",
        headline(comparison),
        sections,
        timelines,
    )


@to_figures.register(Comparison)
def comparison_figures(comparison: Comparison) -> dict[str, Figure]:
    """The Gantt charts of each network that runs on some variant."""
    return {
        stem: gantts(comparison, model)
        for model, stem in stems("gantt", comparison.models).items()
        if any(variant.best(model) is not None for variant in comparison.variants)
    }


def _variants(comparison: Comparison) -> Table:
    rows = [
        [v.name, ", ".join(f"{k} = {x}" for k, x in v.changes.items()) or "nothing"]
        for v in comparison.variants
    ]
    return Table(["variant", "changes"], rows, left=2)


def _with(variant: Variant) -> str:
    return f"with “{variant.name}”" if variant.changes else variant.name


def _csv(comparison: Comparison) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    times = (MAKESPAN, MAKESPAN_LOW, MAKESPAN_HIGH, LOWER_BOUND)
    keys = [metric.key for metric in (*times, *beside_the_time())]
    measured = ("model", "scheduler", *keys, "error")
    writer.writerow(("variant", *measured))
    for variant in comparison.variants:
        for row in result_to_dict(variant.result)["runs"]:  # type: ignore[attr-defined]
            writer.writerow([variant.name, *(row.get(name) for name in measured)])
    return text.getvalue()


def _time(seconds: float | None) -> str:
    return "–" if seconds is None else tidy_time(seconds)


def _ratio(base: Run | None, run: Run) -> str:
    if base is None or not base.makespan_s or not run.makespan_s:
        return "–"
    return f"{base.makespan_s / run.makespan_s:.3g}×"


def _chance(base: Variant, variant: Variant, model: str) -> str:
    """The probability that ``variant`` is faster than the first; errors that both share cancel."""
    if variant.best(model) is None:
        return "failed"
    sure = _faster(base, variant, model)
    return "–" if sure is None else chance_text(sure)


def _faster(base: Variant, variant: Variant, model: str) -> float | None:
    first, run = base.best(model), variant.best(model)
    if first is None or run is None or run is first:
        return None
    return run.faster_than(first, shared=variant.result.soc.name == base.result.soc.name)


def _utilization(metrics: Any) -> float | None:
    return None if metrics is None else float(metrics.utilization)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _part(run: Run, part: str) -> str:
    if not run.makespan_s or not run.attribution.get(part):
        return "–"
    return f"{run.attribution[part] / run.makespan_s:.1%}"
