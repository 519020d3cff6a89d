"""The inferences of one stream that statistics are about."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hetsim.sim.serving.served import DONE, DROPPED, Ledger
from hetsim.streams.service import Stream

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class StreamView:
    """A stream and its ledger from ``warm_up_s`` on; seconds.

    Whatever arrived since is judged by its latency. Rates are counted until ``end_s``: the stated
    duration, if there is one. While the SoC only works off what is left, nothing is offered.
    """

    stream: Stream
    ledger: Ledger
    warm_up_s: float
    end_s: float

    @cached_property
    def counted(self) -> NDArray[np.bool_]:
        """Which rows of the ledger arrived after the warm-up; shape (n,)."""
        found: NDArray[np.bool_] = self.ledger.arrival >= self.warm_up_s
        return found

    @cached_property
    def done(self) -> NDArray[np.bool_]:
        """Which of them ran to their end."""
        found: NDArray[np.bool_] = self.counted & (self.ledger.status == DONE)
        return found

    @cached_property
    def latencies(self) -> Floats:
        """Seconds from arrival to end of those that are done, in order of their ends."""
        return (self.ledger.finish - self.ledger.arrival)[self.done]

    @property
    def late_s(self) -> Floats:
        """Seconds from its deadline to its end of each of them; negative when it was in time."""
        return (self.ledger.finish - self.ledger.deadline)[self.done]

    @property
    def arrived(self) -> int:
        """How many arrived."""
        return int(self.counted.sum())

    @property
    def ended(self) -> int:
        """How many ended while rates are counted, whenever they arrived."""
        finish = self.ledger.finish[self.ledger.status == DONE]
        return int(((finish >= self.warm_up_s) & (finish <= self.end_s)).sum())

    @property
    def there(self) -> int:
        """How many of those had arrived before rates are counted: part of their work was done."""
        ledger = self.ledger
        ended = (ledger.status == DONE) & (ledger.finish >= self.warm_up_s)
        return int((ended & (ledger.arrival < self.warm_up_s)).sum())

    @property
    def dropped(self) -> int:
        """How many were given up before they began."""
        return int((self.counted & (self.ledger.status == DROPPED)).sum())

    @property
    def misses(self) -> int:
        """How many ended after their deadline, or not at all."""
        late = int((self.late_s > 0.0).sum())
        return late + self.arrived - len(self.latencies)

    @property
    def window_s(self) -> float:
        """The seconds that are counted."""
        return max(self.end_s - self.warm_up_s, 0.0)
