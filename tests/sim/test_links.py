"""What a transfer crosses, and how much a link carries: each number by hand."""

from __future__ import annotations

import pytest
import simpy

from hetsim.sim.network.links import INFINITY, Claim, LinkState, Route
from hetsim.sim.network.network import Network
from hetsim.soc.model import Link, Turns

PORT = Link("port", (4.0,), 0.25, private=True)
BUS = Link("bus", (6.0,), 0.5, "weighted")
RAM = Link("ram", (8.0, 5.0), 1.0, "priority", turns=Turns(2, 10))


def test_a_plain_way_is_as_fast_as_its_slowest_link_and_ends_at_its_last() -> None:
    net = Network(simpy.Environment(), [PORT, BUS, RAM])
    claim = Claim(3.0, 2)
    route = net.route(["port", "bus", "ram"], claim)
    assert [link.name for link in route.links] == ["port", "bus", "ram"]
    assert [(link.name, part) for link, part in route.ends] == [("ram", 1.0)]
    assert (route.bandwidth, route.bus, route.latency) == (4.0, 6.0, 1.75)
    assert (route.whole, route.short, route.weight, route.priority) == (True, True, 3.0, 2)
    port = net.route(["port"], claim)
    assert (port.bandwidth, port.bus, port.latency) == (4.0, INFINITY, 0.25)
    # Neither counts where no link asks for it.
    assert (port.whole, port.short, port.weight, port.priority) == (True, False, 1.0, 0)
    nowhere = Route({}, (), 0.0)
    assert (nowhere.bandwidth, nowhere.bus, nowhere.links) == (INFINITY, INFINITY, ())


def test_a_way_in_two_crosses_each_link_with_its_part_and_waits_for_the_longer_latency() -> None:
    net = Network(simpy.Environment(), [PORT, BUS, RAM])
    ways = [net.route(path, Claim(3.0, 2)) for path in (["port", "bus"], ["port", "ram"])]
    both = net.blend([(ways[0], 3.0), (ways[1], 9.0)])
    assert (both.weight, both.priority) == (3.0, 2)
    assert {link.name: part for link, part in both.shares} == {
        "port": 1.0, "bus": 0.25, "ram": 0.75
    }  # fmt: skip
    assert [(link.name, part) for link, part in both.ends] == [("bus", 0.25), ("ram", 0.75)]
    # 4 of the port, 24 and 32/3 of the two ways behind it.
    assert (both.bandwidth, both.bus, both.latency) == (4.0, pytest.approx(32 / 3), 1.25)
    assert (both.whole, both.short) == (False, True)


def test_a_channel_is_busy_with_the_part_that_ends_in_its_memory() -> None:
    net = Network(simpy.Environment(), [PORT, BUS, RAM])
    ram = net.route(["bus", "ram"])
    # Two channels of ten bytes each: 12 keep one busy with 10, as if both moved 20, at 8 B/s.
    assert [ram.turning(amount) for amount in (0.0, 1.0, 12.0, 20.0, 24.0)] == [
        0.0, 0.25, 2.5, 2.5, 3.5
    ]  # fmt: skip
    half = net.blend([(net.route(["bus"]), 1.0), (ram, 1.0)])
    assert half.turning(24.0) == 2.5  # of which twelve go there
    assert net.route(["bus"]).turning(24.0) == 0.0
    # Of two memories the one that is busy for longer counts: 2.5 s as above, and one channel that
    # moves twelve bytes at 2 B/s.
    slow = Network(simpy.Environment(), [RAM, Link("old", (2.0,), 0.0, turns=Turns(1, 4))])
    for ends in (["ram", "old"], ["old", "ram"]):
        both = slow.blend([(slow.route([name]), 1.0) for name in ends])
        assert both.turning(24.0) == 6.0


@pytest.mark.parametrize(("count", "capacity"), [(0, 8.0), (1, 8.0), (2, 5.0), (3, 5.0), (9, 5.0)])
def test_a_link_carries_what_it_does_with_so_many(count: int, capacity: float) -> None:
    link = LinkState(RAM, shared=True)
    assert (link.varies, link.strict, link.weighted, link.fifo) == (True, True, False, False)
    link.count, link.demand = count, 5.0
    link.resize()
    assert (link.capacity, link.congested) == (capacity, False)  # 5 of 5 is not too much
    link.demand = 6.0
    link.resize()
    assert link.congested == (capacity < 6.0)


def test_what_nobody_shares_is_never_full() -> None:
    link = LinkState(Link("queue", (3.0, 2.0), arbitration="fifo"), shared=False)
    assert (link.solo, link.capacity, link.fifo, link.varies) == (3.0, INFINITY, False, False)
    assert LinkState(Link("queue", (3.0,), arbitration="fifo"), shared=True).fifo
