"""Figures of a check: how far its rows are from their references."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from hetsim.validate.base import Row

MEASURES: Mapping[str, str] = {
    "rows": "how many comparisons there are",
    "mean": "mean of the absolute error (MAPE)",
    "median": "median of the absolute error",
    "p90": "what nine rows of ten stay below",
    "worst": "largest absolute error",
    "bias": "median of the signed error",
    "rank": "Spearman's correlation within a group, mean over groups of at least three rows",
    "coverage": "share of the references that lie within the simulated range",
}
"""What is told of every check that has it, and what a limit may be about."""


def figures(rows: Sequence[Row]) -> dict[str, float | None]:
    """:data:`MEASURES` of ``rows``, errors as shares; ``None`` where there is nothing to tell.

    ``worst`` is of every row; no figure leaves any out but ``coverage``, which is of those that
    have a range.
    """
    if not rows:
        return {"rows": 0.0, **dict.fromkeys(list(MEASURES)[1:])}
    signed = np.array([row.error for row in rows])
    error = np.abs(signed)
    inside = [
        row.low <= row.reference <= row.high
        for row in rows
        if row.low is not None and row.high is not None
    ]
    return {
        "rows": float(len(rows)),
        "mean": float(error.mean()),
        "median": float(np.median(error)),
        "p90": float(np.quantile(error, 0.9)),
        "worst": float(error.max()),
        "bias": float(np.median(signed)),
        "rank": _rank(by_group(rows).values()),
        "coverage": float(np.mean(inside)) if inside else None,
    }


def by_group(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows by group, in the order in which groups come first."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.group, []).append(row)
    return found


def said(measure: str, value: float | None) -> str:
    """A figure as people read it."""
    if value is None:
        return "–"
    if measure == "rows":
        return f"{value:,.0f}"
    if measure == "rank":
        return f"{value:.3f}"
    return share(value, signed=measure == "bias")


def share(value: float, *, signed: bool = False) -> str:
    """A share as percent; one that no percent can tell as a power of ten."""
    sign = "+" if signed else ""
    if value and abs(value) < 1e-6:
        return f"{value:{sign}.0e}"
    digits = "0f" if value == 0 or abs(value) >= 1 else "1f" if abs(value) >= 0.001 else "1g"
    return f"{100.0 * value:{sign}.{digits}} %"


def _rank(groups: Iterable[Sequence[Row]]) -> float | None:
    from scipy.stats import rankdata

    found = []
    for rows in groups:
        ranks = [rankdata([row.reference for row in rows]), rankdata([r.simulated for r in rows])]
        if len(rows) >= 3 and all(np.ptp(rank) > 0 for rank in ranks):
            found.append(float(np.corrcoef(*ranks)[0, 1]))
    return float(np.mean(found)) if found else None
