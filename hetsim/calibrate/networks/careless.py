"""The careless model that any other has to beat: a sum of ten products, by device and precision.

Seconds = multiply-accumulates of four classes of operators, other arithmetic, bytes of weights and
of activations, operators, transposes and the like, and one, each times a number that is not below
zero. The numbers minimise the absolute errors relative to the geometric mean of both times
(iteratively reweighted least squares), so half and twice are as wrong as each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hetsim.calibrate.networks.cases import MeasuredNetwork
from hetsim.errors import ConfigError
from hetsim.numeric import Floats
from hetsim.workload.graph import Graph, Operator

FEWEST = 5
"""Rows of a precision from which numbers of its own are fitted."""

MOVERS = frozenset({"Transpose", "Concat", "Split", "Slice", "Gather", "Pad", "Resize"})
"""Kinds that only move elements; counted by elements written."""

PARAMETERS = (
    "dense MACs", "grouped MACs", "depthwise MACs", "product MACs", "element operations",
    "elements moved", "weights", "activations", "operators", "inference",
)  # fmt: skip

_ROUNDS = 30
_LEAST = 0.02
"""Relative errors below this weigh alike."""


class CarelessModel:
    """Ten numbers for each precision of a device."""

    name = "careless"

    def __init__(self) -> None:
        self._known: dict[int, tuple[Graph, Floats]] = {}

    def fit(
        self, cases: Sequence[MeasuredNetwork], others: Sequence[MeasuredNetwork] = ()
    ) -> CarelessFit:
        """Fits each precision apart; ``others`` are not looked at.

        Raises:
            ConfigError: fewer than :data:`FEWEST` cases of every precision.
        """
        groups = sorted({case.precision.group for case in cases})
        rates = {}
        for group in groups:
            rows = [case for case in cases if case.precision.group == group]
            if len(rows) >= FEWEST:
                asked = np.array([self._counts(case.graph) for case in rows])
                rates[group] = _fit(asked, np.array([case.seconds for case in rows]))
        if not rates:
            raise ConfigError(
                f"{len(cases)} measured networks are too few to fit {len(PARAMETERS)} numbers",
                hint=f"a precision needs at least {FEWEST}",
            )
        return CarelessFit(rates, self)

    def counts(self, cases: Sequence[MeasuredNetwork]) -> Floats:
        """What each case asks for, a row of :data:`PARAMETERS` each."""
        return np.array([self._counts(case.graph) for case in cases]).reshape(-1, len(PARAMETERS))

    def _counts(self, graph: Graph) -> Floats:
        known = self._known.get(id(graph))
        if known is None:  # the graph is kept beside, so that its id stays its own
            known = self._known[id(graph)] = graph, _count(graph)
        return known[1]


@dataclass(frozen=True)
class CarelessFit:
    """Seconds per unit of each of :data:`PARAMETERS`, by precision."""

    rates: dict[str, Floats]
    model: CarelessModel = field(repr=False)

    def predict(self, cases: Sequence[MeasuredNetwork]) -> Floats:
        """Seconds of each case; NaN in a precision that was not fitted."""
        unknown = np.full(len(PARAMETERS), np.nan)
        rates = np.array([self.rates.get(case.precision.group, unknown) for case in cases])
        asked = self.model.counts(cases) * rates.reshape(-1, len(PARAMETERS))
        return np.asarray(asked.sum(axis=1), dtype=np.float64)


def _fit(asked: Floats, seconds: Floats) -> Floats:
    from scipy.optimize import nnls

    scale = np.maximum((asked / seconds[:, None]).max(axis=0), 1e-300)
    predicted, weights = seconds, np.ones(len(seconds))
    rates = np.zeros(asked.shape[1])
    for _ in range(_ROUNDS):
        row = weights / np.sqrt(predicted * seconds)
        rates = nnls(asked / scale * row[:, None], seconds * row)[0] / scale
        # A prediction of nothing would weigh without end.
        predicted = np.maximum(asked @ rates, 0.05 * seconds)
        error = np.abs(predicted - seconds) / np.sqrt(predicted * seconds)
        weights = 1 / np.sqrt(np.maximum(error, _LEAST))
    return np.asarray(rates, dtype=np.float64)


def _count(graph: Graph) -> Floats:
    counts = np.zeros(len(PARAMETERS))
    for op in graph.operators:
        written = sum(graph.tensors[name].elements for name in op.outputs)
        read = sum(graph.tensors[name].elements for name in op.inputs)
        counts[_class_of(op)] += op.macs
        counts[4] += op.element_ops
        counts[5] += written if op.kind in MOVERS else 0
        counts[6] += op.weight_elements
        counts[7] += read + written
        counts[8] += 1
    counts[9] = 1
    return counts


def _class_of(op: Operator) -> int:
    if op.kind not in ("Conv", "ConvTranspose"):
        return 3
    return {"grouped": 1, "depthwise": 2}.get(op.variant, 0)
