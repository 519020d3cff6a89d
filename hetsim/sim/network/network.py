"""Links over simulated time: transfers as fluid flows (the kind SimGrid has).

A transfer moves bytes over a path of links at a rate that :mod:`hetsim.sim.network.sharing`
decides. While the limits of all flows on a link add up to no more than its capacity nobody disturbs
anybody, and starting or ending a flow touches only that flow: one event. When a link is
*congested*, the flows connected to it through congested links are shared out anew, and only those
whose rate changed are rescheduled. The cost of a simulation therefore grows with events, never with
simulated time.

A flow that starts while nobody else is about runs *alone* until somebody comes: its end is its only
event, and nothing is booked on its links before that.

Bytes are conserved exactly: a finished flow has moved its bytes, no rounding of rates included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from simpy import Environment

from hetsim.sim.network.flow import Flow, Moment
from hetsim.sim.network.links import (
    INFINITY,
    NO_MORE,
    NOWHERE,
    SLACK,
    Claim,
    LinkState,
    Route,
    Timer,
)
from hetsim.sim.network.sharing import share
from hetsim.soc.model import Link

_DUST = 1e-12
"""A flow with less than this share left has arrived, even if it is stopped now."""

_DEMAND_DUST = 1e-9
"""Others that ask for less than this share of a flow's own demand are rounding, not others."""


