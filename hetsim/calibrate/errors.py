"""How wrong predictions are, in the figures every report shows."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from hetsim.learn.tables.table import Column
from hetsim.numeric import Floats


@dataclass(frozen=True, slots=True)
class ErrorMetrics:
    """Relative errors (predicted / measured - 1) over ``rows`` rows, as shares of one.

    ``mape`` is the mean absolute error, ``within_10`` the share of rows within 10 %, ``bias`` the
    mean signed error.
    """

    rows: int
    mape: float
    median: float
    p90: float
    within_10: float
    bias: float

    @classmethod
    def of(cls, predicted: Floats, measured: Floats) -> ErrorMetrics:
        """The metrics of ``predicted`` against ``measured`` (same unit, at least one row)."""
        signed = predicted / measured - 1.0
        error = np.abs(signed)
        return cls(
            len(error),
            float(error.mean()),
            float(np.median(error)),
            float(np.quantile(error, 0.9)),
            float((error <= 0.1).mean()),
            float(signed.mean()),
        )

    def as_dict(self) -> dict[str, float | int]:
        """Plain data."""
        return asdict(self)


def top1_regret(predicted: Floats, measured: Floats, problem: Column) -> float | None:
    """What choosing the predicted best of each problem costs over its true best, on average.

    ``problem`` names which rows are alternatives for one job. Ties go to the first row. ``None``
    when no problem has alternatives.
    """
    regrets = []
    for name in dict.fromkeys(problem.tolist()):
        rows = np.flatnonzero(problem == name)
        if len(rows) > 1:
            chosen = measured[rows[int(np.argmin(predicted[rows]))]]
            regrets.append(float(chosen / measured[rows].min()) - 1.0)
    return float(np.mean(regrets)) if regrets else None
