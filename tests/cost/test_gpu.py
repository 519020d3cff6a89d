"""A GPU against closed forms: rounds of groups and tiles, Winograd, matrix units, its bounds."""

from __future__ import annotations

from itertools import product
from math import ceil, inf

import pytest

from hetsim.workload.graph import LoopNest
from tests.cost.samples import (
    convolution,
    cycles,
    elements,
    matmul,
    model,
    products,
    roof,
    unit,
    work,
)

RATES = {
    "cores": 2,
    "resident": 2,
    "work_group": 4,
    "macs_per_cycle": {"int8": 8, "float32": 2},
    "element_ops_per_cycle": {"int8": 8, "float32": 2},
    "efficiency": {"default": 0.5, "Conv": 0.25},
    "tiles": [{"rows": 4, "columns": 4}, {"rows": 8, "columns": 2}],
    "dispatch": "3 us",
}
MATRIX = {"macs_per_cycle": {"int8": 64, "float16": 32}, "depth": 8}
GPU = unit("gpu", **RATES)
CORES = unit("gpu", **RATES, matrix=MATRIX)
FAST = unit("gpu", **RATES, winograd=4, operand_width=16)
SPARSE = unit("gpu", **RATES, winograd=4, weights={"sparsity": {"2:4": 1.5}})


def rounds(tiles: int, held: int = 2) -> int:
    return 2 * ceil(tiles / (2 * held))


@pytest.mark.parametrize(
    ("count", "dtype", "expected"),
    [
        # Groups of 4 at half of 8 a cycle; two cores must hold two each to be busy.
        (1, "int8", 2 * 1),
        (16, "int8", 2 * 1),
        (17, "int8", 4 * 1),
        (17, "float32", 4 * 4),
        (17, "float16", 4 * 4),  # the slowest there is
        (0, "int8", 0),
    ],
)
def test_groups_are_dealt_in_rounds(count: int, dtype: str, expected: float) -> None:
    assert cycles(GPU, elements(count, dtype)) == pytest.approx(expected)


SHAPES = list(product((1, 6, 64), (1, 5, 16), (3, 16, 40)))


@pytest.mark.parametrize(("rows", "steps", "columns"), SHAPES)
def test_products_take_the_quicker_tile(rows: int, steps: int, columns: int) -> None:
    expected = min(
        rounds(ceil(rows / r) * ceil(columns / c)) * steps * r * c / (8 * 0.5)
        for r, c in ((4, 4), (8, 2))
    )
    assert cycles(GPU, matmul(rows, steps, columns)) == pytest.approx(expected)


@pytest.mark.parametrize(("rows", "steps", "columns"), SHAPES)
def test_matrix_units_take_whole_depths(rows: int, steps: int, columns: int) -> None:
    on_units = min(
        rounds(ceil(rows / r) * ceil(columns / c)) * ceil(steps / 8) * 8 * r * c / (64 * 0.5)
        for r, c in ((4, 4), (8, 2))
    )
    op = matmul(rows, steps, columns)
    assert cycles(CORES, op) == pytest.approx(min(on_units, cycles(GPU, op)))
    assert (cycles(CORES, op) < cycles(GPU, op)) == (steps > 1)


def test_matrix_units_have_nothing_for_a_depthwise_convolution() -> None:
    op = convolution(4, 1, 1, groups=16)
    assert cycles(CORES, op) == cycles(GPU, op)
    # Unless nobody else can: 16 positions by 16 channels, 9 of 16 steps.
    alone = convolution(4, 1, 1, groups=16)
    half = unit("gpu", **RATES | {"macs_per_cycle": {"int8": 8}}, matrix=MATRIX)
    found = model(half).product_cycles(alone.nest, "float16", 1.0)
    assert found == pytest.approx(rounds(16) * 16 * 16 / 32)


