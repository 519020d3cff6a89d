"""Cores shared by threads: each rate and each end by hand."""

from __future__ import annotations

import pytest
import simpy

from hetsim.sim.cores import Cores
from hetsim.sim.network.flow import Flow
from hetsim.sim.network.links import Claim
from hetsim.sim.network.network import Network
from hetsim.soc.model import Link


def two() -> tuple[Network, Cores]:
    """Two cores beside a link of 10 B/s."""
    net = Network(simpy.Environment(), [Link("dram", (10.0,), 0.0, "max_min_fair")])
    return net, Cores(net, 2)


def work(cores: Cores, seconds: float, amount: float = 0.0, *, delay: float = 0.0) -> list[float]:
    """Will hold the moment at which it ends."""
    net = cores._network
    done: list[float] = []
    flow = cores.work(seconds, amount, net.route(["dram"]), delay=delay)
    flow.callbacks.append(lambda _: done.append(net.env.now))
    return done


def test_who_has_a_core_runs_at_full_speed_and_a_third_thread_slows_all() -> None:
    net, cores = two()
    cores.enter(2)
    assert cores.speed == 1.0
    done = work(cores, 6.0)
    net.at(2.0, lambda _: cores.enter(1))  # two seconds done, four at two thirds
    net.env.run(until=3.0)
    assert (cores.threads, cores.speed) == (3, 2 / 3)
    net.env.run()
    assert done == [pytest.approx(8.0)]


def test_threads_that_leave_give_their_share_back() -> None:
    net, cores = two()
    cores.enter(4)
    assert cores.speed == 0.5
    done = work(cores, 6.0)
    net.at(4.0, lambda _: cores.leave(1))  # two seconds done; two more at two thirds
    net.at(7.0, lambda _: cores.leave(1))
    net.env.run(until=7.5)
    assert (cores.threads, cores.speed) == (2, 1.0)
    net.env.run()
    assert done == [pytest.approx(9.0)]
    cores.leave(2)
    assert (cores.threads, cores.speed) == (0, 1.0)
    cores.enter(3)
    cores.leave(3)  # all at once
    assert (cores.threads, cores.speed) == (0, 1.0)


def test_work_that_moves_bytes_takes_the_longer_of_the_two() -> None:
    cases = ((3.0, 20.0, 3.0), (1.0, 20.0, 2.0), (0.0, 20.0, 2.0), (0.5, 1.0, 0.5))
    for seconds, amount, expected in cases:
        net, cores = two()
        cores.enter(1)
        done = work(cores, seconds, amount, delay=0.5)
        net.env.run()
        assert done == [pytest.approx(expected + 0.5)]
        assert net.links["dram"].usage.bytes == amount
        assert not cores._running  # who has ended is forgotten


def test_a_crowd_slows_arithmetic_and_not_the_link() -> None:
    net, cores = two()
    cores.enter(4)
    bound, moving = work(cores, 4.0, 10.0), work(cores, 0.0, 10.0)
    # The first asks for 1.25 B/s of ten; the second, with no arithmetic, takes what is left.
    net.env.run()
    assert (bound, moving) == ([pytest.approx(8.0)], [pytest.approx(10 / 8.75)])


def test_a_clock_that_changes_is_felt_in_proportion_to_the_share_of_a_core() -> None:
    net, cores = two()
    cores.enter(4)
    flow: Flow = cores.work(4.0, 0.0, net.route([]))
    done: list[float] = []
    flow.callbacks.append(lambda _: done.append(net.env.now))
    net.at(2.0, lambda _: cores.set_rate(flow, 2.0))  # one second done, three at twice a half
    net.at(3.0, lambda _: cores.leave(2))  # two left, at twice the speed
    net.env.run()
    assert done == [pytest.approx(4.0)]


def test_work_of_no_time_and_no_bytes_is_done_at_once() -> None:
    net, cores = two()
    cores.enter(1)
    done = work(cores, 0.0, delay=0.25)
    net.env.run()
    assert done == [0.25]


@pytest.mark.parametrize("arbitration", ["weighted", "priority"])
def test_work_is_of_no_weight_and_no_urgency_but_what_is_said(arbitration: str) -> None:
    net = Network(simpy.Environment(), [Link("dram", (10.0,), 0.0, arbitration)])
    cores = Cores(net, 2)
    done: list[float] = []
    there = net.transfer(20.0, net.route(["dram"], Claim(weight=1.0, priority=0)))
    mine = cores.work(0.0, 20.0, net.route(["dram"]))
    for flow in (there, mine):
        flow.callbacks.append(lambda _: done.append(net.env.now))
    net.env.run()
    assert done == [4.0, 4.0]  # half of the link for each, from the start
