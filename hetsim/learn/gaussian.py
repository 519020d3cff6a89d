"""Gaussian-process regression on the residual: what a few hundred smooth rows allow.

Rasmussen & Williams, "Gaussian Processes for Machine Learning" (MIT Press, 2006), chapters 2 and 5.
The covariance is a sum of a linear part (trends that extrapolate), a rough exponential part and
a smoother Matern 3/2 part, plus noise. Its six hyper-parameters maximise the posterior given
the training rows alone (a log-normal prior around moderate values keeps tiny tables sane).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hetsim.numeric import AnyFloats, Floats

MOST_ROWS = 1000
"""More training rows than this are left to the networks: the work grows with their cube."""

_JITTER = 1e-8
_PRIOR_DEVIATION = 2.0
_CHUNK = 512
"""Rows predicted at a time: their covariances with the training rows stay in the cache."""


@dataclass(frozen=True)
class GaussianProcess:
    """A conditioned process: training inputs, their dual weights, hyper-parameters (logs)."""

    inputs: Floats
    weights: Floats
    hyper: Floats

    @classmethod
    def fit(cls, inputs: Floats, target: Floats) -> GaussianProcess:
        """Chooses the hyper-parameters and conditions on the rows (``target`` near zero mean)."""
        from scipy.linalg import LinAlgError, cho_factor, cho_solve
        from scipy.optimize import minimize

        distance = np.sqrt(_square_distance(inputs, inputs))
        product = inputs @ inputs.T / inputs.shape[1]
        variance = max(float(target.var()), 1e-8)
        centre = np.log(
            [variance / 3, 3.0, variance / 3, 3.0, variance / 10, max(variance / 20, 1e-8)]
        )
        diagonal = np.eye(len(target))

        def loss(hyper: Floats) -> float:
            covariance = _covariance(hyper, distance, product)
            covariance += (np.exp(hyper[5]) + _JITTER) * diagonal
            prior = 0.5 * float((((hyper - centre) / _PRIOR_DEVIATION) ** 2).sum())
            try:
                factor = cho_factor(covariance, lower=True, check_finite=False)
            except LinAlgError:
                return 1e10
            fit = 0.5 * float(target @ cho_solve(factor, target, check_finite=False))
            return fit + float(np.log(np.diag(factor[0])).sum()) + prior

        bounds = [(value - 6.0, value + 4.0) for value in centre]
        found = minimize(loss, centre, method="L-BFGS-B", bounds=bounds, options={"maxiter": 40})
        hyper = np.asarray(found.x, dtype=float)
        covariance = _covariance(hyper, distance, product)
        covariance += (np.exp(hyper[5]) + _JITTER) * diagonal
        weights = cho_solve(cho_factor(covariance, lower=True), target)
        return cls(inputs, np.asarray(weights, dtype=float), hyper)

    def predict(self, inputs: Floats) -> Floats:
        """The posterior mean of rows of inputs."""
        answer = np.empty(len(inputs))
        basis = self.inputs.astype(np.float32)
        weights = self.weights.astype(np.float32)
        # The linear part needs no covariance: it is a weight per feature.
        slopes = np.float32(np.exp(self.hyper[4])) * (basis.T @ weights)
        slopes /= np.float32(self.inputs.shape[1])
        for begin in range(0, len(inputs), _CHUNK):
            rows = inputs[begin : begin + _CHUNK].astype(np.float32)
            distance = _square_distance(rows, basis)
            np.sqrt(distance, out=distance)
            answer[begin : begin + _CHUNK] = _curved(self.hyper, distance) @ weights + rows @ slopes
        return answer


def _square_distance(left: AnyFloats, right: AnyFloats) -> AnyFloats:
    cross = left @ right.T
    cross *= -2.0
    cross += (left * left).sum(axis=1)[:, None]
    cross += (right * right).sum(axis=1)
    np.maximum(cross, 0.0, out=cross)
    return cross


def _covariance(hyper: Floats, distance: AnyFloats, product: AnyFloats) -> AnyFloats:
    """The whole covariance without noise; ``hyper`` are logarithms."""
    return np.asarray(_curved(hyper, distance) + np.exp(hyper[4]) * product)


def _curved(hyper: Floats, distance: AnyFloats) -> AnyFloats:
    """Its two stationary parts, in the precision of ``distance``."""
    rough, rough_length, smooth, smooth_length = np.exp(hyper[:4]).astype(distance.dtype)
    scaled = distance * (np.sqrt(3.0) / smooth_length).astype(distance.dtype)
    total = np.exp(-scaled)
    scaled += 1
    total *= scaled
    total *= smooth
    np.multiply(distance, -1 / rough_length, out=scaled)
    np.exp(scaled, out=scaled)
    scaled *= rough
    total += scaled
    return np.asarray(total)
