"""How many inferences arrive at most in so much time.

Everything here counts in whole picoseconds, so that sums are exact and two moments that are the
same are equal. Costs are rounded up and separations down: a bound stays a bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

TICKS = 10**12
"""Per second."""

_NOISE = 0.01
"""Of a tick: what lies this near to a whole one was meant to be it."""

ENDLESS = 2**62
"""More arrivals than any bound survives."""

_NEVER = 2**120
"""Ticks to an arrival that does not come: a file of arrivals has a last one."""

_MANY = 2**20
"""Arrivals that are enough to tell the long run."""

Separation = Callable[[int], float]
"""The least time, in seconds, that n + 1 successive arrivals span; never decreasing in n."""


def up(seconds: float) -> int:
    """Ticks that are not less."""
    return math.ceil(seconds * TICKS - _NOISE)


def down(seconds: float) -> int:
    """Ticks that are not more; of arrivals that never come as many as no interval has."""
    return _NEVER if seconds == math.inf else math.floor(seconds * TICKS + _NOISE)


@dataclass(frozen=True)
class Curve:
    """An arrival curve: successive arrivals, each delayed by up to ``jitter`` ticks."""

    separation: Separation
    jitter: int = 0

    def span(self, further: int) -> int:
        """The least ticks between an arrival and the one ``further`` later."""
        return max(0, down(self.separation(further)) - self.jitter) if further else 0

    def within(self, length: int) -> int:
        """The most arrivals in a closed interval of ``length`` ticks; :data:`ENDLESS` if any."""
        return self._count(length)

    def before(self, length: int) -> int:
        """The most arrivals in an interval of ``length`` ticks that is open at its end."""
        return self._count(length - 1) if length > 0 else 0

    @property
    def unbounded(self) -> bool:
        """Whether any number may arrive at once, as far as is known."""
        return not self.span(_MANY)

    def load(self, cost: int) -> float:
        """The share of a unit that ``cost`` ticks for each arrival take in the long run."""
        span = self.span(_MANY)
        return cost * _MANY / span if span else math.inf

    def delayed(self, jitter: int) -> Curve:
        """The curve of the same arrivals, delayed by up to ``jitter`` ticks more."""
        return Curve(self.separation, self.jitter + jitter)

    def _count(self, length: int) -> int:
        """One, and how many further ones come no later than ``length`` after it."""
        low = max(0, length // self._apart - 1)
        if self.span(low) > length:
            low = 0
        reach = 2
        while self.span(low + reach) <= length:
            low += reach
            reach *= 2
            if low >= ENDLESS:
                return ENDLESS
        high = low + reach
        while high - low > 1:
            middle = (low + high) // 2
            if self.span(middle) <= length:
                low = middle
            else:
                high = middle
        return low + 1

    @cached_property
    def _apart(self) -> int:
        """About how many ticks are between two, in the long run: where to begin to count."""
        return max(1, self.span(1024) // 1024)


def periodic(period_s: float) -> Separation:
    """Arrivals that are at least ``period_s`` seconds apart."""
    return lambda further: further * period_s
