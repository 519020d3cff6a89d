"""The state of links during a simulation, and the small parts the network is built from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from hetsim.sim.trace import LinkUsage
from hetsim.soc.model import Link

INFINITY = float("inf")
Slowdown = Callable[[float, float], float]
"""(own demand, others' demand) in B/s to the share of its speed that a flow keeps."""

SLACK = 1.0 + 1e-12
"""Sums of limits are floats: a link this little over its capacity is not congested."""


class LinkState:
    """A link during a simulation: who is on it and what it has carried so far."""

    __slots__ = (
        "asked",
        "busy_since",
        "capacities",
        "capacity",
        "congested",
        "count",
        "demand",
        "fifo",
        "name",
        "noted",
        "private",
        "rate",
        "solo",
        "strict",
        "turns",
        "usage",
        "varies",
        "weighted",
    )

    def __init__(self, link: Link, shared: bool) -> None:
        self.name = link.name
        self.private = link.private
        self.turns = link.turns
        self.solo = link.bandwidth[0]
        self.capacities = link.bandwidth if shared else (INFINITY,)
        self.capacity = self.capacities[0]
        self.varies = len(self.capacities) > 1
        self.fifo = shared and link.arbitration == "fifo"
        self.strict = link.arbitration == "priority"
        self.weighted = link.arbitration == "weighted"
        self.count = 0
        self.demand = 0.0
        self.asked = 0.0
        self.congested = False
        self.busy_since = 0.0
        self.rate = 0.0
        self.noted = 0
        self.usage = LinkUsage()

    def resize(self) -> None:
        """Takes up the capacity that holds for the present number of flows, if it varies."""
        capacities, count = self.capacities, self.count
        if count == 0:
            self.capacity = capacities[0]
        else:
            self.capacity = capacities[count - 1 if count <= len(capacities) else -1]
        if self.demand > self.capacity * SLACK:  # it may have fallen when a flow ended
            self.congested = True


class Timer:
    """A call at a later time: as much of a SimPy event as its event loop looks at."""

    __slots__ = ("callbacks",)
    _ok = True

    def __init__(self, callback: Callable[[Any], None]) -> None:
        self.callbacks = (callback,)


@dataclass(frozen=True, slots=True)
class Claim:
    """What whoever moves bytes may claim of links beside others.

    ``weight`` counts only on links that are ``weighted``, ``priority`` only on ``priority`` ones.
    """

    weight: float = 1.0
    priority: int = 0
    slowdown: Slowdown | None = None


NO_MORE = Claim()
"""No more than anybody else."""


class Route:
    """What transfers of somebody cross, as the network prepares it once.

    ``crosses`` has for each link the share of the bytes that crosses it: all of them on a plain
    path, fewer where what is moved goes several ways side by side. ``ends`` are the links of them
    at which a way ends; it is ``whole`` on a plain path. Alone a transfer gets ``bandwidth`` B/s
    after ``latency`` seconds, and ``bus`` B/s from the links that no unit has for itself; less if
    it is ``short`` of channels. ``weight`` and ``priority`` are what the ``claim`` comes to here.
    """

    __slots__ = (
        "bandwidth", "bus", "claim", "crosses", "ends", "latency", "links", "priority", "shares",
        "short", "slowdown", "weight", "whole",
    )  # fmt: skip

    def __init__(
        self,
        crosses: Mapping[LinkState, float],
        ends: Collection[LinkState],
        latency: float,
        claim: Claim = NO_MORE,
    ) -> None:
        self.links = tuple(crosses)
        self.crosses = dict(crosses)
        self.shares = tuple(crosses.items())  # the same, for the loops of every event
        self.ends = tuple((link, crosses[link]) for link in ends)
        self.latency = latency
        self.claim = claim
        self.slowdown = claim.slowdown
        self.weight = 1.0
        self.priority = 0
        self.whole = True
        self.bandwidth = self.bus = INFINITY
        for link, part in self.shares:
            speed = link.solo / part
            self.bandwidth = min(self.bandwidth, speed)
            if not link.private:
                self.bus = min(self.bus, speed)
            if part != 1.0:
                self.whole = False
            if link.weighted:
                self.weight = claim.weight
            if link.strict:
                self.priority = claim.priority
        self.short = any(link.turns for link, _ in self.ends)

    def turning(self, amount: float) -> float:
        """Seconds for which so many bytes keep the busiest channel of a memory busy; mostly 0."""
        if not self.short or amount <= 0.0:
            return 0.0
        return max(
            float(link.turns.occupied(amount * part)) / link.solo
            for link, part in self.ends
            if link.turns
        )


NOWHERE = Route({}, (), 0.0)
"""No links: what moves over it moves nothing but itself, as arithmetic does."""
