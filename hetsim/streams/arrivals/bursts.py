"""Bursts: several arrivals in quick succession, then a rest, such as batches of frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from hetsim.soc.fields import Count, Time, located
from hetsim.streams.arrivals.base import Arrivals
from hetsim.streams.fields import Period


class Bursts(Arrivals):
    """Bursts of ``size`` arrivals ``gap`` apart, one each ``period``.

    With ``between: exponential`` the rest from the last arrival of a burst to the first of the next
    is drawn from an exponential distribution, and ``period`` is the mean from burst to burst.
    """

    kind: Literal["bursts"]
    period: Period = Field(description="from burst to burst; '2 Hz' is a period, too")
    size: Count = Field(description="arrivals of a burst")
    gap: Time = Field(default=0.0, description="from one arrival of a burst to the next")
    offset: Time = Field(default=0.0, description="of the first burst")
    between: Literal["constant", "exponential"] = Field(
        default="constant", description="how the rest between two bursts is distributed"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.size * self.gap > self.period:
            message = f"{self.size} arrivals {self.gap:g} s apart take longer than the period"
            raise located("bursts", ("gap",), message, self.gap)
        return self

    @property
    def _rest(self) -> float:
        return self.period - (self.size - 1) * self.gap

    def times(self, random: np.random.Generator) -> Iterator[float]:
        first, k = self.offset, 0
        while True:
            for i in range(self.size):
                yield first + i * self.gap
            if self.between == "constant":
                k += 1
                first = self.offset + k * self.period
            else:
                first += (self.size - 1) * self.gap + random.exponential(self._rest)

    @property
    def rate(self) -> float:
        return self.size / self.period

    def separation_s(self, count: int) -> float:
        if self.between == "constant":  # a rest is no shorter than a gap: the fewest rests
            rests = count // self.size
            return rests * self._rest + (count - rests) * self.gap
        # A rest may be as short as one likes: from the last of a burst on there are most.
        return (count - (self.size - 1 + count) // self.size) * self.gap
