"""Small linear programs whose least value is known, and what prices prove of them."""

from __future__ import annotations

from math import inf

import highspy
import numpy as np
import pytest

from hetsim.bounds.rows import Rows


def mixture() -> tuple[Rows, int, int]:
    """1 = x + y, x at most 1/4, y at most 2: x costs 1 and y 2, and 3 on top."""
    rows = Rows()
    x, y = rows.variable(goal=1.0), rows.variable(high=2.0)
    rows.minimise({y: 2.0})
    rows.constant += 3.0
    rows.exactly({x: 1.0, y: 1.0}, 1.0)
    rows.at_most({x: 4.0}, 1.0)
    return rows, x, y


def test_the_least_value_is_what_a_hand_says() -> None:
    rows, x, y = mixture()
    found = rows.solve({})
    assert found.bound == pytest.approx(3 + 0.25 + 2 * 0.75)
    assert found.values == pytest.approx([0.25, 0.75])
    assert rows.solve({x: 0.0}).bound == pytest.approx(3 + 2)
    assert rows.solve({y: 1.0}).bound == pytest.approx(3 + 2)
    assert rows.solve({}).bound == found.bound  # what was fixed is free again
    nothing = rows.solve({x: 0.5})
    assert (nothing.bound, nothing.values, nothing.prices) == (inf, None, None)


def test_goals_add_up_and_variables_end_at_their_limits() -> None:
    rows = Rows()
    x = rows.variable(goal=-2.0)
    y = rows.variable(high=5.0)
    rows.minimise({x: 1.0, y: -1.0})
    assert rows.solve({}).bound == pytest.approx(-1 - 5)


def test_whatever_prices_are_asked_they_prove_no_more_than_the_least() -> None:
    rows, x, _ = mixture()
    least = rows.solve({}).bound
    draw = np.random.default_rng(3)
    for _ in range(50):
        prices = np.array([draw.uniform(-3, 3), draw.uniform(0, 2)])
        assert rows.proves(prices, {}) <= least
        assert rows.proves(prices, {x: 0.0}) <= 5
    # By hand: the sum costs 1 a piece, so x goes for nothing, y for 1, of which there is none.
    assert rows.proves(np.array([-1.0, 0.0]), {}) == pytest.approx(3 + 1)
    # And at 1 for a quarter of x, which is best at its upper limit: 1 + 1 - 3 + 4 x.
    dear = np.array([-3.0, 1.0])
    assert rows.proves(dear, {}) == pytest.approx(3 + 3 - 1 + 0.0 - 2.0)


def test_a_bound_is_less_by_what_sums_of_floats_may_be_off() -> None:
    rows = Rows()
    x, y = rows.variable(), rows.variable()
    rows.minimise({x: 1e6, y: -1e6})
    rows.exactly({x: 1.0, y: 1.0}, 2.0)
    proven = rows.proves(np.zeros(1), {x: 1.0, y: 1.0})
    assert -3e6 * 1e-10 <= proven <= -1.9e6 * 1e-10  # two millions were added up


def test_a_solver_that_gives_up_leaves_what_the_limits_prove(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows, _, _ = mixture()
    monkeypatch.setattr(
        "highspy.Highs.getModelStatus", lambda solver: highspy.HighsModelStatus.kIterationLimit
    )
    found = rows.solve({})
    assert (found.bound, found.values) == (pytest.approx(3.0), None)  # the constant
    assert rows.proves(found.prices, {}) <= 4.75


def test_it_says_nothing_however_often_it_is_asked(capfd: pytest.CaptureFixture[str]) -> None:
    rows, x, _ = mixture()
    rows.solve({})
    rows.solve({x: 0.0})
    assert capfd.readouterr() == ("", "")


def test_a_variable_that_nothing_depends_on_may_be_endless() -> None:
    rows, _, _ = mixture()
    rows.variable(high=inf)
    assert rows.solve({}).bound == pytest.approx(3 + 0.25 + 2 * 0.75)
