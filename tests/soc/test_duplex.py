"""Full-duplex links: what a SoC file may say of them, times and energy by hand, and bounds."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hetsim.analysis.metrics.energy import energy
from hetsim.bounds.makespan import lower_bounds
from hetsim.cost.analytical import AnalyticalModel
from hetsim.sim.simulate import execute
from hetsim.sim.trace import Trace
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph
from tests.sim.samples import CLUSTER, FAST, MS, NPU, lower, make_graph, make_soc

CHIPLET = {"path": ["d2d", "dram"]}


def soc(pus: dict[str, Any] | None = None, memory: Any = FAST, **link: Any) -> SoC:
    said = {"bandwidth": "1 GB/s", "duplex": "full"} | link
    return make_soc(pus or {"cpu": CHIPLET}, memory=memory, links={"d2d": said})


def took(graph: Graph, soc: SoC, *partitions: tuple[str, str], fidelity: str = "fluid") -> Trace:
    groups = [[f"p{i}" for i in range(len(partitions))]] if len(partitions) > 1 else []
    program = lower(graph, soc, list(partitions), groups)
    trace = execute(soc, program, fidelity=fidelity)
    for bound in lower_bounds(graph, soc, AnalyticalModel(), fidelity):
        assert bound.seconds <= trace.makespan_s * (1 + 1e-9), bound
    return trace


ONE = make_graph(("a", ["x"], 0.0))
TWO = make_graph(("a", ["x"], 0.0), ("b", ["y"], 0.0))
SUM = make_graph(("a", ["x", "y", "z"], 0.0))


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ({}, 1.0),  # 1 MB each way at 1 GB/s, at the same time
        ({"duplex": "half"}, 2.0),
        ({"efficiency": 0.5}, 2.0),
        ({"latency": "100 us"}, 1.1),
        ({"bandwidth": "4 GB/s", "efficiency": 0.8, "latency": "10 us"}, 1 / 3.2 + 0.01),
    ],
)
def test_latency_and_bytes_over_payload_bandwidth(link: dict[str, Any], expected: float) -> None:
    trace = took(ONE, soc(**link), ("cpu", "a"))
    assert trace.makespan_s == pytest.approx(expected * MS, rel=1e-6)
    # A memory narrower than both directions together is what counts.
    narrow = {"dram": {"bandwidth": "1.5 GB/s", "capacity": "1 GiB"}}
    if link == {}:
        assert took(ONE, soc(memory=narrow), ("cpu", "a")).makespan_s == pytest.approx(MS * 2 / 1.5)


@pytest.mark.parametrize(("fidelity", "slots"), [("fluid", 10), ("tile", 9)])
def test_an_npu_loads_and_stores_tiles_at_the_same_time(fidelity: str, slots: int) -> None:
    """Eight tiles of 1/8 ms each way: the first load, eight slots, the last store.

    Tile by tile the first store is under way in the first slot, as nothing takes time to compute.
    """
    npu = {"npu": NPU | CHIPLET | {"vector_lanes": 1_000_000}}
    for duplex, expected in (("full", slots / 8), ("half", 2.0)):
        trace = took(ONE, soc(npu, duplex=duplex), ("npu", "a"), fidelity=fidelity)
        assert trace.makespan_s == pytest.approx(expected * MS, rel=1e-5)


def test_the_longer_direction_decides() -> None:
    trace = took(SUM, soc(), ("cpu", "a"))
    assert trace.makespan_s == pytest.approx(3 * MS, rel=1e-6)
    assert {name: use.bytes for name, use in trace.links.items()} == {
        "d2d.in": 3_000_000, "d2d.out": 1_000_000, "dram": 4_000_000,
    }  # fmt: skip


def test_two_units_share_each_direction() -> None:
    pair = {"cpu": CHIPLET, "big": CLUSTER | CHIPLET}
    trace = took(TWO, soc(pair), ("cpu", "a"), ("big", "b"))
    assert trace.makespan_s == pytest.approx(2 * MS, rel=1e-6)


def test_units_on_either_side_meet_the_other_ones_traffic() -> None:
    """Three loads and a store each: what one reads goes where the other writes."""
    memory = dict.fromkeys(("dram", "near"), FAST["dram"])
    graph = make_graph(("a", ["x", "y", "z"], 0.0), ("b", ["u", "v", "w"], 0.0))
    pair = {"cpu": {"path": ["d2d", "near"]}, "big": CLUSTER | CHIPLET}
    for backwards, expected in (([], 6.0), (["near"], 4.0)):
        trace = took(graph, soc(pair, memory, backwards=backwards), ("cpu", "a"), ("big", "b"))
        assert trace.makespan_s == pytest.approx(expected * MS, rel=1e-6)


def test_copies_read_one_way_and_write_the_other() -> None:
    npu = NPU | {"path": ["dram"], "crossing": {"copy": "1e9 GB/s"}}
    trace = took(ONE, soc({"cpu": CHIPLET, "npu": npu}), ("npu", "a"))
    used = (trace.links["d2d.in"].bytes, trace.links["d2d.out"].bytes)
    assert used == (2_000_000, 2_000_000)  # of the input and of the result


def test_energy_is_of_every_byte_either_way() -> None:
    link = soc(energy_per_byte="4 pJ")  # 0.5 pJ a bit
    assert energy(took(SUM, link, ("cpu", "a")), link) == pytest.approx(4e6 * 4e-12)


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ({"backwards": ["near"]}, "no path over 'd2d' leads to 'near'; known: dram"),
        ({"backwards": ["dram"]}, "names all memories behind the link"),
        ({"backwards": ["dram"], "duplex": "half"}, "no effect with duplex: half"),
        ({"efficiency": 1.5}, "less than or equal to 1"),
    ],
)
def test_what_would_do_nothing_is_refused(link: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        soc(**link)
