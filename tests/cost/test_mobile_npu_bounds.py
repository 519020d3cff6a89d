"""What no plan makes a phone's NPU do faster, its roof, and what it reaches in unlisted types."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from hetsim.cost.work import Residency
from hetsim.workload.graph import LoopNest
from tests.cost.samples import (
    convolution,
    cycles,
    elements,
    matmul,
    model,
    quickest,
    roof,
    unit,
    work,
)

INT8 = {
    "macs_per_cycle": 1000,
    "elements_per_cycle": 50,
    "efficiency": {"default": 0.5},
    "bandwidth": "3 GB/s",
    "kernel": "1 us",
}
FLOAT16 = INT8 | {"macs_per_cycle": 500, "elements_per_cycle": 20}
FIELDS = {"sram": "8 MiB", "dispatch": "2 us", "block": 16}
NPU = unit("mobile_npu", **FIELDS, dtypes={"int8": INT8, "float16": FLOAT16})
INSIDE = Residency(frozenset("x"), frozenset("y"))


def test_nothing_beats_the_longer_of_arithmetic_and_bytes() -> None:
    """1,008 and 512 bytes with their channels filled up, 507 ns by its engines, 300 ns away."""
    small, large = elements(1), matmul(64, 256, 256)
    moved = work(NPU, small)
    assert (moved.load_bytes, moved.store_bytes) == (1008, 512)
    assert quickest(NPU, small) == pytest.approx(3e-6 + 3e-7 + 1520 / 3e9)
    made = 64 * 256 * 256 / 500 / 1e9
    inside = work(NPU, large, INSIDE)
    assert inside.bytes == inside.weight_bytes == 65536
    assert quickest(NPU, large, INSIDE) == pytest.approx(3e-6 + 3e-7 + 65536 / 3e9)
    assert made < 65536 / 3e9
    # Nothing moves: it is no distance away.
    assert quickest(NPU, small, INSIDE) == pytest.approx(3e-6 + 1008 / 50 / 1e9)
    # Engines that outrun the 4 GB/s of the ways wait for these.
    fast = unit("mobile_npu", **FIELDS, dtypes={"int8": INT8 | {"bandwidth": "9 GB/s"}})
    assert quickest(fast, small) == pytest.approx(3e-6 + 3e-7 + 1520 / 4e9)


def test_the_floor_is_of_products_alone() -> None:
    assert model(NPU).floor(elements(1000)) == 0.0
    assert model(NPU).floor(matmul(64, 20, 40)) == pytest.approx(64 * 32 * 48 / 500 / 1e9)


def test_the_least_that_products_take() -> None:
    nest, dense = matmul(6, 5, 10).nest, convolution(4, 16, 16).nest
    assert isinstance(nest, LoopNest)
    assert isinstance(dense, LoopNest)
    assert model(NPU).least(nest, "int8") == pytest.approx(300 / 1000 / 1e9)
    assert model(NPU).least(nest, "float16") == pytest.approx(300 / 500 / 1e9)
    assert model(NPU).least(nest, "float32") == 0.0
    assert model(NPU).least(dense, "int8") == pytest.approx(dense.macs / 4 / 1000 / 1e9)


def test_the_roof_is_at_full_rate_and_none_for_elements() -> None:
    assert roof(NPU, matmul(6, 5, 10)) == (300, 1000, "int8 MAC")
    assert roof(NPU, matmul(6, 5, 10, dtype="float16")) == (300, 500, "float16 MAC")
    assert roof(NPU, elements(70)) == (70, inf, "int8 element operations")


def test_types_that_are_not_listed_are_as_fast_as_one_as_wide_else_as_the_slowest() -> None:
    assert cycles(NPU, elements(1, "uint8")) == pytest.approx(1008 / 50)
    assert cycles(NPU, elements(1, "bfloat16")) == pytest.approx(1008 / 20)
    assert cycles(NPU, elements(1, "float32")) == pytest.approx(1008 / 20)


def test_who_only_moves_goes_over_what_it_writes() -> None:
    assert cycles(NPU, elements(0)) == pytest.approx(512 / 50)
    assert cycles(NPU, elements(1)) == pytest.approx(1008 / 50)


@pytest.mark.parametrize(
    ("few", "products"),
    [("packed", 256 * 32 * 48), ("padded", 256 * 9 * 16 * 48)],
)
def test_the_few_channels_of_an_image(few: str, products: int) -> None:
    npu = unit("mobile_npu", **FIELDS, dtypes={"int8": INT8}, few_channels=few)
    stem = replace(convolution(16, 3, 40), variant="stem")
    assert cycles(npu, stem) == pytest.approx(products / 500)


def test_channels_of_groups_are_filled_up_for_each() -> None:
    grouped = convolution(4, 3, 5, groups=4)
    assert cycles(NPU, grouped) == pytest.approx(16 * 9 * 4 * 5 * 16 / 500)
    wide = convolution(4, 20, 5, groups=4)
    assert cycles(NPU, wide) == pytest.approx(16 * 9 * 4 * 5 * 20 / 500)
    # A batch of products is padded on both sides, each.
    batch = matmul(6, 5, 10)
    assert batch.nest is not None
    several = replace(batch, nest=replace(batch.nest, groups=3), macs=900)
    assert cycles(NPU, several) == pytest.approx(3 * 6 * 16 * 16 / 500)
    # One channel in and two out are a group, one in and one out depthwise: all fill up together.
    assert cycles(NPU, convolution(4, 1, 1, groups=20)) == pytest.approx(16 * 9 * 32 / 500)
    assert cycles(NPU, convolution(4, 1, 2, groups=20)) == pytest.approx(16 * 9 * 48 / 500)
