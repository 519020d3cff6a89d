"""How long streams of inferences wait, how many are late, and how many get through."""

from __future__ import annotations

from collections.abc import Callable

from hetsim.analysis.metrics.base import Metric, ServedEvaluation
from hetsim.analysis.serving.confidence import LEVEL, Sample
from hetsim.analysis.serving.queues import integral, most

Read = Callable[[ServedEvaluation], float | None]


def _quantile(share: float) -> Read:
    return lambda run: run.latencies.quantile(share)


def _end(of: Callable[[Sample], tuple[float | None, float | None]], side: int) -> Read:
    def read(run: ServedEvaluation) -> float | None:
        found = of(run.latencies)[side]
        return None if found is None else max(found, 0.0)  # nothing ends before it arrives

    return read


def _quantile_interval(share: float) -> Callable[[Sample], tuple[float | None, float | None]]:
    return lambda sample: sample.quantile_interval(share)


def _window_s(run: ServedEvaluation) -> float:
    low, high = run.window
    return high - low


def _throughput(run: ServedEvaluation) -> float | None:
    window = _window_s(run)
    return sum(view.ended for view in run.views) / window if window > 0.0 else None


def _offered(run: ServedEvaluation) -> float | None:
    window = _window_s(run)
    return sum(view.arrived for view in run.views) / window if window > 0.0 else None


def _miss_rate(run: ServedEvaluation) -> float | None:
    arrived = sum(view.arrived for view in run.views)
    return sum(view.misses for view in run.views) / arrived if arrived else None


def _queue_mean(run: ServedEvaluation) -> float | None:
    window = _window_s(run)
    return integral(*run.waits(), *run.window) / window if window > 0.0 else None


def _queue_max(run: ServedEvaluation) -> float:
    return float(most(*run.waits(), run.window[0]))


def _jitter(run: ServedEvaluation) -> float | None:
    found = [float(view.latencies.max() - view.latencies.min())
             for view in run.views if len(view.latencies)]  # fmt: skip
    return max(found, default=None)


def _utilisation(run: ServedEvaluation) -> float | None:
    if not run.whole or run.served.end_s <= 0.0:
        return None
    return max(run.served.unit_busy_s.values(), default=0.0) / run.served.end_s


_QUANTILES = (
    ("p50", "median", 0.5), ("p90", "90th percentile", 0.9), ("p99", "99th percentile", 0.99),
    ("p999", "99.9th percentile", 0.999),
)  # fmt: skip

_STATISTICS = (
    ("mean", "mean", lambda run: run.latencies.mean(), Sample.mean_interval),
    *((name, about, _quantile(share), _quantile_interval(share))
      for name, about, share in _QUANTILES),
)  # fmt: skip

_LATENCIES = tuple(
    Metric(
        f"latency_{name}", f"{about} latency", f"time from arrival to end, {about}",
        of_served=of, dimension="time", better="less", stands="front", heading=name,
    )
    for name, about, of, _ in _STATISTICS
)  # fmt: skip

_INTERVALS = tuple(
    Metric(
        f"latency_{name}_{end}", f"{end} end of the {about} latency",
        f"the {about} of an endless run lies between latency_{name}_low and latency_{name}_high"
        f" at {LEVEL:.0%} confidence",
        of_served=_end(interval, side), dimension="time", better="less", audience="programs",
    )
    for name, about, _, interval in _STATISTICS
    for side, end in enumerate(("low", "high"))
)  # fmt: skip

METRICS = (
    *_LATENCIES,
    Metric(
        "latency_max", "longest latency", "time from arrival to end, the longest",
        of_served=_quantile(1.0), dimension="time", better="less", stands="front", heading="max",
    ),
    *_INTERVALS,
    Metric(
        "response_bound", "proven worst latency",
        "no inference of the stream takes longer, whatever happens, as far as that is proven",
        of_served=lambda run: run.worst.seconds, dimension="time", better="less",
        heading="bound",
    ),
    Metric(
        "jitter", "jitter", "the longest less the shortest latency of a stream",
        of_served=_jitter, dimension="time", better="less",
    ),
    Metric(
        "throughput", "throughput", "inferences that ended, per second",
        of_served=_throughput, unit="1/s", better="more", joint="sum",
    ),
    Metric(
        "throughput_bound", "bound on the throughput",
        "no more can end per second by these plans: of a stream that has the SoC to itself, or of"
        " all together, of each no more than arrive",
        of_served=lambda run: None if run.limit is None else run.limit.per_second,
        unit="1/s", better="more", joint="sum", heading="at most",
    ),
    Metric(
        "offered", "offered load", "inferences that arrived, per second",
        of_served=_offered, unit="1/s", joint="sum",
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
    Metric(
        "queue_mean", "mean queue", "inferences that have arrived and not begun, mean over time",
        of_served=_queue_mean, unit="", better="less", joint="sum",
    ),
    Metric(
        "queue_max", "longest queue", "the most inferences that have arrived and not begun",
        of_served=_queue_max, unit="count", better="less",
    ),
    Metric(
        "busiest", "load of the busiest unit", "share of the time in which it ran kernels",
        of_served=_utilisation, unit="share", audience="programs",
    ),
)  # fmt: skip
