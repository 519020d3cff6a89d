"""Latencies of many inferences: quantiles, the mean, and how sure of them one can be.

One that waits makes the next one wait, so latencies in a queue are no independent draws, and an
interval that takes them for such is too narrow. Here both are done and the wider one is told:

* as if independent: a quantile lies between order statistics by the binomial distribution (David &
  Nagaraja, *Order Statistics*, 3rd ed., section 7.1), a mean within Student's interval;
* by batch means (Schmeiser, "Batch size effects in the analysis of simulation output", Operations
  Research 30, 1982): the series is cut into :data:`BATCHES` stretches, and their means are the
  draws. For a quantile it is the share of values up to it whose mean is so bounded, and the order
  statistics at both ends of that are told (Woodruff, "Confidence intervals for medians and other
  position measures", JASA 47, 1952).

Where a single stretch is too short to forget how it began, neither helps; a longer run does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hetsim.numeric import Floats

LEVEL = 0.95
"""Of the intervals: so often they hold the value of an endless run."""

BATCHES = 20
"""Between the 10 and 30 that Schmeiser recommends."""

LEAST = 2 * BATCHES
"""Fewer values than these have no interval."""

Interval = tuple[float | None, float | None]
"""Both ends; ``None`` where so few values say nothing about that side."""

NOTHING: Interval = (None, None)


@dataclass(frozen=True, eq=False)
class Sample:
    """Values in the order in which they came about; shape (n,)."""

    values: Floats

    @cached_property
    def ranked(self) -> Floats:
        """From the least to the greatest."""
        return np.sort(self.values)

    def __len__(self) -> int:
        return len(self.values)

    def quantile(self, share: float) -> float | None:
        """The least value that at least this share of them does not exceed."""
        count = len(self)
        return float(self.ranked[max(_rank(share, count), 1) - 1]) if count else None

    def quantile_interval(self, share: float, level: float = LEVEL) -> Interval:
        """Where the quantile of an endless run lies, at ``level``."""
        from scipy.stats import binom

        count, value = len(self), self.quantile(share)
        if value is None or count < LEAST:
            return NOTHING
        low, high = binom.ppf([(1.0 - level) / 2.0, (1.0 + level) / 2.0], count, share)
        half = _half_width(self.values <= value, level)
        first = min(int(low), math.floor(count * (share - half)))
        last = max(int(high) + 1, math.ceil(count * (share + half)) + 1)
        ranked = self.ranked
        return (
            float(ranked[first - 1]) if first >= 1 else None,
            float(ranked[last - 1]) if last <= count else None,
        )

    def mean(self) -> float | None:
        """The arithmetic mean."""
        return float(self.values.mean()) if len(self) else None

    def mean_interval(self, level: float = LEVEL) -> Interval:
        """Where the mean of an endless run lies, at ``level``."""
        mean = self.mean()
        if mean is None or len(self) < LEAST:
            return NOTHING
        half = _half_width(self.values, level)
        return mean - half, mean + half


def _rank(share: float, count: int) -> int:
    """``share`` of ``count``, rounded up but for the rounding of floats."""
    return math.ceil(round(share * count, 6))


def _half_width(series: Floats | np.ndarray, level: float = LEVEL) -> float:
    """Half of the interval of a series' mean: the wider of both, at least :data:`LEAST` long."""
    from scipy.stats import t

    count = len(series)
    size = count // BATCHES
    batches = series[count - size * BATCHES :].reshape(BATCHES, size).mean(axis=1)
    inside = (1.0 + level) / 2.0
    correlated = t.ppf(inside, BATCHES - 1) * batches.std(ddof=1) / math.sqrt(BATCHES)
    independent = t.ppf(inside, count - 1) * series.std(ddof=1) / math.sqrt(count)
    return float(max(correlated, independent))
