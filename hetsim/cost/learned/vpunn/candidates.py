"""The ways to divide a layer over tiles and time, as columns, and the jobs each consists of.

Tiles share rows of the output (each has its own halo, weights are broadcast) or channels (inputs
are broadcast, and every tile gets all of the output). A tile then works through bands of its rows
and blocks of its channels. Which mode the array's cells stand in is a choice as well.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from hetsim.cost.learned.vpunn.layers import CHANNELS, Layer
from hetsim.learn.vpunn.judge import Judge
from hetsim.learn.vpunn.workloads import (
    CLUSTERING,
    COMPRESSED,
    CONVOLUTION,
    ELTWISE,
    FLOAT16,
    MAXPOOL,
    SPLIT_OVER_K,
    Workloads,
)
from hetsim.numeric import Floats, Ints

_ENTRY = 16
"""Bytes of a tile's table for each output channel: address of its weights, bias, scale."""

_BLOCKS = (64, 32, 16)
"""Channels of one job where an output channel reads one input channel."""

_ALL_MODES = (0, 1, 2)
_SIXTEEN, _EIGHT = (0,), (1,)


@dataclass(frozen=True, eq=False)
class Candidates:
    """One entry for each way.

    ``tiles`` that work; ``bands`` and ``blocks`` of each. ``cycles`` are those of all jobs of the
    busiest tile. ``inputs``, ``weights``, ``outputs``: bytes of one job in its tile; ``halo``: how
    often all bands together read the input.
    """

    tiles: Ints
    bands: Ints
    blocks: Ints
    by_rows: Ints
    mode: Ints
    cycles: Floats
    inputs: Ints
    weights: Ints
    outputs: Ints
    halo: Floats

    def __len__(self) -> int:
        return len(self.tiles)


@lru_cache(maxsize=4096)
def candidates(layer: Layer, tiles: int, model: Judge) -> Candidates:
    """All ways for ``layer`` on so many tiles that ``model`` can judge; perhaps none."""
    found = _judged(layer, _ways(layer, tiles), model)
    known = np.isfinite(found.cycles)
    if known.all():
        return found
    return Candidates(**{f.name: getattr(found, f.name)[known] for f in fields(Candidates)})


def _judged(layer: Layer, ways: Ints, model: Judge) -> Candidates:
    used, bands, blocks, by_rows, mode, rows, channels, tile_rows, tile_channels = ways.T
    last_rows = tile_rows - (bands - 1) * rows
    last_channels = tile_channels - (blocks - 1) * channels
    write = np.where(by_rows == 1, 1, used)
    # The last band and the last block of a tile may be smaller than the others.
    corners = [
        (rows, channels, (bands - 1) * (blocks - 1)),
        (last_rows, channels, blocks - 1),
        (rows, last_channels, bands - 1),
        (last_rows, last_channels, np.ones_like(bands)),
    ]
    table = np.concatenate([np.stack([r, c, mode, write], axis=1) for r, c, _ in corners])
    distinct, which = np.unique(table, axis=0, return_inverse=True)
    taken = model.cycles(_jobs(layer, *distinct.T))[which].reshape(4, -1)
    # What does not occur need not be known.
    counts = np.stack([count for _, _, count in corners])
    cycles = np.where(counts > 0, taken * counts, 0.0).sum(axis=0) * layer.products
    width = 2 if layer.dtype >= FLOAT16 else 1
    in_rows, in_cols = _reach(layer, rows)
    depth = channels if layer.by_channel else np.full_like(channels, _filled(layer))
    operands = 2 if layer.operation == ELTWISE else 1
    read = in_rows * bands * np.where(by_rows == 1, used, 1)
    return Candidates(
        tiles=used,
        bands=bands,
        blocks=blocks,
        by_rows=by_rows,
        mode=mode,
        cycles=np.asarray(cycles, dtype=float),
        inputs=in_rows * in_cols * depth * width * operands,
        weights=_mask_bytes(layer, width) * channels,
        outputs=rows * layer.out_w * channels * width * write,
        halo=np.maximum(read / layer.in_h, 1.0),
    )


