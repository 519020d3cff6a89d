"""Cycles of matrix arrays in closed form, and summed over tiles.

Systolic arrays: the stall-free cycle counts of SCALE-Sim (v3; Samajdar et al., ISPASS 2020 describe
the model): every fold of the operands onto the array costs its streaming time plus filling and
draining. Blocked matrix cores (VTA: Moreau et al., IEEE Micro 39(5), 2019) take one
batch × block_in × block_out product a cycle; what does not fill a block is padding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hetsim.errors import ConfigError
from hetsim.numeric import Ints
from hetsim.soc.arrays import GemmCore, MatrixArray


def systolic_cycles(dataflow: str, rows: int, cols: int, T: int, K: int, N: int) -> int:
    """Stall-free cycles of the product (T × K) · (K × N) on a rows × cols systolic array.

    ``T`` output pixels, ``K`` = kernel height × width × input channels, ``N`` filters.
    ``dataflow`` is ``weight_stationary``, ``output_stationary`` or ``input_stationary``
    (``ws``, ``os``, ``is``).

    Raises:
        ConfigError: unknown dataflow, or a dimension below one.
    """
    if min(rows, cols, T, K, N) < 1:
        raise ConfigError(f"array and operand sizes must be at least 1: {(rows, cols, T, K, N)}")
    folds, streaming = _folds(_long_name(dataflow), rows, cols, T, K, N)
    return folds * streaming - 1


_SHORT = {"ws": "weight_stationary", "os": "output_stationary", "is": "input_stationary"}


def _long_name(dataflow: str) -> str:
    name = _SHORT.get(dataflow, dataflow)
    if name not in _SHORT.values():
        raise ConfigError(
            f"unknown dataflow {dataflow!r}", hint=f"one of {', '.join(_SHORT.values())}"
        )
    return name


def _folds(dataflow: str, rows: int, cols: int, T: int, K: int, N: int) -> tuple[int, int]:
    if dataflow == "weight_stationary":
        return math.ceil(K / rows) * math.ceil(N / cols), T + 2 * rows + cols - 2
    if dataflow == "input_stationary":
        return math.ceil(K / rows) * math.ceil(T / cols), N + 2 * rows + cols - 2
    return math.ceil(T / rows) * math.ceil(N / cols), K + rows + cols - 2


@dataclass(frozen=True, slots=True)
class Cut:
    """A loop of ``size`` cut into tiles of ``tile`` (arrays of candidates, broadcastable).

    ``times`` such loops, each cut for itself: no tile reaches from one image into the next.
    """

    size: int | Ints
    tile: Ints
    times: int | Ints = 1

    @property
    def total(self) -> int | Ints:
        """Steps of all loops together."""
        return self.times * self.size

    @property
    def count(self) -> Ints:
        """How many tiles."""
        return self.times * -(-self.size // self.tile)

    def blocks(self, block: int) -> Ints:
        """Blocks of ``block`` over all tiles, each tile padded to whole blocks."""
        full = -(-self.size // self.tile) - 1
        last = self.size - full * self.tile
        blocks: Ints = self.times * (full * -(-self.tile // block) + -(-last // block))
        return blocks


def tiled_cycles(array: MatrixArray, T: Cut, K: Cut, N: Cut, taps: int | Ints) -> Ints:
    """Total array cycles when the three loops are cut into tiles, summed over all tiles.

    ``K`` counts input channels, each with ``taps`` = kernel height × width positions. The sum over
    full and remainder tiles is exact because each closed form is a product of per-loop terms.
    """
    if isinstance(array, GemmCore):
        blocks = K.blocks(array.block_in) * N.blocks(array.block_out)
        return taps * T.total * blocks * np.ones_like(T.count)
    rows, cols = array.rows, array.columns
    kernel = Cut(K.size * taps, K.tile * taps)
    if array.dataflow == "weight_stationary":
        streaming = T.total + T.count * (2 * rows + cols - 2)
        total = kernel.blocks(rows) * N.blocks(cols) * streaming
    elif array.dataflow == "input_stationary":
        streaming = N.total + N.count * (2 * rows + cols - 2)
        total = kernel.blocks(rows) * T.blocks(cols) * streaming
    else:
        streaming = K.size * taps + K.count * (rows + cols - 2)
        total = T.blocks(rows) * N.blocks(cols) * streaming
    cycles: Ints = total - T.count * K.count * N.count
    return cycles


def tiled_folds(array: MatrixArray, T: Cut, K: Cut, N: Cut, taps: int) -> Ints:
    """How often operands are folded onto a systolic array, over all tiles; 0 for a blocked core."""
    if isinstance(array, GemmCore):
        return np.zeros_like(T.count)
    kernel = Cut(K.size * taps, K.tile * taps)
    if array.dataflow == "weight_stationary":
        return kernel.blocks(array.rows) * N.blocks(array.columns) * T.count
    if array.dataflow == "input_stationary":
        return kernel.blocks(array.rows) * T.blocks(array.columns) * N.count
    return T.blocks(array.rows) * N.blocks(array.columns) * K.count


def alignments(array: MatrixArray, taps: int) -> tuple[int, int, int]:
    """Multiples of (pixels, input channels, filters) at which tiles waste nothing of the array."""
    if isinstance(array, GemmCore):
        return 1, array.block_in, array.block_out
    channels = max(1, math.ceil(array.rows / taps))
    if array.dataflow == "weight_stationary":
        return 1, channels, array.columns
    if array.dataflow == "input_stationary":
        return array.columns, channels, 1
    return array.rows, 1, array.columns
