"""Ranges and lists as people type them, and the grids they make."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hetsim.errors import ConfigError
from hetsim.study.axes import Axis, parse_axis
from hetsim.study.grid import designs
from hetsim.units import parse_quantity


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a=128KiB..1MiB:log2", ("128 KiB", "256 KiB", "512 KiB", "1 MiB")),
        ("a=3.2,6.4,12.8GB/s", ("3.2 GB/s", "6.4 GB/s", "12.8 GB/s")),
        ("a=1 GB/s, 500MB/s", ("1 GB/s", "500 MB/s")),
        ("a=1..4", (1, 2, 3, 4)),
        ("a=1..64:log2", (1, 2, 4, 8, 16, 32, 64)),
        ("a=1..50:log2", (1, 2, 4, 8, 16, 32)),
        ("a=1us..1ms:log10", ("1 us", "10 us", "100 us", "1000 us")),
        ("a=0.5x..4x:log2", ("0.5x", "1x", "2x", "4x")),
        ("a=1,2x", ("1x", "2x")),
        ("a=1GB/s..9GB/s:linear:3", ("1 GB/s", "5 GB/s", "9 GB/s")),
        ("a=1..9GB/s:3", ("1 GB/s", "5 GB/s", "9 GB/s")),
        ("a=0.1..0.9", (0.1, 0.3, 0.5, 0.7, 0.9)),
        ("a=[1, 1],[2]", ([1, 1], [2])),
        ("a=poll,interrupt", ("poll", "interrupt")),
        ("a=true,false", (True, False)),
        ("a=7", (7,)),
    ],
)
def test_what_is_typed_is_what_is_meant(text, values):
    assert parse_axis(text).values == values


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("npu.sram", "varies nothing"),
        ("=1,2", "varies nothing"),
        ("a=", "given no value"),
        ("a=,", "given no value"),
        ("a=4..1", "must ascend"),
        ("a=1..1", "must ascend"),
        ("a=1KiB..2s", "do not belong together"),
        ("a=1..2:cubic", "is not a scale"),
        ("a=1..2:log2:x", "is not a scale"),
        ("a=0..4:log2", "starts above zero"),
        ("a=x..y", "is no number"),
        ("a=1,1", "given 1 twice"),
        ("a=1..2:log2:1", "at least 2"),
        ("a=1..2000000", "values"),
    ],
)
def test_what_makes_no_sense_is_told(text, complaint):
    with pytest.raises(ConfigError, match=complaint):
        parse_axis(text)


@pytest.mark.slow
@given(
    st.integers(1, 10**6), st.integers(2, 10**6), st.integers(2, 40),
    st.sampled_from(["log2", "log10", "linear"]),
)  # fmt: skip
def test_ranges_of_n_values_span_their_ends_in_order(low, span, count, scale):
    axis = parse_axis(f"a={low} KiB..{low + span} KiB:{scale}:{count}")
    sizes = [parse_quantity(value, "size") for value in axis.values]
    assert len(sizes) == count
    assert sizes == sorted(sizes)
    assert math.isclose(sizes[0], low * 1024)
    assert math.isclose(sizes[-1], (low + span) * 1024)


@given(st.floats(0, 1, exclude_max=True))
def test_every_share_of_an_axis_is_inside_it(share):
    stepped, smooth = parse_axis("a=1..8"), parse_axis("a=64KiB..1MiB")
    assert stepped.at(share) in stepped.values
    assert 64 * 1024 <= parse_quantity(smooth.at(share), "size") <= 1024 * 1024


A, B = parse_axis("a=1..3"), parse_axis("b=1,2KiB")


def test_the_last_axis_changes_fastest():
    assert designs([A, B])[:3] == (
        {"a": 1, "b": "1 KiB"}, {"a": 1, "b": "2 KiB"}, {"a": 2, "b": "1 KiB"},
    )  # fmt: skip
    assert len(designs([A, B])) == 6
    assert designs([]) == ({},)


def test_zipped_axes_go_in_step_and_must_be_of_equal_length():
    assert designs([B, Axis("c", (7, 8))], "zip") == (
        {"b": "1 KiB", "c": 7}, {"b": "2 KiB", "c": 8},
    )  # fmt: skip
    with pytest.raises(ConfigError, match="a has 3, b has 2"):
        designs([A, B], "zip")


@pytest.mark.slow
@given(st.integers(1, 60), st.integers(0, 1000))
def test_a_latin_hypercube_visits_every_part_of_every_axis_once(points, seed):
    axes = [parse_axis("a=0s..1s"), parse_axis("b=1Hz..1000Hz:log10:2")]
    sample = designs([axes[0], *axes[1:]], "lhs", points, seed)
    cells = sorted(int(parse_quantity(row["a"], "time") * points + 1e-6) for row in sample)
    assert len(sample) == points
    # Values are written with four digits, which may carry one over an edge.
    assert all(abs(cell - k) <= 1 for k, cell in enumerate(cells))
    assert sample == designs(axes, "lhs", points, seed)


@pytest.mark.parametrize(
    ("mode", "points", "complaint"),
    [("lhs", None, "needs a number"), ("zip", 5, "has as many"), ("spiral", None, "unknown mode")],
)
def test_modes_take_points_or_do_not(mode, points, complaint):
    with pytest.raises(ConfigError, match=complaint):
        designs([A], mode, points)


def test_a_grid_too_large_to_run_is_refused():
    with pytest.raises(ConfigError, match="too many"):
        designs([parse_axis(f"{name}=1..200") for name in "abc"])
