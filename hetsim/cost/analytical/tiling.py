"""How a convolution or matrix product is cut into tiles that fit an NPU's buffers.

The tiler moves the fewest bytes; among equals it takes the shortest pipelined time. Two loop orders
are considered: weights stay while pixels stream (``weights``), or inputs stay while filters stream
(``inputs``); what does not stay is read again, and counted. Partial sums never leave the chip.
Consecutive row tiles share their halo rows on chip unless channels are cut, too; column strips do
not. Re-reads follow Chen, Emer & Sze, "Eyeriss" (ISCA 2016), section IV, in its simplest two cases.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hetsim.errors import InfeasibleError
from hetsim.forms.arrays import Cut, alignments, tiled_cycles, tiled_folds
from hetsim.numeric import Array
from hetsim.soc.arrays import GemmCore, MatrixArray
from hetsim.workload.graph import LoopNest

ACCUMULATOR_BYTES = 4
"""Partial sums are 32 bits wide (int32 behind int8 products, float32 behind float16 ones)."""


@dataclass(frozen=True, slots=True)
class Buffers:
    """On-chip bytes for the tiler: separate, or ``unified`` where one memory holds all three."""

    input: float
    weight: float
    accumulator: float
    unified: float | None = None


@dataclass(frozen=True, slots=True)
class Demand:
    """What the tiler needs to know of a kernel besides its loops.

    Bytes of the whole input, weights and output (0 where resident on chip and not to be moved),
    ``extra`` bytes streamed in beside the output (the other operand of a fused Add); seconds per
    array cycle; ``vector_s`` for the element-wise tail; DMA bytes/s, set-up + latency per transfer.
    """

    input_bytes: int
    weight_bytes: int
    output_bytes: int
    extra_bytes: int
    input_element: float
    weight_element: float
    output_element: float
    cycle_s: float
    vector_s: float
    dma_rate: float
    dma_setup: float
    double_buffer: bool


@dataclass(frozen=True, slots=True)
class Tiling:
    """The chosen cut: tiles per loop, bytes moved, array time.

    ``stay`` says what is kept while the other streams past. ``input_load``, ``weight_load`` and
    ``extra_load`` are the bytes read in total, re-reads included. ``free_weights``
    more bytes of weights would fit beside what is held. ``compute_s``
    is the time of all tiles' arithmetic, ``folds`` how often a systolic array was filled anew.
    ``held_bytes`` are what its buffers take on chip.
    """

    groups: int
    pixels: int
    channels: int
    filters: int
    stay: str
    input_load: int
    weight_load: int
    extra_load: int
    store_bytes: int
    compute_s: float
    free_weights: int = 0
    folds: int = 0
    held_bytes: int = 0

    @property
    def tiles(self) -> int:
        """Number of tiles computed."""
        return self.groups * self.pixels * self.channels * self.filters


def _sizes(size: int, step: int) -> list[int]:
    """Candidate tile sizes of a loop: the whole, and halvings rounded up to multiples of step."""
    sizes = [size]
    part = size
    while part > step:
        part = -(-part // 2)
        rounded = -(-part // step) * step
        if rounded < sizes[-1]:
            sizes.append(rounded)
    return sizes


def _pixel_tiles(nest: LoopNest) -> list[tuple[int, int]]:
    """Candidate (rows, columns) of an output tile: bands of whole rows, then strips of one row."""
    bands = [(rows, nest.out_w) for rows in _sizes(nest.out_h, 1)]
    return bands + [(1, columns) for columns in _sizes(nest.out_w, 1)[1:]]


def flatten(nest: LoopNest, images: int) -> LoopNest:
    """Pixels as one long column where no halo ties them (1x1, stride 1), batch folded in."""
    if (nest.k_h, nest.k_w, nest.stride_h, nest.stride_w) != (1, 1, 1, 1):
        return nest
    pixels = images * nest.out_h * nest.out_w
    return LoopNest(
        1, nest.groups, pixels, 1, nest.in_c, nest.out_c, in_h=pixels, in_w=1,
        weights_are_activations=nest.weights_are_activations,
    )  # fmt: skip


def fewest_cycles(nest: LoopNest, array: MatrixArray) -> int:
    """Array cycles that no cut can go below.

    Those of the uncut loops, except that every tile's closed form has one cycle less than its
    folds would take, and a tile may be a single fold.
    """
    images = -(-nest.batch // array.batch) if isinstance(array, GemmCore) else nest.batch

    def whole(size: int) -> Cut:
        return Cut(size, np.array(size, dtype=np.int64))

    pixels = whole(images * nest.out_h * nest.out_w)
    cuts, taps = (pixels, whole(nest.in_c), whole(nest.out_c)), nest.k_h * nest.k_w
    spared = np.maximum(tiled_folds(array, *cuts, taps) - 1, 0)
    return int(nest.groups * (tiled_cycles(array, *cuts, taps) - spared))


@lru_cache(maxsize=65536)
def tile(nest: LoopNest, array: MatrixArray, buffers: Buffers, demand: Demand) -> Tiling:
    """Chooses the tiling of one kernel.

    Raises:
        InfeasibleError: even the smallest tile does not fit; says by how many bytes.
    """
    images = -(-nest.batch // array.batch) if isinstance(array, GemmCore) else nest.batch
    lanes = min(nest.batch, array.batch) if isinstance(array, GemmCore) else 1
    flat = flatten(nest, images)
    if flat is not nest:
        nest, images = flat, 1
    taps = nest.k_h * nest.k_w
    _, step_k, step_n = alignments(array, taps)
    tile_px = _pixel_tiles(nest)
    g_, k_, n_ = _sizes(nest.groups, 1), _sizes(nest.in_c, step_k), _sizes(nest.out_c, step_n)
    shape = (len(g_), len(tile_px), len(k_), len(n_))
    g = np.array(g_, dtype=np.int64).reshape(-1, 1, 1, 1)
    rows = np.array([p[0] for p in tile_px], dtype=np.int64).reshape(1, -1, 1, 1)
    cols = np.array([p[1] for p in tile_px], dtype=np.int64).reshape(1, -1, 1, 1)
    k = np.array(k_, dtype=np.int64).reshape(1, 1, -1, 1)
    n = np.array(n_, dtype=np.int64).reshape(1, 1, 1, -1)

    in_rows = _extent(rows, nest.k_h, nest.stride_h, nest.dilation_h, nest.in_h)
    in_cols = _extent(cols, nest.k_w, nest.stride_w, nest.dilation_w, nest.in_w)
    bands, strips = -(-nest.out_h // rows), -(-nest.out_w // cols)
    count_g, count_p = -(-nest.groups // g), images * bands * strips
    count_k, count_n = -(-nest.in_c // k), -(-nest.out_c // n)
    # Bands share their halo unless other channels have taken its place in between.
    halo = np.where(
        count_k > 1, _again(bands, nest.k_h, nest.stride_h, nest.dilation_h, nest.in_h), 1.0
    )
    halo = halo * _again(strips, nest.k_w, nest.stride_w, nest.dilation_w, nest.in_w)

    in_tile = lanes * g * in_rows * in_cols * k * demand.input_element
    if not demand.input_bytes:
        in_tile = 0.0 * in_tile
    w_tile = g * taps * k * n * demand.weight_element if demand.weight_bytes else 0.0 * k
    out_tile = lanes * g * rows * cols * n * 1.0
    acc = out_tile * ACCUMULATOR_BYTES
    depth = 2.0 if demand.double_buffer else 1.0
    in_held = in_tile * np.where(count_g * count_p * count_k > 1, depth, 1.0)
    w_held = w_tile * np.where(count_g * count_k * count_n > 1, depth, 1.0)
    outputs = count_g * count_p * count_n
    many = outputs > 1
    extra_tile = demand.extra_bytes / outputs  # waits beside the sums it will be added to
    spare: Array
    if buffers.unified is None:
        acc_held = (acc + extra_tile) * np.where(many, depth, 1.0)
        over = np.maximum(
            np.maximum(in_held - buffers.input, w_held - buffers.weight),
            acc_held - buffers.accumulator,
        )
        spare = buffers.weight - w_held
        held = in_held + w_held + acc_held
    else:
        staged = np.where(count_k > 1, acc, out_tile * demand.output_element) + extra_tile
        held = in_held + w_held + staged * np.where(many, depth, 1.0)
        over = held - buffers.unified
        spare = -over
    over = np.broadcast_to(over, shape)
    fits = over <= 0
    # Grouped operators cut channels only when a single group does not fit.
    fits = fits & np.broadcast_to((g == 1) | ((k == nest.in_c) & (n == nest.out_c)), shape)
    if not fits.any():
        short = math.ceil(float(over.min()))
        raise InfeasibleError(f"its smallest tile is {short} bytes larger than the on-chip buffers")

    cuts = (
        _pixel_cut(nest, images, rows, cols),
        Cut(nest.in_c, k),
        Cut(nest.out_c, n),
    )
    cycles = nest.groups * tiled_cycles(array, *cuts, taps)
    folds = nest.groups * tiled_folds(array, *cuts, taps)
    tiles = count_g * count_p * count_k * count_n
    compute = np.maximum(cycles * demand.cycle_s, demand.vector_s)
    first = in_tile + w_tile + extra_tile
    best: tuple[float, float, int, tuple[int, ...]] | None = None
    for order, stay in enumerate(("weights", "inputs")):
        in_reads, w_reads = _reads(stay, count_p, count_k, count_n)
        loads = (
            np.ceil(demand.input_bytes * in_reads * halo)
            + demand.weight_bytes * w_reads
            + demand.extra_bytes
        )
        moved = np.broadcast_to(loads + demand.output_bytes, shape)
        seconds = np.broadcast_to(_seconds(demand, compute, tiles, first, loads, outputs), shape)
        where = np.flatnonzero(fits.ravel())
        pick = where[np.lexsort((seconds.ravel()[where], moved.ravel()[where]))[0]]
        candidate = (float(moved.ravel()[pick]), float(seconds.ravel()[pick]), order)
        if best is None or candidate < best[:3]:
            index = tuple(int(i) for i in np.unravel_index(pick, shape))
            best = (*candidate, index)
    assert best is not None
    _, _, order, at = best
    stay = ("weights", "inputs")[order]
    in_reads, w_reads = _reads(stay, count_p, count_k, count_n)

    def value(grid: Array) -> float:
        return float(np.broadcast_to(grid, shape)[at])

    return Tiling(
        groups=int(value(count_g)),
        pixels=int(value(count_p)),
        channels=int(value(count_k)),
        filters=int(value(count_n)),
        stay=stay,
        input_load=math.ceil(demand.input_bytes * value(in_reads * halo)),
        weight_load=demand.weight_bytes * int(value(w_reads)),
        extra_load=demand.extra_bytes,
        store_bytes=demand.output_bytes,
        compute_s=value(compute),
        free_weights=max(0, math.floor(value(spare))),
        folds=int(value(folds)),
        held_bytes=math.ceil(value(held)),
    )


def _pixel_cut(nest: LoopNest, images: int, rows: Array, cols: Array) -> Cut:
    """The output pixels of all images, in bands of whole rows or strips of one row."""
    banded = cols == nest.out_w
    return Cut(
        np.where(banded, nest.out_h * nest.out_w, nest.out_w),
        rows * cols,
        np.where(banded, images, images * nest.out_h),
    )


def _extent(outputs: Array, kernel: int, stride: int, dilation: int, available: int) -> Array:
    """Input rows (or columns) that so many output rows need."""
    needed: Array = np.minimum((outputs - 1) * stride + (kernel - 1) * dilation + 1, available)
    return needed


def _again(tiles: Array, kernel: int, stride: int, dilation: int, available: int) -> Array:
    """How often rows (or columns) are read when each of so many tiles brings its own halo."""
    overlap = max((kernel - 1) * dilation + 1 - stride, 0)
    often: Array = np.minimum(1.0 + (tiles - 1) * overlap / available, tiles)
    return often


def _reads(stay: str, count_p: Array, count_k: Array, count_n: Array) -> tuple[Array, Array]:
    """How often inputs and weights are read, by loop order and tile counts."""
    if stay == "weights":
        inputs = np.where((count_p * count_k > 1), count_n, 1)
        weights = np.where(count_k > 1, np.where(count_n * count_k > 1, count_p, 1), 1)
    else:
        inputs = np.where(count_k > 1, count_n, 1)
        weights = np.where(count_n * count_k > 1, count_p, 1)
    return inputs + 0 * count_p, weights + 0 * count_n


def _seconds(
    demand: Demand, compute: Array, tiles: Array, first: Array, loads: Array, stores: Array
) -> Array:
    """Estimated time alone: first load, overlapped middle, last tile and its store."""
    rate, setup = demand.dma_rate, demand.dma_setup
    begin = first / rate + setup
    end = demand.output_bytes / stores / rate + setup
    if not demand.double_buffer:
        alone: Array = (loads + demand.output_bytes) / rate + compute + 2 * tiles * setup
        return alone
    moving = (np.maximum(loads - first, 0) + demand.output_bytes) / rate + 2 * tiles * setup
    middle = np.maximum(compute * (tiles - 1) / tiles, moving - end)
    seconds: Array = begin + middle + compute / tiles + end
    return seconds
