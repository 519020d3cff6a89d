"""Rounds of tiles on like cores: closed forms by hand, and the tiles dealt out one by one."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hetsim.forms.convolution import winograd_saving
from hetsim.forms.workgroups import (
    Cores,
    Product,
    Tile,
    product_cycles,
    product_of,
    winograd_product,
)
from hetsim.workload.graph import LoopNest

AMPLE = math.inf


def cores(count, *tiles, resident=1, operands=AMPLE, fit=99):
    return Cores(count, resident, operands, tuple(Tile(*tile, fit) for tile in tiles))


def test_waves_of_the_guides_own_example():
    # Section 3.2: 256 x 128 tiles on 108 multiprocessors; 1,792 rows and columns make 98 tiles, one
    # wave; a column more makes 105, still one; but 2,304 columns make 126, and a second wave.
    gpu = cores(108, (256, 128))
    one = product_cycles(Product(1, 1792, 1792, 64), gpu, 512.0, 2.0)
    assert one == 64 * 256 * 128 / 512
    assert product_cycles(Product(1, 1792, 1793, 64), gpu, 512.0, 2.0) == one
    assert product_cycles(Product(1, 1792, 2304, 64), gpu, 512.0, 2.0) == 2 * one


def test_a_tile_of_which_little_is_used_takes_as_long_as_a_full_one():
    # Section 3.1: with 128 x 128 tiles, 256 x 257 results cost as much as 256 x 384.
    gpu = cores(1, (128, 128))
    odd = product_cycles(Product(1, 256, 257, 64), gpu, 256.0, 2.0)
    assert odd == product_cycles(Product(1, 256, 384, 64), gpu, 256.0, 2.0)
    assert odd == 1.5 * product_cycles(Product(1, 256, 256, 64), gpu, 256.0, 2.0)


def test_the_quickest_tile_is_taken():
    small, large = (16, 16), (64, 64)
    product = Product(1, 16, 16, 100)
    assert product_cycles(product, cores(4, small, large), 16.0, 4.0) == 100 * 256 / 16
    # Operands at 8 bytes a cycle: 256 results need 128 bytes a step, 4,096 need 512.
    wide = Product(1, 640, 640, 100)
    starved = cores(1, small, large, operands=8.0)
    assert product_cycles(wide, starved, 1e9, 4.0) == 100 * 100 * 512 / 8


def test_a_core_that_holds_too_few_groups_is_not_busy():
    product = Product(1, 16 * 8, 16, 10)
    full = product_cycles(product, cores(1, (16, 16), resident=4), 16.0, 4.0)
    assert full == 8 * 10 * 256 / 16  # eight tiles, nobody waits
    room_for_two = cores(1, (16, 16), resident=4, fit=2)
    assert product_cycles(product, room_for_two, 16.0, 4.0) == 2 * full
    one_tile = Product(1, 16, 16, 10)  # alone on the core it has a quarter of the rate
    assert product_cycles(one_tile, cores(1, (16, 16), resident=4), 16.0, 4.0) == full / 2
    assert product_cycles(product, cores(1, (16, 16), fit=0), 16.0, 4.0) == math.inf


def test_depthwise_channels_lie_side_by_side_and_share_no_operand():
    nest = LoopNest(1, 32, 8, 8, 1, 1, 3, 3, in_h=8, in_w=8)
    product = product_of(nest)
    assert product == Product(1, 64, 32, 9, shared=False)
    # One channel to one channel is a product like any: there is nothing beside it.
    assert product_of(LoopNest(1, 1, 8, 8, 1, 1, 3, 3, in_h=8, in_w=8)) == Product(1, 64, 1, 9)
    # 16 results and 4 weights a step, 4 bytes each, at 16 bytes a cycle: 5 cycles, not 16 / 16.
    gpu = cores(1, (4, 4), operands=16.0)
    assert product_cycles(product, gpu, 16.0, 4.0) == (64 // 4) * (32 // 4) * 9 * 5


def test_winograd_by_hand():
    nest = LoopNest(1, 1, 14, 14, 8, 16, 3, 3, in_h=14, in_w=14)
    product, operations, between = winograd_product(nest, 4)
    assert product == Product(36, 16, 16, 8)  # 4 x 4 patches of 4 x 4 cover 14 x 14
    assert operations == 16 * (8 * 156 + 16 * 90)
    assert between == 16 * 36 * (8 + 16)
    whole = LoopNest(1, 1, 16, 16, 8, 16, 3, 3, in_h=16, in_w=16)
    for tile in (2, 4):
        made = winograd_product(whole, tile)[0]
        macs = made.groups * made.rows * made.columns * made.steps
        assert macs == pytest.approx(whole.macs * winograd_saving(tile))
    assert winograd_product(LoopNest(1, 1, 8, 8, 8, 8, 3, 3, 2, 2, in_h=16, in_w=16), 2) is None
    assert winograd_product(LoopNest(1, 2, 8, 8, 8, 8, 3, 3, in_h=8, in_w=8), 2) is None


sizes = st.integers(1, 90)


@pytest.mark.slow
@given(sizes, sizes, st.integers(1, 20), st.integers(1, 4), st.integers(1, 5), st.integers(1, 3),
       st.integers(1, 32), st.integers(1, 32), st.integers(1, 4), st.booleans())  # fmt: skip
def test_it_is_what_dealing_tiles_one_by_one_takes(
    rows, columns, steps, groups, count, resident, high, wide, fit, shared
):
    product = Product(groups, rows, columns, steps, shared)
    rate, width, operands = 3.0, 2.0, 5.0
    per_tile = 0.0  # step by step
    for _ in range(steps):
        read = wide + (high if shared else high * wide)
        per_tile += max(high * wide / rate, read * width / operands)
    left = groups * sum(1 for _ in range(0, rows, high) for _ in range(0, columns, wide))
    held, passed = min(resident, fit), 0.0
    while left > 0:
        left -= held * count  # every core takes as many as it holds
        passed += per_tile * resident  # at held / resident of its rate
    found = product_cycles(
        product, cores(count, (high, wide), resident=resident, operands=operands, fit=fit),
        rate, width,
    )  # fmt: skip
    assert found == pytest.approx(passed)
    least = groups * rows * columns * steps / (rate * count)
    assert found >= least * (1 - 1e-9)
