"""How the cores of an NPU share a convolution or matrix product.

Each core has an array, a vector unit, an SRAM and DMA engines of its own. The cores work in step on
equal parts: of the filters (of the groups, where there are as many), with inputs broadcast, or of
the rows of output pixels, with weights broadcast; a broadcast crosses the path once, and halo rows
that two parts need cross it twice. Which of the two is decided by the array's cycles alone, so that
it does not depend on what stays on chip; among equals filters are divided. That one way is taken
for a whole operator, and that the cores are in step, is a choice of ours, not of a paper.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from hetsim.cost.analytical.tiling import fewest_cycles
from hetsim.soc.arrays import MatrixArray
from hetsim.workload.graph import LoopNest


@dataclass(frozen=True, slots=True)
class Split:
    """What the busiest of ``cores`` has: its loops, and its shares of weights and of results.

    All of them together read the input ``input_rows[0] / input_rows[1]`` times.
    """

    nest: LoopNest
    cores: int = 1
    weights: float = 1.0
    outputs: float = 1.0
    input_rows: tuple[int, int] = (1, 1)

    def input_bytes(self, size: int) -> int:
        """Bytes of an input of ``size`` with the halos that are read twice."""
        read, of = self.input_rows
        return -(-size * read // of)


@lru_cache(maxsize=65536)
def split(nest: LoopNest, array: MatrixArray, cores: int) -> Split:
    """The shares of ``nest`` among ``cores``; some have nothing to do if there is too little."""
    if cores == 1:
        return Split(nest)
    ways = (_by_filters(nest, cores), _by_rows(nest, cores))
    return min(ways, key=lambda way: fewest_cycles(way.nest, array))


def _by_filters(nest: LoopNest, cores: int) -> Split:
    grouped = nest.groups >= cores
    size = nest.groups if grouped else nest.out_c
    part, used = _parts(size, cores)
    core = replace(nest, groups=part) if grouped else replace(nest, out_c=part)
    return Split(core, used, part / size, part / size)


def _by_rows(nest: LoopNest, cores: int) -> Split:
    if (nest.k_h, nest.k_w, nest.stride_h, nest.stride_w) == (1, 1, 1, 1):
        pixels = nest.out_h * nest.out_w  # no halo ties them: one long column
        nest = replace(nest, out_h=pixels, out_w=1, in_h=pixels, in_w=1)
    rows, used = _parts(nest.out_h, cores)
    reach = min((rows - 1) * nest.stride_h + (nest.k_h - 1) * nest.dilation_h + 1, nest.in_h)
    halo = max((nest.k_h - 1) * nest.dilation_h + 1 - nest.stride_h, 0)
    return Split(
        replace(nest, out_h=rows, in_h=reach),
        used,
        outputs=rows / nest.out_h,
        input_rows=(min(nest.in_h + (used - 1) * halo, nest.in_h * used), nest.in_h),
    )


def _parts(size: int, cores: int) -> tuple[int, int]:
    """The largest part, and how many parts there are."""
    part = -(-size // cores)
    return part, -(-size // part)