class Network:
    """All links of a SoC, and the flows on them.

    With ``shared=False`` every flow runs as if it were alone: what contention costs is the
    difference.
    """

    def __init__(self, env: Environment, links: Iterable[Link], *, shared: bool = True) -> None:
        self.env = env
        self.next_order = 0
        self.flows: dict[Flow, None] = {}  # under way together, by age
        self.solo: Flow | None = None  # under way, or about to be, with nobody else about
        self.waiting = 0  # flows whose delay has not passed
        self.shared = shared
        self.slowdowns = False
        self._sensitive: dict[LinkState, dict[int, Flow]] = {}  # by memory: flows others slow down
        self._dues = (self._due,)
        self._arrives = (self._arrive,)
        self._finishes = (self._finish,)
        self.links: Mapping[str, LinkState] = {link.name: LinkState(link, shared) for link in links}
        self._latency = {link.name: link.latency for link in links}

    def route(self, path: Sequence[str], claim: Claim = NO_MORE) -> Route:
        """Prepares a path of link names for :meth:`transfer` by whoever has this claim."""
        latency = sum(self._latency[name] for name in path)
        links = dict.fromkeys((self.links[name] for name in path), 1.0)
        return Route(links, tuple(links)[-1:], latency, claim)

    def blend(self, parts: Sequence[tuple[Route, float]]) -> Route:
        """The route of a transfer of which so many bytes go each way, side by side.

        Alone it takes as long as the link that its share keeps busy the longest. All of them are
        ways of one and the same, whose claim holds.
        """
        total = sum(amount for _, amount in parts)
        crosses: dict[LinkState, float] = {}
        ends: dict[LinkState, None] = {}
        for route, amount in parts:
            for link, part in route.crosses.items():
                crosses[link] = crosses.get(link, 0.0) + part * amount
            ends.update(dict.fromkeys(link for link, _ in route.ends))
        shares = {link: amount / total for link, amount in crosses.items()}
        latency = max(route.latency for route, _ in parts)
        return Route(shares, ends, latency, parts[0][0].claim)

    def transfer(
        self, amount: float, route: Route, cap: float = INFINITY, delay: float = 0.0
    ) -> Flow:
        """Starts moving ``amount`` bytes after ``delay`` + the route's latency (seconds).

        ``cap`` bounds the rate in B/s. Yield the result to wait for it.
        On an empty route ``amount`` is any quantity and ``cap`` its rate: seconds of work at 1.
        """
        if route.slowdown is not None and self.shared and not self.slowdowns:
            self._watch_memories()
        flow = Flow(self.env, amount, route, cap)
        delay += route.latency
        if amount <= 0.0 or flow.limit == INFINITY:
            self.at(delay, lambda _: flow.fire())
        elif not flow.links:
            self._run_alone(flow, delay)
        elif self.solo is None and not self.flows and not self.waiting:
            self.solo = flow
            self._run_alone(flow, delay)
        else:
            if self.solo is not None:
                self._engage(self.solo)
            if delay > 0.0:
                self._wait_to_join(flow, delay)
            else:
                now = self.env.now
                self._join(flow, now, now)
        return flow

    def work(
        self, seconds: float, amount: float = 0.0, route: Route = NOWHERE, delay: float = 0.0
    ) -> Flow:
        """Work of ``seconds`` that moves ``amount`` bytes over ``route`` meanwhile.

        Alone it takes max(seconds, amount / bandwidth).
        """
        if amount <= 0.0:
            return self.transfer(seconds, NOWHERE, 1.0, delay)
        return self.transfer(amount, route, amount / seconds if seconds > 0.0 else INFINITY, delay)

    def _run_alone(self, flow: Flow, delay: float) -> None:
        """``flow`` starts in ``delay`` seconds; as long as nobody else comes its end is all."""
        flow.alone = True
        flow.joined = self.env.now + delay
        flow.timer = end = Moment()
        end.flow = flow
        end.callbacks = self._arrives
        self.env.schedule(end, delay=delay + flow.amount / flow.limit)  # type: ignore[arg-type]

    def _arrive(self, event: Moment) -> None:
        """The last byte of a flow that was alone all the time arrives."""
        flow = event.flow
        if event is not flow.timer:
            return
        flow.timer = None
        if flow.links:
            start, elapsed = flow.joined, self.env.now - flow.joined
            self.solo = None
            for link, part in flow.shares:
                link.usage.bytes += flow.amount if part == 1.0 else flow.carried(part)
                link.usage.busy_s += elapsed
            self.observe_alone(flow, start)
            self.observe(flow.links)
        flow.fire()

    def _engage(self, flow: Flow) -> None:
        """Somebody else comes: from here on it is a flow like all others, as far as it has got."""
        flow.alone = False
        flow.timer = None
        now = self.env.now
        if self.solo is flow:
            self.solo = None
        if now < flow.joined:
            self._wait_to_join(flow, flow.joined - now)
        else:
            self.observe_alone(flow, flow.joined)
            self._join(flow, flow.joined, now)

    def _wait_to_join(self, flow: Flow, delay: float) -> None:
        """``flow`` joins in ``delay`` seconds."""
        self.waiting += 1
        due = Moment()
        due.flow = flow
        due.callbacks = self._dues
        self.env.schedule(due, delay=delay)  # type: ignore[arg-type]

    def _due(self, event: Moment) -> None:
        """The delay of a flow has passed."""
        self.waiting -= 1
        now = self.env.now
        self._join(event.flow, now, now)

    def _join(self, flow: Flow, start: float, now: float) -> None:
        """The first byte leaves now, or has left at ``start`` with nobody else about."""
        flow.joined = flow.updated = start
        flow.order = self.next_order
        self.next_order += 1
        if self.slowdowns and flow.links:
            self._enter_memory(flow)
        limit = flow.limit
        self.flows[flow] = None
        congested = False
        for link, part in flow.shares:
            if not link.count:
                link.busy_since = start
            link.count += 1
            link.demand += limit * part
            if link.varies:
                link.resize()
            if link.demand > link.capacity * SLACK or (link.fifo and link.count > 1):
                link.congested = True
            if link.congested:  # perhaps no longer, if its efficiency rises with the new flow
                congested = True
        if congested:
            self.reshare(flow.links)
        else:
            flow.rate = limit
            if start < now:
                flow.settle(now)
            self._aim(flow)
            self.observe(flow.links)

    def _aim(self, flow: Flow) -> None:
        """Schedules the end at the present rate, instead of any end scheduled before."""
        delay = 0.0
        if flow.rate > 0.0:
            if flow.remaining > 0.0:
                delay = flow.remaining / flow.rate
        elif flow.remaining > flow.amount * _DUST:
            flow.timer = None
            return
        flow.timer = end = Moment()
        end.flow = flow
        end.callbacks = self._finishes
        self.env.schedule(end, delay=delay)  # type: ignore[arg-type]

    def _finish(self, event: Moment) -> None:
        """The last byte arrives, unless the end has been moved since this was scheduled."""
        flow = event.flow
        if event is not flow.timer:
            return
        flow.timer = None
        now = self.env.now
        if flow.rate < flow.wanted:
            flow.settle(now)
        limit = flow.limit
        del self.flows[flow]
        again = False
        for link, part in flow.shares:
            usage = link.usage
            usage.bytes += flow.amount if part == 1.0 else flow.carried(part)
            link.count -= 1
            if link.count:
                link.demand -= limit * part
            else:
                link.demand = 0.0
                usage.busy_s += now - link.busy_since
            if link.varies:
                link.resize()
            if link.congested:
                again = True
        if self.slowdowns and flow.links:  # now that nobody shares anything with it any more
            self._leave_memory(flow)
        if again:
            self.reshare(flow.links)
        else:
            self.observe(flow.links)
        flow.fire()

    def set_limit(self, flow: Flow, cap: float) -> None:
        """Changes a running flow's own rate limit (its PU became slower or faster)."""
        wanted = min(cap, flow.peak)
        if flow.alone:
            self._engage(flow)
        if flow.order < 0:  # still waiting for its latency to pass
            flow.limit = flow.wanted = wanted
            return
        flow.settle(self.env.now)
        if self.slowdowns and flow.links:
            for memory, part in flow.route.ends:
                memory.asked += (wanted - flow.wanted) * part
            flow.wanted = wanted
            for memory, _ in flow.route.ends:
                self._retune(memory)
        flow.wanted = wanted
        self._relimit(flow, wanted * self._kept(flow))

    def _watch_memories(self) -> None:
        """From the first flow on that others slow down, what memories are asked for matters."""
        self.slowdowns = True
        for link in self.links.values():
            link.asked = 0.0
        for flow in self.flows:
            for memory, part in flow.route.ends:
                memory.asked += flow.wanted * part

    def _enter_memory(self, flow: Flow) -> None:
        """A flow begins to ask memories (its last links) for bandwidth: others may slow down."""
        for memory, part in flow.route.ends:
            memory.asked += flow.wanted * part
        flow.limit = flow.wanted * self._kept(flow)
        for memory, _ in flow.route.ends:
            self._retune(memory)
            if flow.route.slowdown is not None:
                self._sensitive.setdefault(memory, {})[flow.order] = flow

    def _leave_memory(self, flow: Flow) -> None:
        """A flow asks no more."""
        for memory, part in flow.route.ends:
            memory.asked -= flow.wanted * part
            self._sensitive.get(memory, {}).pop(flow.order, None)
            self._retune(memory)

    def _kept(self, flow: Flow) -> float:
        """Share of its speed that ``flow`` keeps beside what others ask of its memories."""
        slowdown = flow.route.slowdown
        if slowdown is None or not (self.slowdowns and flow.links):
            return 1.0
        others = sum(memory.asked - flow.wanted * part for memory, part in flow.route.ends)
        # A sum that flows entered and left again is not exactly what is left of it.
        return slowdown(flow.wanted, others if others > flow.wanted * _DEMAND_DUST else 0.0)

    def _retune(self, memory: LinkState) -> None:
        for flow in list(self._sensitive.get(memory, {}).values()):
            flow.settle(self.env.now)
            self._relimit(flow, flow.wanted * self._kept(flow))

    def _relimit(self, flow: Flow, limit: float) -> None:
        if limit == flow.limit:
            return
        congested = False
        for link, part in flow.shares:
            link.demand += (limit - flow.limit) * part
            if link.congested or link.demand > link.capacity * SLACK:
                congested = link.congested = True
        flow.limit = limit
        if congested:
            flow.rate = -1.0  # makes the solver's answer count as a change
            self.reshare(flow.links)
        else:
            flow.rate = limit
            self._aim(flow)
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
                self._aim(flow)
        self.observe(seeds)
        self.observe_flows(flows)

    def _component(self, seeds: Sequence[LinkState]) -> tuple[list[Flow], list[LinkState]]:
        """Flows and congested links reachable from ``seeds`` over congested links, by age."""
        links = [link for link in seeds if link.congested]
        known = -1
        while len(links) > known:
            known = len(links)
            flows = [flow for flow in self.flows if not flow.crosses.keys().isdisjoint(links)]
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

    def observe_alone(self, flow: Flow, start: float) -> None:
        """Called when it is known that ``flow`` has been alone since ``start``."""
