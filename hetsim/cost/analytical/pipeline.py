"""From a tiling to time: the tiles in order, and the fluid that stands for them.

With double buffering a tile is loaded while its predecessor computes and the one before that is
stored, so a kernel is a row of slots: slot i lasts as long as the longer of computing tile i
and moving (load of i + 1, store of i − 1). The fluid keeps that sum exact for an idle SoC: load
the first tile, stream the middle slots as one flow of that length, stream the last slot, store
what is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hetsim.cost.analytical.tiling import Tiling
from hetsim.cost.work import Phase, TileRun
from hetsim.numeric import Array
from hetsim.soc.model import Way

_NOTHING = np.zeros(1, dtype=np.int64)


@dataclass(frozen=True)
class Engine:
    """How fast tiles move: over ``way`` alone, seconds to program a transfer and wait.

    The simulator itself adds the path's ``latency`` once to every phase.
    """

    way: Way
    setup: float
    double_buffer: bool

    @property
    def latency(self) -> float:
        """Of the way."""
        return self.way.latency

    def least(self, loads: Array, stores: Array) -> Array:
        """Seconds that its engines take for each of several pairs, whatever the way is."""
        return np.zeros(np.broadcast(loads, stores).shape)

    def alone(self, loads: Array, stores: Array) -> Array:
        """Seconds to load and store each of several pairs, without latency; nothing takes none.

        Load and store start together: they share what of the way is not full-duplex, and their
        set-up and latency coincide.
        """
        way, both = self.way, loads + stores
        moving = np.maximum(np.maximum(loads, stores) / way.bandwidth, both / way.together)
        if way.turns is not None:
            moving = np.maximum(moving, np.maximum(way.turning(loads), way.turning(stores)))
        moving = np.maximum(moving, self.least(loads, stores)) + self.setup
        return np.where(both > 0, moving, 0.0)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A kernel's tiles and their fluid; ``first_weights`` bytes of the first load are weights."""

    phases: tuple[Phase, ...]
    tiles: tuple[TileRun, ...]
    first_weights: int


@lru_cache(maxsize=65536)
def pipeline(tiling: Tiling, engine: Engine) -> Pipeline:
    """The tiles of ``tiling`` in execution order, and the phases that stand for them."""
    loads, stores, first_weights = _tile_bytes(tiling)
    compute = tiling.compute_s / len(loads)
    phases = (
        _overlapped(loads, stores, compute, engine)
        if engine.double_buffer
        else _in_turn(loads, stores, tiling.compute_s, engine)
    )
    return Pipeline(phases, _runs(loads, stores, compute), first_weights)


def _tile_bytes(tiling: Tiling) -> tuple[Array, Array, int]:
    """Bytes that each tile loads and stores, in execution order."""
    groups, pixels, channels, filters = (
        tiling.groups, tiling.pixels, tiling.channels, tiling.filters,
    )  # fmt: skip
    if tiling.stay == "weights":
        shape = (groups, filters, pixels, channels)
        _, n, p, k = np.indices(shape).reshape(4, -1)
    else:
        shape = (groups, pixels, filters, channels)
        _, p, n, k = np.indices(shape).reshape(4, -1)
    reads_input = np.ones_like(n, dtype=bool)
    reads_weights = np.ones_like(n, dtype=bool)
    if channels == 1:
        if tiling.stay == "weights":
            reads_weights = p == 0
            reads_input = (n == 0) if pixels == 1 else reads_input
        else:
            reads_input = n == 0
            reads_weights = (p == 0) if filters == 1 else reads_weights
    writes = k == channels - 1
    weights = _dealt(tiling.weight_load, reads_weights)
    loads = _dealt(tiling.input_load, reads_input) + weights + _dealt(tiling.extra_load, writes)
    return loads, _dealt(tiling.store_bytes, writes), int(weights[0])


def _dealt(total: int, where: Array) -> Array:
    """``total`` split evenly over the places marked; what does not divide goes to the first."""
    share, rest = divmod(total, int(where.sum()))
    dealt = np.where(where, share, 0).astype(np.int64)
    dealt[int(np.argmax(where))] += rest
    return dealt


def _slots(following: Array, before: Array, compute: float, engine: Engine) -> Array:
    """Length of each slot: computing, or the transfers beside it."""
    moving = engine.alone(following, before)
    slots: Array = np.maximum(compute, np.where(moving > 0, moving + engine.latency, 0.0))
    return slots


def _overlapped(loads: Array, stores: Array, compute: float, engine: Engine) -> tuple[Phase, ...]:
    following = np.append(loads[1:], 0)
    before = np.insert(stores[:-1], 0, 0)
    slots = _slots(following, before, compute, engine)
    first, last = int(loads[0]), int(stores[-1])
    count = len(loads)
    return _kept(
        Phase("load", float(engine.alone(loads[:1], _NOTHING)[0]), first, 0),
        Phase(
            "stream",
            float(slots[:-1].sum()),
            int(following[:-1].sum()),
            int(before[:-1].sum()),
            compute * (count - 1),
        ),
        Phase("stream", float(slots[-1]), 0, int(before[-1]), compute),
        Phase("store", float(engine.alone(_NOTHING, stores[-1:])[0]), 0, last),
    )


def _in_turn(loads: Array, stores: Array, compute: float, engine: Engine) -> tuple[Phase, ...]:
    """Without double buffering nothing overlaps."""
    return _kept(
        Phase("load", _in_line(loads, engine.alone(loads, _NOTHING), engine), int(loads.sum()), 0),
        Phase("stream", compute, 0, 0, compute),
        Phase(
            "store", _in_line(stores, engine.alone(_NOTHING, stores), engine), 0, int(stores.sum())
        ),
    )


def _in_line(moved: Array, seconds: Array, engine: Engine) -> float:
    """Time of transfers in turn; the simulator adds the latency of one of them."""
    transfers = int((moved > 0).sum())
    return float(seconds.sum()) + max(transfers - 1, 0) * engine.latency


def _kept(*phases: Phase) -> tuple[Phase, ...]:
    """Without those in which nothing happens; one at least, for the launch has to be paid."""
    return tuple(p for p in phases if p.bytes or p.compute_s) or (Phase("stream", 0.0),)


def _runs(loads: Array, stores: Array, compute: float) -> tuple[TileRun, ...]:
    """Equal tiles in a row, counted."""
    changes = np.flatnonzero((np.diff(loads) != 0) | (np.diff(stores) != 0)) + 1
    starts = [0, *changes.tolist()]
    ends = [*changes.tolist(), len(loads)]
    return tuple(
        TileRun(end - start, int(loads[start]), compute, int(stores[start]))
        for start, end in zip(starts, ends, strict=True)
    )
