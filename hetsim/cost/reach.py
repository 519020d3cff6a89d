"""How fast a unit can move bytes at best, and how slowly at worst, wherever they lie."""

from __future__ import annotations

from dataclasses import dataclass

from hetsim.soc.model import PU


@dataclass(frozen=True, slots=True)
class Reach:
    """Bounds over a unit's ways to memories: all of them at once, or the worst one.

    B/s for the two widths, seconds of latency for the two distances. The widest is what the links
    carry at best: a memory may serve several transfers better than one alone.
    """

    widest: float
    narrowest: float
    nearest: float
    farthest: float

    @classmethod
    def of(cls, pu: PU, transfers: int) -> Reach:
        """While at most ``transfers`` are under way."""
        latencies = [way.latency for way in pu.ways]
        return cls(
            sum(way.most[min(transfers, len(way.most)) - 1] for way in pu.ways),
            min(way.bandwidth for way in pu.ways),
            min(latencies),
            max(latencies),
        )
