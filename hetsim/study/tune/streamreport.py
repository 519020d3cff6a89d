"""What a tuning study of streams writes: a plan for each, and what they are worth."""

from __future__ import annotations

import csv
import io
from math import inf
from typing import Any

from hetsim.analysis.serving.objectives import OBJECTIVES, jain
from hetsim.names import stems
from hetsim.plan.files import dump_plan
from hetsim.report.files.jsonout import dumps
from hetsim.report.page.charts import Axis, Line, Plot, Series
from hetsim.report.page.study import Page, Section
from hetsim.report.page.tables import Table
from hetsim.report.summary import tidy_time
from hetsim.study.result import page_of
from hetsim.study.tune.streamresult import Judged, StreamTuning

COLUMNS = ("objective", "best start", "tuned", "bound", "fresh: start", "fresh: tuned")


def headline(tuning: StreamTuning) -> str:
    """The study in a sentence or two."""
    objective = OBJECTIVES[tuning.objective]
    before, after = (judged.values[tuning.objective] for judged in (tuning.before, tuning.after))
    fresh = [judged.values[tuning.objective] for judged in tuning.fresh]
    parts = [
        f"Plans of {len(tuning.plans)} streams tuned on {tuning.soc} for {objective.label}:"
        f" {objective.shown(after)} against {objective.shown(before)} of the best start"
        f" ({best_start(tuning)}); with fresh arrivals over the scenario's time"
        f" {objective.shown(fresh[1])} against {objective.shown(fresh[0])}."
    ]
    if fresh[1] > fresh[0]:
        parts.append("The gain does not carry over: judge over a longer --horizon.")
    if tuning.interrupted:
        parts.append("The study was interrupted.")
    return " ".join(parts)


def best_start(tuning: StreamTuning) -> str:
    """Who made the plans that were best to start from."""
    known = [start for start in tuning.starts if start.seconds is not None]
    return min(known, key=lambda start: start.seconds or 0.0).scheduler


def start_rows(tuning: StreamTuning) -> list[tuple[str, ...]]:
    """Who, what they are worth, why there is none; the best first."""
    shown = OBJECTIVES[tuning.objective].shown
    order = sorted(tuning.starts, key=lambda s: inf if s.seconds is None else s.seconds)
    return [
        (start.scheduler, "–", (start.error or "").partition("\n")[0])
        if start.seconds is None
        else (start.scheduler, shown(start.seconds), "")
        for start in order
    ]


def objective_rows(tuning: StreamTuning) -> list[tuple[str, ...]]:
    """A row for every objective, the one that was asked for first, under :data:`COLUMNS`."""
    rows = []
    for name in sorted(OBJECTIVES, key=lambda name: name != tuning.objective):
        shown = OBJECTIVES[name].shown
        bound = tuning.after.bounds[name]
        row = [
            shown(judged.values[name]) for judged in (tuning.before, tuning.after, *tuning.fresh)
        ]
        rows.append((OBJECTIVES[name].label, *row[:2], shown(bound) if bound else "–", *row[2:]))
    judged = (tuning.before, tuning.after, *tuning.fresh)
    index = [f"{jain(found.tally.slowdowns):.3f}" for found in judged]
    rows.append(("Jain's index", *index[:2], "1", *index[2:]))
    return rows


def files(tuning: StreamTuning) -> tuple[Page, dict[str, str | bytes]]:
    """The page and all other files of the results directory."""
    written: dict[str, str | bytes] = {
        "tune.json": dumps(as_dict(tuning)),
        "curve.csv": _curve(tuning),
    }
    names = stems("plan", list(tuning.plans))
    written |= {f"{names[name]}.yaml": dump_plan(plan) for name, plan in tuning.plans.items()}
    return _page(tuning), written


def as_dict(tuning: StreamTuning) -> dict[str, Any]:
    """``tune.json``: SI units, no wall-clock times, so equal studies give equal files."""
    return {
        "schema": "hetsim.tune-streams/1",
        "scenario": tuning.scenario,
        "soc": tuning.soc,
        "seed": tuning.seed,
        "objective": tuning.objective,
        "dispatcher": tuning.dispatcher,
        "horizon_s": tuning.horizon_s,
        "interrupted": tuning.interrupted,
        "streams": list(tuning.plans),
        "starts": [
            {"plans": s.scheduler, "value": s.seconds, "error": s.error} for s in tuning.starts
        ],
        "best_start": _judged(tuning.before),
        "tuned": _judged(tuning.after),
        "fresh": {"seed": tuning.seed + 1, "best_start": _judged(tuning.fresh[0]),
                  "tuned": _judged(tuning.fresh[1])},
        "evaluations": tuning.evaluations,
        "rounds": tuning.rounds,
        "curve": [list(point) for point in tuning.curve],
    }  # fmt: skip


def _judged(judged: Judged) -> dict[str, Any]:
    return {
        "objectives": dict(judged.values),
        "bounds": dict(judged.bounds),
        "arrived": list(judged.tally.arrived),
        "slowdowns": judged.tally.slowdowns,
        "jain": jain(judged.tally.slowdowns),
        "seconds": judged.tally.end_s,
    }


def _curve(tuning: StreamTuning) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("evaluations", tuning.objective))
    writer.writerows(tuning.curve)
    return text.getvalue()


@page_of.register(StreamTuning)
def _page(tuning: StreamTuning) -> Page:
    objective = OBJECTIVES[tuning.objective]
    points = [(float(count), value) for count, value in tuning.curve]
    curve = Plot(
        "The best plans so far",
        f"{objective.label} of the best plans (less is better), over the plans judged.",
        f"It ended at {objective.shown(tuning.curve[-1][1])}.",
        Axis("plans judged", log=True), Axis(objective.label), (),
        [Line(points, series=0, step=True)], (Series(tuning.objective),),
    )  # fmt: skip
    table = Table(COLUMNS, objective_rows(tuning), left=1)
    starts = Table(("plans to start from", "worth", "but"), start_rows(tuning), left=1)
    notes = [
        f"Judged over {tidy_time(tuning.horizon_s)} of simulated time under"
        f" {tuning.dispatcher}, every plan with the same arrivals; judged again ('fresh') as long"
        " as the scenario says, with arrivals of another seed.",
    ]
    return Page(
        f"tuning of {tuning.scenario}",
        f"tune · {tuning.scenario} on {tuning.soc} · {tuning.objective} · seed {tuning.seed}",
        headline(tuning),
        [Section("Worth", notes, table=table, charts=[curve]), Section("Starts", table=starts)],
    )
