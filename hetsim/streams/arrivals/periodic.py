"""Periodic arrivals with offset and jitter: a camera, a microphone, a control loop."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Literal

import numpy as np
from pydantic import Field

from hetsim.soc.fields import Time
from hetsim.streams.arrivals.base import Arrivals
from hetsim.streams.fields import Period


class Periodic(Arrivals):
    """Arrival k is released at ``offset`` + k ``period`` and arrives up to ``jitter`` later.

    The delay is uniform between zero and ``jitter``, drawn anew for each.
    """

    kind: Literal["periodic"]
    period: Period = Field(description="from one release to the next; '30 Hz' is a period, too")
    offset: Time = Field(default=0.0, description="of the first release")
    jitter: Time = Field(default=0.0, description="the most that an arrival comes late")

    def times(self, random: np.random.Generator) -> Iterator[float]:
        last = 0.0
        for k in count():
            late = self.jitter * random.random() if self.jitter else 0.0
            last = max(last, self.offset + k * self.period + late)
            yield last

    def release(self, k: int, arrival: float) -> float:
        return self.offset + k * self.period

    @property
    def rate(self) -> float:
        return 1.0 / self.period

    def separation_s(self, count: int) -> float:
        return max(count * self.period - self.jitter, 0.0)
