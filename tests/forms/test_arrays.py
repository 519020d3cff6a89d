"""Cycles of matrix arrays: by hand, and tiles summed one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hetsim.cost import systolic_cycles
from hetsim.errors import ConfigError
from hetsim.forms.arrays import Cut, tiled_cycles, tiled_folds
from hetsim.soc.arrays import GemmCore, SystolicArray

DATAFLOWS = ("weight_stationary", "output_stationary", "input_stationary")


def test_one_fold_by_hand() -> None:
    # Weights of 4 x 4 are loaded in 4 cycles, 10 pixels stream in, and the last result leaves
    # after 4 rows and 4 columns: 10 + 2*4 + 4 - 2 - 1.
    assert systolic_cycles("weight_stationary", 4, 4, T=10, K=4, N=4) == 19
    assert systolic_cycles("input_stationary", 4, 4, T=4, K=4, N=10) == 19
    assert systolic_cycles("output_stationary", 4, 4, T=4, K=10, N=4) == 15


def test_folds_multiply() -> None:
    assert systolic_cycles("ws", 4, 4, T=10, K=9, N=5) == 3 * 2 * 20 - 1
    assert systolic_cycles("is", 4, 4, T=5, K=9, N=10) == 3 * 2 * 20 - 1
    assert systolic_cycles("os", 4, 4, T=9, K=10, N=5) == 3 * 2 * 16 - 1


def test_short_and_long_names_mean_the_same() -> None:
    for short, long in zip(("ws", "os", "is"), DATAFLOWS, strict=True):
        sizes = (3, 5, 7, 11, 13)
        assert systolic_cycles(short, *sizes) == systolic_cycles(long, *sizes)


@pytest.mark.parametrize("position", range(5))
def test_sizes_below_one_are_refused(position: int) -> None:
    sizes = [4, 4, 4, 4, 4]
    sizes[position] = 0
    with pytest.raises(ConfigError):
        systolic_cycles("ws", *sizes)


def test_an_unknown_dataflow_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="row_stationary") as caught:
        systolic_cycles("row_stationary", 4, 4, 4, 4, 4)
    assert "weight_stationary" in str(caught.value)


def pieces(size: int, tile: int) -> list[int]:
    return [min(tile, size - start) for start in range(0, size, tile)]


sizes = st.integers(1, 40)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(DATAFLOWS), st.integers(1, 9), st.integers(1, 9), sizes, sizes, sizes,
    st.integers(1, 9), sizes, sizes, sizes,
)  # fmt: skip
def test_systolic_tiles_sum_to_the_closed_form(
    dataflow: str, rows: int, cols: int, T: int, K: int, N: int, taps: int, t: int, k: int, n: int
) -> None:
    array = SystolicArray(rows=rows, columns=cols, dataflow=dataflow)
    tiles = (min(t, T), min(k, K), min(n, N))
    cuts = [Cut(s, np.array(x)) for s, x in zip((T, K, N), tiles, strict=True)]
    explicit = sum(
        systolic_cycles(dataflow, rows, cols, a, b * taps, c)
        for a in pieces(T, tiles[0])
        for b in pieces(K, tiles[1])
        for c in pieces(N, tiles[2])
    )
    assert int(tiled_cycles(array, *cuts, taps)) == explicit


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 9), st.integers(1, 9), sizes, sizes, sizes, st.integers(1, 9), sizes, sizes,
    sizes,
)  # fmt: skip
def test_blocked_core_tiles_sum_to_the_closed_form(
    block_in: int, block_out: int, T: int, K: int, N: int, taps: int, t: int, k: int, n: int
) -> None:
    array = GemmCore(block_in=block_in, block_out=block_out)
    tiles = (min(t, T), min(k, K), min(n, N))
    cuts = [Cut(s, np.array(x)) for s, x in zip((T, K, N), tiles, strict=True)]
    explicit = sum(
        taps * a * math.ceil(b / block_in) * math.ceil(c / block_out)
        for a in pieces(T, tiles[0])
        for b in pieces(K, tiles[1])
        for c in pieces(N, tiles[2])
    )
    assert int(tiled_cycles(array, *cuts, taps)) == explicit


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(DATAFLOWS), st.integers(1, 9), st.integers(1, 9), sizes, sizes, sizes,
    st.integers(1, 9), sizes, sizes, sizes,
)  # fmt: skip
def test_folds_are_those_of_the_tiles_one_by_one(
    dataflow: str, rows: int, cols: int, T: int, K: int, N: int, taps: int, t: int, k: int, n: int
) -> None:
    """What lies still on the array is folded onto it: weights, inputs, or sums."""
    tiles = (min(t, T), min(k, K), min(n, N))
    cuts = [Cut(s, np.array(x)) for s, x in zip((T, K, N), tiles, strict=True)]
    explicit = 0
    for a in pieces(T, tiles[0]):
        for b in pieces(K, tiles[1]):
            for c in pieces(N, tiles[2]):
                still = {
                    "weight_stationary": (b * taps, c),
                    "input_stationary": (b * taps, a),
                    "output_stationary": (a, c),
                }[dataflow]
                explicit += math.ceil(still[0] / rows) * math.ceil(still[1] / cols)
    array = SystolicArray(rows=rows, columns=cols, dataflow=dataflow)
    assert int(tiled_folds(array, *cuts, taps)) == explicit
    blocked = GemmCore(block_in=rows, block_out=cols)
    assert int(tiled_folds(blocked, *cuts, taps)) == 0
