"""Closed loops: clients that wait for their answer before they ask again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import numpy as np
from pydantic import Field

from hetsim.soc.fields import Count, Time
from hetsim.streams.arrivals.base import Arrivals


class Closed(Arrivals):
    """``clients`` that each ask at ``offset`` and again ``think`` after each answer.

    What was given up is an answer as well: its client thinks and asks again.
    """

    kind: Literal["closed"]
    clients: Count = Field(default=1, description="inferences asked for at once")
    think: Time = Field(default=0.0, description="from an answer to the next question")
    distribution: Literal["constant", "exponential"] = Field(
        default="constant", description="of the times to think; 'think' is their mean"
    )
    offset: Time = Field(default=0.0, description="of the first questions")

    def times(self, random: np.random.Generator) -> Iterator[float]:
        return iter([self.offset] * self.clients)

    def follows(self, own: str) -> tuple[str, ...]:
        return (own,)

    def caused(
        self, finish: float, random: np.random.Generator, *, done: bool = True
    ) -> Iterable[float]:
        drawn = self.distribution == "exponential" and self.think > 0.0
        return (finish + (random.exponential(self.think) if drawn else self.think),)

    def separation_s(self, count: int) -> float:
        if self.distribution == "exponential":
            return 0.0
        return count // self.clients * self.think
