"""The tiler against loop nests played tile by tile."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hetsim.cost import systolic_cycles
from hetsim.cost.analytical.cutting import Buffers, Demand
from hetsim.cost.analytical.tiling import Tiling, fewest_cycles, tile
from hetsim.errors import InfeasibleError
from hetsim.forms.arrays import alignments
from hetsim.soc.arrays import GemmCore, SystolicArray
from hetsim.workload.graph import LoopNest
from tests.cost.tiling_reference import Account, Cuts, all_cuts, play, ranges

Array = SystolicArray | GemmCore
PARTIAL_SUM = 4


@st.composite
def nests(draw: st.DrawFn) -> LoopNest:
    kernel = draw(st.sampled_from((1, 3, 5)))
    stride = draw(st.integers(1, min(kernel, 2)))
    pad = kernel // 2
    out_h, out_w = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    groups, in_c, out_c = draw(
        st.one_of(
            st.tuples(st.just(1), st.integers(1, 20), st.integers(1, 20)),
            st.tuples(st.integers(2, 8), st.just(1), st.just(1)),
            st.tuples(st.integers(2, 4), st.integers(1, 6), st.integers(1, 6)),
        )
    )
    in_h = (out_h - 1) * stride + kernel - 2 * pad
    in_w = (out_w - 1) * stride + kernel - 2 * pad
    assume(min(in_h, in_w) >= 1)
    return LoopNest(
        draw(st.integers(1, 2)), groups, out_h, out_w, in_c, out_c, kernel, kernel, stride, stride,
        in_h=in_h, in_w=in_w,
    )  # fmt: skip


arrays = st.one_of(
    st.builds(GemmCore, block_in=st.integers(1, 8), block_out=st.integers(1, 8)),
    st.builds(
        SystolicArray,
        rows=st.integers(1, 8),
        columns=st.integers(1, 8),
        dataflow=st.sampled_from(("weight_stationary", "output_stationary", "input_stationary")),
    ),
)
room = st.integers(4, 4000).map(float)
buffers = st.one_of(
    st.builds(Buffers, room, room, room), room.map(lambda size: Buffers(0, 0, 0, unified=size))
)


def demand(nest: LoopNest, *, double_buffer: bool = True, **changes: object) -> Demand:
    per_image = nest.groups * nest.in_c * nest.in_h * nest.in_w
    values: dict[str, object] = {
        "input_bytes": nest.batch * per_image,
        "weight_bytes": nest.groups * nest.in_c * nest.out_c * nest.k_h * nest.k_w,
        "output_bytes": nest.batch * nest.groups * nest.out_c * nest.out_h * nest.out_w,
        "extra_bytes": 0,
        "input_element": 1.0,
        "weight_element": 1.0,
        "output_element": 1.0,
        "cycle_s": 1.0,
        "vector_s": 0.0,
        "dma_rate": 1.0,
        "dma_setup": 0.0,
        "double_buffer": double_buffer,
    }
    return Demand(**(values | changes))  # type: ignore[arg-type]


def as_played(nest: LoopNest) -> LoopNest:
    """Pixels that no halo ties together are one long column, whatever image they are of."""
    if (nest.k_h, nest.k_w, nest.stride_h, nest.stride_w) != (1, 1, 1, 1):
        return nest
    pixels = nest.batch * nest.out_h * nest.out_w
    return LoopNest(1, nest.groups, pixels, 1, nest.in_c, nest.out_c, in_h=pixels, in_w=1)


def cuts_of(nest: LoopNest, array: Array, found: Tiling) -> list[Cuts]:
    """The cuts that make as many tiles of each loop as the tiler says."""
    _, step_k, step_n = alignments(array, nest.k_h * nest.k_w)
    return [
        cuts
        for cuts in all_cuts(nest, step_k, step_n)
        if math.ceil(nest.groups / cuts.groups) == found.groups
        and math.ceil(nest.in_c / cuts.channels) == found.channels
        and math.ceil(nest.out_c / cuts.filters) == found.filters
        and nest.batch * math.ceil(nest.out_h / cuts.rows) * math.ceil(nest.out_w / cuts.columns)
        == found.pixels
    ]


def overflow(account: Account, nest: LoopNest, cuts: Cuts, room: Buffers) -> float:
    """Bytes by which what is on chip exceeds the buffers."""
    if room.unified is None:
        return max(
            account.most_inputs - room.input,
            account.most_weights - room.weight,
            account.most_outputs * PARTIAL_SUM - room.accumulator,
        )
    wide = PARTIAL_SUM if cuts.channels < nest.in_c else 1
    return account.most_inputs + account.most_weights + account.most_outputs * wide - room.unified


def chosen(nest: LoopNest, array: Array, room: Buffers, asked: Demand) -> Tiling:
    try:
        return tile(nest, array, room, asked)
    except InfeasibleError:
        assume(False)
        raise


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(nests(), arrays, buffers, st.booleans())
def test_what_is_on_chip_never_exceeds_a_buffer(
    nest: LoopNest, array: Array, room: Buffers, double_buffer: bool
) -> None:
    found = chosen(nest, array, room, demand(nest, double_buffer=double_buffer))
    flat = as_played(nest)
    candidates = cuts_of(flat, array, found)
    assert candidates
    played = [play(flat, cuts, found.stay, flat.k_h // 2, double_buffer) for cuts in candidates]
    assert any(
        overflow(account, flat, cuts, room) <= 0
        for account, cuts in zip(played, candidates, strict=True)
    )


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(nests(), arrays, buffers, st.booleans())
def test_loads_are_those_of_the_nest_played_tile_by_tile(
    nest: LoopNest, array: Array, room: Buffers, double_buffer: bool
) -> None:
    found = chosen(nest, array, room, demand(nest, double_buffer=double_buffer))
    flat = as_played(nest)
    played = [
        play(flat, cuts, found.stay, flat.k_h // 2, double_buffer)
        for cuts in cuts_of(flat, array, found)
    ]
    assert found.weight_load in {account.weights for account in played}
    assert found.tiles in {account.tiles for account in played}
    # A halo that is loaded again is charged whole, also where padding makes it smaller.
    assert any(found.input_load >= account.inputs for account in played)
    if found.pixels <= flat.batch * flat.out_h and (found.channels == 1 or flat.k_h == 1):
        assert found.input_load in {account.inputs for account in played}


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(nests(), arrays, buffers, st.booleans())
def test_no_considered_cut_that_fits_moves_fewer_bytes(
    nest: LoopNest, array: Array, room: Buffers, double_buffer: bool
) -> None:
    asked = demand(nest, double_buffer=double_buffer)
    flat = as_played(nest)
    _, step_k, step_n = alignments(array, nest.k_h * nest.k_w)
    fewest = math.inf
    for cuts in all_cuts(flat, step_k, step_n):
        if cuts.columns < flat.out_w or (cuts.channels < flat.in_c and flat.k_h > 1):
            continue  # charged more than what is played, where padding makes halos smaller
        for stay in ("weights", "inputs"):
            account = play(flat, cuts, stay, flat.k_h // 2, double_buffer)
            if overflow(nominal(flat, cuts, double_buffer), flat, cuts, room) <= 0:
                fewest = min(fewest, account.inputs + account.weights)
    try:
        found = tile(nest, array, room, asked)
    except InfeasibleError:
        assert fewest == math.inf
        return
    assert found.input_load + found.weight_load <= fewest
    assert found.store_bytes == asked.output_bytes


def nominal(nest: LoopNest, cuts: Cuts, double_buffer: bool) -> Account:
    """On-chip sizes of full tiles, twice where there is a next one."""
    depth = 2 if double_buffer else 1

    def extent(outputs: int, kernel: int, stride: int, available: int) -> int:
        return min((outputs - 1) * stride + kernel, available)

    groups = math.ceil(nest.groups / cuts.groups)
    pixels = nest.batch * math.ceil(nest.out_h / cuts.rows) * math.ceil(nest.out_w / cuts.columns)
    channels = math.ceil(nest.in_c / cuts.channels)
    filters = math.ceil(nest.out_c / cuts.filters)
    inputs = (
        cuts.groups * cuts.channels
        * extent(cuts.rows, nest.k_h, nest.stride_h, nest.in_h)
        * extent(cuts.columns, nest.k_w, nest.stride_w, nest.in_w)
    )  # fmt: skip
    weights = cuts.groups * cuts.channels * cuts.filters * nest.k_h * nest.k_w
    outputs = cuts.groups * cuts.rows * cuts.columns * cuts.filters
    return Account(
        0,
        0,
        inputs * (depth if groups * pixels * channels > 1 else 1),
        weights * (depth if groups * channels * filters > 1 else 1),
        outputs * (depth if groups * pixels * filters > 1 else 1),
        0,
    )


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(nests(), arrays, buffers)
def test_array_time_is_that_of_the_tiles_one_by_one(
    nest: LoopNest, array: Array, room: Buffers
) -> None:
    found = chosen(nest, array, room, demand(nest))
    flat = as_played(nest)
    sums = [explicit_cycles(flat, array, cuts) for cuts in cuts_of(flat, array, found)]
    assert found.compute_s in sums


def explicit_cycles(nest: LoopNest, array: Array, cuts: Cuts) -> int:
    taps = nest.k_h * nest.k_w
    total = 0
    for _ in range(nest.batch * nest.groups):
        for r in ranges(nest.out_h, cuts.rows):
            for c in ranges(nest.out_w, cuts.columns):
                pixels = (r[1] - r[0]) * (c[1] - c[0])
                for k in ranges(nest.in_c, cuts.channels):
                    for n in ranges(nest.out_c, cuts.filters):
                        total += cycles(array, pixels, k[1] - k[0], taps, n[1] - n[0])
    return total


def cycles(array: Array, pixels: int, channels: int, taps: int, filters: int) -> int:
    if isinstance(array, GemmCore):
        blocks = math.ceil(channels / array.block_in) * math.ceil(filters / array.block_out)
        return taps * pixels * blocks
    return systolic_cycles(
        array.dataflow, array.rows, array.columns, pixels, channels * taps, filters
    )


ARRAY = SystolicArray(rows=4, columns=4, dataflow="weight_stationary")
CONV = LoopNest(1, 1, 8, 8, 16, 16, 3, 3, in_h=8, in_w=8)


def test_everything_fits_and_moves_once() -> None:
    found = tile(CONV, ARRAY, Buffers(0, 0, 0, unified=1e6), demand(CONV))
    assert (found.input_load, found.weight_load, found.store_bytes) == (1024, 2304, 1024)


def test_too_small_a_buffer_is_refused_with_the_bytes_that_are_missing() -> None:
    # The smallest tile: 1 pixel, 1 channel (9 taps fill 4 rows), 4 filters. Inputs 3 x 3 and
    # weights 36, both twice; 4 partial sums of 4 bytes, twice.
    need = 2 * 9 + 2 * 36 + 2 * 16
    room = 50.0
    with pytest.raises(InfeasibleError) as caught:
        tile(CONV, ARRAY, Buffers(0, 0, 0, unified=room), demand(CONV))
    missing = int(re.search(r"(\d+) bytes", str(caught.value))[1])  # type: ignore[index]
    assert missing == need - room
    fits = tile(CONV, ARRAY, Buffers(0, 0, 0, unified=room + missing), demand(CONV))
    assert fits.tiles == 8 * 8 * 16 * 4


def test_without_double_buffering_larger_tiles_fit() -> None:
    room = Buffers(0, 0, 0, unified=1700.0)
    single = tile(CONV, ARRAY, room, demand(CONV, double_buffer=False))
    double = tile(CONV, ARRAY, room, demand(CONV, double_buffer=True))
    moved = [t.input_load + t.weight_load for t in (single, double)]
    assert moved[0] < moved[1]


def test_depthwise_is_mapped_one_group_at_a_time() -> None:
    nest = LoopNest(1, 32, 8, 8, 1, 1, 3, 3, in_h=8, in_w=8)
    found = tile(nest, ARRAY, Buffers(0, 0, 0, unified=1e6), demand(nest))
    # Nine taps over four rows are three folds; one of four columns works.
    assert found.compute_s == pytest.approx(32 * systolic_cycles("ws", 4, 4, 64, 9, 1), rel=0.5)
    assert found.compute_s >= 32 * 3 * 64
    dense = LoopNest(1, 1, 8, 8, 32, 1, 3, 3, in_h=8, in_w=8)
    whole = tile(dense, ARRAY, Buffers(0, 0, 0, unified=1e6), demand(dense))
    # As many products, reduced over 32 channels instead of none: the array is used better.
    assert dense.macs == nest.macs
    assert whole.compute_s < found.compute_s


def test_images_processed_together_are_held_together() -> None:
    nest = LoopNest(4, 1, 8, 8, 16, 16, 3, 3, in_h=8, in_w=8)
    wide = GemmCore(batch=4, block_in=4, block_out=4)
    # The smallest tile: 3 x 3 pixels of 4 channels, twice. 100 bytes hold it for one image.
    room = Buffers(input=100.0, weight=1e6, accumulator=1e6)
    tile(nest, GemmCore(block_in=4, block_out=4), room, demand(nest))
    with pytest.raises(InfeasibleError, match="188 bytes"):
        tile(nest, wide, room, demand(nest))
    # Four filters' partial sums of four images, 4 bytes each, twice.
    room = Buffers(input=1e6, weight=1e6, accumulator=100.0)
    with pytest.raises(InfeasibleError, match="28 bytes"):
        tile(nest, wide, room, demand(nest))


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(nests(), arrays, buffers)
def test_no_cut_takes_fewer_cycles_than_the_floor(
    nest: LoopNest, array: Array, room: Buffers
) -> None:
    assume(isinstance(array, GemmCore) or array.rows + array.columns > 2)
    found = chosen(nest, array, room, demand(nest))
    assert found.compute_s >= fewest_cycles(nest, array)


@pytest.mark.parametrize("short", range(4))
def test_a_buffer_that_fits_to_the_byte_is_enough_and_a_byte_less_is_not(short: int) -> None:
    """CONV whole: 16 x 64 inputs, 2304 weights, 1024 results of one byte, or sums of four."""
    exact = [1024.0, 2304.0, 4096.0, 1024.0 + 2304.0 + 1024.0]
    less = [size - (i == short) for i, size in enumerate(exact)]
    kinds = [(*exact[:3], None), (*less[:3], None)]
    if short == 3:
        kinds = [(0.0, 0.0, 0.0, exact[3]), (0.0, 0.0, 0.0, less[3])]
    dear = demand(CONV, double_buffer=False, dma_setup=1e6)  # no tile more than has to be
    whole, cut = (tile(CONV, ARRAY, Buffers(*sizes), dear) for sizes in kinds)
    assert whole.tiles == 1
    assert cut.tiles > 1
    assert (whole.held_bytes, whole.free_weights) == (exact[3] if short == 3 else sum(exact[:3]), 0)


def test_what_is_equal_is_taken_in_a_stated_order() -> None:
    """Of cuts that move and take the same: weights stay, then the largest tile.

    Everything fits uncut, and without double buffering or set-up no cut takes less time.
    """
    same = demand(CONV, double_buffer=False, vector_s=1e9)
    found = tile(CONV, ARRAY, Buffers(1e6, 1e6, 1e6), same)
    assert (found.stay, found.tiles) == ("weights", 1)


def test_with_one_buffer_results_that_outweigh_all_else_still_fit() -> None:
    """64 pixels of 16 results for one input: an eighth of them are 8 + 16 + 128 of 200 bytes."""
    nest = LoopNest(1, 1, 8, 8, 1, 16, in_h=8, in_w=8)
    array, room = GemmCore(block_in=1, block_out=16), Buffers(0, 0, 0, unified=200.0)
    found = tile(nest, array, room, demand(nest, double_buffer=False, cycle_s=1e-6))
    assert (found.input_load, found.weight_load, found.store_bytes) == (64, 16, 1024)
    assert (found.channels, found.filters) == (1, 1)
    assert (found.pixels, found.held_bytes) == (8, 8 + 16 + 128)  # of a quarter 16 + 16 + 256
