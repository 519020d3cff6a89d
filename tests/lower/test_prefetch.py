"""The next kernel's first weights beside the last tile of this one: each phase by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hetsim.cost.work import Phase, TileRun, Work
from hetsim.lower.prefetch import prefetched
from hetsim.sim.simulate import execute
from hetsim.soc.model import PU, SoC
from hetsim.workload.graph import Graph, LoopNest, Operator, Tensor
from tests.sim.samples import NPU, lower, make_soc

MB = 1_000_000
MS = 1e-3
SETUP = 0.25 * MS


def npu(*, prefetch: bool = True) -> SoC:
    """An NPU at 1 GB/s, a quarter of a millisecond to set a transfer up."""
    return make_soc({"npu": NPU | {"prefetch": prefetch, "dma": NPU["dma"] | {"setup": "250 us"}}})


@pytest.fixture(scope="module")
def unit() -> PU:
    return npu().by_name["npu"]


def kernel(*, first_weights: int = 2 * MB, free_weights: int = 3 * MB) -> Work:
    """Three tiles of 4 MB in and 1 MB out, 2 MB of the first load weights."""
    return Work(
        dispatch_s=0.125,
        compute_s=9 * MS,
        phases=(
            Phase("load", 4.25 * MS, 4 * MB),
            Phase("stream", 10 * MS, 8 * MB, 1 * MB, 6 * MS),
            Phase("stream", 3 * MS, 0, 1 * MB, 3 * MS),
            Phase("store", 1.25 * MS, 0, 1 * MB),
        ),
        tiles=(TileRun(3, 4 * MB, 3 * MS, 1 * MB),),
        overlapped=True,
        first_weights=first_weights,
        free_weights=free_weights,
        on_chip_bytes=7 * MB,
    )


def test_weights_move_from_the_first_load_of_one_to_the_last_tile_of_the_one_before(
    unit: PU,
) -> None:
    before, after = prefetched([kernel(), kernel()], unit)
    plain = kernel()
    load, stream, _, store = plain.phases
    # The last tile's 3 ms of arithmetic hide 2 MB in and 1 MB out but for their set-up.
    last = Phase("stream", 3.25 * MS, 2 * MB, 1 * MB, 3 * MS)
    assert before == replace(
        plain, phases=(load, stream, last, store), tail_load=2 * MB, on_chip_bytes=9 * MB
    )
    assert after == replace(
        plain,
        phases=(Phase("load", 2.25 * MS, 2 * MB), *plain.phases[1:]),
        tiles=(TileRun(1, 2 * MB, 3 * MS, 1 * MB), TileRun(2, 4 * MB, 3 * MS, 1 * MB)),
        first_weights=0,
    )


def test_arithmetic_hides_what_comes_early_and_a_long_transfer_lengthens_the_tile(unit: PU) -> None:
    for amount, seconds in ((1 * MB, 3 * MS), (3 * MB, 4.25 * MS)):
        before, after = prefetched([kernel(), kernel(first_weights=amount)], unit)
        assert before.phases[2].seconds == pytest.approx(seconds, rel=1e-12)
        assert before.phases[2].load_bytes == before.tail_load == amount
        assert after.phases[0].load_bytes == 4 * MB - amount


def test_no_more_comes_early_than_there_is_room_for(unit: PU) -> None:
    before, after = prefetched([kernel(free_weights=MB // 2), kernel()], unit)
    assert before.tail_load == MB // 2
    assert after.first_weights == 2 * MB - MB // 2
    assert after.phases[0].load_bytes == after.tiles[0].load_bytes == 4 * MB - MB // 2
    plain = [kernel(free_weights=0), kernel()]
    assert prefetched(plain, unit) == plain


def test_a_load_of_weights_alone_is_gone_when_all_of_it_came_early(unit: PU) -> None:
    whole = kernel(first_weights=4 * MB, free_weights=9 * MB)
    _, after = prefetched([whole, whole], unit)
    assert after.phases == whole.phases[1:]
    assert after.tiles == (TileRun(1, 0, 3 * MS, MB), TileRun(2, 4 * MB, 3 * MS, MB))
    rest = TileRun(1, MB, MS, MB)
    for count in (1, 2):
        mixed = replace(whole, tiles=(TileRun(count, 4 * MB, 3 * MS, MB), rest))
        _, after = prefetched([whole, mixed], unit)
        others = () if count == 1 else (TileRun(1, 4 * MB, 3 * MS, MB),)
        assert after.tiles == (TileRun(1, 0, 3 * MS, MB), *others, rest)


def test_each_kernel_takes_from_its_successor_and_gives_to_the_one_before(unit: PU) -> None:
    first, middle, last = prefetched([kernel(), kernel(), kernel()], unit)
    assert [work.tail_load for work in (first, middle, last)] == [2 * MB, 2 * MB, 0]
    assert [work.first_weights for work in (first, middle, last)] == [2 * MB, 0, 0]
    loads = [[phase.load_bytes // MB for phase in work.phases] for work in (first, middle, last)]
    assert loads == [[4, 8, 2, 0], [2, 8, 2, 0], [2, 8, 0, 0]]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"overlapped": False}, {}),  # one buffer: the last tile is in it
        ({}, {"tiles": ()}),  # measured: nobody knows what its first load is
        ({"phases": (Phase("load", 4.25 * MS, 4 * MB),)}, {}),  # no tile to hide behind
        ({}, {"first_weights": 0}),
    ],
)
def test_who_cannot_lend_or_borrow_is_left_as_it_is(
    unit: PU, before: dict[str, object], after: dict[str, object]
) -> None:
    plain = [replace(kernel(), **before), replace(kernel(), **after)]  # type: ignore[arg-type]
    assert prefetched(plain, unit) == plain
    # A measured kernel may lend, for it only takes longer.
    measured = replace(kernel(), tiles=())
    assert prefetched([measured, kernel()], unit)[0].tail_load == 2 * MB


def products(count: int) -> Graph:
    """Matrix products in a chain, 16 KiB of weights each, which take longer than they move."""
    nest = LoopNest(1, 1, 1, 64, 64, 64)
    names = [f"m{i}" for i in range(count)]
    operators = [
        Operator(name, "MatMul", (before,), (name,), (("float32", 4096),), nest.macs, 0, nest)
        for before, name in zip(["x", *names], names, strict=False)
    ]
    tensors = [Tensor(name, (64, 64)) for name in ("x", *names)]
    return Graph.create("products", operators, tensors, ["x"], [names[-1]])


@pytest.mark.parametrize("fidelity", ["fluid", "tile"])
def test_on_an_idle_soc_a_kernel_starts_earlier_by_what_came_early(fidelity: str) -> None:
    graph, plan = products(3), [("npu", "m0 m1 m2")]
    plain, early = (
        execute(soc, lower(graph, soc, plan), fidelity=fidelity)
        for soc in (npu(prefetch=False), npu())
    )
    assert early.links["dram"].bytes == plain.links["dram"].bytes
    lent = [launch.work for launch in lower(graph, npu(), plan).jobs[0].launches]
    assert [work.tail_load for work in lent] == [16384, 16384, 0]
    # Their loads were nothing but weights (what they read is on chip): set-up and bytes are saved,
    # less what sticks out beside the last tile's arithmetic.
    saved = 2 * (SETUP + 16384 / 1e9)
    tile = lent[0].compute_s
    stuck = 2 * max(SETUP + 16384 / 1e9 - tile, 0.0)
    assert plain.makespan_s - early.makespan_s == pytest.approx(saved - stuck, rel=1e-9)
