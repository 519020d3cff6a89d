"""A unit in a simulation: its ways, what a cache or its weights spare it, and who makes room."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hetsim.cost.work import Phase, Step, TileRun, Traffic, Work
from hetsim.lower.program import Launch, Touched
from hetsim.sim.machine import Machine
from hetsim.sim.network.links import Route
from hetsim.sim.unit import Aside, Unit
from tests.sim.samples import NPU, make_soc

MEMORY = {
    "dram": {"bandwidth": "1 GB/s", "capacity": "1 GiB"},
    "scratch": {"bandwidth": "0.5 GB/s", "capacity": "1 GiB"},
}


def npu_of(links: dict[str, Any], path: list[str], **spec: Any) -> Unit:
    unit = NPU | {"path": path, "routes": {"scratch": ["scratch"]}} | spec
    return Machine(make_soc({"npu": unit}, memory=MEMORY, links=links)).units[1]


def crossed(route: Route) -> dict[str, float]:
    """The share of the bytes that crosses each link, but for the unit's own port."""
    return {link.name: part for link, part in route.crosses.items() if not link.private}


def test_what_is_read_goes_one_way_and_what_is_written_the_other() -> None:
    unit = npu_of({"d2d": {"bandwidth": "1 GB/s", "duplex": "full"}}, ["d2d", "dram"])
    there, back = {"d2d.in": 1.0, "dram": 1.0}, {"d2d.out": 1.0, "dram": 1.0}
    assert crossed(unit.route("", 5, 0)) == crossed(unit.route("dram", 5, 0)) == there
    assert crossed(unit.route("", 0, 5)) == back
    assert crossed(unit.route("", 3, 1)) == {"d2d.in": 0.75, "d2d.out": 0.25, "dram": 1.0}
    assert crossed(unit.route("scratch", 3, 1)) == {"scratch": 1.0}


def test_several_memories_are_reached_side_by_side() -> None:
    unit = npu_of({"d2d": {"bandwidth": "1 GB/s", "duplex": "full"}}, ["d2d", "dram"])
    for nothing in ([], [Traffic("", 0, 0), Traffic("scratch")]):
        amount, route = unit.routes(nothing)
        assert (amount, route.links) == (0, ())
    amount, route = unit.routes([Traffic("", 0, 0), Traffic("scratch", 1, 3)])
    assert (amount, crossed(route)) == (4, {"scratch": 1.0})
    amount, route = unit.routes([Traffic("", 3, 1), Traffic("scratch", 12)])
    assert (amount, crossed(route)) == (
        16, {"d2d.in": 3 / 16, "d2d.out": 1 / 16, "dram": 1 / 4, "scratch": 3 / 4}
    )  # fmt: skip


PHASES = (
    Phase("load", 1e-6, 100), Phase("stream", 9e-6, 300, 60, 8.8e-6), Phase("store", 1e-6, 0, 40),
)  # fmt: skip
KERNEL = Launch("a", ("a",), Work(0.0, 8.8e-6, PHASES, (TileRun(4, 100, 2.2e-6, 25),), True))
USES = Touched("net", (("x", 100),), (("w", 300),), (("y", 100),))


def test_engines_get_what_a_cache_has_as_much_sooner_as_its_link_is_faster() -> None:
    slc = {"slc": {"bandwidth": "4 GB/s", "cache": {"capacity": "1 MB"}}}
    unit = npu_of(slc, ["slc", "dram"])
    launch, hits = unit.served(KERNEL, USES, 7, tiled=False)
    assert (launch, hits) == (KERNEL, 0)  # from now on x and w are there
    launch, hits = unit.served(KERNEL, USES, 7, tiled=False)
    assert hits == 400
    load, stream, store = launch.work.phases
    # 100 B from memory take 100 ns, from the cache 25.
    assert (load.load_bytes, load.elsewhere) == (0, (Traffic("slc", 100),))
    assert load.seconds == pytest.approx(0.925e-6)
    # 360 B take 360 ns, and 90 with 60 that are written to memory meanwhile; arithmetic is longer.
    assert (stream.load_bytes, stream.seconds) == (0, 8.8e-6)
    assert store == PHASES[2]
    assert unit.served(KERNEL, USES, 8, tiled=True)[1] == 300  # weights alone, by the tile


def test_weights_that_stay_do_not_move_and_take_no_time() -> None:
    unit = npu_of({}, ["dram"], weight_memory="1 kB")
    assert unit.served(KERNEL, USES, 0, tiled=False) == (KERNEL, 0)
    launch, hits = unit.served(KERNEL, USES, 1, tiled=False)
    assert hits == 0  # there is no cache
    load, stream, _ = launch.work.phases
    # Of 400 B three quarters stay: 75 ns of the first phase, 225 of the second, 200 of them idle.
    assert (load.load_bytes, stream.load_bytes) == (25, 75)
    assert [load.seconds, stream.seconds] == pytest.approx([0.925e-6, 8.8e-6])


def test_what_was_written_or_read_by_the_host_is_in_its_cache() -> None:
    slc = {"slc": {"bandwidth": "4 GB/s", "cache": {"capacity": "1 MB"}}}
    soc = make_soc({"cpu": {"path": ["slc", "dram"]}}, links=slc)
    host = Machine(soc).host_unit
    step = Step("convert", "x", 0.0, 300, written=100)
    assert host.host_route(3, step) is None
    route = host.host_route(3, step)
    assert route is not None
    assert crossed(route) == {"slc": 1.0, "dram": 1 / 3}  # what is written goes on to memory
    assert host.host_route(4, step) is None  # another inference's
    host.wrote(3, [("y", 50)])
    assert host.cache is not None
    assert host.cache.touch([((3, "y"), 50), ((4, "y"), 50)]) == 50


def asks(*on_chip_bytes: int) -> Any:
    """A task of launches that take so much memory on chip."""
    works = (SimpleNamespace(on_chip_bytes=size) for size in on_chip_bytes)
    return SimpleNamespace(launches=[SimpleNamespace(work=work) for work in works])


def test_who_stands_aside_makes_room_once_and_only_where_it_must() -> None:
    unit = npu_of({}, ["dram"], sram="10 B")
    assert unit.make_room(asks(99)) == 0  # nobody stands aside
    unit.aside += [Aside(3, 1), Aside(4, 2)]
    assert unit.make_room(asks()) == 0
    assert unit.make_room(asks(1, 3, 2)) == 0  # 3 + 4 beside 3: the last byte counts
    assert [aside.gone for aside in unit.aside] == [False, False]
    assert unit.make_room(asks(1, 4)) == 1 + 2
    assert [aside.gone for aside in unit.aside] == [True, True]
    unit.aside.append(Aside(5, 4))
    assert unit.make_room(asks(5)) == 0  # those before have nothing there any more
    assert unit.make_room(asks(6)) == 4
    assert unit.make_room(asks(99)) == 0
    unit.aside.append(Aside(10, 9))
    assert unit.make_room(asks()) == 0  # what has no kernels needs no byte
