"""Tiles on their three processes, each moment by hand: double buffers, prefetch, in turn."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import simpy

from hetsim.cost.work import TileRun, Work
from hetsim.sim.tiles import play_tiles

Noted = tuple[str, int, float, float, int]


def play(
    tiles: Sequence[tuple[int, float, int]], *, overlapped: bool = True, tail: int = 0
) -> tuple[list[Noted], float]:
    """(kind, tile, start, end, bytes) of everything in order of start, and the end.

    Tiles are (bytes loaded, seconds, bytes stored); a byte takes a second, nothing is shared.
    """
    env = simpy.Environment()
    runs = tuple(TileRun(1, load, seconds, store) for load, seconds, store in tiles)
    work = Work(0.0, 0.0, (), runs, overlapped=overlapped, tail_load=tail)
    noted: list[Noted] = []
    story = play_tiles(
        env,
        work,
        lambda kind, amounts: env.timeout(sum(b for _, b in amounts)),  # type: ignore[arg-type, return-value]
        lambda tile: env.timeout(tile.compute_s),
        lambda kind, i, start, moved: noted.append((kind, i, start, env.now, moved)),
    )
    env.run(env.process(story))
    return sorted(noted, key=lambda n: (n[2], n[0], n[1])), env.now


def times(noted: Sequence[Noted], kind: str) -> list[tuple[float, float]]:
    return [(start, end) for what, _, start, end, _ in noted if what == kind]


def test_a_tile_computes_only_when_an_output_buffer_is_free() -> None:
    """Stores of ten seconds: tile i waits for the store of tile i - 2."""
    noted, end = play([(1, 1.0, 10)] * 4)
    assert times(noted, "load") == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert times(noted, "compute") == [(1, 2), (2, 3), (12, 13), (22, 23)]
    assert times(noted, "store") == [(2, 12), (12, 22), (22, 32), (32, 42)]
    assert end == 42


def test_a_tile_is_loaded_only_when_an_input_buffer_is_free() -> None:
    """Arithmetic of ten seconds: tile i is loaded when tile i - 2 has been computed."""
    noted, end = play([(1, 10.0, 1)] * 4)
    assert times(noted, "load") == [(0, 1), (1, 2), (11, 12), (21, 22)]
    assert times(noted, "compute") == [(1, 11), (11, 21), (21, 31), (31, 41)]
    assert times(noted, "store") == [(11, 12), (21, 22), (31, 32), (41, 42)]
    assert end == 42


def test_the_next_kernels_weights_take_the_buffer_of_the_last_tile_but_one() -> None:
    noted, end = play([(1, 10.0, 1)] * 3, tail=5)
    assert noted[-2:] == [("store", 1, 21, 22, 1), ("store", 2, 31, 32, 1)]
    assert ("load", 3, 21, 26, 5) in noted
    assert end == 32
    noted, end = play([(1, 10.0, 1)] * 2, tail=5)
    assert ("load", 2, 11, 16, 5) in noted  # the first of two is the last but one
    noted, end = play([(2, 1.0, 0)], tail=5)  # nobody holds the other buffer
    assert ("load", 1, 2, 7, 5) in noted
    assert end == 7  # the kernel is over when its prefetch is


def test_with_one_buffer_everything_is_in_turn() -> None:
    noted, end = play([(2, 3.0, 4)] * 2, overlapped=False)
    assert noted == [
        ("load", 0, 0, 2, 2), ("compute", 0, 2, 5, 0), ("store", 0, 5, 9, 4),
        ("load", 1, 9, 11, 2), ("compute", 1, 11, 14, 0), ("store", 1, 14, 18, 4),
    ]  # fmt: skip
    assert end == 18


@pytest.mark.parametrize("overlapped", [True, False])
def test_what_takes_no_time_leaves_no_span(overlapped: bool) -> None:
    noted, end = play([(0, 0.0, 0), (0, 1.0, 0)], overlapped=overlapped)
    assert noted == [("compute", 1, 0, 1, 0)]
    assert end == 1
