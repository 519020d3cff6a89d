"""Links during a simulation: what they have carried, and flows whose own speed changes."""

from collections.abc import Callable
from itertools import pairwise

import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from hetsim.sim.network.flow import Flow
from hetsim.sim.network.links import Claim, Slowdown
from hetsim.sim.network.network import Network
from hetsim.sim.network.traced import TracedNetwork
from hetsim.soc.model import Link


def network(*links: Link) -> Network:
    return Network(simpy.Environment(), links)


def begin(net: Network, amount: float, path: list[str], cap: float = float("inf")):
    """Starts a transfer; returns it with a list that will hold its finish time."""
    done: list[float] = []
    flow = net.transfer(amount, net.route(path), cap)
    flow.callbacks.append(lambda _: done.append(net.env.now))
    return flow, done


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 20),
            st.integers(0, 1000),
            st.lists(st.sampled_from("abc"), min_size=1, unique=True),
            st.integers(1, 50),
        ),
        max_size=12,
    ),
    st.sampled_from(("max_min_fair", "fifo")),
)
def test_links_carry_exactly_the_bytes_of_their_flows_and_never_more_than_they_can(
    flows: list[tuple[int, int, list[str], int]], arbitration: str
) -> None:
    links = [Link(name, (30.0, 25.0, 27.0), 0.0, arbitration) for name in "abc"]
    net = TracedNetwork(simpy.Environment(), links)
    for start, amount, path, cap in flows:
        net.at(start, lambda _, a=amount, p=path, c=cap: net.transfer(a, net.route(p), c))
    net.env.run()
    for name in "abc":
        usage = net.links[name].usage
        assert usage.bytes == sum(amount for _, amount, path, _ in flows if name in path)
        samples = [s for s in net.samples if s.link == name]
        for sample in samples:
            room = (30.0, 25.0, 27.0)[min(max(sample.flows, 1), 3) - 1]
            assert sample.rate <= room * (1 + 1e-9)
        # The recorded rates, integrated over time, are the bytes again.
        moved = sum(a.rate * (b.time - a.time) for a, b in pairwise(samples))
        assert moved == pytest.approx(usage.bytes, rel=1e-9, abs=1e-9)


def test_a_flow_can_be_slowed_and_sped_up_while_it_runs() -> None:
    net = network(Link("bus", (10.0,)))
    flow, done = begin(net, 20.0, ["bus"], 10.0)
    net.at(1.0, lambda _: net.set_limit(flow, 2.0))  # 10 left
    net.at(3.0, lambda _: net.set_limit(flow, 6.0))  # 6 left
    net.env.run()
    assert done == pytest.approx([4.0])
    assert net.links["bus"].usage.bytes == 20.0


def test_a_raised_limit_stays_below_the_link() -> None:
    net = network(Link("bus", (10.0,)))
    flow, done = begin(net, 20.0, ["bus"], 5.0)
    net.at(2.0, lambda _: net.set_limit(flow, 1000.0))
    net.env.run()
    assert done == pytest.approx([3.0])


def test_changing_one_limit_shares_the_rest_anew() -> None:
    net = network(Link("bus", (10.0,)))
    slow, first = begin(net, 20.0, ["bus"])
    _, second = begin(net, 40.0, ["bus"])
    net.at(2.0, lambda _: net.set_limit(slow, 2.0))
    # 5 each until 2 s (10 and 30 left); then 2 and 8: the second ends at 5.75 s with 2.5 left
    # of the first, at 2 a second.
    net.env.run()
    assert second == pytest.approx([5.75])
    assert first == pytest.approx([7.0])


def test_a_limit_that_makes_a_quiet_link_crowded_slows_the_other() -> None:
    net = network(Link("bus", (10.0,)))
    first, one = begin(net, 30.0, ["bus"], 4.0)
    _, two = begin(net, 30.0, ["bus"], 6.0)
    net.at(1.0, lambda _: net.set_limit(first, 8.0))
    # 4 and 6 until 1 s (26 and 24 left), then 5 each: the second until 5.8 s; 2 left at 8.
    net.env.run()
    assert two == pytest.approx([5.8])
    assert one == pytest.approx([6.05])


