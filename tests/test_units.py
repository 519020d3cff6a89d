"""Quantities: exact factors, no guessing, and back again."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hetsim.errors import ConfigError, UnitError
from hetsim.units import EXAMPLES, UNITS, format_quantity, parse_quantity


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("512 KiB", "size", 512 * 1024),
        ("512KB", "size", 512_000),
        ("1.5 MiB", "size", 1.5 * 2**20),
        ("12.8 GB/s", "bandwidth", 12.8e9),
        ("1 GiB/s", "bandwidth", 2**30),
        ("8 Gbps", "bandwidth", 1e9),
        ("8 Mbit/s", "bandwidth", 1e6),
        ("35 us", "time", 35e-6),
        ("35 µs", "time", 35e-6),
        ("2 min", "time", 120),
        ("1.2 GHz", "frequency", 1.2e9),
        ("2_000 MHz", "frequency", 2e9),
        ("1e3 MHz", "frequency", 1e9),
        ("40 mW", "power", 0.04),
        ("60 pJ", "energy", 60e-12),
        ("128 bit", "width", 16),
        ("  7   ns ", "time", 7e-9),
        (".5 ms", "time", 0.5e-3),
        ("0", "time", 0),
        (0, "size", 0),
    ],
)
def test_quantities_mean_what_they_say(text: object, dimension: str, value: float) -> None:
    assert parse_quantity(text, dimension) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "dimension", "complaint"),
    [
        (512, "size", "no unit"),
        ("512", "size", "no unit"),
        ("512 KiBs", "size", "not a known unit"),
        ("3 GHz", "bandwidth", "unit of frequency"),
        ("12.8 GB", "bandwidth", "unit of size"),
        ("fast", "bandwidth", "not a bandwidth"),
        ("", "time", "not a time"),
        (True, "time", "not a time"),
        (None, "time", "not a time"),
        ([1], "time", "not a time"),
        ("1e999 s", "time", "of this world"),
        ("1e-300 GB/s", "bandwidth", "of this world"),
        ("nan s", "time", "not a time"),
        ("1..2 s", "time", ""),
        ("1 2 s", "time", ""),
    ],
)
def test_wrong_quantities_are_refused(text: object, dimension: str, complaint: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse_quantity(text, dimension)
    assert complaint in caught.value.message
    assert EXAMPLES[dimension] in (caught.value.hint or "")
    assert isinstance(caught.value, ConfigError)


def test_every_unit_of_every_dimension_parses_to_its_factor() -> None:
    for dimension, table in UNITS.items():
        for unit, factor in table.items():
            assert parse_quantity(f"3 {unit}", dimension) == pytest.approx(3 * factor)


@pytest.mark.slow
@given(
    st.sampled_from(sorted(EXAMPLES)),
    st.floats(min_value=1e-11, max_value=1e14, allow_nan=False),
)
def test_formatting_keeps_four_digits(dimension: str, value: float) -> None:
    back = parse_quantity(format_quantity(value, dimension, digits=6), dimension)
    assert math.isclose(back, value, rel_tol=1e-5)


def test_formatting_picks_a_readable_unit() -> None:
    assert format_quantity(512 * 1024, "size") == "512 KiB"
    assert format_quantity(12.8e9, "bandwidth") == "12.8 GB/s"
    assert format_quantity(0, "time") == "0 s"
