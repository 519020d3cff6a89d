"""A vector DSP against closed forms: vectors dealt to threads, tiles of registers, its bounds."""

from __future__ import annotations

from itertools import product
from math import ceil, inf

import pytest

from hetsim.cost.work import Residency
from hetsim.workload.graph import LoopNest
from tests.cost.samples import (
    convolution,
    cycles,
    elements,
    matmul,
    model,
    products,
    quickest,
    roof,
    unit,
    work,
)

RATES = {
    "threads": 2,
    "vector": "128 bit",  # 16 bytes: 4 lanes that sum
    "sums": 4,
    "loads": 0.25,
    "macs_per_cycle": {"int8": 16, "float16": 6},
    "element_ops_per_cycle": {"int8": 16, "float32": 4},
    "efficiency": {"default": 0.5, "Conv": 0.25},
    "dispatch": "2 us",
}
DSP = unit("dsp", **RATES)
SPARSE = unit("dsp", **RATES, weights={"sparsity": {"2:4": 1.5}})


@pytest.mark.parametrize(
    ("count", "dtype", "expected"),
    [
        # Vectors of 16 in turns of two threads, each at half of 16 a cycle.
        (1, "int8", 16 / 8),
        (32, "int8", 16 / 8),
        (33, "int8", 2 * 16 / 8),
        (100, "int8", 4 * 16 / 8),
        # Vectors of 4, and 2 a cycle.
        (100, "float32", 13 * 4 / 2),
        # Half as wide as the narrower one listed: vectors of 8 at the slowest rate there is.
        (16, "float16", 8 / 2),
        (0, "int8", 0.0),
    ],
)
def test_vectors_are_dealt_to_threads(count: int, dtype: str, expected: float) -> None:
    assert cycles(DSP, elements(count, dtype)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("rows", "steps", "columns"), list(product((1, 6, 64), (1, 5, 16), (3, 16, 40)))
)
def test_products_are_tiles_of_the_registers(rows: int, steps: int, columns: int) -> None:
    """Four registers of four lanes hold r positions by 16 / r channels; four int8 fill a lane."""
    expected = min(
        ceil(ceil(rows / r) * ceil(columns / (16 // r)) / 2)
        * ceil(steps / 4) * 4
        * max(16 / (16 * 0.5), (r + 16 // r) / (0.25 * 16))
        for r in (1, 2, 4)
    )  # fmt: skip
    assert cycles(DSP, matmul(rows, steps, columns)) == pytest.approx(expected)


def test_a_single_position_is_a_row_of_channels() -> None:
    """With operands enough, all 16 sums for one position: 64 channels are two tiles a thread."""
    ample = unit("dsp", **RATES | {"loads": 8})
    assert cycles(ample, matmul(1, 4, 64)) == pytest.approx(2 * 4 * 16 / 8)


def test_what_is_wider_than_a_lane_or_a_vector_goes_one_by_one() -> None:
    rates = {"macs_per_cycle": {"float64": 2}, "element_ops_per_cycle": {"float64": 2}}
    short = unit("dsp", **RATES | rates | {"vector": "32 bit", "loads": 8})
    assert cycles(short, elements(5, "float64")) == pytest.approx(3 * 1 / 1)
    # Four sums of one lane each: a tile of 4 positions on either thread, step by step.
    assert cycles(short, matmul(8, 3, 1, dtype="float64")) == pytest.approx(3 * 4 / 1)


def test_products_of_wider_types_fill_a_lane_sooner() -> None:
    op = matmul(4, 3, 16, dtype="float16")
    # 2 of 3 steps at a time, so 4; 4 tiles on two threads, whichever shape: 4 + 4 operands of 2
    # bytes wait at 4 bytes a cycle.
    assert cycles(DSP, op) == pytest.approx(2 * 4 * max(16 / 3, (4 + 4) * 2 / 4))


def test_a_convolution_has_its_own_share_and_other_operations_come_on_top() -> None:
    op = convolution(4, 16, 16, kernel=1)
    expected = ceil(4 * 4 / 2) * 16 * max(16 / (16 * 0.25), (4 + 4) / 4)
    assert cycles(DSP, op) == pytest.approx(expected)


def test_products_without_loops_lose_nothing_to_shapes() -> None:
    assert cycles(DSP, products(4800)) == pytest.approx(4800 / (16 * 0.5 * 2))
    assert cycles(DSP, products(4800, "float16")) == pytest.approx(4800 / (6 * 0.5 * 2))


def test_all_threads_unpack() -> None:
    narrow = matmul(64, 64, 64, weights=(("int4", 64 * 64),))
    slow = unit("dsp", **RATES, weights={"unpack": {"int4": 0.5}})
    assert cycles(slow, narrow) - cycles(DSP, narrow) == pytest.approx(64 * 64 / 0.5 / 2)


def test_nothing_beats_the_longer_of_arithmetic_and_bytes() -> None:
    """1,500 bytes at 4 GB/s are 375 ns, 300 ns away; the call takes 2 us."""
    assert quickest(DSP, products(16000)) == pytest.approx(2e-6 + 3e-7 + 1000e-9)
    assert quickest(DSP, products(1600)) == pytest.approx(2e-6 + 3e-7 + 375e-9)
    inside = Residency(frozenset("x"), frozenset("y"))
    assert quickest(DSP, products(1600), inside) == pytest.approx(2e-6 + 100e-9)
    assert quickest(DSP, products(16), Residency(frozenset("x"))) == pytest.approx(
        2e-6 + 3e-7 + 125e-9
    )


def test_the_demand_is_one_phase() -> None:
    asked = work(DSP, matmul(6, 5, 10), Residency(outputs=frozenset("y"), reserved_bytes=7))
    (phase,) = asked.phases
    assert (phase.load_bytes, phase.store_bytes, asked.weight_bytes) == (1050, 0, 50)
    assert phase.seconds == phase.compute_s == asked.compute_s
    assert (asked.dispatch_s, asked.on_chip_bytes) == (2e-6, 7)


def test_the_least_that_products_take() -> None:
    nest = matmul(6, 5, 10).nest
    assert isinstance(nest, LoopNest)
    assert model(DSP).least(nest, "int8") == pytest.approx(300 / (16 * 2) / 1e9)
    assert model(SPARSE).least(nest, "int8") == pytest.approx(300 / (16 * 2 * 1.5) / 1e9)
    assert model(DSP).least(nest, "float32") == 0.0
    # A quarter of the products of a 3x3 convolution, as Winograd's algorithm needs them.
    dense = convolution(4, 16, 16).nest
    assert isinstance(dense, LoopNest)
    assert model(DSP).least(dense, "int8") == pytest.approx(dense.macs / 4 / (16 * 2) / 1e9)


def test_the_roof_is_of_all_threads_at_full_rate() -> None:
    assert roof(DSP, matmul(6, 5, 10)) == (300, 32, "int8 MAC")
    assert roof(DSP, products(48)) == (48, 32, "int8 MAC")
    assert roof(DSP, elements(70)) == (70, 32, "int8 element operations")
    assert roof(DSP, elements(70, "float32")) == (70, 8, "float32 element operations")
    assert roof(DSP, matmul(6, 5, 10, dtype="float64")) == (300, inf, "float64 MAC")
    assert roof(SPARSE, matmul(6, 5, 10, sparsity="2:4")) == (300, 48, "int8 2:4 MAC")
    assert roof(SPARSE, matmul(6, 5, 10)) == roof(DSP, matmul(6, 5, 10, sparsity="2:4"))
