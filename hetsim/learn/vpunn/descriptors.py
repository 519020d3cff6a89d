"""The rows of numbers that VPUNN models read, by the version that a model's name tells.

Facts of ``intel/npu-nn-cost-model`` (its ``types11.h``, ``dma_types_01x.h`` and the adapters beside
them): names become a one and zeros, sizes stay as they are. What a model was not trained on is
asked as the nearest thing that it was, as its authors do.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from hetsim.learn.vpunn.network import Rows
from hetsim.learn.vpunn.workloads import (
    AVEPOOL,
    CLUSTERING,
    COMPRESSED,
    CONVOLUTION,
    DEPTHWISE,
    ELTWISE,
    FLOAT16,
    MAXPOOL,
    SPLIT_OVER_H,
    SPLIT_OVER_K,
    Transfers,
    Workloads,
)
from hetsim.numeric import Array, Ints

Asked = TypeVar("Asked")


class Descriptor(ABC, Generic[Asked]):
    """One layout. ``width``: numbers in a row."""

    width: int

    @abstractmethod
    def rows(self, asked: Asked) -> Rows:
        """One row for each job or transfer, 32-bit floats."""


class _Filler:
    """Columns that are filled from the left."""

    def __init__(self, count: int, width: int) -> None:
        self.rows = np.zeros((count, width), dtype=np.float32)
        self._at = 0

    def numbers(self, *columns: Array | float) -> None:
        for column in columns:
            self.rows[:, self._at] = column
            self._at += 1

    def one_of(self, position: Array | int, size: int) -> None:
        self.rows[np.arange(len(self.rows)), self._at + np.asarray(position)] = 1.0
        self._at += size

    def leave(self, count: int) -> None:
        self._at += count


_DEVICES, _OPERATIONS, _DTYPES, _MODES, _STRATEGIES, _SWIZZLINGS = 4, 6, 4, 3, 3, 6
_LAYOUTS, _ZXY, _NO_LAYOUT = 7, 4, 6
_UNSWIZZLED, _SWIZZLED = 0, 5


@dataclass(frozen=True)
class JobDescriptor(Descriptor[Workloads]):
    """Layout 11: device, operation, three tensors, kernel, mode, sparsity, swizzling, strategy.

    ``device`` is its position in VPU 2.0, 2.1, 2.7, 4.0. Weights are filled up to ``align``
    samples of eight bits. ``rows_overlap``: the model knows tiles that read each other's rows.
    ``most_write_tiles`` is the most it knows; ``split_sums``: sums split over channels, too.
    """

    device: int
    align: int
    rows_overlap: bool
    most_write_tiles: int
    split_sums: bool
    width: int = 93

    def rows(self, asked: Workloads) -> Rows:
        w = asked
        fill = _Filler(len(w), self.width)
        # An average pools as a depthwise convolution does.
        operation = np.where(w.operation == AVEPOOL, DEPTHWISE, w.operation)
        fill.one_of(self.device, _DEVICES)
        fill.one_of(operation, _OPERATIONS)
        fill.numbers(w.in_w, w.in_h, w.in_c, w.batch)
        self._stored(fill, w.in_dtype, _ZXY, w.in_sparse)
        fill.numbers(*self._weights(w, operation))
        unweighted = np.where(operation == MAXPOOL, _NO_LAYOUT, _ZXY)
        self._stored(fill, w.in_dtype, unweighted, w.weight_sparse)
        fill.numbers(w.out_w, w.out_h, w.out_c, w.batch)
        self._stored(fill, w.out_dtype, _ZXY, 0)
        fill.numbers(w.kernel_w, w.kernel_h, w.stride_w, w.stride_h)
        fill.numbers(w.pad_top, w.pad_bottom, w.pad_left, w.pad_right)
        fill.one_of(w.mode, _MODES)
        fill.numbers(w.in_sparsity, w.weight_sparsity)
        fill.one_of(_SWIZZLED, _SWIZZLINGS)
        fill.one_of(np.where(operation == MAXPOOL, _UNSWIZZLED, _SWIZZLED), _SWIZZLINGS)
        fill.one_of(_SWIZZLED, _SWIZZLINGS)
        tiles, strategy = self._trained(w)
        fill.numbers(tiles)
        fill.one_of(strategy, _STRATEGIES)
        return fill.rows

    def _stored(self, fill: _Filler, dtype: Ints, layout: Array | int, sparse: Array | int) -> None:
        fill.one_of(dtype, _DTYPES)
        fill.one_of(layout, _LAYOUTS)
        fill.numbers(sparse)

    def _weights(self, w: Workloads, operation: Ints) -> tuple[Ints, Ints, Ints, Ints]:
        """Width, height, channels and batch of what stands for the second operand.

        One mask an output channel, filled up; of a sum, the other input as it was trained:
        height, channels, width.
        """
        wide = w.in_dtype >= FLOAT16
        window = w.kernel_h * w.kernel_w
        depth = np.where(operation == DEPTHWISE, 1, w.in_c) * window
        step = np.where(wide | (w.weight_sparse > 0), 16, self.align)
        step = np.where(operation == DEPTHWISE, np.where(wide, 16, self.align), step)
        step = np.where(operation == COMPRESSED, np.where(wide, 8, 16), step)
        filled = -(-depth // step) * step
        masked = np.isin(operation, (CONVOLUTION, DEPTHWISE, COMPRESSED)).astype(np.int64)
        summed = operation == ELTWISE
        return (
            np.where(summed, w.in_h, masked),
            np.where(summed, w.in_c, masked),
            np.where(summed, w.in_w, masked * filled),
            np.where(summed, w.batch, masked * w.out_c),
        )

    def _trained(self, w: Workloads) -> tuple[Ints, Ints]:
        """Tiles written and strategy, as the nearest that the model was trained on."""
        tiles, strategy = w.write_tiles, w.strategy
        known = (w.kernel_h > 1) if self.rows_overlap else np.zeros(len(w), dtype=bool)
        strategy = np.where((strategy == SPLIT_OVER_H) & ~known, CLUSTERING, strategy)
        strategy = np.where((strategy == CLUSTERING) & (tiles > 1), SPLIT_OVER_K, strategy)
        if not self.split_sums:
            alone = (strategy == SPLIT_OVER_K) & (w.operation == ELTWISE)
            strategy = np.where(alone, CLUSTERING, strategy)
            tiles = np.where(alone, 1, tiles)
        return np.minimum(tiles, self.most_write_tiles), strategy


@dataclass(frozen=True)
class PlaneDescriptor(Descriptor[Transfers]):
    """Layout 1 of transfers: planes, length, widths, strides; here one plane in one row."""

    width: int = 12

    def rows(self, asked: Transfers) -> Rows:
        fill = _Filler(len(asked), self.width)
        fill.leave(1)  # planes beyond the first
        fill.numbers(asked.bytes, asked.bytes, asked.bytes)
        fill.leave(4)  # strides
        fill.one_of(asked.direction, 4)
        return fill.rows


@dataclass(frozen=True)
class DimensionDescriptor(Descriptor[Transfers]):
    """Layout 2 of transfers: widths, then size and stride of five more dimensions; here none."""

    width: int = 29

    def rows(self, asked: Transfers) -> Rows:
        fill = _Filler(len(asked), self.width)
        fill.numbers(asked.bytes, asked.bytes)
        fill.leave(1 + 4 * 5)
        fill.one_of(0, 2)  # one engine
        fill.one_of(asked.direction, 4)
        return fill.rows


JOBS: Mapping[int, Descriptor[Workloads]] = {
    11: JobDescriptor(2, 16, rows_overlap=True, most_write_tiles=2, split_sums=False),
    4011: JobDescriptor(3, 32, rows_overlap=False, most_write_tiles=6, split_sums=True),
}
TRANSFERS: Mapping[int, Descriptor[Transfers]] = {1: PlaneDescriptor(), 2: DimensionDescriptor()}
