"""Bare flows on bare links, for checking the physics against formulae and other simulators."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import simpy

from hetsim.errors import ConfigError
from hetsim.sim.network.flow import Flow as _Flow
from hetsim.sim.network.links import INFINITY, Claim
from hetsim.sim.network.network import Network
from hetsim.soc.model import Link
from hetsim.soc.schema import Arbitration


@dataclass(frozen=True, slots=True)
class Flow:
    """A transfer: start in seconds, bytes, names of the links it crosses.

    ``cap`` bounds its rate in B/s (``None``: only the links do), ``weight`` is its share relative
    to others, ``priority`` its class on links with strict priorities (higher goes first).
    """

    start: float
    bytes: float
    path: Sequence[str]
    cap: float | None = None
    weight: float = 1.0
    priority: int = 0


def simulate_flows(links: Mapping[str, float | Link], flows: Sequence[Flow]) -> list[float]:
    """Finish time of each flow, in seconds, in the order given.

    ``links`` maps names to bandwidths in B/s, shared max-min fairly in proportion to the flows'
    weights, or to :class:`~hetsim.soc.model.Link` objects for other arbitrations and latencies.

    Raises:
        ConfigError: an unknown link, a negative start or size, a cap or weight not above zero, a
            path that crosses a link twice, a link without bandwidth.
    """
    ready = [_link(name, link) for name, link in links.items()]
    for index, flow in enumerate(flows):
        _check(index, flow, links)
    env = simpy.Environment()
    network = Network(env, ready)
    finish = [INFINITY] * len(flows)

    def start(index: int, flow: Flow) -> None:
        def begin(_: object) -> None:
            cap = INFINITY if flow.cap is None else flow.cap
            claim = Claim(flow.weight, flow.priority)
            moving = network.transfer(flow.bytes, network.route(flow.path, claim), cap)
            assert moving.callbacks is not None
            moving.callbacks.append(note)

        def note(_: _Flow) -> None:
            finish[index] = env.now

        network.at(flow.start, begin)

    for index, flow in enumerate(flows):
        start(index, flow)
    env.run()
    return finish


def _link(name: str, link: float | Link) -> Link:
    if not isinstance(link, Link):
        link = Link(name, (float(link),), 0.0, "weighted")
    if link.name != name:
        raise ConfigError(f"link {link.name!r} is listed as {name!r}")
    if not link.bandwidth or not all(0 < rate < math.inf for rate in link.bandwidth):
        raise ConfigError(f"link {name!r} needs a bandwidth above zero, not {link.bandwidth}")
    if not 0 <= link.latency < math.inf:
        raise ConfigError(f"link {name!r} has an impossible latency of {link.latency} s")
    if link.arbitration not in get_args(Arbitration):
        known = ", ".join(get_args(Arbitration))
        raise ConfigError(f"link {name!r}: unknown arbitration {link.arbitration!r}", hint=known)
    return link


def _check(index: int, flow: Flow, links: Mapping[str, object]) -> None:
    unknown = [name for name in flow.path if name not in links]
    if unknown:
        raise ConfigError(f"flow {index} crosses unknown links {unknown}")
    if len(set(flow.path)) < len(flow.path):
        raise ConfigError(f"flow {index} crosses a link twice: {list(flow.path)}")
    if not (0 <= flow.start < math.inf and 0 <= flow.bytes < math.inf):
        raise ConfigError(f"flow {index} needs a start and a size of zero or more")
    if not 0 < flow.weight < math.inf or not (flow.cap is None or flow.cap > 0):
        raise ConfigError(f"flow {index} needs a positive weight and cap")
    if not flow.path and flow.cap is None and flow.bytes > 0:
        raise ConfigError(f"flow {index} crosses no link and has no cap: it would take no time")
