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
from typing import Any

from simpy import Environment, Event

from hetsim.sim.links import INFINITY, SLACK, LinkState, Route, Timer
from hetsim.sim.sharing import share
from hetsim.sim.trace import RateSample
from hetsim.soc.model import Link

Slowdown = Callable[[float, float], float]
"""(own demand, others' demand) in B/s to the share of its speed that a flow keeps."""

_DUST = 1e-12  # a flow with less than this share left has arrived, even if it is stopped now


class Flow(Event):
    """A transfer under way; as an event it fires when the last byte has arrived.

    ``wanted`` is the rate it reaches alone, ``limit`` what is left of that after the slowdown that
    others' mere presence causes, ``lost`` the seconds it has lost to others so far.
    """

    __slots__ = (
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

    def _join(self, _: Timer | None) -> None:
        """The first byte leaves."""
        network = self.network
        now = network.env.now
        self.joined = self.updated = now
        self.order = network.next_order
        network.next_order += 1
        if network.slowdowns and self.links:
            network.enter_memory(self)
        limit = self.limit
        network.flows[self] = None
        congested = False
        for link in self.links:
            if not link.count:
                link.busy_since = now
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
            self._aim()
            network.observe(self.links)

    def _aim(self) -> None:
        """Schedules the end at the present rate, instead of any end scheduled before."""
        delay = 0.0
        if self.rate > 0.0:
            delay = self.remaining / self.rate
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


class Network:
    """All links of a SoC, and the flows on them.

    With ``shared=False`` every flow runs as if it were alone: what contention costs is the
    difference.
    """

    def __init__(self, env: Environment, links: Iterable[Link], *, shared: bool = True) -> None:
        self.env = env
        self.next_order = 0
        self.flows: dict[Flow, None] = {}  # under way, by age
        self.shared = shared
        self.slowdowns = False
        self.links: Mapping[str, LinkState] = {link.name: LinkState(link, shared) for link in links}
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
        slowdown: Slowdown | None = None,
    ) -> Flow:
        """Starts moving ``amount`` bytes after ``delay`` + the route's latency (seconds).

        ``cap`` bounds the rate in B/s. ``weight`` counts only where a link of the route is
        ``weighted``, ``priority`` only where one is ``priority``. Yield the result to wait for it.
        On an empty route ``amount`` is any quantity and ``cap`` its rate: seconds of work at 1.
        """
        if slowdown is not None and self.shared and not self.slowdowns:
            self._watch_memories()
        weight = weight if route.weighted else 1.0
        priority = priority if route.strict else 0
        flow = Flow(self, amount, route, cap, weight, priority, slowdown)
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
        wanted = min(cap, route.bandwidth)
        if flow.order < 0:  # still waiting for its latency to pass
            flow.limit = flow.wanted = wanted
            return
        flow.settle(self.env.now)
        if self.slowdowns and flow.links:
            flow.links[-1].asked += wanted - flow.wanted
            flow.wanted = wanted
            self._retune(flow.links[-1])
        flow.wanted = wanted
        self._relimit(flow, wanted * self._kept(flow))

    def _watch_memories(self) -> None:
        """From the first flow on that others slow down, what memories are asked for matters."""
        self.slowdowns = True
        for link in self.links.values():
            link.asked = sum(
                flow.wanted for flow in self.flows if flow.links and flow.links[-1] is link
            )

    def enter_memory(self, flow: Flow) -> None:
        """A flow begins to ask its memory (its last link) for bandwidth: others may slow down."""
        memory = flow.links[-1]
        memory.asked += flow.wanted
        flow.limit = flow.wanted * self._kept(flow)
        self._retune(memory)
        if flow.slowdown is not None:
            memory.sensitive[flow.order] = flow

    def leave_memory(self, flow: Flow) -> None:
        """A flow asks no more."""
        memory = flow.links[-1]
        memory.asked -= flow.wanted
        memory.sensitive.pop(flow.order, None)
        self._retune(memory)

    def _kept(self, flow: Flow) -> float:
        """Share of its speed that ``flow`` keeps beside what others ask of its memory."""
        if flow.slowdown is None or not (self.slowdowns and flow.links):
            return 1.0
        return flow.slowdown(flow.wanted, max(flow.links[-1].asked - flow.wanted, 0.0))

    def _retune(self, memory: LinkState) -> None:
        for flow in list(memory.sensitive.values()):
            flow.settle(self.env.now)
            self._relimit(flow, flow.wanted * self._kept(flow))

    def _relimit(self, flow: Flow, limit: float) -> None:
        if limit == flow.limit:
            return
        congested = False
        for link in flow.links:
            link.demand += limit - flow.limit
            if link.congested or link.demand > link.capacity * SLACK:
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
            if link.demand > link.capacity * SLACK or (link.fifo and link.count > 1):
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
        known = -1
        while len(links) > known:
            known = len(links)
            flows = [flow for flow in self.flows if not flow.crosses.isdisjoint(links)]
            found = (link for flow in flows for link in flow.links if link.congested)
            links = list(dict.fromkeys((*links, *found)))
        return flows, links

    def at(self, delay: float, callback: Callable[[Any], None]) -> Timer:
        """Calls ``callback(event)`` after ``delay`` seconds; returns the event."""
        timer = Timer(callback)
        self.env.schedule(timer, delay=delay)  # type: ignore[arg-type]  # a Timer is enough
        return timer

    def observe(self, links: Sequence[LinkState]) -> None:
        """Called when rates on ``links`` may have changed; :class:`TracedNetwork` records."""

    def observe_flows(self, flows: Sequence[Flow]) -> None:
        """Called when the rates of ``flows`` have been shared out anew."""


class TracedNetwork(Network):
    """A network that notes every change of a link's total rate."""

    def __init__(self, env: Environment, links: Iterable[Link], *, shared: bool = True) -> None:
        super().__init__(env, links, shared=shared)
        self.samples: list[RateSample] = []

    def observe(self, links: Sequence[LinkState]) -> None:
        now = self.env.now
        for link in links:
            rate = sum(flow.rate for flow in self.flows if link in flow.crosses)
            if rate != link.rate or link.count != link.noted:
                link.rate, link.noted = rate, link.count
                self.samples.append(RateSample(now, link.name, rate, link.count))

    def observe_flows(self, flows: Sequence[Flow]) -> None:
        self.observe(list(dict.fromkeys(link for flow in flows for link in flow.links)))
