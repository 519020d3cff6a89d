"""Which of the candidates a kernel takes: the one that is over first, alone on its unit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import inf

import numpy as np

from hetsim.cost.analytical.pipeline import Engine
from hetsim.cost.analytical.tiling import SAME_TIME, Tiling
from hetsim.cost.learned.vpunn.candidates import Candidates, candidates
from hetsim.cost.learned.vpunn.layers import Layer
from hetsim.errors import InfeasibleError
from hetsim.learn.vpunn.judge import Judge
from hetsim.learn.vpunn.workloads import MODES
from hetsim.numeric import Array, Floats

MOST_PIECES = 4096
"""More jobs than this are not looked at while there is a way with fewer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a kernel moves, whole, in bytes, and where it runs.

    Zero ``inputs`` or ``outputs`` are on chip already or stay there. ``extra`` is streamed in
    beside the output (the other operand of a fused sum). ``room``: bytes of one tile's memory. No
    more than ``most`` bytes are moved if anything that fits does with so few.
    """

    inputs: int
    weights: int
    extra: int
    outputs: int
    room: float
    cycle_s: float
    engine: Engine
    most: float = inf


@dataclass(frozen=True, slots=True)
class Choice:
    """A cut, and the tiles that work on it."""

    tiling: Tiling
    tiles: int
    note: str


@lru_cache(maxsize=65536)
def choose(layer: Layer, tiles: int, model: Judge, asked: Asked) -> Choice:
    """The quickest way of ``layer``.

    Raises:
        InfeasibleError: no candidate fits the tiles; says by how many bytes.
    """
    found = candidates(layer, tiles, model)
    held = _held(layer, found, asked)
    fits = held <= asked.room
    if not fits.any():
        short = int(np.ceil(float((held - asked.room).min())))
        raise InfeasibleError(f"its smallest job is {short} bytes larger than a tile's memory")
    pieces = found.bands * found.blocks * layer.products
    few = fits & (pieces <= MOST_PIECES)
    fits = few if few.any() else fits
    ways = [_loads(layer, found, asked, stay) for stay in _ORDERS]
    compute = found.cycles * asked.cycle_s
    loads = np.stack([inputs + weights + asked.extra for inputs, weights in ways])
    seconds = np.stack([_seconds(compute, pieces, each, asked) for each in loads])
    cheap = fits & (loads + asked.outputs <= asked.most)
    seconds = np.where(cheap if cheap.any() else fits, seconds, inf)
    order, at = _best(seconds)
    inputs, weights = ways[order]
    split = "rows" if found.by_rows[at] else "channels"
    used = int(found.tiles[at])
    words = [f"{int(pieces[at])} jobs"]
    if used > 1:
        words.append(f"on each of {used} tiles by {split}")
    words.append(MODES[int(found.mode[at])].removeprefix("CUBOID_"))
    blocks, products = int(found.blocks[at]), layer.products
    groups, filters = (products * blocks, 1) if layer.by_channel else (products, blocks)
    return Choice(
        Tiling(
            groups=groups,
            pixels=int(found.bands[at]),
            channels=1,
            filters=filters,
            stay=_ORDERS[order],
            input_load=int(inputs[at]),
            weight_load=int(weights[at]),
            extra_load=asked.extra,
            store_bytes=asked.outputs,
            compute_s=float(compute[at]),
            free_weights=int((asked.room - held[at]) * used),
            held_bytes=int(np.ceil(held[at] * used)),
        ),
        used,
        ", ".join(words),
    )


def fewest_cycles(layer: Layer, tiles: int, model: Judge) -> float:
    """Cycles of arithmetic that no choice goes below."""
    return float(candidates(layer, tiles, model).cycles.min())


_ORDERS = ("weights", "inputs")


def _held(layer: Layer, found: Candidates, asked: Asked) -> Floats:
    """Bytes in the memory of one tile: each buffer twice where something follows in it."""
    depth = 2 if asked.engine.double_buffer else 1
    jobs = found.bands * found.blocks * layer.products
    read = jobs if layer.by_channel else found.bands * layer.products
    inputs = found.inputs * np.where(read > 1, depth, 1) if asked.inputs else 0
    weights = found.weights * np.where(found.blocks * layer.products > 1, depth, 1)
    outputs = found.outputs * np.where(jobs > 1, depth, 1) if asked.outputs else 0
    return np.asarray(inputs + weights + outputs + asked.extra / jobs, dtype=float)


def _loads(layer: Layer, found: Candidates, asked: Asked, stay: str) -> tuple[Array, Array]:
    """Bytes of inputs and of weights that all tiles read, by what stays."""
    inputs = np.ceil(asked.inputs * found.halo)
    weights = np.full(len(found), float(asked.weights))
    if layer.by_channel:
        return inputs, weights
    if stay == "weights":
        return inputs * np.where(found.bands > 1, found.blocks, 1), weights
    # The weights of a single block stay, too: the other order tells.
    return inputs, weights * found.bands


def _seconds(compute: Floats, pieces: Array, loads: Array, asked: Asked) -> Floats:
    """Estimated time alone: first load, overlapped middle, last job and its store."""
    engine = asked.engine
    load, store = loads / pieces, np.full(len(pieces), float(asked.outputs)) / pieces
    first, last = engine.alone(load, 0.0 * load), engine.alone(0.0 * store, store)
    if not engine.double_buffer:
        return np.asarray(pieces * (first + last) + compute, dtype=float)
    middle = np.maximum(compute / pieces, engine.alone(load, store)) * (pieces - 1)
    return np.asarray(first + middle + compute / pieces + last, dtype=float)


def _best(seconds: Floats) -> tuple[int, int]:
    """Order and position of the shortest; of equals the first."""
    order, at = np.argwhere(seconds <= seconds.min() * (1.0 + SAME_TIME))[0]
    return int(order), int(at)
