"""Transfers that take several ways side by side: each link carries its share of the bytes."""

from __future__ import annotations

import pytest
import simpy

from hetsim.sim.network.network import Network
from hetsim.soc.model import Link


def network(**bandwidth: float) -> Network:
    return Network(simpy.Environment(), [Link(name, (rate,)) for name, rate in bandwidth.items()])


def finish(net: Network, *flows: object) -> list[float]:
    ends: list[float] = []
    for flow in flows:
        flow.callbacks.append(lambda _: ends.append(net.env.now))  # type: ignore[attr-defined]
    net.env.run()
    return ends


def test_alone_the_link_that_its_share_keeps_busy_longest_decides() -> None:
    net = network(port=10.0, fast=8.0, slow=1.0)
    parts = [(net.route(["port", "fast"]), 12.0), (net.route(["port", "slow"]), 3.0)]
    route = net.blend(parts)
    assert route.bandwidth == pytest.approx(5.0)  # 15 bytes in the 3 s of the slow link
    assert finish(net, net.transfer(15.0, route)) == [pytest.approx(3.0)]
    carried = {name: link.usage.bytes for name, link in net.links.items()}
    assert carried == {"port": 15, "fast": 12, "slow": 3}


def test_who_takes_a_quarter_of_his_rate_from_a_link_gets_as_fast_as_all_others() -> None:
    """Max-min over rates: r + r/4 = 5 on the shared link, so both run at 4."""
    net = network(a=5.0, b=100.0)
    quarter = net.blend([(net.route(["a"]), 1.0), (net.route(["b"]), 3.0)])
    ends = finish(net, net.transfer(16.0, quarter), net.transfer(8.0, net.route(["a"])))
    assert ends == [pytest.approx(2.0), pytest.approx(2.0 + 8.0 / 20.0)]  # then 20 = 5 / (1/4)


def test_two_links_that_bind_at_once() -> None:
    """Flow p takes half from each link, q all of a, r all of b: a is full first."""
    net = network(a=3.0, b=6.0)
    half = net.blend([(net.route(["a"]), 1.0), (net.route(["b"]), 1.0)])
    # p/2 + q = 3 with p = q gives 2 on a; b then leaves 6 - 1 = 5 for r.
    p, q, r = (
        net.transfer(2.0, half), net.transfer(2.0, net.route(["a"])),
        net.transfer(5.0, net.route(["b"])),
    )  # fmt: skip
    assert finish(net, p, q, r) == [pytest.approx(1.0)] * 3


def test_energy_and_bytes_are_whole() -> None:
    net = network(a=1.0, b=1.0)
    parts = [(net.route(["a"]), 1_000_003.0), (net.route(["b"]), 17.0)]
    flow = net.transfer(1_000_020.0, net.blend(parts))
    finish(net, flow, net.transfer(5.0, net.route(["a"])))
    assert (net.links["a"].usage.bytes, net.links["b"].usage.bytes) == (1_000_008, 17)
