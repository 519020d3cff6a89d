"""A physical model whose predictions come with the table: another simulation, say.

Used when a learned model corrects hetsim's own analytical model or stands in for a slower
fidelity: the table's columns ``physical`` and ``floor`` hold what the faster model said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hetsim.learn.physical.base import Baseline, Fitted
from hetsim.learn.tables.table import Measurements
from hetsim.numeric import Floats

PHYSICAL, FLOOR = "physical", "floor"


@dataclass(frozen=True)
class FittedGiven(Fitted):
    """Reads predictions and bounds from the table."""

    def predict(self, table: Measurements) -> Floats:
        """The column ``physical``."""
        return table.number(PHYSICAL)

    def floor(self, table: Measurements) -> Floats:
        """The column ``floor``."""
        return table.number(FLOOR)

    def parameters(self) -> Mapping[str, float]:
        """None: everything is in the table."""
        return {}


@dataclass(frozen=True)
class GivenBaseline(Baseline):
    """Has nothing to fit."""

    name: str = "given"

    def fit(self, table: Measurements) -> FittedGiven:
        """The reader of the table's own predictions."""
        return FittedGiven()

    def restore(self, parameters: Mapping[str, float]) -> FittedGiven:
        """The same."""
        return FittedGiven()
