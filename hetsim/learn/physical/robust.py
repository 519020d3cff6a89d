"""Robust, bounded fitting of positive parameters on the logarithm of time.

Times span four decades and a few rows are odd (a kernel the tuner never found), so residuals are
log(predicted / measured) under a soft-L1 loss: quadratic for small errors, linear for large ones.
Parameters are positive and are searched as logarithms, pulled weakly to their starting values so
that those the rows say nothing about stay plausible.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hetsim.numeric import Floats

SOFT_THRESHOLD = 0.1
"""Log error (about 10 %) at which the loss turns from quadratic to linear."""

PULL = 0.1
"""Weight of one factor of e away from the start, as a log error."""

SPAN_DOWN, SPAN_UP = 10.0, 5.0
"""How many factors of e a parameter may fall or rise from its start."""


def fit_log_parameters(
    predict: Callable[[Floats], Floats],
    target: Floats,
    start: Floats,
    upper: Floats | None = None,
    weights: Floats | None = None,
) -> tuple[Floats, float]:
    """Minimises the robust log error of ``predict(parameters)`` against ``target``.

    ``start`` and ``upper`` are positive parameter values. Returns the parameters and the robust
    loss reached (without the pull), by which discrete choices are compared.
    """
    from scipy.optimize import least_squares

    origin = np.log(start)
    low, high = origin - SPAN_DOWN, origin + SPAN_UP
    if upper is not None:
        high = np.minimum(high, np.log(upper))
        origin = np.minimum(origin, high - 1e-3)
    scale = np.ones_like(target) if weights is None else np.sqrt(weights)

    def residuals(point: Floats) -> Floats:
        error = scale * np.log(predict(np.exp(point)) / target)
        return np.concatenate([error, PULL * (point - origin)])

    solution = least_squares(
        residuals, origin, bounds=(low, high), loss="soft_l1", f_scale=SOFT_THRESHOLD, max_nfev=200
    )
    found = np.asarray(solution.x, dtype=float)
    scaled = (scale * np.log(predict(np.exp(found)) / target) / SOFT_THRESHOLD) ** 2
    loss = float(np.mean(2.0 * (np.sqrt(1.0 + scaled) - 1.0)))
    return np.exp(found), loss
