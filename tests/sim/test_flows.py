"""Bare flows against closed forms and an exact reference."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hetsim.errors import ConfigError
from hetsim.sim import Flow, simulate_flows
from hetsim.soc.model import Link
from tests.sim.flow_reference import finish_times


def close(expected: list[float]) -> object:
    return pytest.approx(expected, rel=1e-12)


def test_a_flow_alone_takes_bytes_over_bandwidth() -> None:
    assert simulate_flows({"bus": 12.8e9}, [Flow(0.5, 6.4e9, ["bus"])]) == close([1.0])


@pytest.mark.parametrize("n", [2, 3, 7])
def test_equal_flows_share_the_processor_equally(n: int) -> None:
    flows = [Flow(0.0, 1e9, ["bus"]) for _ in range(n)]
    assert simulate_flows({"bus": 1e9}, flows) == close([float(n)] * n)


def test_processor_sharing_finishes_unequal_flows_in_order_of_size() -> None:
    # 1, 2, 3 GB at 1 GB/s: 3 share until 3 s, 2 until 5 s, 1 until 6 s.
    flows = [Flow(0.0, size * 1e9, ["bus"]) for size in (1, 2, 3)]
    assert simulate_flows({"bus": 1e9}, flows) == close([3.0, 5.0, 6.0])


def test_staggered_arrivals() -> None:
    # 2 GB alone for 1 s, then both at 0.5: the second's 0.5 GB need 1 s, the first's rest follows.
    flows = [Flow(0.0, 2e9, ["bus"]), Flow(1.0, 0.5e9, ["bus"])]
    assert simulate_flows({"bus": 1e9}, flows) == close([2.5, 2.0])


def test_a_capped_flow_leaves_the_rest_to_the_others() -> None:
    flows = [Flow(0.0, 1e9, ["bus"], cap=0.25e9), Flow(0.0, 3e9, ["bus"])]
    assert simulate_flows({"bus": 1e9}, flows) == close([4.0, 4.0])


def test_caps_that_do_not_bind_change_nothing() -> None:
    flows = [Flow(0.0, 1e9, ["bus"], cap=0.5e9), Flow(0.0, 1e9, ["bus"], cap=7e9)]
    assert simulate_flows({"bus": 1e9}, flows) == close([2.0, 2.0])


def test_two_bottlenecks_are_filled_max_min_fairly() -> None:
    # The classic line: a over both links, b on the tight one, c on the wide one.
    # tight: a = b = 0.5; wide: c gets 2 - 0.5 = 1.5. b and a end at 2; c has 3 - 3 = 0 left then.
    flows = [
        Flow(0.0, 1e9, ["tight", "wide"]),
        Flow(0.0, 1e9, ["tight"]),
        Flow(0.0, 3e9, ["wide"]),
    ]
    assert simulate_flows({"tight": 1e9, "wide": 2e9}, flows) == close([2.0, 2.0, 2.0])


def test_weights_divide_in_proportion() -> None:
    flows = [Flow(0.0, 3e9, ["bus"], weight=3.0), Flow(0.0, 2e9, ["bus"], weight=1.0)]
    # 0.75 and 0.25 GB/s until 4 s; then 1 GB is left alone.
    assert simulate_flows({"bus": 1e9}, flows) == close([4.0, 5.0])


def test_weights_count_only_on_weighted_links() -> None:
    fair = Link("bus", (1e9,))
    flows = [Flow(0.0, 1e9, ["bus"], weight=3.0), Flow(0.0, 1e9, ["bus"], weight=1.0)]
    assert simulate_flows({"bus": fair}, flows) == close([2.0, 2.0])


def test_strict_priority_starves_the_lower_class() -> None:
    link = Link("bus", (1e9,), arbitration="priority")
    flows = [Flow(0.0, 2e9, ["bus"]), Flow(1.0, 1e9, ["bus"], priority=1)]
    assert simulate_flows({"bus": link}, flows) == close([3.0, 2.0])


def test_strict_priority_leaves_what_higher_classes_cannot_use() -> None:
    link = Link("bus", (1e9,), arbitration="priority")
    flows = [
        Flow(0.0, 1e9, ["bus"], cap=0.25e9, priority=2),
        Flow(0.0, 1e9, ["bus"], priority=1),
        Flow(0.0, 1e9, ["bus"]),
    ]
    # 0.25 all along; 0.75 for the second until 4/3 s, then for the third until 8/3 s.
    assert simulate_flows({"bus": link}, flows) == close([4.0, 4 / 3, 8 / 3])


def test_priority_shares_equally_within_a_class() -> None:
    link = Link("bus", (1e9,), arbitration="priority")
    flows = [Flow(0.0, 1e9, ["bus"], priority=5), Flow(0.0, 1e9, ["bus"], priority=5)]
    assert simulate_flows({"bus": link}, flows) == close([2.0, 2.0])


def test_fifo_serves_one_after_the_other() -> None:
    link = Link("bus", (1e9,), arbitration="fifo")
    flows = [Flow(0.0, 1e9, ["bus"]), Flow(0.5, 1e9, ["bus"]), Flow(0.2, 1e9, ["bus"])]
    assert simulate_flows({"bus": link}, flows) == close([1.0, 3.0, 2.0])


def test_fifo_gives_the_head_all_it_can_use_and_nobody_else_the_rest() -> None:
    link = Link("bus", (1e9,), arbitration="fifo")
    flows = [Flow(0.0, 1e9, ["bus"], cap=0.5e9), Flow(0.0, 1e9, ["bus"])]
    assert simulate_flows({"bus": link}, flows) == close([2.0, 3.0])


def test_only_a_fifo_link_lets_one_wait_for_the_other() -> None:
    links = {"fair": Link("fair", (1e9,)), "queue": Link("queue", (1e9,), arbitration="fifo")}
    flows = [Flow(0.0, 1e9, ["fair"]), Flow(0.0, 1e9, ["fair", "queue"]), Flow(0.0, 1e9, ["queue"])]
    # Two share the fair link until 2 s; the third waits for the second.
    assert simulate_flows(links, flows) == close([2.0, 2.0, 3.0])


def test_latency_is_added_per_link_and_transfer() -> None:
    links = {"port": Link("port", (1e9,), 0.25), "ram": Link("ram", (1e9,), 0.5)}
    flows = [Flow(0.0, 1e9, ["port", "ram"]), Flow(0.0, 1e9, ["ram"])]
    # The second starts moving at 0.5 and has moved 0.25 GB when the first joins at 0.75.
    # From then on both at 0.5: the second's 0.75 GB end at 2.25, then 0.25 GB alone.
    assert simulate_flows(links, flows) == close([2.5, 2.25])


def test_efficiency_falls_with_the_number_of_transfers() -> None:
    # 1 GB/s alone, 0.8 for two, 0.6 for three and more.
    link = Link("ram", (1e9, 0.8e9, 0.6e9))
    one = Flow(0.0, 1.2e9, ["ram"])
    assert simulate_flows({"ram": link}, [one]) == close([1.2])
    assert simulate_flows({"ram": link}, [one] * 2) == close([3.0, 3.0])
    assert simulate_flows({"ram": link}, [one] * 3) == close([6.0] * 3)
    assert simulate_flows({"ram": link}, [one] * 4) == close([8.0] * 4)


def test_efficiency_falls_for_flows_that_never_fill_the_link() -> None:
    # Two flows capped at 0.5 fit 1 GB/s, but not the 0.8 GB/s that two flows leave.
    link = Link("ram", (1e9, 0.8e9))
    flows = [Flow(0.0, 0.4e9, ["ram"], cap=0.5e9), Flow(0.0, 0.6e9, ["ram"], cap=0.5e9)]
    # 0.4 each until 1 s; the second's 0.2 GB then at its cap.
    assert simulate_flows({"ram": link}, flows) == close([1.0, 1.4])


def test_efficiency_may_rise_again_without_carrying_more_than_the_capacity() -> None:
    # Banks interleave: two transfers are slower than one or three.
    link = Link("ram", (1e9, 0.2e9, 0.9e9))
    flows = [Flow(0.0, size * 1e9, ["ram"], cap=0.3e9) for size in (0.3, 0.4, 0.5)]
    # 0.3 each until 1 s; two left at 0.1 each: 0.1 GB until 2 s; the last 0.1 GB at its cap.
    assert simulate_flows({"ram": link}, flows) == close([1.0, 2.0, 2 + 1 / 3])


def test_no_bytes_take_only_latency() -> None:
    links = {"port": Link("port", (1e9,), 0.25)}
    assert simulate_flows(links, [Flow(1.0, 0.0, ["port"])]) == close([1.25])
    queue = {"port": Link("port", (1e9,), arbitration="fifo")}  # where nothing queues for nothing
    flows = [Flow(0.0, 2e9, ["port"]), Flow(1.0, 0.0, ["port"])]
    assert simulate_flows(queue, flows) == close([2.0, 1.0])
    assert simulate_flows({}, [Flow(1.0, 0.0, [])]) == [1.0]  # and none at all without links


def test_a_flow_without_links_runs_at_its_cap() -> None:
    assert simulate_flows({}, [Flow(1.0, 3.0, [], cap=2.0)]) == close([2.5])


def test_no_flows() -> None:
    assert simulate_flows({"bus": 1e9}, []) == []


@pytest.mark.parametrize(
    ("links", "flow"),
    [
        ({"bus": 1e9}, Flow(0.0, 1.0, ["buss"])),
        ({"bus": 1e9}, Flow(-1.0, 1.0, ["bus"])),
        ({"bus": 1e9}, Flow(0.0, -1.0, ["bus"])),
        ({"bus": 1e9}, Flow(0.0, 1.0, ["bus"], cap=0.0)),
        ({"bus": 1e9}, Flow(0.0, 1.0, ["bus"], weight=0.0)),
        ({"bus": 1e9}, Flow(0.0, 1.0, [])),
        ({"bus": 1e9}, Flow(0.0, 1.0, ["bus", "bus"])),
        ({"bus": 1e9}, Flow(0.0, math.nan, ["bus"])),
        ({"bus": 1e9}, Flow(math.nan, 1.0, ["bus"])),
        ({"bus": 1e9}, Flow(math.inf, 1.0, ["bus"])),
        ({"bus": 1e9}, Flow(0.0, math.inf, ["bus"])),
        ({"bus": 1e9}, Flow(0.0, 1.0, ["bus"], weight=math.nan)),
        ({"bus": 0.0}, Flow(0.0, 1.0, ["bus"])),
        ({"bus": -1.0}, Flow(0.0, 1.0, ["bus"])),
        ({"bus": math.inf}, Flow(0.0, 1.0, ["bus"])),
        ({"bus": Link("bus", (1e9, 0.0))}, Flow(0.0, 1.0, ["bus"])),
        ({"bus": Link("bus", (1e9,), math.inf)}, Flow(0.0, 1.0, ["bus"])),
        ({"bus": Link("bus", ())}, Flow(0.0, 1.0, ["bus"])),
        ({"bus": Link("bus", (1e9,), -1.0)}, Flow(0.0, 1.0, ["bus"])),
        ({"bus": Link("ram", (1e9,))}, Flow(0.0, 1.0, ["bus"])),
        ({"bus": Link("bus", (1e9,), arbitration="lottery")}, Flow(0.0, 1.0, ["bus"])),
    ],
)
def test_flows_and_links_that_make_no_sense_are_refused(
    links: dict[str, float | Link], flow: Flow
) -> None:
    with pytest.raises(ConfigError):
        simulate_flows(links, [flow])


NAMES = ("a", "b", "c", "d")


@st.composite
def flow_sets(draw: st.DrawFn, varying: bool) -> tuple[dict[str, tuple[float, ...]], list[Flow]]:
    """Links (capacities that change with the number of flows, if ``varying``) and flows."""
    capacity = st.integers(1, 40).map(float)
    several = st.lists(capacity, min_size=1, max_size=4 if varying else 1)
    names = NAMES[: draw(st.integers(1, 4))]
    links = {name: tuple(draw(several)) for name in names}
    flow = st.builds(
        Flow,
        start=st.integers(0, 24).map(lambda n: n / 8),
        bytes=st.integers(0, 60).map(float),
        path=st.lists(st.sampled_from(names), min_size=1, unique=True),
        cap=st.none() | st.integers(1, 40).map(lambda n: n / 2),
        weight=st.sampled_from((0.25, 0.5, 1.0, 1.5, 3.0, 8.0)),
        priority=st.integers(-1, 2),
    )
    return links, draw(st.lists(flow, min_size=1, max_size=9))


def check(
    links: dict[str, tuple[float, ...]], flows: list[Flow], arbitration: str, weighted: bool
) -> None:
    ours = simulate_flows(
        {name: Link(name, capacities, 0.0, arbitration) for name, capacities in links.items()},
        flows,
    )
    exact = finish_times(
        links,
        [
            (f.start, f.bytes, f.path, f.cap, f.weight if weighted else 1.0, f.priority)
            for f in flows
        ],
        arbitration,
    )
    for mine, true in zip(ours, exact, strict=True):
        assert mine == pytest.approx(float(true), rel=1e-9, abs=1e-12)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(flow_sets(varying=False))
def test_weighted_links_agree_with_the_exact_reference(
    flow_set: tuple[dict[str, tuple[float, ...]], list[Flow]],
) -> None:
    check(*flow_set, "weighted", True)


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(flow_sets(varying=True))
def test_links_whose_efficiency_varies_agree_with_the_exact_reference(
    flow_set: tuple[dict[str, tuple[float, ...]], list[Flow]],
) -> None:
    check(*flow_set, "max_min_fair", False)


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(flow_sets(varying=True))
def test_priority_links_agree_with_the_exact_reference(
    flow_set: tuple[dict[str, tuple[float, ...]], list[Flow]],
) -> None:
    check(*flow_set, "priority", False)


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(flow_sets(varying=True))
def test_fifo_links_agree_with_the_exact_reference(
    flow_set: tuple[dict[str, tuple[float, ...]], list[Flow]],
) -> None:
    check(*flow_set, "fifo", False)


def test_a_flow_stopped_at_the_very_moment_it_ends_has_ended() -> None:
    link = Link("bus", (1e9,), arbitration="priority")
    flows = [Flow(1.0, 3e9, ["bus"], priority=1), Flow(0.0, 1e9, ["bus"])]
    assert simulate_flows({"bus": link}, flows) == close([4.0, 1.0])


def test_priorities_count_only_where_a_link_of_the_path_asks_for_them() -> None:
    links = {"a": Link("a", (1e9,), arbitration="priority"), "b": Link("b", (1e9,))}
    flows = [Flow(0.0, 1e9, ["b"], priority=1), Flow(0.0, 1e9, ["b"])]
    busy = [Flow(0.0, 1e8, ["a", "b"]), Flow(0.0, 1e8, ["a"])]
    assert simulate_flows(links, flows) == close([2.0, 2.0])
    first, second, *_ = simulate_flows(links, [*flows, *busy])
    assert first == second


def test_links_slower_than_a_byte_a_second_are_shared_like_all_others() -> None:
    flows = [Flow(0.0, 1.0, ["slow"]), Flow(0.0, 1.0, ["slow"])]
    assert simulate_flows({"slow": 0.5}, flows) == close([4.0, 4.0])


@pytest.mark.parametrize("weight", [0.0, -1.0, math.inf, math.nan])
def test_a_weight_is_a_positive_number(weight: float) -> None:
    with pytest.raises(ConfigError, match="positive weight"):
        simulate_flows({"bus": 1.0}, [Flow(0.0, 1.0, ["bus"], weight=weight)])
