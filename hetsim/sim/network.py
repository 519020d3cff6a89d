"""Links over simulated time: transfers as fluid flows (the kind SimGrid has).

A transfer moves bytes over a path of links at a rate that :mod:`hetsim.sim.sharing` decides. While
the limits of all flows on a link add up to no more than its capacity nobody disturbs anybody, and
starting or ending a flow touches only that flow: one event. When a link is *congested*, the flows
connected to it through congested links are shared out anew, and only those whose rate changed are
rescheduled. The cost of a simulation therefore grows with events, never with simulated time.

Bytes are conserved exactly: a finished flow has moved its bytes, no rounding of rates included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from simpy import Environment, Event

from hetsim.sim.sharing import share
from hetsim.sim.trace import LinkUsage, RateSample
from hetsim.soc.model import Link

INFINITY = float("inf")
_SLACK = 1.0 + 1e-12  # sums of limits are floats; a link this little over capacity is not congested


class LinkState:
    """A link during a simulation: who is on it and what it has carried so far."""

    __slots__ = (
        "busy_since",
        "capacities",
        "capacity",
        "congested",
        "demand",
        "fifo",
        "flows",
        "name",
        "rate",
        "strict",
        "usage",
        "weighted",
    )

    def __init__(self, link: Link) -> None:
        self.name = link.name
        self.capacities = link.bandwidth
        self.capacity = link.bandwidth[0]
        self.fifo = link.arbitration == "fifo"
        self.strict = link.arbitration == "priority"
        self.weighted = link.arbitration == "weighted"
        self.flows: dict[int, Flow] = {}
        self.demand = 0.0
        self.congested = False
        self.busy_since = 0.0
        self.rate = 0.0
        self.usage = LinkUsage()

    def resize(self) -> None:
        """Takes up the capacity that holds for the present number of flows."""
        capacities = self.capacities
        if len(capacities) > 1:
            self.capacity = capacities[min(max(len(self.flows), 1), len(capacities)) - 1]


class Route:
    """A path of links as the network prepares it once: states, solo bandwidth, latency."""

    __slots__ = ("bandwidth", "latency", "links", "weighted")

    def __init__(self, links: Sequence[LinkState], latency: float) -> None:
        self.links = tuple(links)
        self.latency = latency
        self.bandwidth = min((link.capacities[0] for link in links), default=INFINITY)
        self.weighted = any(link.weighted for link in links)


class Flow(Event):
    """A transfer under way; as an event it fires when the last byte has arrived.

    ``limit`` is the rate it reaches alone, ``lost`` the seconds it has lost to others so far.
    """

    __slots__ = (
        "amount",
        "bottleneck",
        "joined",
        "limit",
        "links",
        "lost",
        "network",
        "new_rate",
        "order",
        "owner",
        "priority",
        "rate",
        "remaining",
        "timer",
        "updated",
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
        owner: str,
    ) -> None:
        self.env = network.env
        self.callbacks = []
        self.network = network
        self.amount = amount
        self.remaining = amount
        self.links = route.links
        self.limit = cap if cap < route.bandwidth else route.bandwidth
        self.weight = weight
        self.priority = priority
        self.owner = owner
        self.rate = 0.0
        self.new_rate = 0.0
        self.lost = 0.0
        self.bottleneck: LinkState | None = None
        self.timer: Event | None = None
        self.order = -1

    def _join(self, _: Event | None) -> None:
        """The first byte leaves."""
        network = self.network
        now = network.env.now
        self.joined = self.updated = now
        self.order = network.next_order
        network.next_order += 1
        congested = False
        for link in self.links:
            if not link.flows:
                link.busy_since = now
            link.flows[self.order] = self
            link.demand += self.limit
            link.resize()
            if link.demand > link.capacity * _SLACK or (link.fifo and len(link.flows) > 1):
                congested = link.congested = True
        if congested:
            network.reshare(self.links)
        else:
            self.rate = self.limit
            self._aim()
            network.observe(self.links)

    def _aim(self) -> None:
        """Schedules the end at the present rate, instead of any end scheduled before."""
        if self.rate <= 0.0:
            self.timer = None
            return
        self.timer = self.network.at(self.remaining / self.rate, self._finish)

    def settle(self, now: float) -> None:
        """Books what has moved, and what was lost, since the rate last changed."""
        elapsed = now - self.updated
        if elapsed > 0.0:
            self.remaining -= self.rate * elapsed
            if self.bottleneck is not None:
                lost = elapsed * (1.0 - self.rate / self.limit)
                self.lost += lost
                self.bottleneck.usage.contention_s += lost
        self.updated = now

    def _finish(self, event: Event) -> None:
        """The last byte arrives, unless the end has been moved since this was scheduled."""
        if event is not self.timer:
            return
        network = self.network
        now = network.env.now
        self.settle(now)
        again = False
        for link in self.links:
            del link.flows[self.order]
            link.usage.bytes += self.amount
            if link.flows:
                link.demand -= self.limit
                link.resize()
            else:
                link.demand = 0.0
                link.resize()
                link.usage.busy_s += now - link.busy_since
            if link.congested:
                again = True
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


class Network:
    """All links of a SoC, and the flows on them."""

    def __init__(self, env: Environment, links: Iterable[Link]) -> None:
        self.env = env
        self.next_order = 0
        self.links: Mapping[str, LinkState] = {link.name: LinkState(link) for link in links}
        self._latency = {link.name: link.latency for link in links}

    def route(self, path: Sequence[str]) -> Route:
        """Prepares a path of link names for :meth:`transfer`."""
        latency = sum(self._latency[name] for name in path)
        return Route([self.links[name] for name in path], latency)

    def transfer(
        self,
        amount: float,
        route: Route,
        cap: float = INFINITY,
        *,
        delay: float = 0.0,
        weight: float = 1.0,
        priority: int = 0,
        owner: str = "",
    ) -> Flow:
        """Starts moving ``amount`` bytes after ``delay`` + the route's latency (seconds).

        ``cap`` bounds the rate in B/s. ``weight`` counts only where a link of the route is
        ``weighted``, ``priority`` only where one is ``priority``. Yield the result to wait for it.
        On an empty route ``amount`` is any quantity and ``cap`` its rate: seconds of work at 1.
        """
        flow = Flow(self, amount, route, cap, weight if route.weighted else 1.0, priority, owner)
        delay += route.latency
        if amount <= 0.0 or flow.limit == INFINITY:
            self.at(delay, lambda _: flow.fire())
        elif delay > 0.0:
            self.at(delay, flow._join)
        else:
            flow._join(None)
        return flow

    def set_limit(self, flow: Flow, cap: float, route: Route) -> None:
        """Changes a running flow's own rate limit (its PU became slower or faster)."""
        limit = min(cap, route.bandwidth)
        if limit == flow.limit or flow.callbacks is None:
            return
        if flow.order < 0:  # still waiting for its latency to pass
            flow.limit = limit
            return
        flow.settle(self.env.now)
        congested = False
        for link in flow.links:
            link.demand += limit - flow.limit
            if link.congested or link.demand > link.capacity * _SLACK:
                congested = link.congested = True
        flow.limit = limit
        if congested:
            flow.rate = -1.0  # makes the solver's answer count as a change
            self.reshare(flow.links)
        else:
            flow.rate = limit
            flow._aim()
            self.observe(flow.links)

    def reshare(self, seeds: Sequence[LinkState]) -> None:
        """Shares out anew everything that congested links connect with ``seeds``."""
        now = self.env.now
        flows, congested = self._component(seeds)
        for flow in flows:
            flow.settle(now)
            flow.new_rate, flow.bottleneck = flow.limit, None
        binding = []
        for link in congested:
            if link.demand > link.capacity * _SLACK or (link.fifo and len(link.flows) > 1):
                binding.append(link)
            else:
                link.congested = False
        if binding:
            held = set(binding)
            share([f for f in flows if not held.isdisjoint(f.links)], binding)
        for flow in flows:
            if flow.new_rate != flow.rate:
                flow.rate = flow.new_rate
                flow._aim()
        self.observe(seeds)
        self.observe_flows(flows)

    def _component(self, seeds: Sequence[LinkState]) -> tuple[list[Flow], list[LinkState]]:
        """Flows and congested links reachable from ``seeds`` over congested links, by age."""
        links = [link for link in seeds if link.congested]
        seen = set(links)
        flows: dict[int, Flow] = {}
        for link in links:  # grows while it is walked
            for order, flow in link.flows.items():
                if order not in flows:
                    flows[order] = flow
                    for other in flow.links:
                        if other.congested and other not in seen:
                            seen.add(other)
                            links.append(other)
        return [flows[order] for order in sorted(flows)], links

    def at(self, delay: float, callback: Callable[[Event], None]) -> Event:
        """Calls ``callback(event)`` after ``delay`` seconds; returns the event."""
        timer = Event(self.env)
        timer.callbacks.append(callback)
        timer._ok = True
        timer._value = None
        self.env.schedule(timer, delay=delay)
        return timer

    def observe(self, links: Sequence[LinkState]) -> None:
        """Called when rates on ``links`` may have changed; :class:`TracedNetwork` records."""

    def observe_flows(self, flows: Sequence[Flow]) -> None:
        """Called when the rates of ``flows`` have been shared out anew."""


class TracedNetwork(Network):
    """A network that notes every change of a link's total rate."""

    def __init__(self, env: Environment, links: Iterable[Link]) -> None:
        super().__init__(env, links)
        self.samples: list[RateSample] = []

    def observe(self, links: Sequence[LinkState]) -> None:
        now = self.env.now
        for link in links:
            rate = sum(flow.rate for flow in link.flows.values())
            if rate != link.rate:
                link.rate = rate
                self.samples.append(RateSample(now, link.name, rate, len(link.flows)))

    def observe_flows(self, flows: Sequence[Flow]) -> None:
        self.observe(list(dict.fromkeys(link for flow in flows for link in flow.links)))
