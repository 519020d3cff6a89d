"""What the reports say about streams: the best run, headlines, confidence, what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, inf, log10

from hetsim.analysis.metrics.base import Metric, Metrics, named
from hetsim.analysis.metrics.registry import metrics as every_metric
from hetsim.analysis.metrics.registry import told
from hetsim.analysis.serving.confidence import LEVEL
from hetsim.analysis.serving.result import ServedResult, ServedRun, StreamRun
from hetsim.bounds.response.streams import UNPROVEN
from hetsim.report.summary import metric_text, share_text, tidy_time, time_unit

CONFIDENCE = f"{LEVEL:.0%}".replace("%", " %")
"""How often a confidence interval holds what it is about."""

MAIN = (
    "latency_mean", "latency_p50", "latency_p99", "latency_max", "response_bound", "misses",
    "miss_rate", "throughput",
)  # fmt: skip
"""What the first table of a run tells of each stream; the others follow in further tables."""

_NAMED = 3
"""So many streams are told one by one in a headline."""


def metric(name: str) -> Metric:
    """The metric called ``name``; ``StopIteration`` when there is none."""
    return next(found for found in every_metric() if found.name == name)


def interval(about: Metric, values: Metrics) -> tuple[float, float] | None:
    """The ends of the confidence interval of ``about``; ``None`` where there is none to tell.

    That is also so where both are the value, to four digits. They stand among the other metrics:
    those of ``latency_p99_s`` in ``latency_p99_low_s`` and ``latency_p99_high_s``.
    """
    unit = next(iter(about.units))
    low, high = (values.get(named(f"{about.name}_{end}", unit)) for end in ("low", "high"))
    if low is None or high is None or high - low <= 1e-4 * high:
        return None
    return low, high


def with_interval(about: Metric, values: Metrics, *, level: bool = True) -> str:
    """A value with its interval: ``31.2 ms (30.8–31.9, 95 %)``; without one, the value.

    ``level`` says whether the confidence is told with it.
    """
    value, ends = values.get(about.column), interval(about, values)
    text = metric_text(about, value)
    if value is None or ends is None:
        return text
    factor = time_unit(value)[1] if about.dimension == "time" else 1.0
    said = interval_text(*ends, factor)
    return f"{text} ({said}, {CONFIDENCE})" if level else f"{text} ({said})"


def interval_text(low: float, high: float, factor: float = 1.0) -> str:
    """The ends in a unit of ``factor``, to two digits of what lies between them: ``30.8–31.9``."""
    wide = max(high - low, 1e-3 * high) / factor  # what is closer is the same to any reader
    digits = 1 - floor(log10(wide)) if wide > 0.0 else 3
    if digits <= 0:
        return "–".join(f"{end / factor:,.0f}" for end in (low, high))
    return "–".join(f"{end / factor:.{min(digits, 6)}f}" for end in (low, high))


def told_of_streams(columns: Sequence[str] = ()) -> tuple[Metric, ...]:
    """What people are told of streams, the main figures first; ``columns`` are found in results."""
    chosen = [found for found in told(also=columns, served=True) if not found.of_the_soc]
    main = [found for name in MAIN for found in chosen if found.name == name]
    return (*main, *(found for found in chosen if found.name not in MAIN))


def done(result: ServedResult) -> tuple[ServedRun, ...]:
    """The runs that did not fail."""
    return tuple(run for run in result.runs if run.error is None)


def best_served(result: ServedResult) -> ServedRun | None:
    """The run that misses the least of all that arrived; among equals that of the least p99."""
    return min(done(result), key=lambda run: run.merit or (0.0, inf), default=None)


def headline_of(result: ServedResult) -> str:
    """The result in one sentence or two."""
    best = best_served(result)
    if best is None:
        return f"No run of {result.scenario} on {result.soc.name} succeeded."
    clauses = [stream_text(found) for found in _most_telling(best)]
    more = len(best.streams) - len(clauses)
    if more > 0:
        clauses.append(f"{more} more {'stream' if more == 1 else 'streams'} in the table")
    text = f"On {result.soc.name} with {best.label}, {'; '.join(clauses)}."
    if others := _others(result, best):
        text += f" {others}."
    if failed := len(result.failed):
        text += f" {failed} of {len(result.runs)} runs failed."
    if best.served is not None and best.served.stopped:
        text += f" The run was stopped: {best.served.stopped}."
    return text


def _most_telling(run: ServedRun) -> list[StreamRun]:
    """Streams with deadlines before others; of these the most urgent first."""
    order = sorted(
        run.streams, key=lambda found: (found.stream.deadline_s == inf, -found.stream.priority)
    )
    return order[:_NAMED]


def stream_text(run: StreamRun) -> str:
    """Whether a stream keeps its deadline, in a clause."""
    name, deadline = run.stream.name, run.stream.deadline_s
    p99 = metric("latency_p99")
    if run.metrics.get(p99.column) is None:
        return f"nothing of {name} ended"
    tail = f"p99 {with_interval(p99, run.metrics)}"
    if deadline == inf:
        return f"{name} ends within {with_interval(p99, run.metrics)} in 99 of 100 cases"
    misses, rate = run.metrics.get("misses") or 0.0, run.metrics.get("miss_rate") or 0.0
    if not misses:
        bound = run.worst.seconds
        proof = f", proven never above {tidy_time(bound)}" if bound and bound <= deadline else ""
        return f"{name} keeps its {tidy_time(deadline)}: {tail}, no miss{proof}"
    return f"{name} misses its {tidy_time(deadline)} in {share_text(rate)} of the cases: {tail}"


def _others(result: ServedResult, best: ServedRun) -> str:
    """How the best of the other runs does beside ``best``, and the worst; empty without any."""
    due = any(found.stream.deadline_s < inf for found in best.streams)
    about = metric("miss_rate") if due else metric("latency_p99")
    known = [run for run in done(result) if run.metrics.get(about.column) is not None]
    rest = sorted((run for run in known if run is not best),
                  key=lambda run: run.metrics[about.column] or 0.0)  # fmt: skip
    if not rest or best not in known:
        return ""
    what = "Of all that arrive it misses" if due else "Over all streams its p99 is"
    told = [
        f"{run.label} {metric_text(about, run.metrics[about.column])}"
        for run in (rest if len(rest) < 3 else (rest[0], rest[-1]))
    ]
    return f"{what} {metric_text(about, best.metrics[about.column])}, {', '.join(told)}"


def warm_up_text(result: ServedResult, run: ServedRun) -> str:
    """What is left out of the statistics of a run and by which rule, as a sentence."""
    mser = result.service.warm_up == "mser"
    if not run.settled:
        return (
            "The MSER rule finds no moment from which on latencies are settled: the run is too"
            " short, or its load too high."
        )
    if run.warm_up_s == 0.0:
        why = "so says the MSER rule" if mser else "no warm-up is set"
        return f"Nothing is left out at the start: {why}."
    rule = "the MSER rule" if mser else "a fixed time"
    return f"Arrivals of the first {tidy_time(run.warm_up_s)} are in no figure (warm-up, {rule})."


def unproven(run: ServedRun) -> list[str]:
    """Why the worst case of streams is not proven, as sentences."""
    reasons: dict[str, list[str]] = {}
    for found in run.streams:
        if found.worst.seconds is None and found.worst != UNPROVEN:
            reasons.setdefault(found.worst.why, []).append(found.stream.name)
    return [f"No worst case of {', '.join(names)} is proven: {why}."
            for why, names in reasons.items()]  # fmt: skip


def notes_of(result: ServedResult) -> list[str]:
    """Everything people must know to read the figures, as sentences."""
    runs = done(result)
    notes = list(dict.fromkeys(warm_up_text(result, run) for run in runs))
    if len(notes) > 1:
        notes = [f"{run.label}: {warm_up_text(result, run)}" for run in runs]
    for run in runs:
        if run.served is not None and run.served.stopped:
            notes.append(f"{run.label} was stopped: {run.served.stopped}.")
    return [*notes, *result.notes]


def busy_shares(run: ServedRun) -> dict[str, float]:
    """The share of the simulated time that each unit ran kernels, by its name."""
    if run.served is None or run.served.end_s <= 0.0:
        return {}
    return {name: busy / run.served.end_s for name, busy in run.served.unit_busy_s.items()}
