"""How sure a model of whole networks is: residuals of rows kept aside, by device and precision.

Rows of one network under several runtimes, and networks of one family, are near copies; they are
kept aside together. What a row is off by is nobody else's error, so each is a group of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hetsim.calibrate.networks.cases import MeasuredNetwork
from hetsim.calibrate.networks.judge import Judged
from hetsim.calibrate.spread import FEWEST_ROWS, EstimatedSpread, Residual, estimate_spread
from hetsim.cost.measured.keys import operator_key
from hetsim.workload.graph import Graph

Place = tuple[str, str]
"""Device and group of precisions."""


@dataclass(frozen=True)
class Weights:
    """What the predicted time of a network consists of, as :class:`Residual` wants it.

    The default is for models that do not tell: no class is known, and twenty kernels of like size.
    """

    shares: Mapping[str, float] = field(default_factory=dict)
    concentration: float = 0.05


UNTOLD = Weights()


def weights_of(
    graph: Graph, kernels: Iterable[tuple[Sequence[str], float]], total_s: float
) -> Weights:
    """The weights of a simulated network of ``total_s`` seconds.

    ``kernels`` are each launch's operators by name, the head first, and its seconds. Kernels that
    start with equal operators err alike, so their shares add up before they are squared.
    """
    shares: dict[str, float] = {}
    alike: dict[str, float] = {}
    for operators, seconds in kernels:
        head, share = graph.operator(operators[0]), seconds / total_s
        name, key = head.kind_path[0], operator_key(graph, head)
        shares[name] = shares.get(name, 0.0) + share
        alike[key] = alike.get(key, 0.0) + share
    return Weights(shares, sum(share**2 for share in alike.values()))


def sureness(
    judged: Judged, model: str, weights: Callable[[MeasuredNetwork], Weights] | None = None
) -> dict[Place, EstimatedSpread]:
    """The uncertainty of ``model`` on every device in every precision with enough rows."""
    return {
        place: estimate_spread([residual for _, residual in rows])
        for place, rows in residuals_by_place(judged, model, weights).items()
        if len(rows) >= FEWEST_ROWS
    }


def residuals_by_place(
    judged: Judged, model: str, weights: Callable[[MeasuredNetwork], Weights] | None = None
) -> dict[Place, list[tuple[int, Residual]]]:
    """The residuals of ``model``, each with the position of its case; places in order of names."""
    rows: dict[Place, list[tuple[int, Residual]]] = {}
    for i, (case, seconds) in enumerate(zip(judged.cases, judged.predicted[model], strict=True)):
        if not np.isfinite(seconds):
            continue
        told = UNTOLD if weights is None else weights(case)
        log_ratio = float(np.log(case.seconds / seconds))
        residual = Residual(log_ratio, f"row {i}", told.shares, told.concentration, case.family)
        rows.setdefault((case.device, case.precision.group), []).append((i, residual))
    return dict(sorted(rows.items()))


def covered(found: Mapping[Place, EstimatedSpread]) -> float:
    """The share of all rows within the range that rows of other families give; NaN of none."""
    known = [one for one in found.values() if np.isfinite(one.covered)]
    rows = sum(one.rows for one in known)
    return sum(one.covered * one.rows for one in known) / rows if rows else float("nan")
