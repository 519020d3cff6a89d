"""Quantiles, intervals, warm-up and queues beside what is known of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hetsim.analysis.metrics.base import ServedEvaluation
from hetsim.analysis.metrics.registry import measured
from hetsim.analysis.serving.confidence import Sample
from hetsim.analysis.serving.queues import integral, most, steps
from hetsim.analysis.serving.view import StreamView
from hetsim.analysis.serving.warmup import WarmUp, mser, warm_up
from hetsim.sim.serving.accounts import ByStream
from hetsim.sim.serving.served import DONE, DROPPED, Ledger, Served
from hetsim.sim.trace import Trace
from hetsim.streams.arrivals.periodic import Periodic
from hetsim.streams.service import Stream
from tests.sim.samples import make_soc


def numbers(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).exponential(size=count)


def autoregressive(seed: int, count: int, memory: float) -> np.ndarray:
    """A normal series of mean 0 and variance 1 that forgets by ``memory`` each step."""
    from scipy.signal import lfilter

    noise = np.random.default_rng(seed).normal(size=count) * math.sqrt(1 - memory**2)
    noise[0] /= math.sqrt(1 - memory**2)
    return lfilter([1.0], [1.0, -memory], noise)


def test_a_quantile_is_the_least_value_that_so_many_do_not_exceed() -> None:
    hundred = Sample(np.random.default_rng(1).permutation(np.arange(1.0, 101.0)))
    found = [hundred.quantile(share) for share in (0.5, 0.9, 0.99, 0.999, 1.0)]
    assert found == [50, 90, 99, 100, 100]
    thousand = Sample(np.arange(1.0, 1001.0))
    assert thousand.quantile(0.999) == 999  # 0.999 * 1000 is not 999 in floats
    assert Sample(np.array([])).quantile(0.5) is None
    assert Sample(np.array([7.0])).quantile(0.01) == 7.0


@pytest.mark.slow
def test_intervals_of_independent_draws_are_those_of_the_binomial() -> None:
    """David & Nagaraja's median of 100: the 40th and the 61st."""
    spread = np.random.default_rng(1).permutation(np.arange(1.0, 101.0))
    low, high = Sample(spread).quantile_interval(0.5)
    assert 30 < low <= 40
    assert 61 <= high < 70
    assert Sample(spread).quantile_interval(0.99)[1] is None  # nobody knows how much more it may be
    assert Sample(spread[:39]).quantile_interval(0.5) == (None, None)


@pytest.mark.slow
@pytest.mark.parametrize("memory", [0.0, 0.95])
def test_intervals_hold_the_truth_as_often_as_they_say(memory: float) -> None:
    """Of 200 series, with memory or not: 95 % give or take what 200 draws allow (99.9 %)."""
    from scipy.stats import norm

    held = dict.fromkeys((0.5, 0.9, 0.99), 0)
    means = 0
    for seed in range(200):
        sample = Sample(autoregressive(seed, 4000, memory))
        for share in held:
            low, high = sample.quantile_interval(share)
            held[share] += (low or -9) <= norm.ppf(share) <= (high or 9)
        low, high = sample.mean_interval()
        means += low <= 0.0 <= high
    assert min(*held.values(), means) >= 0.95 * 200 - 3.3 * math.sqrt(200 * 0.95 * 0.05)


def test_who_takes_a_series_with_memory_for_independent_is_too_sure() -> None:
    """The same interval without memory is far narrower: batch means are what widens it."""
    width = [np.diff(Sample(autoregressive(3, 4000, m)).mean_interval()) for m in (0.0, 0.95)]
    assert width[1] > 3 * width[0]


