"""The cuts of a convolution or matrix product into tiles, and which of them fit an NPU's buffers.

Partial sums never leave the chip. Consecutive row tiles share their halo rows on chip unless
channels are cut, too; column strips do not. Re-reads follow Chen, Emer & Sze, "Eyeriss" (ISCA
2016), section IV, in its simplest two cases.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hetsim.forms.arrays import Cut, alignments, tiled_cycles, tiled_folds
from hetsim.numeric import Array
from hetsim.soc.arrays import GemmCore, MatrixArray
from hetsim.workload.graph import LoopNest

ORDERS = ("weights", "inputs")
"""What may stay while the other streams past; among equals the first."""

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
    Loops and buffers are those of one of ``cores`` that take such tiles side by side, and so are
    seconds; bytes are those of all.
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
    cores: int = 1


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


@dataclass(frozen=True, slots=True)
class Cuts:
    """All cuts that are looked at: grids over (groups, pixels, channels, filters) that broadcast.

    ``halo`` says how often all tiles together read the input, as whole numbers: so many pixels, of
    so many. ``over`` are the bytes by which a cut does not fit, ``spare`` what weights may take,
    ``held`` what its buffers take; ``first`` what its first tile loads, as the tiler estimates it.
    """

    shape: tuple[int, ...]
    counts: tuple[Array, Array, Array, Array]
    halo: tuple[Array, int]
    fits: Array
    over: Array
    spare: Array
    held: Array
    first: Array
    compute: Array
    folds: Array

    @property
    def tiles(self) -> Array:
        """Number of tiles of each."""
        groups, pixels, channels, filters = self.counts
        return groups * pixels * channels * filters

    def reads(self, stay: str, demand: Demand) -> tuple[Array, Array]:
        """Bytes of inputs and of weights that are read, over the whole grid."""
        _, pixels, channels, filters = self.counts
        inputs, weights = _reads(stay, pixels, channels, filters)
        read, of = self.halo
        common = math.gcd(demand.input_bytes, of) or 1
        # Whole numbers all through: equal cuts must not differ by a byte of rounding.
        in_bytes = -(-(demand.input_bytes // common) * (inputs * read) // (of // common))
        return (
            np.broadcast_to(in_bytes, self.shape),
            np.broadcast_to(demand.weight_bytes * weights, self.shape),
        )

    def short(self) -> str:
        """Why nothing fits."""
        missing = math.ceil(float(self.over.min()))
        return f"its smallest tile is {missing} bytes larger than the on-chip buffers"


# The tiler and its bound ask for the same ones in turn.
@lru_cache(maxsize=32)
def cuts_of(nest: LoopNest, array: MatrixArray, buffers: Buffers, demand: Demand) -> Cuts:
    """The candidates of one kernel, those that do not fit included."""
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
    down = _again(bands, nest.k_h, nest.stride_h, nest.dilation_h, nest.in_h)
    across = _again(strips, nest.k_w, nest.stride_w, nest.dilation_w, nest.in_w)
    halo = np.where(count_k > 1, down, nest.in_h) * across

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
    # Waits beside the sums it will be added to.
    extra_tile = demand.extra_bytes / outputs / demand.cores
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
    # Grouped operators cut channels only when a single group does not fit.
    whole = np.broadcast_to((g == 1) | ((k == nest.in_c) & (n == nest.out_c)), shape)
    cuts = (
        _pixel_cut(nest, images, rows, cols),
        Cut(nest.in_c, k),
        Cut(nest.out_c, n),
    )
    cycles = nest.groups * tiled_cycles(array, *cuts, taps)
    return Cuts(
        shape=shape,
        counts=(count_g, count_p, count_k, count_n),
        halo=(halo, nest.in_h * nest.in_w),
        fits=(over <= 0) & whole,
        over=over,
        spare=spare,
        held=held * demand.cores,
        first=(in_tile + w_tile + extra_tile) * demand.cores,
        compute=np.maximum(cycles * demand.cycle_s, demand.vector_s),
        folds=nest.groups * tiled_folds(array, *cuts, taps),
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
    """Rows (or columns) that are read when each of so many tiles brings its own halo."""
    overlap = max((kernel - 1) * dilation + 1 - stride, 0)
    rows: Array = np.minimum(available + (tiles - 1) * overlap, available * tiles)
    return rows


def _reads(stay: str, count_p: Array, count_k: Array, count_n: Array) -> tuple[Array, Array]:
    """How often inputs and weights are read, by loop order and tile counts."""
    if stay == "weights":
        inputs = np.where((count_p * count_k > 1), count_n, 1)
        weights = np.where(count_k > 1, np.where(count_n * count_k > 1, count_p, 1), 1)
    else:
        inputs = np.where(count_k > 1, count_n, 1)
        weights = np.where(count_n * count_k > 1, count_p, 1)
    return inputs + 0 * count_p, weights + 0 * count_n
