"""What a tuning study leaves: plans, parameters, curves, a page, everything as data."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import yaml

from hetsim.names import plain_name, stems
from hetsim.plan.files import dump_plan
from hetsim.report.figures.plotting import image_files
from hetsim.report.files.jsonout import dumps
from hetsim.report.page.study import Page, Section
from hetsim.report.page.tables import Table
from hetsim.report.summary import tidy_time
from hetsim.study.result import page_of, to_figures
from hetsim.study.tune.charts import curve_chart, starts_chart
from hetsim.study.tune.parameters import Fold, TunedParameters
from hetsim.study.tune.picture import curve_figure
from hetsim.study.tune.result import TunedModel, Tuning

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLAN_COLUMNS = ("network", "best start", "takes", "tuned", "gain", "bound", "gap", "plans judged")


def headline(tuning: Tuning) -> str:
    """The study in a sentence or two."""
    parts = []
    if tuning.models:
        best = max(tuning.models, key=gain)
        count = len(tuning.models)
        parts.append(
            f"{count} {'plan' if count == 1 else 'plans'} tuned on {tuning.soc}; most is gained on"
            f" {best.model}: {gain(best):.1%} less than its best start, {best.start.scheduler}."
        )
    if tuning.parameters is not None:
        change = tuning.parameters.everything.mean_change(held_out=False)
        if change is not None:
            parts.append(
                f"Tuned parameters of partition_tuner change its makespans by {change:+.1%}"
                " (geometric mean)."
            )
        held = [fold.mean_change(held_out=True) for fold in tuning.parameters.folds]
        changes = ", ".join(f"{value:+.1%}" for value in held if value is not None)
        if changes:
            parts.append(f"On networks held out: {changes}.")
    if tuning.interrupted:
        parts.append("The study was interrupted.")
    return " ".join(parts)


@to_figures.register(Tuning)
def tuning_figures(tuning: Tuning) -> dict[str, Figure]:
    """The best-so-far curves, where plans were tuned."""
    return {"curve": curve_figure(tuning)} if tuning.models else {}


def gain(model: TunedModel) -> float:
    """By how much the tuned plan is faster than the best start, as a share of that."""
    start, best = model.start.makespan_s, model.best.makespan_s
    return 0.0 if not start or best is None else 1.0 - best / start


def plan_rows(tuning: Tuning) -> list[tuple[str, ...]]:
    """A row of text for each network, under :data:`PLAN_COLUMNS`."""
    return [
        (
            model.model,
            model.start.scheduler,
            _time(model.start.makespan_s),
            _time(model.best.makespan_s),
            f"{gain(model):.2%}",
            _time(model.best.lower_bound_s),
            _gap(model),
            f"{model.evaluations:,}",
        )
        for model in tuning.models
    ]


def parameter_rows(fold: Fold) -> list[tuple[str, ...]]:
    """Network, published, tuned, change, whether it was held out."""
    return [
        (
            row.model,
            _time(row.published_s),
            _time(row.tuned_s),
            "–" if row.change is None else f"{row.change:+.2%}",
            "held out" if row.held_out else "tuned on",
        )
        for row in fold.gains
    ]


def tune_files(tuning: Tuning) -> tuple[Page, dict[str, str | bytes]]:
    """The page and all other files of the results directory."""
    files: dict[str, str | bytes] = {"tune.json": dumps(as_dict(tuning))}
    if tuning.models:
        files["curve.csv"] = _curves(tuning)
        names = stems("plan", [model.model for model in tuning.models])
        for model in tuning.models:
            assert model.best.plan is not None
            files[f"{names[model.model]}.yaml"] = dump_plan(model.best.plan)
    if tuning.parameters is not None:
        files["parameters.yaml"] = _parameters(tuning, tuning.parameters)
    return _page(tuning), files | image_files(tuning_figures(tuning))


def as_dict(tuning: Tuning) -> dict[str, Any]:
    """``tune.json``: seconds, no wall-clock times, so equal studies give equal files."""
    return {
        "schema": "hetsim.tune/1",
        "scenario": tuning.scenario,
        "soc": tuning.soc,
        "execution": tuning.execution,
        "seed": tuning.seed,
        "interrupted": tuning.interrupted,
        "models": [_model(model) for model in tuning.models],
        "parameters": None if tuning.parameters is None else tuning.parameters.as_dict(),
    }


def _model(model: TunedModel) -> dict[str, Any]:
    return {
        "model": model.model,
        "makespan_s": model.best.makespan_s,
        "lower_bound_s": model.best.lower_bound_s,
        "gap": model.best.gap,
        "best_start": model.start.scheduler,
        "best_start_s": model.start.makespan_s,
        "evaluations": model.evaluations,
        "rounds": model.rounds,
        "starts": [
            {"scheduler": s.scheduler, "makespan_s": s.seconds, "error": s.error}
            for s in model.starts
        ],
        "curve": [list(point) for point in model.curve],
    }


def _curves(tuning: Tuning) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("model", "evaluations", "best_us", "lower_bound_us"))
    for model in tuning.models:
        bound = model.best.lower_bound_s
        for count, seconds in model.curve:
            row = (model.model, count, seconds * 1e6, "" if bound is None else bound * 1e6)
            writer.writerow(row)
    return text.getvalue()


def _parameters(tuning: Tuning, tuned: TunedParameters) -> str:
    entry = {
        "name": "partition_tuner",
        "label": f"partition_tuner_for_{plain_name(tuning.soc, 'soc')}",
        "parameters": dict(tuned.best),
    }
    remark = f"# PartitionTuner's parameters tuned on {tuning.soc}: an entry for a scenario file.\n"
    return remark + yaml.safe_dump({"schedulers": [entry]}, sort_keys=False)


@page_of.register(Tuning)
def _page(tuning: Tuning) -> Page:
    sections = []
    if tuning.models:
        table = Table(PLAN_COLUMNS, plan_rows(tuning), left=2)
        sections.append(Section("Plans", table=table, charts=[curve_chart(tuning)]))
        starts = [starts_chart(model) for model in tuning.models]
        sections.append(Section("Starts", charts=starts))
    if tuning.parameters is not None:
        tuned = tuning.parameters
        columns = ("network", "published parameters", "tuned", "change", "was")
        sections.append(
            Section(
                "Parameters of partition_tuner",
                [listed(tuned.everything)],
                table=Table(columns, parameter_rows(tuned.everything)),
            )
        )
        for i, fold in enumerate(tuned.folds):
            sections.append(
                Section(
                    f"Held out, {i + 1} of {len(tuned.folds)}",
                    [listed(fold)],
                    table=Table(columns, parameter_rows(fold)),
                )
            )
    return Page(
        f"tuning of {tuning.scenario}",
        f"tune · {tuning.scenario} on {tuning.soc} · {tuning.execution} · seed {tuning.seed}",
        headline(tuning),
        sections,
    )


def listed(fold: Fold) -> str:
    """Parameters in a line."""
    return ", ".join(f"{name}: {value}" for name, value in fold.parameters.items())


def _time(seconds: float | None) -> str:
    return "–" if seconds is None else tidy_time(seconds)


def _gap(model: TunedModel) -> str:
    return "–" if model.best.gap is None else f"{model.best.gap:.2%}"
