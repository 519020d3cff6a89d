"""The parts of a unit's uncertainty, estimated from residuals whose parts are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hetsim.calibrate.spread import Residual, estimate_spread, reach_of, reaches
from hetsim.errors import ConfigError
from hetsim.soc.uncertainty import Spread


def drawn(
    unit: float, conv: float, kernel: float, *, groups: int, tails: bool = False
) -> list[Residual]:
    """Kernels of two classes; ``tails`` draws from Student's t with three degrees of freedom."""
    rng = np.random.default_rng(1)
    rows = []
    for group in range(groups):
        common = {"Conv": rng.normal(0, conv), "Gemm": rng.normal(0, 0.02)}
        shift = rng.normal(0, unit)
        for i in range(12):
            kind = ("Conv", "Gemm")[i % 2]
            own = rng.standard_t(3) if tails else rng.normal()
            rows.append(Residual(shift + common[kind] + kernel * own, f"net {group}", {kind: 1.0}))
    return rows


@pytest.mark.slow
def test_known_parts_are_found_again() -> None:
    found = estimate_spread(drawn(0.2, 0.3, 0.1, groups=80))
    assert found.spread.unit == pytest.approx(0.2, rel=0.3)
    assert found.spread.classes["Conv"] == pytest.approx(0.3, rel=0.3)
    assert found.spread.classes.get("Gemm", 0.0) < 0.12
    assert found.spread.kernel == pytest.approx(0.1, rel=0.2)
    assert found.spread.classes["default"] == found.spread.classes["Conv"]  # not measured at all
    assert 0.85 <= found.covered <= 0.95
    assert (found.rows, found.groups) == (960, 80)


def test_heavy_tails_are_covered_all_the_same() -> None:
    rows = drawn(0.05, 0.05, 0.2, groups=40, tails=True)
    found = estimate_spread(rows)
    assert 0.85 <= found.covered <= 0.95
    # Without the last step outliers would make every range too wide.
    assert found.spread.kernel < np.std([row.log_ratio for row in rows])


@pytest.mark.slow
def test_errors_that_a_network_shares_are_not_taken_for_those_of_kernels() -> None:
    shared = estimate_spread(drawn(0.3, 0.0, 0.02, groups=40)).spread
    own = estimate_spread(drawn(0.0, 0.0, 0.3, groups=40)).spread
    assert shared.unit > 5 * shared.kernel
    assert own.kernel > 5 * own.unit


def test_whole_networks_tell_what_their_shares_allow() -> None:
    rng = np.random.default_rng(2)
    rows = []
    for i in range(200):
        share = rng.uniform(0, 1)
        error = share * rng.normal(0, 0.4) + rng.normal(0, 0.05)
        shares = {"Conv": share, "Gemm": 1 - share}
        rows.append(Residual(error, f"net {i}", shares, concentration=0.05))
    found = estimate_spread(rows)
    assert found.spread.classes["Conv"] == pytest.approx(0.4, rel=0.3)
    assert found.spread.classes.get("Gemm", 0.0) < 0.1
    assert 0.85 <= found.covered <= 0.95


def test_kernels_in_many_average_out() -> None:
    rows = [Residual(0.2, "a", {"Conv": 1.0}), Residual(0.2, "b", {"Conv": 1.0}, 0.25)]
    reach = reach_of(rows, Spread(kernel=0.3))
    assert reach == pytest.approx([1.645 * 0.3, 1.645 * 0.15], rel=1e-3)


def test_a_row_has_no_part_in_its_own_range() -> None:
    rows = drawn(0.1, 0.1, 0.1, groups=20)
    wild = [replace(row, log_ratio=5.0) if row.group == "net 7" else row for row in rows]
    own = np.array([row.group == "net 7" for row in rows])
    before, after = reaches(rows), reaches(wild)
    assert np.array_equal(before[own], after[own])
    assert not np.array_equal(before[~own], after[~own])


def test_few_groups_tell_less() -> None:
    rng = np.random.default_rng(5)
    errors = rng.normal(0, 0.2, 60)
    few = [Residual(e, f"row {i}", aside=f"net {i % 4}") for i, e in enumerate(errors)]
    many = [Residual(e, f"row {i}", aside=f"net {i}") for i, e in enumerate(errors)]
    widths = [reach_of([rows[0]], estimate_spread(rows).spread)[0] for rows in (few, many)]
    # Student's t with 3 and with 59 degrees of freedom, 95 %.
    assert widths[0] / widths[1] == pytest.approx(2.353 / 1.671, rel=0.01)


def test_too_few_rows_and_no_numbers_are_refused() -> None:
    rows = [Residual(0.1, "a")] * 4
    with pytest.raises(ConfigError, match="4 residuals tell nothing"):
        estimate_spread(rows)
    with pytest.raises(ConfigError, match="no finite number"):
        estimate_spread([*rows, Residual(float("nan"), "b")])
