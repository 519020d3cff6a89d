"""Kernels tile by tile: the ``tile`` fidelity.

Three processes share two buffers of each kind: one loads tiles, one computes them, one stores
results. Tile i may be loaded once tile i − 2 has been computed, and computed once the result of
tile i − 2 has left. Without double buffering the three take turns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from simpy import Environment, Event

from hetsim.cost.work import TileRun, Work
from hetsim.sim.network.flow import Flow
from hetsim.sim.story import Story

Move = Callable[[str, Sequence[tuple[str, int]]], Flow]
"""Starts a "load" or "store" of so many bytes of each memory, its set-up included."""

Compute = Callable[[TileRun], Event]
"""Starts the arithmetic of one tile; the event is its end."""

Note = Callable[[str, int, float, int], None]
"""Told (kind, tile, start, bytes) when a load, compute or store of a tile has ended."""


def play_tiles(env: Environment, work: Work, move: Move, compute: Compute, note: Note) -> Story:
    """Runs all tiles of a kernel after its dispatch."""
    tiles = list(_each(work.tiles))
    if not work.overlapped:
        for i, tile in enumerate(tiles):
            yield from _transfer(env, "load", i, tile.loads, move, note)
            yield from _compute(env, i, tile, compute, note)
            yield from _transfer(env, "store", i, tile.stores, move, note)
        return
    loaded = [env.event() for _ in tiles]
    computed = [env.event() for _ in tiles]
    stored = [env.event() for _ in tiles]
    loading = env.process(_load(env, tiles, work.tail_load, loaded, computed, move, note))
    storing = env.process(_store(env, tiles, computed, stored, move, note))
    for i, tile in enumerate(tiles):
        yield loaded[i]
        if i >= 2:
            yield stored[i - 2]
        yield from _compute(env, i, tile, compute, note)
        computed[i].succeed()
    yield storing
    yield loading


def _each(runs: tuple[TileRun, ...]) -> Iterator[TileRun]:
    for run in runs:
        for _ in range(run.count):
            yield run


def _load(
    env: Environment,
    tiles: list[TileRun],
    tail: int,
    loaded: list[Event],
    computed: list[Event],
    move: Move,
    note: Note,
) -> Story:
    for i, tile in enumerate(tiles):
        if i >= 2:
            yield computed[i - 2]
        yield from _transfer(env, "load", i, tile.loads, move, note)
        loaded[i].succeed()
    if tail:  # the next kernel's first weights
        if len(tiles) >= 2:
            yield computed[-2]
        yield from _transfer(env, "load", len(tiles), (("", tail),), move, note)


def _store(
    env: Environment,
    tiles: list[TileRun],
    computed: list[Event],
    stored: list[Event],
    move: Move,
    note: Note,
) -> Story:
    for i, tile in enumerate(tiles):
        yield computed[i]
        yield from _transfer(env, "store", i, tile.stores, move, note)
        stored[i].succeed()


def _transfer(
    env: Environment,
    kind: str,
    index: int,
    amounts: Sequence[tuple[str, int]],
    move: Move,
    note: Note,
) -> Story:
    start = env.now
    moved = amounts[0][1] if len(amounts) == 1 else sum(amount for _, amount in amounts)
    if moved:
        yield move(kind, amounts)
        note(kind, index, start, moved)


def _compute(env: Environment, index: int, tile: TileRun, compute: Compute, note: Note) -> Story:
    if tile.compute_s > 0.0:
        start = env.now
        yield compute(tile)
        note("compute", index, start, 0)
