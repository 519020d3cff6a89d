"""What decides a function, against functions of which it is known in closed form."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hetsim.learn.anova import ProductSum
from hetsim.learn.surrogate import Input, Surrogate, held_out

NODES = (np.arange(32) + 0.5) / 32


def grid(function, sizes):
    positions = np.array(list(itertools.product(*map(range, sizes))))
    values = np.array([function(*row) for row in positions], dtype=float)
    order = np.random.default_rng(0).permutation(len(values))
    return ProductSum.of_grid(positions[order], sizes, values[order])


def test_what_adds_up_divides_by_its_variances():
    # Variance of 0..n-1 is (n^2 - 1) / 12.
    shares = grid(lambda a, b, c: 3 * a + b, (2, 4, 3)).shares()
    expected = np.array([9 * 3 / 12, 15 / 12, 0.0])
    expected /= expected.sum()
    for found in (shares.effect, shares.alone, shares.total):
        assert found == pytest.approx(expected, abs=1e-12)
    assert shares.pairs == pytest.approx(np.zeros((3, 3)), abs=1e-12)


def test_an_exclusive_or_is_nobodys_alone_and_everybodys_alike():
    shares = grid(lambda a, b, c, d: (a + b + c) % 2, (2, 2, 2, 5)).shares()
    assert shares.alone == pytest.approx(np.zeros(4), abs=1e-12)
    assert shares.pairs == pytest.approx(np.zeros((4, 4)), abs=1e-12)  # it takes three
    assert shares.total == pytest.approx([1, 1, 1, 0], abs=1e-12)
    assert shares.effect == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0], abs=1e-12)


def test_an_effect_is_what_all_orders_of_joining_give_on_average():
    rng = np.random.default_rng(5)
    sizes = (2, 3, 2, 3, 2)
    values = rng.normal(size=sizes)
    shares = grid(lambda *at: values[at], sizes).shares()

    def explained(members):
        others = tuple(i for i in range(5) if i not in members)
        return float(values.mean(axis=others).var()) / values.var() if members else 0.0

    effect = np.zeros(5)
    for order in itertools.permutations(range(5)):
        for k, i in enumerate(order):
            effect[i] += explained(set(order[: k + 1])) - explained(set(order[:k]))
    assert shares.effect == pytest.approx(effect / 120, abs=1e-12)
    assert shares.alone == pytest.approx([explained({i}) for i in range(5)], abs=1e-12)
    assert shares.total == pytest.approx(
        [1 - explained(set(range(5)) - {i}) for i in range(5)], abs=1e-12
    )
    assert shares.effect.sum() == pytest.approx(1.0, abs=1e-12)


def test_means_are_those_of_the_function():
    values = np.random.default_rng(2).normal(size=(3, 4, 2))
    known = grid(lambda *at: values[at], (3, 4, 2))
    assert known.mean_over([1]) == pytest.approx(values.mean(axis=(0, 2)))
    assert known.mean_over([2, 0]) == pytest.approx(values.mean(axis=1).T)
    assert known.mean_over([0, 1, 2]) == pytest.approx(values)


def test_what_never_varies_is_decided_by_nothing():
    assert not grid(lambda a, b: 1.0 / 3.0, (3, 3)).shares().effect.any()


def ishigami(x):
    """Ishigami & Homma (1990) with a = 7, b = 0.1; one more input plays no part."""
    z = (2 * x - 1) * np.pi
    return np.sin(z[:, 0]) + 7 * np.sin(z[:, 1]) ** 2 + 0.1 * z[:, 2] ** 4 * np.sin(z[:, 0])


@pytest.mark.slow
def test_a_few_rows_of_the_ishigami_function_tell_its_known_indices():
    x = np.random.default_rng(120).random((120, 4))
    inputs = [Input(x[:, i], NODES) for i in range(4)]
    target = ishigami(x)
    found = Surrogate.fit(inputs, target)
    assert held_out(found, target) > 0.9
    shares = found.product_sum().shares()
    # Sobol (1993): 0.3139, 0.4424, 0 alone; 0.2437 is x1 and x3 together.
    assert shares.alone == pytest.approx([0.3139, 0.4424, 0, 0], abs=0.03)
    assert shares.total == pytest.approx([0.5576, 0.4424, 0.2437, 0], abs=0.03)
    assert shares.pairs[0, 2] == pytest.approx(0.2437, abs=0.03)
    assert shares.effect == pytest.approx([0.4357, 0.4424, 0.1218, 0], abs=0.03)
    assert shares.effect[3] < 1e-3


def test_a_surrogate_from_some_cells_agrees_with_the_whole_grid():
    sizes = (5, 4, 3, 3)

    def time(speed, width, kind, idle):
        """A kink, and a category; the last input has no effect."""
        return max(8.0 / 2**speed, 4.0 / (1 + width)) * (1.0, 1.4, 1.2)[kind]

    cells = np.array(list(itertools.product(*map(range, sizes))))
    truth = np.log([time(*cell) for cell in cells])
    exact = ProductSum.of_grid(cells, sizes, truth)
    some = np.random.default_rng(1).choice(len(cells), 60, replace=False)
    at = cells[some]
    inputs = [
        *(Input(at[:, i] / (n - 1), np.arange(n) / (n - 1)) for i, n in enumerate(sizes[:2])),
        *(Input(at[:, i].astype(float), np.arange(3.0), ordered=False) for i in (2, 3)),
    ]
    learned = Surrogate.fit(inputs, truth[some])
    found = learned.product_sum()
    predicted = found.mean_over(range(4)).ravel()
    unexplained = ((predicted - truth) ** 2).sum() / ((truth - truth.mean()) ** 2).sum()
    assert unexplained < 0.02
    # What is told of rows never seen is what is true of them.
    assert held_out(learned, truth[some]) == pytest.approx(1 - unexplained, abs=0.03)
    assert found.shares().effect == pytest.approx(exact.shares().effect, abs=0.03)
    assert exact.shares().effect[3] == pytest.approx(0.0, abs=1e-12)
    assert found.shares().effect[3] < 1e-3


@pytest.mark.slow
def test_noise_is_not_predicted():
    rng = np.random.default_rng(7)
    x = rng.random((60, 3))
    noise = rng.normal(size=60)
    found = Surrogate.fit([Input(x[:, i], NODES) for i in range(3)], noise)
    assert held_out(found, noise) < 0.3


def test_an_input_of_one_value_plays_no_part():
    x = np.random.default_rng(3).random(30)
    inputs = [Input(x, NODES), Input(np.zeros(30), np.zeros(1))]
    shares = Surrogate.fit(inputs, 2 * x).product_sum().shares()
    assert shares.effect == pytest.approx([1.0, 0.0], abs=1e-6)
