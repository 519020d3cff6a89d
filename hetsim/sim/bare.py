"""Bare flows on bare links, for checking the physics against formulae and other simulators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import simpy

from hetsim.errors import ConfigError
from hetsim.sim.network import INFINITY, Network
from hetsim.sim.network import Flow as _Flow
from hetsim.soc.model import Link


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
        ConfigError: an unknown link, a negative start or size, a cap or weight not above zero.
    """
    env = simpy.Environment()
    network = Network(
        env,
        [
            link if isinstance(link, Link) else Link(name, (float(link),), 0.0, "weighted")
            for name, link in links.items()
        ],
    )
    finish = [INFINITY] * len(flows)

    def start(index: int, flow: Flow) -> None:
        def begin(_: object) -> None:
            cap = INFINITY if flow.cap is None else flow.cap
            moving = network.transfer(
                flow.bytes,
                network.route(flow.path),
                cap,
                weight=flow.weight,
                priority=flow.priority,
            )
            assert moving.callbacks is not None
            moving.callbacks.append(note)

        def note(_: _Flow) -> None:
            finish[index] = env.now

        network.at(flow.start, begin)

    for index, flow in enumerate(flows):
        _check(index, flow, links)
        start(index, flow)
    env.run()
    return finish


def _check(index: int, flow: Flow, links: Mapping[str, object]) -> None:
    unknown = [name for name in flow.path if name not in links]
    if unknown:
        raise ConfigError(f"flow {index} crosses unknown links {unknown}")
    if flow.start < 0 or flow.bytes < 0:
        raise ConfigError(f"flow {index} has a negative start or size")
    if flow.weight <= 0 or (flow.cap is not None and flow.cap <= 0):
        raise ConfigError(f"flow {index} needs a positive weight and cap")
    if not flow.path and flow.cap is None and flow.bytes > 0:
        raise ConfigError(f"flow {index} crosses no link and has no cap: it would take no time")
