"""The charts of a tuning study's page: how the search went, and what the tuned plan is worth."""

from __future__ import annotations

from hetsim.analysis.metrics.time import MAKESPAN
from hetsim.report.page.charts import Axis, Bar, Bars, Line, Mark, Plot, Segment, Series
from hetsim.report.summary import tidy_time
from hetsim.study.tune.result import TunedModel, Tuning

TIME = Axis.of(MAKESPAN)


def curve_chart(tuning: Tuning) -> Plot:
    """How far each network's best plan was above its bound, over the plans judged."""
    lines = [Line(steps(model), series=i, step=True) for i, model in enumerate(tuning.models)]
    ends = [
        f"{model.model} ended {line.points[-1][1]:.2%} above"
        for model, line in zip(tuning.models, lines, strict=True)
        if line.points
    ]
    return Plot(
        "The best plan so far",
        "How far the best plan was above the proven bound (without one: above where it ended),"
        " over the plans judged.",
        "; ".join(ends[:4]) + ("; …" if len(ends) > 4 else "."),
        Axis("plans judged", log=True), Axis("above the proven bound", "share"), (), lines,
        tuple(Series(model.model) for model in tuning.models),
    )  # fmt: skip


def starts_chart(model: TunedModel) -> Bars:
    """The tuned plan beside those that the search started from."""
    bound = model.best.lower_bound_s
    marks = () if bound is None else (Mark("proven lower bound", bound),)
    bars = []
    if model.best.makespan_s is not None:
        tuned = (Segment(model.best.makespan_s),)
        bars.append(Bar("tuned", tuned, marks, strong=True))
    bars += [
        Bar(
            start.scheduler, () if start.seconds is None else (Segment(start.seconds),),
            () if start.seconds is None else marks, problem=(start.error or "").partition("\n")[0],
        )
        for start in model.starts
    ]  # fmt: skip
    return Bars(
        f"{model.model}: what it started from, and the tuned plan",
        "Simulated time per inference of each starting plan and of the best found; lines are the"
        " proven bound.",
        _gained(model), TIME, bars, "scheduler", order="value", switch=True,
    )  # fmt: skip


def steps(model: TunedModel) -> list[tuple[float, float]]:
    """(plans judged, share above the bound); above the final makespan where there is no bound."""
    reference = model.best.lower_bound_s or model.best.makespan_s or 1.0
    found = [(float(count), seconds / reference - 1.0) for count, seconds in model.curve]
    if found and found[-1][0] < model.evaluations:
        found.append((float(model.evaluations), found[-1][1]))
    return found


def _gained(model: TunedModel) -> str:
    start, best = model.start.makespan_s, model.best.makespan_s
    if not start or best is None:
        return "No plan could be judged."
    ends = f"{tidy_time(best)} against {tidy_time(start)} of {model.start.scheduler}"
    gap = "" if model.best.gap is None else f", {model.best.gap:.2%} above the bound"
    return f"Tuning saves {1.0 - best / start:.1%}: {ends}{gap}."
