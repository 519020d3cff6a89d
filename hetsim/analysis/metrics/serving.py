"""How long streams of inferences wait, how many are late, and how many get through."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hetsim.analysis.metrics.base import Metric, ServedEvaluation
from hetsim.analysis.serving.view import Floats


def _latencies(run: ServedEvaluation) -> Floats:
    return np.concatenate([view.latencies for view in run.views])


def _percentile(share: float) -> Callable[[ServedEvaluation], float | None]:
    def of(run: ServedEvaluation) -> float | None:
        found = _latencies(run)
        # The smallest latency that at least this share of them does not exceed.
        return float(np.quantile(found, share, method="inverted_cdf")) if len(found) else None

    return of


def _mean(run: ServedEvaluation) -> float | None:
    found = _latencies(run)
    return float(found.mean()) if len(found) else None


def _throughput(run: ServedEvaluation) -> float | None:
    window = max(view.window_s for view in run.views)
    return len(_latencies(run)) / window if window > 0.0 else None


def _miss_rate(run: ServedEvaluation) -> float | None:
    arrived = sum(view.arrived for view in run.views)
    return sum(view.misses for view in run.views) / arrived if arrived else None


_PERCENTILES = tuple(
    Metric(
        f"latency_{name}", f"{name} latency", f"time from arrival to end, {about}",
        of_served=_percentile(share), dimension="time", better="less", stands="front",
        heading=name,
    )
    for name, about, share in (
        ("p50", "median", 0.5), ("p90", "90th percentile", 0.9), ("p99", "99th percentile", 0.99),
        ("p999", "99.9th percentile", 0.999), ("max", "the longest", 1.0),
    )
)  # fmt: skip

METRICS = (
    Metric(
        "latency_mean", "mean latency", "time from arrival to end, mean",
        of_served=_mean, dimension="time", better="less", stands="front", heading="mean",
    ),
    *_PERCENTILES,
    Metric(
        "throughput", "throughput", "inferences that ended, per second",
        of_served=_throughput, unit="1/s", better="more", joint="sum",
    ),
    Metric(
        "misses", "missed deadlines", "inferences that ended late or were given up",
        of_served=lambda run: float(sum(view.misses for view in run.views)),
        unit="count", better="less", joint="sum",
    ),
    Metric(
        "miss_rate", "share of missed deadlines", "of the inferences that arrived",
        of_served=_miss_rate, unit="share", better="less",
    ),
    Metric(
        "dropped", "dropped inferences", "inferences that were given up before they began",
        of_served=lambda run: float(sum(view.dropped for view in run.views)),
        unit="count", better="less", joint="sum",
    ),
)  # fmt: skip
