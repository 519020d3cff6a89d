"""The charts of a comparison's page: the time of each variant, and where it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hetsim.analysis.metrics.time import MAKESPAN
from hetsim.analysis.result import Run
from hetsim.report.page.charts import Axis, Bar, Bars, Guide, Mark, Segment
from hetsim.report.page.parts import PARTS_SERIES, parts_of
from hetsim.report.summary import LEVEL_TEXT, tidy_time, time_shares
from hetsim.study.compare.result import Comparison, Variant

TIME = Axis.of(MAKESPAN)
Best = Sequence[tuple[Variant, Run | None]]
"""Variants with their fastest runs."""


def model_charts(
    comparison: Comparison, model: str, links: Mapping[str, str] | None = None
) -> list[Bars]:
    """Time, and parts of it, of the fastest run of each variant; none when nothing ran.

    ``links`` lead from the name of a variant to its timeline.
    """
    best = [(variant, variant.best(model)) for variant in comparison.variants]
    if all(run is None for _, run in best):
        return []
    return [_times(comparison, model, best, links or {}), _parts(model, best, links or {})]


def _times(comparison: Comparison, model: str, best: Best, links: Mapping[str, str]) -> Bars:
    base = comparison.base.best(model)
    fastest = min(run.makespan_s or 0.0 for _, run in best if run is not None)
    bars = []
    for variant, run in best:
        if run is None or run.makespan_s is None:
            bars.append(Bar(variant.name, problem="failed"))
            continue
        bound, predicted = run.lower_bound_s, run.predicted_s
        marks = [] if bound is None else [Mark("proven lower bound", bound)]
        if predicted is not None:
            marks.append(Mark("predicted by the scheduler", predicted, "diamond"))
        changes = [(path, str(value)) for path, value in variant.changes.items()]
        bars.append(
            Bar(
                variant.name,
                (Segment(run.makespan_s, low=run.makespan_low_s, high=run.makespan_high_s),), marks,
                link=links.get(variant.name, ""),
                facts=[("scheduler", run.scheduler), *changes], strong=run.makespan_s == fastest,
            )
        )  # fmt: skip
    guide = () if base is None or base.makespan_s is None else (
        Guide(f"{comparison.base.name}: {tidy_time(base.makespan_s)}", base.makespan_s),
    )  # fmt: skip
    ranged = any(run is not None and run.makespan_range_s for _, run in best)
    whiskers = f"; {LEVEL_TEXT} of what is measured lies within the whiskers" if ranged else ""
    return Bars(
        f"{model}: time of each variant",
        f"Time per inference under the fastest scheduler of each variant{whiskers}.",
        _seen(comparison, model, best), TIME, bars, "variant", (), guide, switch=True,
    )  # fmt: skip


def _parts(model: str, best: Best, links: Mapping[str, str]) -> Bars:
    ran = [(variant, run) for variant, run in best if run is not None]
    told = [f"{variant.name}: {time_shares(run)}" for variant, run in ran]
    return Bars(
        f"{model}: where the time goes",
        "The same runs: what the time consists of along the critical path.",
        "; ".join(told[:2]) + ".", TIME,
        [
            Bar(
                variant.name, parts_of(run.attribution), link=links.get(variant.name, ""),
                facts=[("scheduler", run.scheduler)],
            )
            for variant, run in ran
        ],
        "variant", PARTS_SERIES, stacked=True,
    )  # fmt: skip


def _seen(comparison: Comparison, model: str, best: Best) -> str:
    base = comparison.base.best(model)
    ran = [(v, run.makespan_s) for v, run in best if run is not None and run.makespan_s is not None]
    variant, seconds = min(ran, key=lambda pair: pair[1])
    if base is None or base.makespan_s is None:
        return f"The fastest is “{variant.name}”: {tidy_time(seconds)}."
    if variant is comparison.base:
        return f"No variant is faster than the scenario as it is: {tidy_time(seconds)}."
    saved = 1.0 - seconds / base.makespan_s
    return f"The fastest is “{variant.name}”: {tidy_time(seconds)}, {saved:.1%} less than as it is."
