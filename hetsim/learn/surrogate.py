"""A Gaussian process that knows how its variance divides, and how well it predicts.

The covariance is a product over the inputs of ``1 + strength * kernel``, with kernels whose mean
over their input is zero (Durrande, Ginsbourger, Roustant, Carraro, "ANOVA kernels and RKHS of zero
mean functions for model-based sensitivity analysis", J. Multivariate Analysis 115, 2013). So what
adds up is learned from few rows, the posterior mean is a
:class:`~hetsim.learn.anova.ProductSum`, and an input of strength zero plays no part at all.
Kernels are Matern 3/2 in the position, which follows kinks, or one for categories without an order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hetsim.learn.anova import ProductSum
from hetsim.numeric import Floats, Ints

FOLDS = 5
FEWEST_ROWS = 10
"""With fewer rows nothing is learned: the folds would be a row or two."""

_STRENGTH, _LENGTH, _NOISE = (1e-6, 100.0), (0.08, 4.0), (1e-7, 1.0)
_ITERATIONS = 60
_STEP = 1e-4
"""Of the logarithm of a length, for the slope of a kernel along it."""


@dataclass(frozen=True)
class Input:
    """Where the rows lie along one input, and the nodes it is averaged over.

    Positions are from 0 to 1 when ``ordered``, else numbers of categories.
    """

    positions: Floats
    nodes: Floats
    ordered: bool = True


@dataclass(frozen=True)
class Surrogate:
    """A conditioned process over all rows; ``rows`` are those it has learned from.

    ``weights`` are the dual weights. ``hyper`` are logarithms: the strength of each input's kernel,
    the length of each, the noise.
    """

    inputs: tuple[_Prepared, ...]
    rows: Ints
    weights: Floats
    hyper: Floats
    offset: float

    @classmethod
    def fit(cls, inputs: Sequence[Input], target: Floats) -> Surrogate:
        """Chooses strengths, lengths and noise by likelihood, and conditions on all rows.

        Deterministic.
        """
        prepared = tuple(_Prepared.of(given) for given in inputs)
        count = len(prepared)
        start = np.log(np.array([0.5] * count + [0.7] * count + [1e-3]))
        return _fit(prepared, target, np.arange(len(target)), start)

    def predict(self, rows: Ints) -> Floats:
        """The posterior mean at ``rows``."""
        product = _product(_factors(self.hyper, self.inputs, rows, self.rows))
        return np.asarray(product @ self.weights + self.offset)

    def product_sum(self) -> ProductSum:
        """The posterior mean as tables over the nodes."""
        tables = tuple(
            strength * given.kernel(length)[np.ix_(given.at[self.rows], given.at_nodes)]
            for given, strength, length in _each(self.hyper, self.inputs)
        )
        return ProductSum(self.weights, tables, self.offset)


def held_out(whole: Surrogate, target: Floats, folds: int = FOLDS, seed: int = 0) -> float:
    """The share of the variance of ``target`` that is predicted for rows never seen (R2).

    Each fold is predicted by a process that was fitted, hyper-parameters and all, to the others;
    the fit only sets out from that of the ``whole``, which saves most of its steps.
    """
    order = np.random.default_rng(seed).permutation(len(target))
    missed = 0.0
    for fold in range(folds):
        held, kept = np.sort(order[fold::folds]), np.sort(np.delete(order, np.s_[fold::folds]))
        predicted = _fit(whole.inputs, target, kept, whole.hyper).predict(held)
        missed += float(((target[held] - predicted) ** 2).sum())
    spread = float(((target - target.mean()) ** 2).sum())
    return 1.0 - missed / spread if spread else 0.0


@dataclass(frozen=True)
class _Prepared:
    """An input as distances between the distinct positions that rows and nodes have."""

    distance: Floats
    at: Ints
    at_nodes: Ints
    ordered: bool

    @classmethod
    def of(cls, given: Input) -> _Prepared:
        everything = np.concatenate([given.positions, given.nodes])
        distinct, at = np.unique(everything, return_inverse=True)
        distance = np.abs(distinct[:, None] - distinct)
        count = len(given.positions)
        return cls(distance, at[:count], at[count:], given.ordered)

    @property
    def idle(self) -> bool:
        """Whether it has one value only."""
        return len(self.at_nodes) < 2

    def kernel(self, length: float) -> Floats:
        """Mean zero and mean variance one over the nodes, between all distinct positions."""
        if self.idle:
            return np.zeros_like(self.distance)
        if self.ordered:
            scaled = np.sqrt(3.0) / length * self.distance
            raw = (1.0 + scaled) * np.exp(-scaled)
        else:
            raw = (self.distance == 0.0).astype(float)
        at_nodes = raw[:, self.at_nodes].mean(axis=1)
        raw = raw - np.outer(at_nodes, at_nodes) / at_nodes[self.at_nodes].mean()
        return np.asarray(raw / raw[self.at_nodes, self.at_nodes].mean())

    def between(self, kernel: Floats, left: Ints, right: Ints) -> Floats:
        """The part of ``kernel`` between two sets of rows."""
        return np.asarray(kernel[np.ix_(self.at[left], self.at[right])])


def _each(hyper: Floats, inputs: Sequence[_Prepared]) -> Iterator[tuple[_Prepared, float, float]]:
    """Every input with its strength and its length."""
    values = np.exp(hyper[:-1]).tolist()
    return zip(inputs, values[: len(inputs)], values[len(inputs) :], strict=True)


def _factors(hyper: Floats, inputs: Sequence[_Prepared], left: Ints, right: Ints) -> list[Floats]:
    """What each input contributes to the covariance between rows."""
    return [
        1.0 + strength * given.between(given.kernel(length), left, right)
        for given, strength, length in _each(hyper, inputs)
    ]


def _product(factors: Sequence[Floats]) -> Floats:
    product = factors[0].copy()
    for factor in factors[1:]:
        product *= factor
    return product


def _fit(inputs: tuple[_Prepared, ...], target: Floats, rows: Ints, start: Floats) -> Surrogate:
    from scipy.optimize import minimize

    offset = float(target[rows].mean())
    scale = float(target[rows].std()) or 1.0
    centred = (target[rows] - offset) / scale
    count = len(inputs)
    bounds = np.log([*[_STRENGTH] * count, *[_LENGTH] * count, _NOISE])

    def loss(hyper: Floats) -> tuple[float, Floats]:
        return _loss(hyper, inputs, rows, centred)

    found = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": _ITERATIONS, "ftol": 1e-6},
    )
    hyper = np.asarray(found.x, dtype=np.float64)
    covariance = _product(_factors(hyper, inputs, rows, rows))
    covariance[np.diag_indices_from(covariance)] += np.exp(hyper[-1])
    weights = np.asarray(np.linalg.solve(covariance, centred), dtype=np.float64)
    return Surrogate(inputs, rows, scale * weights, hyper, offset)


def _loss(
    hyper: Floats, inputs: Sequence[_Prepared], rows: Ints, target: Floats
) -> tuple[float, Floats]:
    """Minus the log likelihood, the overall variance at its best value; and its gradient.

    A mild prior keeps lengths near the width of the box and strengths small: what the rows do not
    ask for is left out.
    """
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    count, size = len(inputs), len(rows)
    strengths, lengths = np.exp(hyper[:count]), np.exp(hyper[count:-1])
    noise = float(np.exp(hyper[-1]))
    factors = _factors(hyper, inputs, rows, rows)
    # Products of all factors after each, then of all before: the gradient needs all but one.
    after = [np.ones((size, size))]
    for factor in reversed(factors):
        after.append(after[-1] * factor)
    covariance = after.pop()
    covariance[np.diag_indices(size)] += noise
    try:
        factored = cho_factor(covariance, lower=True, check_finite=False)
    except LinAlgError:
        return 1e10, np.zeros_like(hyper)
    inverse = cho_solve(factored, np.eye(size), check_finite=False)
    # Sums of products rather than products of BLAS, whose threads wait for each other in these
    # short calls for longer than they work when the machine is busy.
    dual = (inverse * target).sum(axis=1)
    variance = float((target * dual).sum()) / size
    away = np.log(lengths / 0.7)
    value = 0.5 * size * np.log(variance) + float(np.log(np.diag(factored[0])).sum())
    value += float(0.5 * (away**2).sum() + 0.2 * strengths.sum())
    pull = 0.5 * (inverse - np.outer(dual, dual) / variance)
    gradient = np.concatenate([0.2 * strengths, away, [noise * np.trace(pull)]])
    before = pull
    for i, (given, strength, length) in enumerate(_each(hyper, inputs)):
        others = before * after.pop()
        gradient[i] += float((others * (factors[i] - 1.0)).sum())
        if given.ordered:
            slope = (given.kernel(length * np.exp(_STEP)) - given.kernel(length)) / _STEP
            others *= given.between(slope, rows, rows)
            gradient[count + i] += strength * float(others.sum())
        before = before * factors[i]
    return value, gradient
