"""A network that notes how its links' rates change, for the bandwidth curves of reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from simpy import Environment

from hetsim.sim.network.flow import Flow
from hetsim.sim.network.links import LinkState
from hetsim.sim.network.network import Network
from hetsim.sim.trace import RateSample
from hetsim.soc.model import Link


class TracedNetwork(Network):
    """A network that notes every change of a link's total rate."""

    def __init__(self, env: Environment, links: Iterable[Link], *, shared: bool = True) -> None:
        super().__init__(env, links, shared=shared)
        self.samples: list[RateSample] = []

    def observe(self, links: Sequence[LinkState]) -> None:
        now = self.env.now
        for link in links:
            rate = 0.0
            for flow in self.flows:
                if link in flow.crosses:
                    rate += flow.rate * flow.crosses[link]
            if rate != link.rate or link.count != link.noted:
                link.rate, link.noted = rate, link.count
                self.samples.append(RateSample(now, link.name, rate, link.count))

    def observe_flows(self, flows: Sequence[Flow]) -> None:
        self.observe(list(dict.fromkeys(link for flow in flows for link in flow.links)))

    def observe_alone(self, flow: Flow, start: float) -> None:
        for link, part in flow.shares:
            link.rate, link.noted = flow.limit * part, 1
            self.samples.append(RateSample(start, link.name, link.rate, 1))
