"""How far off each kernel of a program may be: factors on its time, sample by sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from hetsim.analysis.ranges.draws import SAMPLES, deviates
from hetsim.cost.measured.keys import operator_key
from hetsim.lower.program import Launch
from hetsim.numeric import Floats
from hetsim.soc.model import PU, SoC
from hetsim.soc.uncertainty import Spread, spread_of
from hetsim.workload.graph import Graph, Operator

NONE: Floats = np.ones(SAMPLES)
"""The factors of what is taken to be exact."""


@dataclass(frozen=True)
class Errors:
    """Factors on the times of kernels of ``graph``: measured over simulated, an array of samples.

    A kernel whose own ``spread`` is known (it was measured) errs by that alone; any other by the
    parts that its unit states. Kernels that start with equal operators err alike, and so do units
    with equal descriptions: it is the model that errs.
    """

    graph: Graph
    soc: SoC
    _keys: dict[str, str] = field(default_factory=dict, repr=False)

    @cached_property
    def _alike(self) -> Mapping[str, str]:
        """By cluster: the first one with the same description."""
        listed = self.soc.spec.pus
        return {
            name: next(n for n, s in listed.items() if s == own) for name, own in listed.items()
        }

    def known(self, launch: Launch, pu: PU) -> bool:
        """Whether anything was calibrated of a kernel."""
        if launch.work.spread is not None:
            return True
        return self._spread(self.graph.operator(launch.operators[0]), pu) is not None

    def kernel(self, launch: Launch, pu: PU) -> Floats | None:
        """The factors on a kernel; ``None`` where nothing was calibrated."""
        head = self.graph.operator(launch.operators[0])
        own = deviates(f"{self._alike[pu.cluster]}: {self._key(head)}")
        if launch.work.spread is not None:
            return np.asarray(np.exp(launch.work.spread * own))
        spread = self._spread(head, pu)
        if spread is None:
            return None
        name, common = spread.of(head.kind_path)
        unit = self._alike[pu.cluster]
        error = spread.unit * deviates(unit) + spread.kernel * own
        return np.asarray(np.exp(error + common * deviates(f"{unit}: {name}")))

    def host(self, launches: tuple[Launch, ...], pu: PU) -> Floats:
        """The factors on what the host does around ``launches``: calls, conversions, copies.

        Whoever measures a network on a unit measures these, too, so they err as the unit does.
        """
        heads = (self.graph.operator(launch.operators[0]) for launch in launches)
        spread = next((s for head in heads if (s := self._spread(head, pu))), None)
        if spread is None:
            return NONE
        return np.asarray(np.exp(spread.unit * deviates(self._alike[pu.cluster])))

    def _spread(self, head: Operator, pu: PU) -> Spread | None:
        table: Mapping[str, Spread] = pu.spec.uncertainty
        return spread_of(table, pu.stored_dtype(head.dtype)) if table else None

    def _key(self, op: Operator) -> str:
        key = self._keys.get(op.name)
        if key is None:
            key = self._keys[op.name] = operator_key(self.graph, op)
        return key
