"""How fast a unit can move bytes at best, and how slowly at worst, wherever they lie."""

from __future__ import annotations

from dataclasses import dataclass

from hetsim.soc.model import PU


@dataclass(frozen=True, slots=True)
class Reach:
    """Bounds over a unit's ways to memories: all of them at once, or the worst one.

    B/s for the widths, seconds of latency for the two distances. The widest is what the links
    carry at best, reading and writing at once, and ``one_way`` either of the two: a memory may
    serve several transfers better than one alone.
    """

    widest: float
    one_way: float
    narrowest: float
    nearest: float
    farthest: float

    @classmethod
    def of(cls, pu: PU, transfers: int) -> Reach:
        """While at most ``transfers`` are under way."""
        ways = pu.best_ways

        def best(most: tuple[float, ...]) -> float:
            return most[min(transfers, len(most)) - 1]

        return cls(
            sum(best(way.widest) for way in ways),
            sum(best(way.most) for way in ways),
            min(way.bandwidth for way in pu.ways),
            min(way.latency for way in ways),
            max(way.latency for way in pu.ways),
        )

    def seconds(self, load: float, store: float) -> float:
        """The least that reading and writing so many bytes takes, latency aside."""
        return max(max(load, store) / self.one_way, (load + store) / self.widest)
