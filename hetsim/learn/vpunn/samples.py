"""Jobs to learn from: drawn at random from what a compiler asks about.

Extents, channels and windows are drawn evenly by their logarithm; what does not fit a tile's memory
is no job. Dense tensors only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hetsim.learn.vpunn.workloads import (
    AVEPOOL,
    CLUSTERING,
    COMPRESSED,
    CONVOLUTION,
    DEPTHWISE,
    ELTWISE,
    FLOAT16,
    MAXPOOL,
    SPLIT_OVER_K,
    Workloads,
)
from hetsim.numeric import Ints

OPERATIONS_DRAWN = (CONVOLUTION, DEPTHWISE, ELTWISE, MAXPOOL, COMPRESSED)
"""Averages are asked about as depthwise convolutions (:data:`AVEPOOL`)."""

MEMORY = 2 * 2**20
"""Bytes of one tile of VPU 2.7."""

_MOST_HEIGHT, _MOST_WIDTH, _MOST_CHANNELS = 128, 256, 2048
_WINDOWS = (1, 2, 3, 5, 7, 9, 11)
_OFTEN = (0.3, 0.05, 0.35, 0.1, 0.1, 0.05, 0.05)


def asked_as(operation: Ints) -> Ints:
    """The operation of :data:`OPERATIONS_DRAWN` that stands for each."""
    return np.where(operation == AVEPOOL, DEPTHWISE, operation)


def draw_jobs(
    operation: int, count: int, rng: np.random.Generator, write_tiles: Sequence[int] = (1, 2)
) -> Workloads:
    """About ``count`` jobs of one operation, those that fit a tile's memory."""

    def extent(most: int) -> Ints:
        return np.exp(rng.uniform(0.0, np.log(most + 1), count)).astype(np.int64)

    channels = 16 * extent(_MOST_CHANNELS // 16)
    reads = 16 * extent(_MOST_CHANNELS // 16)
    k_h = rng.choice(_WINDOWS, count, p=_OFTEN)
    k_w = np.where(rng.random(count) < 0.8, k_h, rng.choice(_WINDOWS, count, p=_OFTEN))
    s_h = rng.choice((1, 2, 4), count, p=(0.65, 0.3, 0.05))
    s_w = np.where(rng.random(count) < 0.9, s_h, 1)
    if operation == ELTWISE:
        k_h = k_w = s_h = s_w = np.ones(count, dtype=np.int64)
    if operation in (DEPTHWISE, MAXPOOL):
        channels = rng.choice((16, 32, 64), count)
    if operation == COMPRESSED:
        reads = rng.integers(1, 16, count)
    elif operation != CONVOLUTION:
        reads = channels
    rows, columns = extent(_MOST_HEIGHT), extent(_MOST_WIDTH)
    needs_h, needs_w = (rows - 1) * s_h + k_h, (columns - 1) * s_w + k_w
    top, bottom = (rng.integers(0, 2, count) * ((k_h - 1) // 2) for _ in range(2))
    left, right = (rng.integers(0, 2, count) * ((k_w - 1) // 2) for _ in range(2))
    in_h, in_w = np.maximum(needs_h - top - bottom, 1), np.maximum(needs_w - left - right, 1)
    dtype = rng.choice((0, FLOAT16), count)
    tiles = rng.choice(write_tiles, count) if operation != ELTWISE else np.ones(count, np.int64)
    modes = {CONVOLUTION: (0, 1, 2), ELTWISE: (0, 1, 2)}.get(operation, (0,))
    jobs = Workloads.of(
        {
            "operation": np.array(operation),
            "in_c": reads, "in_h": in_h, "in_w": in_w,
            "out_c": channels, "out_h": rows, "out_w": columns,
            "kernel_h": k_h, "kernel_w": k_w, "stride_h": s_h, "stride_w": s_w,
            "pad_top": top, "pad_bottom": bottom, "pad_left": left, "pad_right": right,
            "in_dtype": dtype, "out_dtype": dtype, "mode": rng.choice(modes, count),
            "write_tiles": tiles, "strategy": np.where(tiles > 1, SPLIT_OVER_K, CLUSTERING),
        },
        count,
    )  # fmt: skip
    weights = channels * k_h * k_w * np.where(operation in (CONVOLUTION, COMPRESSED), reads, 1)
    operands = 2 if operation == ELTWISE else 1
    held = in_h * in_w * reads * operands + rows * columns * channels
    held = (held + np.where(operation in (ELTWISE, MAXPOOL), 0, weights)) * (1 + (dtype == FLOAT16))
    return jobs.select(held <= MEMORY)
