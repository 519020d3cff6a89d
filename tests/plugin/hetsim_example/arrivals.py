"""An arrival process: two inferences after each other, as of a camera with two lenses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Literal

import numpy as np

from hetsim.soc.fields import Time
from hetsim.streams.arrivals.base import Arrivals
from hetsim.streams.fields import Period


class Pairs(Arrivals):
    """Two arrivals ``apart``, one pair each ``period``, which is the longer of the two times."""

    kind: Literal["pairs"]
    period: Period
    apart: Time = 0.0

    def times(self, random: np.random.Generator) -> Iterator[float]:
        for k in count():
            yield k * self.period
            yield k * self.period + self.apart

    @property
    def rate(self) -> float:
        """Arrivals per second."""
        return 2.0 / self.period

    def separation_s(self, count: int) -> float:
        """From the second of a pair on or from the first, whichever is nearer."""
        pairs, odd = divmod(count, 2)
        return pairs * self.period + odd * min(self.apart, self.period - self.apart)