def test_mser_leaves_out_a_beginning_and_nothing_else() -> None:
    steady = autoregressive(5, 2000, 0.0)
    assert mser(steady)[0] < 500
    assert mser(np.full(200, 0.1)) == (0, True)
    begun = steady + np.where(np.arange(2000) < 300, 8.0, 0.0)
    first, settled = mser(begun)
    assert settled
    assert 300 <= first < 800
    assert mser(np.arange(2000.0))[1] is False  # it rises to the end
    assert mser(np.arange(49.0)) == (0, True)
    # What it minimises, computed as it is written down.
    batches = begun.reshape(-1, 5).mean(axis=1)
    errors = [batches[d:].var() / (len(batches) - d) for d in range(len(batches) // 2 + 1)]
    assert first == 5 * int(np.argmin(errors))


def filled(rows: list[tuple[float, float, float, int]], deadline_s: float = math.inf) -> Ledger:
    ledger = Ledger()
    for number, row in enumerate(rows):
        ledger.add(number, *row, deadline=row[0] + deadline_s)
    return ledger


def test_warm_up_is_the_latest_of_the_streams() -> None:
    rows = [(float(i), float(i), i + (9.0 if i < 100 else 1.0 + i % 2), DONE) for i in range(600)]
    early, late = filled(rows), filled([(a + 50, s + 50, f + 50, d) for a, s, f, d in rows])
    assert warm_up("mser", [early]) == WarmUp(100.0)
    assert warm_up("mser", [early, late]) == WarmUp(150.0)
    assert warm_up(3.5, [early, late]) == WarmUp(3.5)


def test_queues_are_counted_from_arrival_to_beginning() -> None:
    arrival, start = np.array([0.0, 1.0, 2.0, 2.0, 5.0]), np.array([0.0, 3.0, 4.0, 5.0, 6.0])
    times, waiting = steps(arrival, start)
    assert [*zip(times, waiting, strict=True)] == [
        (1, 1), (2, 2), (2, 3), (3, 2), (4, 1), (5, 0), (5, 1), (6, 0)
    ]  # fmt: skip
    assert most(arrival, start) == 3
    assert most(arrival, start, 3.5) == 2
    assert integral(arrival, start, 0.0, 6.0) == 2 + 2 + 3 + 1
    assert integral(arrival, start, 2.5, 4.5) == 0.5 + 1.5 + 2.0


def test_the_integral_of_the_number_is_the_sum_of_the_times() -> None:
    arrival = np.cumsum(numbers(1, 10_000))
    end = arrival + numbers(2, 10_000)
    times, number = steps(arrival, end)
    area = float((np.diff(times) * number[:-1]).sum())
    assert area == pytest.approx(integral(arrival, end, 0.0, 2e4), rel=1e-11)
    assert area == pytest.approx((end - arrival).sum(), rel=1e-11)


def nobody(*streams: str) -> ByStream:
    """No unit and no link, and nobody waited."""
    count = len(streams)
    none = np.zeros((0, count))
    return ByStream(streams, (), (), none, none, np.zeros((count, count)), np.zeros(count))


def evaluation(rows: list[tuple[float, float, float, int]], warm: float = 0.0) -> ServedEvaluation:
    stream = Stream("s", "m", Periodic(kind="periodic", period="1 s"), deadline_s=3.0)
    ledger = filled(rows, stream.deadline_s)
    end = max(row[2] for row in rows)
    trace = Trace(end, {"cpu": end / 4}, {})
    view = StreamView(stream, ledger, warm, end)
    served = Served({"s": ledger}, end, trace, by_stream=nobody("s"))
    return ServedEvaluation(make_soc(), (view,), served, whole=True)


def test_metrics_of_a_stream_by_hand() -> None:
    found = measured(evaluation([
        (0.0, 0.0, 8.0, DONE), (2.0, 8.0, 9.0, DONE), (3.0, 4.0, 4.0, DROPPED),
        (5.0, 9.0, 10.0, DONE), (8.0, 10.0, 12.0, DONE),
    ], warm=1.0))  # fmt: skip
    assert found["latency_mean_s"] == pytest.approx((7 + 5 + 4) / 3)
    assert (found["latency_p50_s"], found["latency_max_s"]) == (5, 7)
    assert found["latency_p50_low_s"] is found["latency_mean_high_s"] is None
    assert found["jitter_s"] == 3
    assert (found["misses"], found["dropped"]) == (4, 1)
    assert found["miss_rate"] == 1.0
    assert found["throughput"] == pytest.approx(4 / 11)  # one had arrived before
    assert found["offered"] == pytest.approx(4 / 11)
    assert found["queue_mean"] == pytest.approx((6 + 1 + 4 + 2) / 11)
    assert found["queue_max"] == 2
    assert found["busiest"] == 0.25


def test_a_million_latencies_are_measured_at_once() -> None:
    """All statistics look at every inference: a single long one among a million is the longest."""
    arrival = np.arange(1e6)
    latency = numbers(4, 10**6)
    latency[123_456] = 99.0
    ledger = Ledger()
    for name, column in (("arrival", arrival), ("start", arrival), ("finish", arrival + latency),
                         ("deadline", np.full(10**6, math.inf))):  # fmt: skip
        getattr(ledger, f"_{name}").frombytes(column.tobytes())
    ledger._status.frombytes(bytes(10**6))
    stream = Stream("s", "m", Periodic(kind="periodic", period="1 s"))
    view = StreamView(stream, ledger, 0.0, 1e6)
    served = Served({"s": ledger}, 1e6, Trace(1e6, {}, {}), by_stream=nobody("s"))
    found = measured(ServedEvaluation(make_soc(), (view,), served, whole=True))
    assert found["latency_max_s"] == pytest.approx(99.0, abs=1e-9)
    for share, name in ((0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p999")):
        low, high = found[f"latency_{name}_low_s"], found[f"latency_{name}_high_s"]
        assert 0.99 * low < -math.log(1 - share) < 1.01 * high  # the share they hold: see above
        assert high - low < 0.2


def test_no_end_of_an_interval_of_latencies_is_negative() -> None:
    """A single long one among short ones makes an interval wide, not latencies negative."""
    rows = [(float(i), float(i), i + (30.0 if i == 59 else 0.001), DONE) for i in range(60)]
    found = measured(evaluation(rows))
    assert found["latency_mean_low_s"] == 0.0
    assert found["latency_mean_s"] < found["latency_mean_high_s"]
