"""The least time of a kernel on an NPU, whichever cut its tiler takes.

The tiler moves the fewest bytes that fit beside what tensors take on chip. How much they take, a
plan decides; so a bound looks at every cut that fits when they take the least. The load of the
first tile and the store of the last one have nothing to hide behind; between them the arithmetic is
one after the other, and so are all bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hetsim.cost.analytical.cutting import ORDERS, Buffers, Cuts, Demand, cuts_of
from hetsim.cost.reach import Reach
from hetsim.numeric import Array
from hetsim.soc.arrays import MatrixArray
from hetsim.workload.graph import LoopNest


@dataclass(frozen=True, slots=True)
class Asked:
    """How tiles move: the path at its best, seconds to set a transfer up, and what may overlap.

    ``early``: the first tile's weights may have been loaded beside another kernel.
    """

    reach: Reach
    setup: float
    double_buffer: bool
    early: bool

    def moving(self, amount: Array) -> Array:
        """Seconds of one transfer of so many bytes; nothing takes no time."""
        apart = self.setup + self.reach.nearest
        return np.where(amount > 0, amount / self.reach.one_way + apart, 0.0)


@lru_cache(maxsize=65536)
def quickest(
    nest: LoopNest, array: MatrixArray, buffers: Buffers, demand: Demand, asked: Asked
) -> float:
    """Seconds after the dispatch; infinite when no cut fits."""
    cuts = cuts_of(nest, array, buffers, demand)
    if not cuts.fits.any():
        return math.inf
    return min(_least(cuts, stay, demand, asked) for stay in ORDERS)


def _least(cuts: Cuts, stay: str, demand: Demand, asked: Asked) -> float:
    inputs, weights = cuts.reads(stay, demand)
    moved = inputs + weights + demand.extra_bytes + demand.output_bytes
    reading, weighing, writing = _readers(cuts, stay)
    first_weights = weights // weighing
    first = inputs // reading + np.where(writing == cuts.tiles, demand.extra_bytes // writing, 0)
    if asked.early:
        moved = moved - first_weights - weights % weighing
    else:
        first = first + first_weights
    last = demand.output_bytes // writing
    if asked.double_buffer:
        ends = asked.moving(first) + asked.moving(last)
        seconds = np.maximum(ends + cuts.compute, moved / asked.reach.widest)
    else:
        seconds = cuts.compute + moved / asked.reach.widest
    everywhere = np.broadcast_to(seconds, cuts.shape)
    return float(everywhere[cuts.fits].min())


def _readers(cuts: Cuts, stay: str) -> tuple[Array, Array, Array]:
    """How many tiles load inputs, load weights, and store; bytes are dealt evenly among them."""
    _, pixels, channels, filters = cuts.counts
    tiles = cuts.tiles
    if stay == "weights":
        inputs = np.where((channels == 1) & (pixels == 1), tiles // filters, tiles)
        weights = np.where(channels == 1, tiles // pixels, tiles)
    else:
        inputs = np.where(channels == 1, tiles // filters, tiles)
        weights = np.where((channels == 1) & (filters == 1), tiles // pixels, tiles)
    return inputs, weights, tiles // channels


def streamed(loads: int, stores: int, compute: float, asked: Asked) -> float:
    """The same of element-wise work, cut into as many pieces as one likes."""
    apart = asked.setup + asked.reach.nearest
    moving = (loads + stores) / asked.reach.widest
    ends = (apart if loads else 0.0) + (apart if stores else 0.0)
    if asked.double_buffer:
        return max(ends + compute, moving)
    return compute + moving
