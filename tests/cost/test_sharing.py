"""How the cores of an NPU share loops: the parts by hand, and which of the ways is taken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hetsim.cost.analytical.sharing import Split, split
from hetsim.cost.analytical.tiling import fewest_cycles
from hetsim.soc.arrays import SystolicArray
from hetsim.workload.graph import LoopNest

ARRAY = SystolicArray(rows=8, columns=8, dataflow="weight_stationary")
GROUPED = LoopNest(1, 4, 2, 2, 8, 64, in_h=2, in_w=2)
TALL = LoopNest(1, 1, 12, 10, 8, 8, 3, 3, in_h=12, in_w=10)


@pytest.mark.parametrize(
    ("nest", "cores", "expected"),
    [
        # As many groups as cores, or more: each core has whole groups, and some perhaps none.
        (GROUPED, 4, Split(replace(GROUPED, groups=1), 4, 0.25, 0.25)),
        (GROUPED, 3, Split(replace(GROUPED, groups=2), 2, 0.5, 0.5)),
        # Fewer: the filters of each group are divided.
        (GROUPED, 5, Split(replace(GROUPED, out_c=13), 5, 13 / 64, 13 / 64)),
        (replace(GROUPED, groups=1), 4, Split(replace(GROUPED, groups=1, out_c=16), 4, 0.25, 0.25)),
        # One column of folds, so rows: three taps reach a row beyond each part of 6 or 4.
        (TALL, 2, Split(replace(TALL, out_h=6, in_h=8), 2, 1.0, 0.5, (14, 12))),
        (TALL, 3, Split(replace(TALL, out_h=4, in_h=6), 3, 1.0, 1 / 3, (16, 12))),
        (TALL, 5, Split(replace(TALL, out_h=3, in_h=5), 4, 1.0, 0.25, (18, 12))),
        (TALL, 1, Split(TALL, 1, 1.0, 1.0, (1, 1))),
    ],
)
def test_the_busiest_core_has_its_part(nest: LoopNest, cores: int, expected: Split) -> None:
    assert split(nest, ARRAY, cores) == expected


def test_halos_follow_from_taps_strides_and_dilation() -> None:
    dilated = replace(TALL, dilation_h=2)  # taps reach 5 rows
    assert split(dilated, ARRAY, 2) == Split(
        replace(dilated, out_h=6, in_h=10), 2, 1.0, 0.5, (16, 12)
    )
    strided = replace(TALL, stride_h=2, in_h=24)
    assert split(strided, ARRAY, 2) == Split(
        replace(strided, out_h=6, in_h=13), 2, 1.0, 0.5, (25, 24)
    )
    wide = replace(TALL, stride_h=4, in_h=48)  # rows between the taps are nobody's
    assert split(wide, ARRAY, 2).input_rows == (48, 48)
    # No core reads more than all there is.
    thin = replace(TALL, out_h=2, in_h=2, out_w=64, in_w=64)
    assert split(thin, ARRAY, 2) == Split(replace(thin, out_h=1, in_h=2), 2, 1.0, 0.5, (4, 2))


def test_what_no_halo_ties_is_one_column_of_pixels() -> None:
    point = LoopNest(1, 1, 3, 7, 8, 8, in_h=3, in_w=7)
    assert split(point, ARRAY, 2) == Split(
        replace(point, out_h=11, out_w=1, in_h=11, in_w=1), 2, 1.0, 11 / 21, (21, 21)
    )
    for kept in (replace(point, stride_w=2, in_w=14), replace(point, k_w=3)):
        assert split(kept, ARRAY, 2).nest == replace(kept, out_h=2, in_h=2)


def test_bytes_of_halos_are_rounded_up() -> None:
    assert split(TALL, ARRAY, 2).input_bytes(1201) == 1402  # of 14 / 12
    alone = split(TALL, ARRAY, 1)
    assert alone.input_bytes(1201) == 1201
    assert (alone.cores, alone.weights, alone.outputs) == (1, 1.0, 1.0)


@pytest.mark.parametrize("size", [1, 2, 5, 16, 33])
@pytest.mark.parametrize("filters", [1, 8, 17, 64])
@pytest.mark.parametrize("cores", [2, 3, 8])
def test_neither_way_alone_is_quicker(size: int, filters: int, cores: int) -> None:
    nest = LoopNest(1, 1, size, size, 16, filters, 3, 3, in_h=size, in_w=size)
    found = fewest_cycles(split(nest, ARRAY, cores).nest, ARRAY)
    assert found <= fewest_cycles(replace(nest, out_c=-(-filters // cores)), ARRAY)
    assert found <= fewest_cycles(replace(nest, out_h=-(-size // cores)), ARRAY)
