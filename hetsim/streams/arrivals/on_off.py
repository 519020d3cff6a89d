"""On and off: a Poisson process that is interrupted; a person who talks and pauses.

The Markov-modulated Poisson process of two states of which one is silent (Fischer and
Meier-Hellstern, The Markov-modulated Poisson process (MMPP) cookbook, Performance Evaluation 18,
1993).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from hetsim.soc.fields import Quantity
from hetsim.streams.arrivals.base import Arrivals
from hetsim.streams.fields import Period

Mean = Annotated[float, Quantity("time")]


class OnOff(Arrivals):
    """Stretches with Poisson arrivals, one per ``period`` on average, and silence between them.

    They last ``active`` and ``silent`` on average; both are exponential. Whether it begins with the
    one or the other is drawn as well, as for one who looks at any moment.
    """

    kind: Literal["on_off"]
    period: Period = Field(
        description="mean time between two while active; '30 Hz' is a period, too"
    )
    active: Mean = Field(description="the mean length of a stretch with arrivals")
    silent: Mean = Field(description="the mean length of a silence")

    def times(self, random: np.random.Generator) -> Iterator[float]:
        now = 0.0
        if random.random() * (self.active + self.silent) >= self.active:
            now += random.exponential(self.silent)
        while True:
            end = now + random.exponential(self.active)
            now += random.exponential(self.period)
            while now < end:
                yield now
                now += random.exponential(self.period)
            # The process has no memory: what would have come after the end is forgotten.
            now = end + random.exponential(self.silent)

    @property
    def rate(self) -> float:
        return self.active / (self.active + self.silent) / self.period
