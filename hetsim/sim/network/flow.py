"""A transfer under way: how far it has got, at which rate, and when it will end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from simpy import Event

from hetsim.sim.network.links import SLACK, LinkState, Route, Timer

if TYPE_CHECKING:
    from hetsim.sim.network.network import Network

Slowdown = Callable[[float, float], float]
"""(own demand, others' demand) in B/s to the share of its speed that a flow keeps."""

_DUST = 1e-12  # a flow with less than this share left has arrived, even if it is stopped now


class Flow(Event):
    """A transfer under way; as an event it fires when the last byte has arrived.

    ``wanted`` is the rate it reaches alone, ``limit`` what is left of that after the slowdown that
    others' mere presence causes, ``lost`` the seconds it has lost to others so far.
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
        "network",
        "new_rate",
        "order",
        "priority",
        "rate",
        "remaining",
        "slowdown",
        "timer",
        "updated",
        "wanted",
        "weight",
    )

    def __init__(
        self,
        network: Network,
        amount: float,
        route: Route,
        cap: float,
        weight: float,
        priority: int,
        slowdown: Slowdown | None,
    ) -> None:
        self.env = network.env
        self.callbacks = []
        self.network = network
        self.amount = amount
        self.remaining = amount
        self.links = route.links
        self.crosses = route.crosses
        self.limit = self.wanted = cap if cap < route.bandwidth else route.bandwidth
        self.weight = weight
        self.priority = priority
        self.slowdown = slowdown
        self.rate = 0.0
        self.new_rate = 0.0
        self.lost = 0.0
        self.bottleneck: LinkState | None = None
        self.timer: Timer | None = None
        self.order = -1
        self.alone = False

    def run_alone(self, delay: float) -> None:
        """Starts in ``delay`` seconds, as long as nobody else comes: one event, the end."""
        self.alone = True
        self.joined = self.env.now + delay
        self.timer = timer = Timer(self._arrive)
        self.env.schedule(timer, delay=delay + self.amount / self.limit)  # type: ignore[arg-type]

    def _arrive(self, event: Timer) -> None:
        """The last byte of a flow that was alone all the time arrives."""
        if event is not self.timer:
            return
        network, start, now = self.network, self.joined, self.env.now
        if self.links:
            network.solo = None
            for link in self.links:
                link.usage.bytes += self.amount
                link.usage.busy_s += now - start
            network.observe_alone(self, start)
            network.observe(self.links)
        self.fire()

    def engage(self) -> None:
        """Somebody else comes: from here on it is a flow like all others, as far as it has got."""
        self.alone = False
        self.timer = None
        network, now = self.network, self.env.now
        if network.solo is self:
            network.solo = None
        if now < self.joined:
            network.wait_to_join(self, self.joined - now)
        else:
            network.observe_alone(self, self.joined)
            self.join(self.joined)

    def due(self, _: Timer) -> None:
        """The time to join has come."""
        self.network.waiting -= 1
        self.join(self.env.now)

    def join(self, start: float) -> None:
        """The first byte leaves now, or has left at ``start`` with nobody else about."""
        network = self.network
        now = network.env.now
        self.joined = self.updated = start
        self.order = network.next_order
        network.next_order += 1
        if network.slowdowns and self.links:
            network.enter_memory(self)
        limit = self.limit
        network.flows[self] = None
        congested = False
        for link in self.links:
            if not link.count:
                link.busy_since = start
            link.count += 1
            link.demand += limit
            if link.varies:
                link.resize()
            if link.demand > link.capacity * SLACK or (link.fifo and link.count > 1):
                link.congested = True
            if link.congested:  # perhaps no longer, if its efficiency rises with the new flow
                congested = True
        if congested:
            network.reshare(self.links)
        else:
            self.rate = self.limit
            self.settle(now)
            self._aim()
            network.observe(self.links)

    def _aim(self) -> None:
        """Schedules the end at the present rate, instead of any end scheduled before."""
        delay = 0.0
        if self.rate > 0.0:
            delay = max(self.remaining / self.rate, 0.0)
        elif self.remaining > self.amount * _DUST:
            self.timer = None
            return
        self.timer = timer = Timer(self._finish)
        self.env.schedule(timer, delay=delay)  # type: ignore[arg-type]

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

    def _finish(self, event: Timer) -> None:
        """The last byte arrives, unless the end has been moved since this was scheduled."""
        if event is not self.timer:
            return
        network = self.network
        now = network.env.now
        if self.rate < self.wanted:
            self.settle(now)
        amount, limit = self.amount, self.limit
        del network.flows[self]
        again = False
        for link in self.links:
            usage = link.usage
            usage.bytes += amount
            link.count -= 1
            if link.count:
                link.demand -= limit
            else:
                link.demand = 0.0
                usage.busy_s += now - link.busy_since
            if link.varies:
                link.resize()
            if link.congested:
                again = True
        if network.slowdowns and self.links:  # now that nobody shares anything with it any more
            network.leave_memory(self)
        if again:
            network.reshare(self.links)
        else:
            network.observe(self.links)
        self.fire()

    def fire(self) -> None:
        """Wakes whoever waits, within the event that ended the flow."""
        callbacks = self.callbacks
        self.callbacks = None  # type: ignore[assignment]  # SimPy's mark of a processed event
        self._ok = True
        self._value = self
        for callback in callbacks:
            callback(self)
