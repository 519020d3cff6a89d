"""Products on many like cores that take tiles of the result in turn: closed forms in core cycles.

The result of a product, positions by channels, is cut into *tiles*; a core makes a tile by going
through the sum. What is beyond the edge is computed for nothing (tile quantisation); tiles are
dealt to ``cores`` x ``resident`` places, and the last round may leave most of them empty (wave
quantisation): NVIDIA, "Matrix Multiplication Background User's Guide" (DU-09799-001), sections 2.1
and 3. A core that holds fewer tiles than ``resident`` works at their share of its rate, because
latency is hidden by the others (CUDA C++ Programming Guide, "Multiprocessor Level"), so

    cycles = ceil(tiles / (cores * held)) * resident * tile cycles,    held = min(resident, fit)
    tile cycles = steps * max(rows * columns / rate, (rows + columns) * bytes / operand rate)

Operands of a step are a column of one factor and a row of the other. A depthwise convolution has
its channels side by side, and each result an operand of its own: rows * columns + columns. A
convolution is the product that im2col would make (Chetlur et al., "cuDNN", arXiv:1410.0759,
section 3), its sums over input channels and taps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from hetsim.workload.graph import LoopNest

WINOGRAD_TILES = (2, 4)
"""Output tiles of Winograd's transforms, F(m x m, 3 x 3)."""

TRANSFORM_OPS = {2: (32, 24), 4: (156, 90)}
"""Operations of Winograd's F(m x m, 3 x 3) by m: of a tile and input channel, and output channel.

Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks" (CVPR 2016), section 4.
"""


class Tile(NamedTuple):
    """Results that a core makes at once, and how many such tiles find room on it."""

    rows: int
    columns: int
    fit: int


@dataclass(frozen=True, slots=True)
class Cores:
    """What tiles are dealt to. ``operand_rate`` in bytes a cycle of one core, infinite if ample."""

    count: int
    resident: int
    operand_rate: float
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """``groups`` products of ``rows`` x ``steps`` by ``steps`` x ``columns``.

    ``shared``: the results of a row share their operand; if not (depthwise) each has its own.
    """

    groups: int
    rows: int
    columns: int
    steps: int
    shared: bool = True


def product_of(nest: LoopNest) -> Product:
    """The product that a convolution or matrix product is."""
    rows, steps = nest.batch * nest.out_h * nest.out_w, nest.in_c * nest.k_h * nest.k_w
    if nest.groups > 1 and nest.in_c == nest.out_c == 1:
        return Product(1, rows, nest.groups, steps, shared=False)
    return Product(nest.groups, rows, nest.out_c, steps)


def rounds(tiles: int, cores: int, held: int) -> int:
    """Rounds in which ``tiles`` are worked off, ``held`` on each core at once."""
    return -(-tiles // (cores * held))


@lru_cache(maxsize=65536)
def product_cycles(
    product: Product, cores: Cores, rate: float, element_bytes: float, depth: int = 1
) -> float:
    """Cycles with the tile that takes fewest; infinite when none finds room.

    ``rate`` in multiply-accumulates a cycle of one core, which takes ``depth`` steps at once.
    """
    steps = -(-product.steps // depth) * depth
    best = math.inf
    for rows, columns, fit in cores.tiles:
        if not fit:
            continue
        tiles = product.groups * -(-product.rows // rows) * -(-product.columns // columns)
        operands = columns + (rows if product.shared else rows * columns)
        tile = max(rows * columns / rate, operands * element_bytes / cores.operand_rate)
        held = min(cores.resident, fit)
        best = min(best, rounds(tiles, cores.count, held) * cores.resident * steps * tile)
    return best


def winograd_product(nest: LoopNest, tile: int) -> tuple[Product, int, int] | None:
    """Winograd's products of a dense stride-1 3x3 convolution; ``None`` of any other.

    With them the operations of the transforms, and the elements that lie between these and the
    products. Filters are transformed beforehand.
    """
    form = (nest.groups, nest.k_h, nest.k_w, nest.stride_h, nest.stride_w)
    if form != (1, 3, 3, 1, 1) or nest.dilation_h != 1 or nest.dilation_w != 1:
        return None
    patches = nest.batch * -(-nest.out_h // tile) * -(-nest.out_w // tile)
    points = (tile + 2) ** 2
    reading, writing = TRANSFORM_OPS[tile]
    operations = patches * (nest.in_c * reading + nest.out_c * writing)
    between = patches * points * (nest.in_c + nest.out_c)
    return Product(points, patches, nest.out_c, nest.in_c), operations, between