def test_a_limit_set_while_latency_passes_holds_from_the_first_byte() -> None:
    net = network(Link("bus", (10.0,), 1.0))
    flow, done = begin(net, 10.0, ["bus"])
    net.at(0.5, lambda _: net.set_limit(flow, 5.0))
    net.env.run()
    assert done == pytest.approx([3.0])


def test_time_lost_to_others_is_booked_on_the_link_that_was_full() -> None:
    net = network(Link("port", (100.0,)), Link("bus", (10.0,)))
    begin(net, 10.0, ["port", "bus"])
    begin(net, 10.0, ["bus"])
    net.env.run()
    # Both take 2 s instead of 1.
    assert net.links["bus"].usage.contention_s == pytest.approx(2.0)
    assert net.links["port"].usage.contention_s == 0.0


@pytest.mark.parametrize("flows", [10, 100])
def test_events_grow_linearly_with_flows_that_do_not_meet(flows: int) -> None:
    net = network(*(Link(f"l{i}", (10.0,)) for i in range(flows)))
    for i in range(flows):
        begin(net, 10.0, [f"l{i}"])
    net.env.run()
    assert next(net.env._eid) <= 2 * flows


def test_who_is_alone_costs_one_event_also_after_others_have_met() -> None:
    net = network(Link("bus", (10.0,), 1.0))

    def events() -> int:
        return next(net.env._eid)

    begin(net, 10.0, ["bus"])
    net.env.run()
    assert events() == 1  # its latency has no event of its own
    begin(net, 10.0, ["bus"])
    begin(net, 10.0, ["bus"])
    net.env.run()
    before = events()
    begin(net, 10.0, ["bus"])
    net.env.run()
    assert events() - before == 2  # one, and the question itself


def test_who_comes_while_others_wait_for_their_first_byte_meets_them() -> None:
    net = network(Link("bus", (12.0,), 1.0))
    ends: dict[int, float] = {}
    for i in range(3):

        def start(_: object, i: int = i) -> None:
            flow = net.transfer(12.0, net.route(["bus"]))
            flow.callbacks.append(lambda _: ends.update({i: net.env.now}))

        net.at(i / 4, start)
    net.env.run()
    # First bytes at 1, 1.25 and 1.5: 3 alone, then 1.5 each, then 4 a second: the first has 7.5
    # left, the second 10.5, the third 12. 7.5 take until 3.375; then 3 and 4.5 are left, at 6.
    assert ends == {0: 3.375, 1: 3.875, 2: 4.0}
    usage = net.links["bus"].usage
    assert (usage.bytes, usage.busy_s) == (36.0, 3.0)


def samples_of(net: TracedNetwork, link: str) -> list[tuple[float, float, int]]:
    return [(s.time, s.rate, s.flows) for s in net.samples if s.link == link]


def test_a_link_is_noted_when_it_changes_and_only_then() -> None:
    net = TracedNetwork(simpy.Environment(), [Link("x", (1.0,)), Link("y", (3.0,))])
    net.transfer(4.0, net.route(["x", "y"]))
    # Another one on y, which leaves x as it is: x has nothing new to tell.
    net.at(1.0, lambda _: net.transfer(1.0, net.route(["y"]), 1.0))
    net.env.run()
    assert samples_of(net, "x") == [(0.0, 1.0, 1), (4.0, 0.0, 0)]
    assert samples_of(net, "y") == [(0.0, 1.0, 1), (1.0, 2.0, 2), (2.0, 1.0, 1), (4.0, 0.0, 0)]


def test_of_a_divided_transfer_each_link_is_noted_with_its_share() -> None:
    """Six of eight bytes cross x at 1 B/s, which takes 6 s; meanwhile two cross y."""
    net = TracedNetwork(simpy.Environment(), [Link("x", (1.0,)), Link("y", (3.0,))])
    net.transfer(8.0, net.blend([(net.route(["x"]), 3.0), (net.route(["y"]), 1.0)]))
    net.env.run()
    assert samples_of(net, "x") == [(0.0, 1.0, 1), (6.0, 0.0, 0)]
    ((_, rate, _), end) = samples_of(net, "y")
    assert (rate, end) == (pytest.approx(1 / 3), (6.0, 0.0, 0))


