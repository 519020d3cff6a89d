"""How sure a model of whole networks is: residuals of rows kept aside, by device and precision.

Rows of one network under several runtimes, and networks of one family, are near copies; they are
kept aside together. What a row is off by is nobody else's error, so each is a group of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hetsim.calibrate.networks.judge import Judged
from hetsim.calibrate.spread import FEWEST_ROWS, EstimatedSpread, Residual, estimate_spread

Place = tuple[str, str]
"""Device and group of precisions."""


CONCENTRATION = 0.05
"""Models of whole networks do not tell where the time goes: of twenty kernels of like size."""


def sureness(judged: Judged, model: str) -> dict[Place, EstimatedSpread]:
    """The uncertainty of ``model`` on every device in every precision with enough rows."""
    return {
        place: estimate_spread([residual for _, residual in rows])
        for place, rows in residuals_by_place(judged, model).items()
        if len(rows) >= FEWEST_ROWS
    }


def residuals_by_place(judged: Judged, model: str) -> dict[Place, list[tuple[int, Residual]]]:
    """The residuals of ``model``, each with the position of its case; places in order of names."""
    rows: dict[Place, list[tuple[int, Residual]]] = {}
    for i, (case, seconds) in enumerate(zip(judged.cases, judged.predicted[model], strict=True)):
        if not np.isfinite(seconds):
            continue
        log_ratio = float(np.log(case.seconds / seconds))
        residual = Residual(log_ratio, f"row {i}", {}, CONCENTRATION, case.family)
        rows.setdefault((case.device, case.precision.group), []).append((i, residual))
    return dict(sorted(rows.items()))


def covered(found: Mapping[Place, EstimatedSpread]) -> float:
    """The share of all rows within the range that rows of other families give; NaN of none."""
    known = [one for one in found.values() if np.isfinite(one.covered)]
    rows = sum(one.rows for one in known)
    return sum(one.covered * one.rows for one in known) / rows if rows else float("nan")