def _ways(layer: Layer, tiles: int) -> Ints:
    """Rows of: tiles, bands, blocks, split over rows, mode, and extents of a job and of a tile."""
    if layer.operation in (CONVOLUTION, COMPRESSED):
        modes: tuple[int, ...] = _ALL_MODES if layer.operation == CONVOLUTION else _SIXTEEN
    else:
        modes = _EIGHT if layer.operation == ELTWISE else _SIXTEEN
    filters = -(-layer.out_c // CHANNELS) * CHANNELS
    found = set()
    for by_rows in (1, 0):
        if by_rows:
            tile_rows, tile_channels = -(-layer.out_h // tiles), filters
            used = -(-layer.out_h // tile_rows)
        else:
            tile_channels = -(-filters // (tiles * CHANNELS)) * CHANNELS
            tile_rows, used = layer.out_h, -(-filters // tile_channels)
        for rows in _halvings(tile_rows, 1):
            for channels in _channel_blocks(layer, tile_channels):
                bands, blocks = -(-tile_rows // rows), -(-tile_channels // channels)
                for mode in modes:
                    found.add((used, bands, blocks, by_rows, mode, rows, channels,
                               tile_rows, tile_channels))  # fmt: skip
    return np.array(sorted(found), dtype=np.int64)


def _channel_blocks(layer: Layer, size: int) -> list[int]:
    """Of ``size`` channels, which fill blocks of :data:`CHANNELS`."""
    if layer.by_channel and layer.operation != ELTWISE:
        return [block for block in _BLOCKS if block <= size]
    return _halvings(size, CHANNELS)


def _halvings(size: int, step: int) -> list[int]:
    sizes = [size]
    while sizes[-1] > step:
        half = -(-sizes[-1] // 2)
        sizes.append(-(-half // step) * step)
    return sizes


def _filled(layer: Layer) -> int:
    """Input channels as they are stored for one job."""
    if layer.operation == COMPRESSED:
        return 4 if layer.in_c < 5 else CHANNELS
    return -(-layer.in_c // CHANNELS) * CHANNELS


def _mask_bytes(layer: Layer, width: int) -> int:
    """Bytes of the weights of one output channel, its entry of the table included."""
    if layer.operation in (MAXPOOL, ELTWISE):
        return 0
    depth = 1 if layer.by_channel else _asked(layer)
    taps = depth * layer.k_h * layer.k_w
    return -(-taps // CHANNELS) * CHANNELS * width + _ENTRY


def _asked(layer: Layer) -> int:
    """Input channels that a job is asked about."""
    return layer.in_c if layer.operation == COMPRESSED else _filled(layer)


def _reach(layer: Layer, rows: Ints) -> tuple[Ints, int]:
    """Input rows and columns that so many output rows need, as far as there are any."""
    in_rows = np.minimum((rows - 1) * layer.stride_h + layer.k_h, layer.in_h)
    return in_rows, min((layer.out_w - 1) * layer.stride_w + layer.k_w, layer.in_w)


def _jobs(layer: Layer, rows: Ints, channels: Ints, mode: Ints, write: Ints) -> Workloads:
    """Jobs of so many output rows and channels."""
    in_rows, in_cols = _reach(layer, rows)
    missing = (rows - 1) * layer.stride_h + layer.k_h - in_rows
    beside = (layer.out_w - 1) * layer.stride_w + layer.k_w - in_cols
    columns = {
        "operation": layer.operation,
        "in_c": channels if layer.by_channel else _asked(layer),
        "in_h": in_rows,
        "in_w": in_cols,
        "out_c": channels,
        "out_h": rows,
        "out_w": layer.out_w,
        "kernel_h": layer.k_h,
        "kernel_w": layer.k_w,
        "stride_h": layer.stride_h,
        "stride_w": layer.stride_w,
        "pad_top": -(-missing // 2),
        "pad_bottom": missing // 2,
        "pad_left": -(-beside // 2),
        "pad_right": beside // 2,
        "in_dtype": layer.dtype,
        "out_dtype": layer.dtype,
        "mode": mode,
        "write_tiles": write,
        "strategy": np.where(write > 1, SPLIT_OVER_K, CLUSTERING),
    }
    return Workloads.of({name: np.asarray(value) for name, value in columns.items()}, len(rows))
