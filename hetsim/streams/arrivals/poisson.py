"""Poisson arrivals: requests of many who know nothing of each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import Field

from hetsim.streams.arrivals.base import Arrivals
from hetsim.streams.fields import Period


class Poisson(Arrivals):
    """Independent arrivals, on average one per ``period``."""

    kind: Literal["poisson"]
    period: Period = Field(description="the mean time between two; '30 Hz' is a period, too")

    def times(self, random: np.random.Generator) -> Iterator[float]:
        now = 0.0
        while True:
            now += random.exponential(self.period)
            yield now

    @property
    def rate(self) -> float:
        return 1.0 / self.period
