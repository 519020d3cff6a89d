"""After: inferences that the results of another stream ask for. Crops of a detector, a key word."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from hetsim.soc.fields import Count, Fraction, Time
from hetsim.streams.arrivals.base import Arrivals


class After(Arrivals):
    """Up to ``each`` inferences ``delay`` after each end of ``stream``.

    Each of them comes with ``probability``, whether or not the others do. What was given up causes
    nothing.
    """

    kind: Literal["after"]
    stream: Annotated[str, Field(min_length=1)] = Field(description="the name of another stream")
    probability: Fraction = Field(default=1.0, description="that an inference comes")
    delay: Time = Field(default=0.0, description="from that end to the arrival")
    each: Count = Field(default=1, description="inferences that one end may cause")

    def follows(self, own: str) -> tuple[str, ...]:
        return (self.stream,)

    def caused(
        self, finish: float, random: np.random.Generator, *, done: bool = True
    ) -> Iterable[float]:
        if not done:
            return ()
        count = self.each
        if self.probability < 1.0:
            count = int(random.binomial(self.each, self.probability))
        return (finish + self.delay,) * count

    @property
    def caused_per_end(self) -> float:
        return self.each * self.probability

    @property
    def most_per_end(self) -> int:
        return self.each

    @property
    def ends(self) -> bool:
        return True

    def separation_s(self, count: int) -> float:
        return 0.0
