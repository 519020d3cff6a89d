"""What decides a number: its variance over a box of inputs, shared among them exactly.

The function is a sum of products, ``f(x) = sum_a w_a prod_i (1 + u_ia(x_i))``, each ``u`` with mean
zero over its input, and inputs are independent and uniform. Then everything that functional ANOVA
asks for is a product of small tables (Sobol, "Sensitivity estimates for nonlinear mathematical
models", Mathematical Modelling and Computational Experiments 1(4), 1993): the variance that the
inputs of a set explain together is ``sum_ab w_a w_b (prod_(i in set) (1 + G_iab) - 1)`` with
``G_iab`` the mean of ``u_ia u_ib``.

Two things have this form: a complete grid, with nothing assumed, and the Gaussian process of
:mod:`hetsim.learn.surrogate`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hetsim.numeric import Floats, Ints


@dataclass(frozen=True)
class Shares:
    """Shares of the variance, for each input.

    ``effect`` are Shapley effects: an interaction counts in equal parts for those that take part,
    so they sum to one (Owen, "Sobol' indices and Shapley value", SIAM/ASA J. Uncertainty
    Quantification 2, 2014). ``alone`` is what an input explains by itself, ``total`` what would be
    gone were it fixed; ``pairs`` (inputs, inputs) is what two explain only together.
    """

    effect: Floats
    alone: Floats
    total: Floats
    pairs: Floats


@dataclass(frozen=True)
class ProductSum:
    """``offset + sum_a weights_a prod_i (1 + tables_i[a, node])``.

    ``tables`` has one array of shape (terms, nodes) for each input; rows have mean zero, and all
    nodes weigh the same.
    """

    weights: Floats
    tables: tuple[Floats, ...]
    offset: float = 0.0

    @classmethod
    def of_grid(cls, positions: Ints, sizes: Sequence[int], values: Floats) -> ProductSum:
        """The function that is known on every cell of a grid.

        ``positions`` has shape (cells, inputs), ``values`` (cells,); each cell stands once.
        """
        tables = tuple(
            size * (positions[:, [i]] == np.arange(size)) - 1.0 for i, size in enumerate(sizes)
        )
        mean = float(values.mean())
        return cls((values - mean) / len(values), tables, mean)

    def shares(self) -> Shares:
        """How the variance divides; all zero when there is none."""
        count = len(self.tables)
        moments = [table @ table.T / table.shape[1] for table in self.tables]
        outer = np.outer(self.weights, self.weights)

        def explained(members: Sequence[int]) -> float:
            product = outer.copy()
            for i in members:
                product *= 1.0 + moments[i]
            return float(product.sum() - outer.sum())

        whole = explained(range(count))
        scale = float(np.abs(self.weights).sum()) ** 2 or 1.0
        if whole <= 1e-14 * scale:
            zero = np.zeros(count)
            return Shares(zero, zero, zero, np.zeros((count, count)))
        alone = np.array([explained([i]) for i in range(count)])
        rest = [[k for k in range(count) if k != i] for i in range(count)]
        total = np.array([whole - explained(others) for others in rest])
        pairs = np.zeros((count, count))
        for i, j in itertools.combinations(range(count), 2):
            pairs[i, j] = pairs[j, i] = explained([i, j]) - alone[i] - alone[j]
        # The Shapley value is the mean gain of joining a random set to which each other belongs
        # with chance t, over all t (Owen, "Multilinear extensions of games", Management Science 18,
        # 1972). In t that is a polynomial, so a few nodes of Gauss are exact.
        nodes, heights = np.polynomial.legendre.leggauss(count // 2 + 1)
        effect = np.zeros(count)
        for t, height in zip((nodes + 1) / 2, heights / 2, strict=True):
            for i, others in enumerate(rest):
                product = outer * moments[i]
                for k in others:
                    product *= 1.0 + t * moments[k]
                effect[i] += height * float(product.sum())
        return Shares(effect / whole, alone / whole, total / whole, pairs / whole)

    def mean_over(self, kept: Sequence[int]) -> Floats:
        """Mean of the function over all inputs but ``kept``, on the nodes of these."""
        shape = [self.tables[i].shape[1] for i in kept]
        product = self.weights[:, None]
        for i in kept:
            grown = product[:, :, None] * (1.0 + self.tables[i])[:, None, :]
            product = grown.reshape(len(self.weights), -1)
        return np.asarray(product.sum(axis=0).reshape(shape) + self.offset)
