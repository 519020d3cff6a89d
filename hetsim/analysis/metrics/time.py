"""How long an inference takes, and how long it could."""

from __future__ import annotations

from hetsim.analysis.metrics.base import Evaluation, Metric


def _lower_bound(run: Evaluation) -> float | None:
    return max((bound.seconds for bound in run.bounds), default=None)


def _gap(run: Evaluation) -> float | None:
    bound = _lower_bound(run)
    return run.trace.makespan_s / bound - 1.0 if bound else None


MAKESPAN = Metric(
    "makespan", "time per inference", "simulated",
    of=lambda run: run.trace.makespan_s,
    dimension="time", better="less", aliases=("latency",), heading="simulated", stands="front",
)  # fmt: skip

PREDICTED = Metric(
    "predicted", "predicted time", "what the scheduler expected",
    of=lambda run: run.plan.predicted_s,
    dimension="time", stands="front",
)  # fmt: skip

LOWER_BOUND = Metric(
    "lower_bound", "proven lower bound", "the best of the bounds",
    of=_lower_bound,
    dimension="time", heading="bound", stands="front",
)  # fmt: skip

GAP = Metric(
    "gap", "gap to bound", "makespan / bound - 1",
    of=_gap,
    unit="share", better="less", stands="front",
)  # fmt: skip

CONTENTION_FREE = Metric(
    "contention_free", "time without contention",
    "makespan of the same plan when no transfer disturbs another",
    of=lambda run: run.undisturbed.makespan_s,
    dimension="time", audience="record",
)  # fmt: skip

METRICS = (MAKESPAN, PREDICTED, LOWER_BOUND, GAP, CONTENTION_FREE)
