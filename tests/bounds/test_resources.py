"""What units share, by hand: the host's cores, and links by their bytes."""

from __future__ import annotations

from math import inf

import pytest

from hetsim.bounds.floors import NEVER, NOTHING, Least, Resource
from hetsim.bounds.resources import OfUnit, resources_of
from hetsim.bounds.tolls import Tolls
from hetsim.soc.model import SoC
from tests.bounds.test_tolls import TILED
from tests.sim.samples import CLUSTER, FAST, MS, make_graph, make_soc

UNITS = [
    OfUnit(
        (Least(9.0), NEVER), (0.0, 0.0), (Least(10.0 + i, ((0, 4.0),)), NEVER),
        (3.0 + i, inf), (Least(2.0 + i, ((0, 1.0),)), NEVER),
    )
    for i in range(3)
]  # fmt: skip
"""Bytes 10, 11, 12; 3, 4, 5 more to store; core-seconds 2, 3, 4."""
TWO = make_graph(("a", ["x"], 1.0), ("b", ["a"], 1.0))


def shared(soc: SoC, count_bytes: bool = True) -> tuple[Resource, ...]:
    return resources_of(soc, UNITS, Tolls(TWO, soc, 1), count_bytes=count_bytes)


def bus(**pus: dict[str, object]) -> SoC:
    """The host reaches the memory over nothing, the others over a bus of half its width."""
    units = {"gpu": TILED | {"path": ["bus", "dram"]}, "big": CLUSTER | {"path": ["bus", "dram"]}}
    memory = {"dram": {"bandwidth": "4 GB/s", "efficiency": [0.5, 1.0], "capacity": "1 GiB"}}
    return make_soc(
        units | pus, memory=memory, links={"bus": {"bandwidth": "2 GB/s"}}, partition_call="7 us"
    )


def test_the_hosts_cores_are_shared_by_its_workers_and_by_crossings() -> None:
    cores = shared(bus())[0]
    assert cores.seconds == 1 / 4
    assert cores.call == pytest.approx(7e-6)
    assert cores.ops[0] == (Least(8.0, ((0, 4.0),)), NOTHING, NOTHING)  # four cores for 2 s
    assert cores.ops[1][1:] == (NOTHING, NOTHING)
    assert cores.ops[1][0].alone == inf
    assert cores.stored == ((0.0,) * 3,) * 2
    assert cores.toll("x", None, 1) == pytest.approx(0.5 * MS)
    assert cores.toll("x", None, 2) == 0.0
    assert cores.handing("a", 1) == 0.0
    workers = make_soc({"cpu": {"cores": 3, "workers": [1, 2]}, "gpu": TILED})
    assert shared(workers)[0].ops[0] == (
        Least(2.0, ((0, 1.0),)), Least(6.0, ((0, 2.0),)), NOTHING,
    )  # fmt: skip
    by_host = make_soc({"gpu": TILED, "big": CLUSTER}, exchange="host")
    assert shared(by_host)[0].handing("a", 1) == pytest.approx(0.5 * MS)
    assert shared(by_host)[1].handing("a", 1) == 2e6


def test_links_count_the_bytes_of_all_that_cannot_avoid_them() -> None:
    _, link, dram = shared(bus())
    assert dram.seconds == 1 / 4e9  # as wide as it ever is
    assert dram.ops[0] == tuple(Least(10.0 + i, ((0, 4.0),)) for i in range(3))
    assert dram.stored == ((3.0, 4.0, 5.0), (inf,) * 3)
    assert dram.call == 0.0
    assert dram.toll("x", None, 1) == 2e6
    assert link.seconds == 1 / 2e9
    assert link.ops[0] == (NOTHING, Least(11.0, ((0, 4.0),)), Least(12.0, ((0, 4.0),)))
    assert link.stored == ((0.0, 4.0, 5.0), (0.0, inf, inf))
    assert link.toll("x", None, 1) == 0.0  # the host converts, and does not cross it
    assert len(shared(bus(), count_bytes=False)) == 1


def test_a_link_that_one_unit_has_for_itself_or_can_avoid_is_none() -> None:
    private = make_soc(
        {"gpu": TILED | {"path": ["bus", "dram"]}, "big": CLUSTER},
        links={"bus": {"bandwidth": "1 MB/s"}},
    )
    assert [r.seconds for r in shared(private)] == [1 / 4, 1 / 1e9]
    memory = {
        "dram": {"bandwidth": "1 GB/s", "capacity": "1 GiB"},
        "other": {"bandwidth": "1 MB/s", "capacity": "1 GiB"},
    }
    way = {"routes": {"other": ["other"]}}
    roundabout = make_soc({"cpu": way, "gpu": TILED | way, "big": CLUSTER}, memory=memory)
    assert len(shared(roundabout)) == 1  # only one of them needs the first


def test_a_lone_unit_shares_nothing_but_its_cores_with_crossings() -> None:
    soc = make_soc()
    (cores,) = resources_of(soc, UNITS[:1], Tolls(TWO, soc, 1), count_bytes=True)
    assert (cores.ops[0], cores.stored[0]) == ((Least(8.0, ((0, 4.0),)),), (0.0,))


def test_of_links_that_the_same_units_cross_the_slowest_counts() -> None:
    path = {"path": ["near", "far", "dram"]}
    soc = make_soc(
        {"gpu": TILED | path, "big": CLUSTER | path},
        links={"near": {"bandwidth": "2 GB/s"}, "far": {"bandwidth": "1 GB/s"}},
        memory={"dram": {"bandwidth": "8 GB/s", "capacity": "1 GiB"}},
    )
    assert sorted(r.seconds for r in shared(soc)) == [1 / 8e9, 1 / 1e9, 1 / 4]


def test_a_full_duplex_link_carries_both_directions_at_once() -> None:
    path = {"path": ["d2d", "dram"]}
    soc = make_soc(
        {"gpu": TILED | path, "big": CLUSTER | path},
        links={"d2d": {"bandwidth": "1 GB/s", "duplex": "full"}}, memory=FAST,
    )  # fmt: skip
    assert [r.seconds for r in shared(soc)[1:]] == [1 / 2e9, 1 / 1e18]
