"""Which tiles read inputs and weights again: what is held is not read, everything else is."""

from __future__ import annotations

from itertools import product

import pytest

from hetsim.cost.analytical.pipeline import Engine, pipeline
from hetsim.cost.analytical.tiling import Tiling
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
