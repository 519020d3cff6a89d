"""The loop nest of a tiled convolution, played tile by tile.

An independent account of traffic and on-chip memory. One input tile and one weight tile are held
at a time (two of each while the next one is loaded, with double buffering); a tile that is held is
not loaded again. The next band of rows loads only the rows that the one before it did not bring.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from hetsim.workload.graph import LoopNest


@dataclass(frozen=True)
class Cuts:
    """Tile sizes: groups, rows and columns of output, input channels, filters."""

    groups: int
    rows: int
    columns: int
    channels: int
    filters: int


@dataclass(frozen=True)
class Account:
    """Elements loaded in total, and the most elements of each kind on chip at once."""

    inputs: int
    weights: int
    most_inputs: int
    most_weights: int
    most_outputs: int
    tiles: int


def halvings(size: int, step: int) -> list[int]:
    """The whole, then halves of halves, rounded up to multiples of ``step``."""
    sizes = [size]
    half = size
    while half > step:
        half = math.ceil(half / 2)
        rounded = math.ceil(half / step) * step
        if rounded < sizes[-1]:
            sizes.append(rounded)
    return sizes


def all_cuts(nest: LoopNest, step_k: int, step_n: int) -> Iterator[Cuts]:
    """Every cut the tiler is documented to consider."""
    pixels = [(rows, nest.out_w) for rows in halvings(nest.out_h, 1)]
    pixels += [(1, columns) for columns in halvings(nest.out_w, 1)[1:]]
    for g, (rows, columns), k, n in product(
        halvings(nest.groups, 1),
        pixels,
        halvings(nest.in_c, step_k),
        halvings(nest.out_c, step_n),
    ):
        if g == 1 or (k == nest.in_c and n == nest.out_c):
            yield Cuts(g, rows, columns, k, n)


def ranges(size: int, tile: int) -> list[tuple[int, int]]:
    return [(start, min(start + tile, size)) for start in range(0, size, tile)]


def window(
    outputs: tuple[int, int], kernel: int, stride: int, dilation: int, pad: int, available: int
) -> tuple[int, int]:
    """First and last-but-one input row (or column) that a range of outputs needs."""
    first = outputs[0] * stride - pad
    last = (outputs[1] - 1) * stride - pad + (kernel - 1) * dilation + 1
    return max(first, 0), min(last, available)


def play(nest: LoopNest, cuts: Cuts, stay: str, pad: int, double_buffer: bool) -> Account:
    """Walks the tiles; ``stay`` is ``weights`` or ``inputs``."""
    g_ = ranges(nest.groups, cuts.groups)
    k_, n_ = ranges(nest.in_c, cuts.channels), ranges(nest.out_c, cuts.filters)
    # Down a column strip, then the next strip: so that rows can be shared.
    p_ = [
        (image, columns, rows)
        for image in range(nest.batch)
        for columns in ranges(nest.out_w, cuts.columns)
        for rows in ranges(nest.out_h, cuts.rows)
    ]
    if stay == "weights":
        order = [(g, p, n, k) for g, n, p, k in product(g_, n_, p_, k_)]
    else:
        order = list(product(g_, p_, n_, k_))
    held_in: tuple | None = None
    held_w: tuple | None = None
    inputs = weights = 0
    size_in: list[int] = []
    size_w: list[int] = []
    size_out: list[int] = []
    loads_in: list[bool] = []
    loads_w: list[bool] = []
    for g, (image, columns, rows), n, k in order:
        across = window(columns, nest.k_w, nest.stride_w, nest.dilation_w, pad, nest.in_w)
        down = window(rows, nest.k_h, nest.stride_h, nest.dilation_h, pad, nest.in_h)
        channels = (g[1] - g[0]) * (k[1] - k[0])
        wide = across[1] - across[0]
        now_in = (g, k, image, columns, rows)
        if now_in != held_in:
            begin = down[0]
            if held_in is not None and held_in[:4] == now_in[:4] and held_in[4][1] == rows[0]:
                before = window(
                    held_in[4], nest.k_h, nest.stride_h, nest.dilation_h, pad, nest.in_h
                )
                begin = max(begin, before[1])
            inputs += max(down[1] - begin, 0) * wide * channels
        loads_in.append(now_in != held_in)
        held_in = now_in
        now_w = (g, n, k)
        size = channels * nest.k_h * nest.k_w * (n[1] - n[0])
        if now_w != held_w:
            weights += size
        loads_w.append(now_w != held_w)
        held_w = now_w
        size_in.append(wide * (down[1] - down[0]) * channels)
        size_w.append(size)
        size_out.append(
            (rows[1] - rows[0]) * (columns[1] - columns[0]) * (n[1] - n[0]) * (g[1] - g[0])
        )
    results = [
        (i, size)
        for i, (size, (_, _, _, k)) in enumerate(zip(size_out, order, strict=True))
        if k[1] == nest.in_c
    ]
    return Account(
        inputs,
        weights,
        _most(size_in, loads_in, double_buffer),
        _most(size_w, loads_w, double_buffer),
        _most([size for _, size in results], [True] * len(results), double_buffer),
        len(order),
    )


def _most(sizes: list[int], fresh: list[bool], double_buffer: bool) -> int:
    """The most on chip at once: what is used now, and what is loaded (or stored) meanwhile."""
    most = max(sizes)
    if double_buffer:
        for i in range(1, len(sizes)):
            if fresh[i]:
                most = max(most, sizes[i - 1] + sizes[i])
    return most
