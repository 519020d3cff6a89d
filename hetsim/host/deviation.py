"""How far the outputs of two runs of one network are apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def deviation(made: Mapping[str, Any], expected: Mapping[str, Any]) -> float:
    """The largest difference of an output from what is expected, by the largest value expected.

    Infinite when shapes differ or a number is missing on one side.
    """
    import numpy as np

    worst = 0.0
    for name, array in expected.items():
        want = np.asarray(array, dtype=np.float64)
        have = np.asarray(made[name], dtype=np.float64)
        if want.shape != have.shape or (np.isnan(want) != np.isnan(have)).any():
            return float("inf")
        finite = np.isfinite(want) & np.isfinite(have)
        if (want[~finite] != have[~finite])[~np.isnan(want[~finite])].any():
            return float("inf")
        if finite.any():
            scale = float(np.abs(want[finite]).max()) or 1.0
            worst = max(worst, float(np.abs(have - want)[finite].max()) / scale)
    return worst
