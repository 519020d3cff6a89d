"""Which cut of a convolution or matrix product an NPU takes.

The tiler moves the fewest bytes; among equals it takes the shortest pipelined time. Two loop orders
are considered: weights stay while pixels stream (``weights``), or inputs stay while filters stream
(``inputs``); what does not stay is read again, and counted. Bytes are compared as whole numbers.
Times closer than :data:`SAME_TIME` are equal, and then the first in this order is taken: weights
stay; the largest tile by groups, then by pixels, channels, and filters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hetsim.cost.analytical.cutting import ORDERS, Buffers, Demand, cuts_of
from hetsim.errors import InfeasibleError
from hetsim.forms.arrays import Cut, tiled_cycles, tiled_folds
from hetsim.numeric import Array
from hetsim.soc.arrays import GemmCore, MatrixArray
from hetsim.workload.graph import LoopNest

SAME_TIME = 1e-9
"""Share by which times may differ and still be equal.

Rates are rounded to floats, so sums that are equal on paper are not in the last digits, and which
is less would depend on the unit of time: a SoC twice as fast would be tiled differently.
"""


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
    cuts = cuts_of(nest, array, buffers, demand)
    if not cuts.fits.any():
        raise InfeasibleError(cuts.short())
    count_g, count_p, count_k, count_n = cuts.counts
    outputs = count_g * count_p * count_n
    read = [cuts.reads(stay, demand) for stay in ORDERS]
    loads = np.stack([inputs + weights for inputs, weights in read]) + demand.extra_bytes
    seconds = _seconds(demand, cuts.compute, cuts.tiles, cuts.first, loads, outputs)
    best = np.broadcast_to(cuts.fits, loads.shape)
    best = best & (loads == loads[best].min())
    best = best & (seconds <= seconds[best].min() * (1.0 + SAME_TIME))
    order, *place = (int(i) for i in np.unravel_index(np.argmax(best), best.shape))
    at = tuple(place)

    def value(grid: Array) -> float:
        return float(np.broadcast_to(grid, cuts.shape)[at])

    return Tiling(
        groups=int(value(count_g)),
        pixels=int(value(count_p)),
        channels=int(value(count_k)),
        filters=int(value(count_n)),
        stay=ORDERS[order],
        input_load=int(read[order][0][at]),
        weight_load=int(read[order][1][at]),
        extra_load=demand.extra_bytes,
        store_bytes=demand.output_bytes,
        compute_s=value(cuts.compute),
        free_weights=max(0, math.floor(value(cuts.spare))),
        folds=int(value(cuts.folds)),
        held_bytes=math.ceil(value(cuts.held)),
    )


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