def test_operands_come_at_their_rate_and_staging_limits_what_is_resident() -> None:
    op = matmul(64, 16, 64)
    starved = unit("gpu", **RATES, operand_width=1)
    expected = min(rounds(64 * 64 // (r * c)) * 16 * (r + c) for r, c in ((4, 4), (8, 2)))
    assert cycles(starved, op) == pytest.approx(expected)
    # Of 8 operands 16 steps are staged, 128 bytes a tile; 10 operands are 160.
    narrow = RATES | {"macs_per_cycle": {"int8": 8}}
    one, two = (unit("gpu", **narrow, staging={"memory": f"{n} B"}) for n in (255, 256))
    assert cycles(one, op) == pytest.approx(rounds(256, held=1) * 16 * 16 / 4)
    assert cycles(two, op) == cycles(GPU, op)


def winograd(m: int, size: int, ins: int, outs: int) -> float:
    """F(m x m, 3 x 3) of int8 at a share of 1/4: products, transforms, and what lies between."""
    patches, points = ceil(size / m) ** 2, (m + 2) ** 2
    reading, writing = {2: (32, 24), 4: (156, 90)}[m]
    multiplied = min(
        rounds(points * ceil(patches / r) * ceil(outs / c)) * ins * max(r * c / 2, (r + c) / 16)
        for r, c in ((4, 4), (8, 2))
    )
    transformed = rounds(ceil(patches * (ins * reading + outs * writing) / 4)) * 4 / 2
    return multiplied + transformed + 2 * patches * points * (ins + outs) / (16 * 2)


@pytest.mark.parametrize(
    ("size", "ins", "outs", "taken"),
    [(8, 64, 64, 2), (32, 64, 64, 2), (4, 64, 256, 1), (2, 64, 64, 0)],
)
def test_winograds_kernels_are_taken_where_they_are_quicker(
    size: int, ins: int, outs: int, taken: int
) -> None:
    op = convolution(size, ins, outs)
    ways = [cycles(GPU, op), winograd(2, size, ins, outs), winograd(4, size, ins, outs)]
    assert min(ways) == ways[taken]
    assert cycles(FAST, op) == pytest.approx(ways[taken])
    two = unit("gpu", **RATES, winograd=2, operand_width=16)
    assert cycles(two, op) == pytest.approx(min(ways[:2]))


def test_zeros_speed_up_what_is_not_transformed() -> None:
    op = matmul(64, 16, 64, sparsity="2:4")
    assert cycles(SPARSE, op) == pytest.approx(cycles(GPU, op) / 1.5)
    fast = model(FAST).product_cycles(convolution(32, 64, 64).nest, "int8", 0.25)
    assert fast == pytest.approx(winograd(4, 32, 64, 64))
    assert model(FAST).product_cycles(convolution(32, 64, 64).nest, "int8", 0.25, 1.5) == fast


def test_products_without_loops_lose_nothing_to_shapes() -> None:
    assert cycles(GPU, products(4800)) == pytest.approx(4800 / (8 * 0.5 * 2))
    assert cycles(CORES, products(4800)) == pytest.approx(4800 / (64 * 0.5 * 2))


def test_all_cores_unpack() -> None:
    narrow = matmul(64, 64, 64, weights=(("int4", 64 * 64),))
    slow = unit("gpu", **RATES, weights={"unpack": {"int4": 0.5}})
    assert cycles(slow, narrow) - cycles(GPU, narrow) == pytest.approx(64 * 64 / 0.5 / 2)


def test_the_demand_is_one_phase() -> None:
    asked = work(GPU, matmul(6, 5, 10))
    (phase,) = asked.phases
    assert (phase.load_bytes, phase.store_bytes, asked.weight_bytes) == (1050, 500, 50)
    assert phase.seconds == phase.compute_s == asked.compute_s
    assert asked.dispatch_s == 3e-6


def test_the_least_that_products_take() -> None:
    nest, dense = matmul(6, 5, 10).nest, convolution(4, 16, 16).nest
    assert isinstance(nest, LoopNest)
    assert isinstance(dense, LoopNest)
    assert model(GPU).least(nest, "int8") == pytest.approx(300 / (8 * 2) / 1e9)
    assert model(CORES).least(nest, "int8") == pytest.approx(300 / (64 * 2) / 1e9)
    assert model(SPARSE).least(nest, "int8") == pytest.approx(300 / (8 * 2 * 1.5) / 1e9)
    assert model(GPU).least(nest, "float16") == 0.0
    # A quarter of the products of a 3x3 convolution, as Winograd's algorithm needs them.
    assert model(GPU).least(dense, "int8") == pytest.approx(dense.macs / 4 / (8 * 2) / 1e9)


def test_the_roof_is_of_all_cores_at_full_rate() -> None:
    assert roof(GPU, matmul(6, 5, 10)) == (300, 16, "int8 MAC")
    assert roof(CORES, matmul(6, 5, 10)) == (300, 128, "int8 MAC")
    assert roof(CORES, products(48)) == (48, 128, "int8 MAC")
    assert roof(GPU, elements(70)) == (70, 16, "int8 element operations")
    assert roof(GPU, elements(70, "float32")) == (70, 4, "float32 element operations")
    assert roof(GPU, matmul(6, 5, 10, dtype="float64")) == (300, inf, "float64 MAC")
    assert roof(SPARSE, matmul(6, 5, 10, sparsity="2:4")) == (300, 24, "int8 2:4 MAC")
    assert roof(SPARSE, matmul(6, 5, 10)) == (300, 16, "int8 MAC")


def test_winograd_lifts_the_roof_where_it_beats_the_fastest_unit() -> None:
    dense = convolution(4, 16, 16)
    # F(4x4) makes a quarter of the products, F(2x2) 4 of 9.
    assert roof(FAST, dense) == (dense.macs, 64, "int8 Winograd MAC")
    two = unit("gpu", **RATES, winograd=2)
    assert roof(two, dense) == (dense.macs, 36, "int8 Winograd MAC")
    assert roof(GPU, dense) == (dense.macs, 16, "int8 MAC")
    both = unit("gpu", **RATES, matrix=MATRIX, winograd=4)  # 4 x 8 on lanes, 64 there
    assert roof(both, dense) == (dense.macs, 128, "int8 MAC")
    point = convolution(4, 16, 16, kernel=1)
    assert roof(FAST, point) == (point.macs, 16, "int8 MAC")
