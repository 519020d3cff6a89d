"""A kernel some of whose reads are in a cache, or stay in its unit: bytes and seconds by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hetsim.cost.work import Phase, TileRun, Traffic, Work
from hetsim.sim.caches import SystemCache, served

PHASES = (
    Phase("load", 8.0, 100),
    Phase("stream", 20.0, 300, 50, 14.0, (Traffic("rom", 7, 1),)),
    Phase("store", 4.0, 0, 60),
)
TILED = Work(0.5, 14.0, PHASES, (TileRun(1, 100, 2.0, 20), TileRun(3, 101, 4.0, 30)), True)


def test_hits_are_spread_evenly_over_what_is_read_in_whole_bytes() -> None:
    asked: list[tuple[str, int]] = []

    def spared(phase: Phase, hits: int) -> float:
        asked.append((phase.kind, hits))
        return hits / 25

    found = served(TILED, 100, 400, "slc", spared)
    assert asked == [("load", 25), ("stream", 75)]
    load, stream, store = found.phases
    assert load == Phase("load", 7.0, 75, elsewhere=(Traffic("slc", 25),))
    elsewhere = (Traffic("rom", 7, 1), Traffic("slc", 75))
    assert stream == Phase("stream", 17.0, 225, 50, 14.0, elsewhere)
    assert store == PHASES[2]
    assert found.tiles == (
        TileRun(1, 75, 2.0, 20, (Traffic("slc", 25),)),
        TileRun(3, 76, 4.0, 30, (Traffic("slc", 25),)),  # 101 * 100 / 400 is 25.25
    )
    assert found.bytes == TILED.bytes
    assert (found.dispatch_s, found.compute_s, found.overlapped) == (0.5, 14.0, True)


def test_what_stays_in_the_unit_does_not_move_and_arithmetic_stays_as_long() -> None:
    found = served(TILED, 400, 400, "", lambda _, hits: float(hits))
    assert [phase.load_bytes for phase in found.phases] == [0, 0, 0]
    assert [phase.seconds for phase in found.phases] == [0.0, 14.0, 4.0]
    assert [phase.elsewhere for phase in found.phases] == [(), (Traffic("rom", 7, 1),), ()]
    assert [run.load_bytes for run in found.tiles] == [0, 0]
    assert found.store_bytes == TILED.store_bytes


def test_where_nothing_is_tiled_the_links_alone_tell_how_much_sooner_it_is() -> None:
    whole = replace(TILED, tiles=())

    def spared(phase: Phase, hits: int) -> float:
        raise AssertionError("a kernel that computes straight from memory has no engines")

    found = served(whole, 100, 400, "slc", spared)
    assert [phase.seconds for phase in found.phases] == [8.0, 20.0, 4.0]
    assert [phase.load_bytes for phase in found.phases] == [75, 225, 0]


@pytest.mark.parametrize(
    ("cache", "note", "told"),
    [
        ("slc", "", "25% of its reads from slc"),
        ("", "", "25% of its reads kept on chip"),
        ("slc", "3 tiles", "3 tiles, 25% of its reads from slc"),
    ],
)
def test_a_note_says_how_much_was_there(cache: str, note: str, told: str) -> None:
    assert served(replace(TILED, note=note), 100, 400, cache, lambda *_: 0.0).note == told


def test_a_tensor_that_has_grown_is_not_there_and_one_too_large_leaves_nothing() -> None:
    cache = SystemCache("slc", 10)
    assert cache.touch([((0, "a"), 4), ((0, "b"), 6)]) == 0
    assert cache.touch([((0, "a"), 4), ((0, "b"), 6)]) == 10
    assert cache.touch([((0, "a"), 5)]) == 0  # and b, which was touched before, makes room
    assert cache.touch([((0, "b"), 5), ((0, "a"), 5)]) == 5
    assert cache.touch([((1, "a"), 5)]) == 0  # another inference's
    assert cache.touch([((2, "z"), 11)]) == 0
    assert cache.touch([((0, "a"), 5), ((1, "a"), 5), ((2, "z"), 11)]) == 0
