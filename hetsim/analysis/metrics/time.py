"""How long an inference takes, and how long it could."""

from __future__ import annotations

from collections.abc import Callable

from hetsim.analysis.metrics.base import Evaluation, Metric
from hetsim.soc.uncertainty import LEVEL


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


def _end(side: int) -> Callable[[Evaluation], float | None]:
    def read(run: Evaluation) -> float | None:
        ends = run.range.ends(run.trace.makespan_s)
        return None if ends is None else ends[side]

    return read


MAKESPAN_LOW = Metric(
    "makespan_low", "low end of the time per inference",
    f"{LEVEL:.0%} of what is measured lies between this and makespan_high",
    of=_end(0),
    dimension="time", stands="front", audience="programs",
    state_it="state the uncertainty of its units in the SoC file",
)  # fmt: skip

MAKESPAN_HIGH = Metric(
    "makespan_high", "high end of the time per inference",
    f"{LEVEL:.0%} of what is measured lies between makespan_low and this",
    of=_end(1),
    dimension="time", better="less", stands="front", audience="programs",
    state_it="state the uncertainty of its units in the SoC file",
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

METRICS = (MAKESPAN, MAKESPAN_LOW, MAKESPAN_HIGH, PREDICTED, LOWER_BOUND, GAP, CONTENTION_FREE)
