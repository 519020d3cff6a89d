"""Arrivals that are known from a result only: what they were called, and how many came."""

from __future__ import annotations

from hetsim.streams.arrivals.base import Arrivals


class Recorded(Arrivals):
    """The arrivals of a stream that was read back from a result.

    The process itself may need a file, or a package, that is not here; nothing arrives any more.
    """

    text: str
    per_second: float | None = None

    @property
    def told(self) -> str:
        return self.text

    @property
    def rate(self) -> float | None:
        return self.per_second
