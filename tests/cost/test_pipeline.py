"""Which tiles read inputs and weights again: what is held is not read, everything else is."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from hetsim.cost.analytical.pipeline import Engine, pipeline
from hetsim.cost.analytical.tiling import Tiling
from hetsim.cost.work import Phase, TileRun
from hetsim.soc.model import Way
from tests.sim.samples import plain_way

ENGINE = Engine(plain_way(1e9), 0.0, double_buffer=True)
COUNTS = list(product((1, 2), (1, 3), (1, 2), (1, 4)))


@pytest.mark.parametrize("stay", ["weights", "inputs"])
@pytest.mark.parametrize(("groups", "pixels", "channels", "filters"), COUNTS)
def test_a_tile_loads_what_the_one_before_did_not_hold(
    stay: str, groups: int, pixels: int, channels: int, filters: int
) -> None:
    """The loops played: an input tile is (g, p, k), a weight tile (g, k, n), a result (g, p, n)."""
    ranges = {"g": range(groups), "p": range(pixels), "n": range(filters), "k": range(channels)}
    names = "gnpk" if stay == "weights" else "gpnk"
    held: dict[str, tuple[int, ...]] = {}
    tiles = []
    for place in product(*(ranges[name] for name in names)):
        at = dict(zip(names, place, strict=True))
        now = {"input": (at["g"], at["p"], at["k"]), "weight": (at["g"], at["k"], at["n"])}
        fresh = [held.get(what) != tile for what, tile in now.items()]
        held = now
        tiles.append((*fresh, at["k"] == channels - 1))
    read, weighed, stored = (sum(column) for column in zip(*tiles, strict=True))
    tiling = Tiling(
        groups, pixels, channels, filters, stay, 100 * read, 10 * weighed, stored, 7 * stored, 1.0
    )
    found = [
        (run.load_bytes, run.store_bytes)
        for run in pipeline(tiling, ENGINE).tiles
        for _ in range(run.count)
    ]
    assert found == [(100 * i + 10 * w + s, 7 * s) for i, w, s in tiles]
    assert pipeline(tiling, ENGINE).first_weights == 10


def test_what_does_not_divide_is_loaded_with_the_first() -> None:
    tiling = Tiling(1, 1, 1, 3, "weights", 5, 10, 0, 8, 3.0)
    cut = pipeline(tiling, ENGINE)
    each = [(r.load_bytes, r.store_bytes) for r in cut.tiles for _ in range(r.count)]
    assert each == [(5 + 4, 4), (3, 2), (3, 2)]
    assert cut.first_weights == 4
    assert [r.compute_s for r in cut.tiles] == [1.0, 1.0]


SLOW = Engine(plain_way(10.0, 1.0), 2.0, double_buffer=True)
"""10 B/s, 1 s away, 2 s of programming."""
THREE = Tiling(1, 3, 1, 1, "weights", 30, 20, 0, 15, 9.0)
"""Tiles of 10 bytes of inputs, 5 of results and 3 s; the first has 20 bytes of weights, too."""


def test_loads_and_stores_share_the_way_and_their_programming() -> None:
    loads, stores = np.array([20, 20, 0, 0]), np.array([10, 0, 10, 0])
    assert SLOW.alone(loads, stores).tolist() == [3 + 2, 2 + 2, 1 + 2, 0]
    duplex = replace(SLOW, way=Way(("d",), ("d",), 10.0, 20.0, 1.0, (10.0,), (10.0,), 20.0))
    assert duplex.alone(loads, stores).tolist() == [2 + 2, 2 + 2, 1 + 2, 0]
    assert SLOW.latency == 1.0


def test_tiles_move_beside_the_ones_before_and_after() -> None:
    """Slots: 3 s of computing, or a load of 1 s, a store of half a second, 2 + 1 s for both."""
    found = pipeline(THREE, SLOW)
    assert found.tiles == (TileRun(1, 30, 3.0, 5), TileRun(2, 10, 3.0, 5))
    assert found.phases == (
        Phase("load", 3.0 + 2.0, 30, 0),
        Phase("stream", 4.0 + 4.5, 20, 5, 6.0),
        Phase("stream", 3.5, 0, 5, 3.0),
        Phase("store", 0.5 + 2.0, 0, 5),
    )
    # A thousand times as fast all is the same in milliseconds.
    quick = Engine(plain_way(10e3, 1e-3), 2e-3, double_buffer=True)
    thousandth = pipeline(replace(THREE, compute_s=9e-3), quick).phases
    assert [p.seconds for p in thousandth] == pytest.approx([p.seconds / 1e3 for p in found.phases])
    busy = pipeline(replace(THREE, compute_s=90.0), SLOW).phases
    assert [phase.seconds for phase in busy] == [5.0, 60.0, 30.0, 2.5]
    assert [phase.compute_s for phase in busy] == [0.0, 60.0, 30.0, 0.0]


def test_beside_whom_nothing_moves_computes_alone() -> None:
    """Two halves of the channels: the second ends what it stores, and nobody loads beside it."""
    *_, last, store = pipeline(Tiling(1, 1, 2, 1, "weights", 20, 20, 0, 5, 0.5), SLOW).phases
    assert last == Phase("stream", 0.25, 0, 0, 0.25)
    assert store == Phase("store", 0.5 + 2.0, 0, 5)


def test_with_one_buffer_everything_waits_for_everything() -> None:
    found = pipeline(THREE, replace(SLOW, double_buffer=False))
    assert found.tiles == (TileRun(1, 30, 3.0, 5), TileRun(2, 10, 3.0, 5))
    assert found.phases == (
        Phase("load", 5.0 + 3.0 + 3.0 + 2.0, 50, 0),  # latency twice; once the simulator adds it
        Phase("stream", 9.0, 0, 0, 9.0),
        Phase("store", 3 * 2.5 + 2.0, 0, 15),
    )
    single = Tiling(1, 1, 1, 1, "weights", 30, 20, 0, 0, 9.0)
    assert pipeline(single, replace(SLOW, double_buffer=False)).phases == (
        Phase("load", 7.0, 50, 0), Phase("stream", 9.0, 0, 0, 9.0),
    )  # fmt: skip


@pytest.mark.parametrize("double_buffer", [True, False])
def test_what_does_nothing_still_is_launched(double_buffer: bool) -> None:
    nothing = Tiling(1, 1, 1, 1, "weights", 0, 0, 0, 0, 0.0)
    found = pipeline(nothing, replace(SLOW, double_buffer=double_buffer))
    assert found.phases == (Phase("stream", 0.0),)
    assert found.tiles == (TileRun(1, 0, 0.0, 0),)