def test_speed_lost_where_no_link_is_full_is_booked_on_the_memory() -> None:
    links = [Link("own", (10.0,)), Link("other", (10.0,)), Link("dram", (100.0,))]
    net = Network(simpy.Environment(), links)

    def halved(_own: float, external: float) -> float:
        return 0.5 if external else 1.0

    flow = net.transfer(10.0, net.route(["own", "dram"], Claim(slowdown=halved)))
    net.transfer(100.0, net.route(["other", "dram"]))
    net.env.run()
    assert flow.lost == pytest.approx(1.0)  # it took 2 s for what takes 1 s
    assert net.links["dram"].usage.contention_s == pytest.approx(1.0)
    assert net.links["own"].usage.contention_s == 0.0


def beside(_own: float, external: float) -> float:
    """Half the speed beside 4 B/s, a third beside 8, and so on."""
    return 4.0 / (4.0 + external)


def memory_of(*, shared: bool = True) -> tuple[Network, Callable[..., Flow], list[float]]:
    """A memory that nobody fills, what starts a flow to it, and ends in their order."""
    net = Network(simpy.Environment(), [Link("dram", (1000.0,))], shared=shared)
    ends: list[float] = []

    def start(amount: float, cap: float, slowdown: Slowdown | None = None) -> Flow:
        flow = net.transfer(amount, net.route(["dram"], Claim(slowdown=slowdown)), cap)
        flow.callbacks.append(lambda _: ends.append(net.env.now))
        return flow

    return net, start, ends


def test_each_is_slowed_by_all_that_others_ask_for() -> None:
    net, start, ends = memory_of()
    plain = start(16.0, 4.0), start(32.0, 4.0)  # until 4 and 8 s
    slow = start(8.0, 4.0, beside), start(16.0, 4.0, beside)
    # Beside 12 B/s a quarter, 1 B/s, until 4 s; beside 8 a third, 4/3: the first has 4 left and
    # ends at 7 s, when the second has 8; beside 4 a half, until 8 s; 6 left, alone at 4.
    net.env.run()
    assert ends == pytest.approx([4.0, 7.0, 8.0, 9.5])
    assert [flow.lost for flow in plain] == [0.0, 0.0]
    assert [flow.lost for flow in slow] == pytest.approx([7 - 2, 9.5 - 4])
    assert net.links["dram"].usage.bytes == 72.0
    begun = net.env.now
    start(8.0, 4.0, beside)  # nobody is left to slow it
    net.env.run()
    assert ends[4:] == pytest.approx([begun + 2.0])


def test_who_asks_for_more_or_less_slows_the_others_from_then_on() -> None:
    net, start, ends = memory_of()
    other, slow = start(100.0, 4.0), start(12.0, 4.0, beside)
    net.at(1.0, lambda _: net.set_limit(other, 12.0))  # 10 left, at 4 / 16 of the speed
    net.at(3.0, lambda _: net.set_limit(slow, 8.0))  # 8 left, at 8 / 4
    # The other has moved 28 by 3 s, and goes on at 12 until 9 s; at 7 the slow one ends.
    net.env.run()
    assert ends == pytest.approx([7.0, 9.0])
    assert slow.lost == pytest.approx(0.5 + 0.75 * 6)


def test_without_contention_nobody_slows_anybody() -> None:
    net, start, ends = memory_of(shared=False)
    start(8.0, 4.0)
    start(8.0, 4.0, beside)
    net.env.run()
    assert ends == [2.0, 2.0]


def test_priority_means_nothing_on_a_way_without_a_strict_link() -> None:
    links = [Link("bus", (2.0,)), Link("strict", (10.0,), 0.0, "priority")]
    net = Network(simpy.Environment(), links)
    done = {}
    for name, path, priority in (
        ("plain", ["bus"], 5), ("low", ["bus", "strict"], 0),
    ):  # fmt: skip
        flow = net.transfer(4.0, net.route(path, Claim(priority=priority)))
        flow.callbacks.append(lambda _, name=name: done.update({name: net.env.now}))
    net.env.run()
    assert done == {"plain": 4.0, "low": 4.0}
