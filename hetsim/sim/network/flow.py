"""A transfer under way, as data: what it moves, at which rate, and how far it has got.

Who acts on it is the :class:`~hetsim.sim.network.network.Network`.
"""

from __future__ import annotations

from collections.abc import Callable

from simpy import Environment, Event

from hetsim.sim.network.links import LinkState, Route


class Flow(Event):
    """A transfer under way; as an event it fires when the last byte has arrived.

    ``peak`` is the rate that its links allow, ``wanted`` the one it reaches alone, ``limit`` what
    is left of that after the slowdown that others' mere presence causes, ``lost`` the seconds it
    has lost to others so far. ``timer`` is its scheduled end; an end that another one has replaced
    since counts no more.
    """

    __slots__ = (
        "alone",
        "amount",
        "bottleneck",
        "crosses",
        "joined",
        "limit",
        "links",
        "lost",
        "new_rate",
        "order",
        "peak",
        "priority",
        "rate",
        "remaining",
        "route",
        "shares",
        "timer",
        "updated",
        "wanted",
        "weight",
    )
    joined: float
    """When its first byte left, seconds."""
    updated: float
    """Until when ``remaining`` and ``lost`` are booked, seconds."""

    def __init__(self, env: Environment, amount: float, route: Route, cap: float) -> None:
        self.env = env
        self.callbacks = []
        self.amount = amount
        self.remaining = amount
        self.route = route
        self.links = route.links
        self.crosses = route.crosses
        self.shares = route.shares
        peak = route.bandwidth
        if route.short and amount > 0.0:
            peak = min(peak, amount / route.turning(amount))
        self.peak = peak
        self.limit = self.wanted = cap if cap < peak else peak
        self.weight = route.weight
        self.priority = route.priority
        self.rate = 0.0
        self.new_rate = 0.0
        self.lost = 0.0
        self.bottleneck: LinkState | None = None
        self.timer: Moment | None = None
        self.order = -1
        self.alone = False

    def carried(self, part: float) -> float:
        """Bytes that cross a link with that share of them: whole ones, as several ways do."""
        return round(self.amount * part)

    def settle(self, now: float) -> None:
        """Books what has moved, and what was lost, since the rate last changed."""
        elapsed = now - self.updated
        if elapsed > 0.0:
            self.remaining -= self.rate * elapsed
            if self.rate < self.wanted:
                lost = elapsed * (1.0 - self.rate / self.wanted)
                self.lost += lost
                (self.bottleneck or self.links[-1]).usage.contention_s += lost
        self.updated = now

    def fire(self) -> None:
        """Wakes whoever waits, within the event that ended the flow."""
        callbacks = self.callbacks
        self.callbacks = None  # type: ignore[assignment]  # SimPy's mark of a processed event
        self._ok = True
        self._value = None
        for callback in callbacks:
            callback(self)


class Moment:
    """A moment a flow waits for, its first or last byte: as much of an event as SimPy looks at.

    Whoever makes one fills it in: there are two for most flows, and a constructor takes longer
    than all that it would do.
    """

    __slots__ = ("callbacks", "flow")
    _ok = True
    callbacks: tuple[Callable[[Moment], None]]
    flow: Flow
