"""What the reports say about a result: speed-ups, the best runs, published figures beside ours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hetsim.analysis.metrics.base import Metric, Metrics
from hetsim.analysis.metrics.registry import lead, told
from hetsim.analysis.metrics.time import MAKESPAN, MAKESPAN_HIGH, MAKESPAN_LOW
from hetsim.analysis.result import Result, Run
from hetsim.report.palette import PARTS
from hetsim.soc.calibrated import summary
from hetsim.soc.uncertainty import LEVEL
from hetsim.units import format_quantity

BASELINES = ("type_based", "profile_greedy")
"""The schedulers that speed-ups are stated over."""


def models_of(result: Result) -> tuple[str, ...]:
    """Names of the networks, in the order of the runs."""
    return tuple(dict.fromkeys(run.model for run in result.runs))


def schedulers_of(result: Result) -> tuple[str, ...]:
    """Labels of the schedulers, in the order of the runs."""
    return tuple(dict.fromkeys(run.scheduler for run in result.runs))


def speedup(result: Result, run: Run, baseline: str) -> float | None:
    """How many times faster ``run`` is than ``baseline`` on the same network, if both ran."""
    other = result.find(run.model, baseline)
    if other is None or not other.makespan_s or not run.makespan_s:
        return None
    return other.makespan_s / run.makespan_s


def best_run(result: Result, model: str) -> Run | None:
    """The run of least makespan on ``model``; the first listed among equals."""
    done = [run for run in result.runs if run.model == model and run.makespan_s is not None]
    return min(done, key=lambda run: run.makespan_s or 0.0, default=None)


def tidy_time(seconds: float, digits: int = 4) -> str:
    """A time for people, e.g. ``12.35 ms``."""
    unit, factor = time_unit(seconds)
    return f"{seconds / factor:.{digits}g} {unit}" if seconds < 1000 else f"{seconds:,.0f} s"


def time_unit(seconds: float) -> tuple[str, float]:
    """The unit in which ``seconds`` is a number from 1 to 1000, and that unit in seconds."""
    for unit, factor in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        # Just under one is written 1: 0.99996 ms would otherwise become "1000 µs".
        if abs(seconds) >= 0.99995 * factor:
            return unit, factor
    return ("ns", 1e-9) if seconds else ("µs", 1e-6)


def ranged_time(metrics: Metrics) -> str:
    """The simulated time with its range: ``1.42 ms (1.2–1.7, 90 %)``; without one, the time.

    Of streams the 99th percentile of latencies, and what was late: ``p99 31 ms, 2% missed``.
    """
    seconds, low, high = (metrics.get(m.column) for m in (MAKESPAN, MAKESPAN_LOW, MAKESPAN_HIGH))
    if seconds is None:
        return _served_time(metrics)
    if low is None or high is None:
        return tidy_time(seconds)
    return f"{tidy_time(seconds)} ({range_text(low, high, time_unit(seconds)[1])}, {LEVEL_TEXT})"


def _served_time(metrics: Metrics) -> str:
    column = lead([metrics])
    seconds = metrics.get(column.column)
    if seconds is None:
        return "–"
    missed = metrics.get("miss_rate")
    return f"{column.title} {tidy_time(seconds)}" + (
        f", {share_text(missed)} missed" if missed else ""
    )


def range_text(low: float, high: float, factor: float) -> str:
    """The ends of a range in a unit of ``factor`` seconds: ``1.2–1.7``."""
    # Two digits tell a deviation of a tenth; the ends may not look alike for that.
    digits = 2 if f"{low / factor:.2g}" != f"{high / factor:.2g}" else 3
    ends = (f"{end / factor:#.{digits}g}".rstrip(".") for end in (low, high))
    return "–".join(f"{float(end):,.0f}" if "e" in end else end for end in ends)


LEVEL_TEXT = f"{LEVEL:.0%}".replace("%", " %")
"""The share of measurements that a range holds."""


def range_notes(result: Result) -> list[str]:
    """What people must know about the ranges of a result, or why there are none, as sentences.

    Before them, what the SoC was fitted to.
    """
    runs = [run for run in result.runs if run.makespan_s is not None]
    if not runs:
        return []
    known = result.soc.spec.calibrated
    fitted = [f"The SoC was fitted to {summary(known)}."] if known else []
    return fitted + _range_notes(result, runs)


def _range_notes(result: Result, runs: list[Run]) -> list[str]:
    if all(run.makespan_range_s is None for run in runs):
        return [
            f"No ranges: no unit of {result.soc.name} that ran anything says how far off it is"
            " (uncertainty in the SoC file)."
        ]
    worst: dict[str, float] = {}
    for run in runs:
        for pu, share in run.range.uncalibrated.items():
            worst[pu] = max(worst.get(pu, 0.0), share)
    if not worst:
        return []
    units = ", ".join(f"{pu} (up to {share_text(share, 0)} of the kernels' time)"
                      for pu, share in worst.items())  # fmt: skip
    return [f"Not calibrated and taken to be exact, so ranges are too narrow: {units}."]


def beaten(result: Result, run: Run) -> float | None:
    """The probability that the fastest run of its network really is faster than ``run``."""
    best = best_run(result, run.model)
    return None if best is None or best is run else best.faster_than(run)


def beaten_text(result: Result, run: Run) -> str:
    """The same for people."""
    sure = beaten(result, run)
    return "–" if sure is None else chance_text(sure)


def chance_text(probability: float) -> str:
    """A probability from samples: there is no saying 0 % or 100 %."""
    if probability > 0.995:
        return "> 99 %"
    return "< 1 %" if probability < 0.005 else f"{100.0 * probability:.0f} %"


def gap_text(run: Run, digits: int = 1) -> str:
    """The gap to the bound as a percentage."""
    return "–" if run.gap is None else share_text(run.gap, digits)


def share_text(share: float, digits: int = 1) -> str:
    """A share as a percentage; what rounding left below zero is zero."""
    text = f"{share:.{digits}%}"
    return text.removeprefix("-") if float(text[:-1]) == 0.0 else text


def metric_text(metric: Metric, value: float | None, *, scaled: bool = False) -> str:
    """A metric for people, e.g. ``0.3071 mJ``; ``scaled`` picks the unit by the number."""
    if value is None:
        return "–"
    if metric.unit == "share":
        return share_text(value)
    if metric.dimension is None:
        number = f"{value:,.0f}" if metric.unit == "count" else f"{value:.4g}"
        return number if metric.unit in ("", "count") else f"{number} {metric.unit}"
    if metric.dimension == "time":
        return tidy_time(value)
    if scaled:
        return format_quantity(value, metric.dimension).replace(" u", " µ")
    unit, factor = metric.axis_unit
    return f"{value / factor:.4g} {unit}"


def columns_of_runs() -> tuple[tuple[Metric, ...], tuple[Metric, ...]]:
    """The metrics that are columns of every table of runs: those before the speed-ups, and after.

    What was simulated and expected comes first, then how that compares, then the proofs.
    """
    front = tuple(metric for metric in told() if metric.stands == "front")
    return front[:2], front[2:]


def facts_of(run: Run) -> tuple[tuple[Metric, float], ...]:
    """What else people are told about a run: the metrics behind the columns, where it has them."""
    others = (m for m in told(also=run.metrics) if m.stands != "front" and not m.of_the_soc)
    return tuple((m, value) for m in others if (value := run.metrics.get(m.column)) is not None)


def headline(result: Result) -> str:
    """The result in one sentence."""
    models = models_of(result)
    best = {model: run for model in models if (run := best_run(result, model)) is not None}
    if not best:
        return f"No run of {result.scenario} on {result.soc.name} succeeded."
    text = _one_model(result, *best.values()) if len(models) == 1 else _many(result, best)
    failed = len(result.failed)
    if failed:
        text += f" {failed} of {len(result.runs)} runs failed."
    return text


def _one_model(result: Result, best: Run) -> str:
    assert best.makespan_s is not None
    text = (
        f"On {result.soc.name}, {best.model} takes {ranged_time(best.metrics)}"
        f" with {best.scheduler}"
    )
    others = [r for r in result.runs if r.makespan_s is not None]
    if len(others) > 1:
        text += f", the fastest of {len(others)} schedulers{_surely(result, best)}"
    parts = []
    for baseline in BASELINES:
        ratio = speedup(result, best, baseline)
        if ratio is not None and best.scheduler != baseline:
            alike = abs(ratio - 1.0) < 0.005
            words = "as fast as" if alike else f"{ratio:.2f}× the speed of"
            parts.append(f"{words} {baseline}")
            break
    if best.gap is not None:
        parts.append(f"{gap_text(best)} above the proven lower bound")
    return text + "".join(f", {part}" for part in parts) + "."


def _surely(result: Result, best: Run) -> str:
    """How sure that is beside the closest other plan, in a clause."""
    alike = winners(result, best.model)
    others = [
        run for run in result.runs
        if run.model == best.model and run.makespan_s is not None and run.scheduler not in alike
    ]  # fmt: skip
    closest = min(others, key=lambda run: run.makespan_s or 0.0, default=None)
    sure = None if closest is None else best.faster_than(closest)
    if closest is None or sure is None:
        return ""
    return f" (faster than {closest.scheduler} with a probability of {chance_text(sure)})"


def time_shares(run: Run, least: float = 0.005) -> str:
    """What a makespan consists of along the critical path, largest first: ``71% compute, ...``.

    Parts below ``least`` (a share) are left out; empty when nothing is known.
    """
    total = run.makespan_s or 0.0
    shares = [(time / total, PARTS[part].label) for part, time in run.attribution.items() if total]
    told = sorted(((s, label) for s, label in shares if s >= least), reverse=True)
    return ", ".join(
        f"{share:.0%} {label}" if share >= 0.095 else f"{share:.1%} {label}"
        for share, label in told
    )


def _many(result: Result, best: Mapping[str, Run]) -> str:
    wins: dict[str, int] = {}
    for model in best:
        for label in winners(result, model):
            wins[label] = wins.get(label, 0) + 1
    most = max(wins.values())
    champions = [label for label, count in wins.items() if count == most]
    verb = "is" if len(champions) == 1 else "are"
    text = (
        f"On {result.soc.name}, {_listed(champions)} {verb} fastest (or equal) on {most} of"
        f" {len(best)} networks"
    )
    for baseline in BASELINES:
        ratios = [
            ratio
            for run in result.runs
            if run.scheduler == champions[0]
            and (ratio := speedup(result, run, baseline)) is not None
        ]
        if baseline not in champions and ratios:
            mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
            return f"{text}, with a geometric mean of {mean:.2f}× the speed of {baseline}."
    return text + "."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def winners(result: Result, model: str) -> list[str]:
    """Labels of all runs as fast as the best, to one part in a million."""
    best = best_run(result, model)
    if best is None or best.makespan_s is None:
        return []
    limit = best.makespan_s * (1 + 1e-6)
    return [
        r.scheduler
        for r in result.runs
        if r.model == model and r.makespan_s is not None and r.makespan_s <= limit
    ]


@dataclass(frozen=True, slots=True)
class PublishedFigure:
    """A published improvement beside the simulated one, in percent; ``None`` if a run is missing.

    ``ours`` is (baseline / makespan − 1)·100, the reading as a speed-up; ``ours_saved`` is
    (1 − makespan / baseline)·100, the reading as a share of time saved. ``band`` are the least and
    the most that ``ours`` becomes over ``settings`` combinations of what nobody measured.
    """

    model: str
    scheduler: str
    baseline: str
    published: float
    ours: float | None
    ours_saved: float | None
    band: tuple[float, float] | None = None
    settings: int = 0


def band_note(result: Result) -> str:
    """What the bands of published figures are over, as a sentence; nothing without bands."""
    unmeasured = result.reference.get("unmeasured", ())
    assert isinstance(unmeasured, Sequence)
    settings = max((figure.settings for figure in published_figures(result)), default=0)
    if not settings:
        return ""
    return (
        f"Band: the least and the most of simulated over {settings} combinations of what nobody"
        f" measured: {'; '.join(map(str, unmeasured))}."
    )


def published_figures(result: Result) -> tuple[PublishedFigure, ...]:
    """The figures of ``result.reference`` with ours computed from the runs."""
    figures = result.reference.get("figures", ())
    assert isinstance(figures, Sequence)
    rows = []
    for figure in figures:
        model, scheduler, base = (str(figure[k]) for k in ("model", "scheduler", "baseline"))
        run = result.find(model, scheduler)
        ratio = speedup(result, run, base) if run is not None else None
        band = figure.get("band")
        rows.append(
            PublishedFigure(
                model,
                scheduler,
                base,
                float(figure["improvement_percent"]),
                None if ratio is None else (ratio - 1.0) * 100.0,
                None if ratio is None else (1.0 - 1.0 / ratio) * 100.0,
                None if band is None else (float(band[0]), float(band[1])),
                int(figure.get("settings", 0)),
            )
        )
    return tuple(rows)
