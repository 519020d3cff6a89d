"""The sentence about a plan that looked good on an idle SoC: what its scheduler overlooked."""

from __future__ import annotations

from hetsim.analysis.result import Result, Run
from hetsim.report.summary import best_run, models_of, tidy_time

NOTICED = 0.05
"""Least share of the makespan that contention takes, and by which it exceeds what was expected."""


def overlooked(result: Result, model: str | None = None) -> str:
    """Which plan contention hit hardest beside what its scheduler expected; empty if none was hit.

    Of ``model`` alone, or of all networks.
    """
    hit = [
        run
        for run in result.runs
        if (model is None or run.model == model)
        and _share(run) >= NOTICED
        and (run.predicted_s or 0.0) <= (1 - NOTICED) * (run.makespan_s or 0.0)
        and run is not best_run(result, run.model)
    ]
    if not hit:
        return ""
    worst = max(hit, key=_share)
    best = best_run(result, worst.model)
    assert best is not None, "some plan of this network ran"
    on = f" on {worst.model}" if model is None and len(models_of(result)) > 1 else ""
    where = max(worst.links, key=lambda name: worst.links[name].contention_s)
    return (
        f"{worst.scheduler} expected {tidy_time(worst.predicted_s or 0.0)}{on} and takes"
        f" {tidy_time(worst.makespan_s or 0.0)}: for {tidy_time(_contention(worst))} of that its"
        f" units wait for one another at {where}, which a plan made from times of an idle SoC"
        f" does not see; with {best.scheduler} they wait {tidy_time(_contention(best))}."
    )


def _contention(run: Run) -> float:
    return run.attribution.get("bus_contention", 0.0)


def _share(run: Run) -> float:
    return _contention(run) / run.makespan_s if run.makespan_s else 0.0
