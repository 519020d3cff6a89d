"""What the SoC takes on the die and what it costs: the sums of :mod:`hetsim.soc.price`."""

from __future__ import annotations

from hetsim.analysis.metrics.base import Metric
from hetsim.soc.model import SoC


def _area(soc: SoC) -> float | None:
    return None if soc.spec.area is None else soc.spec.area.total(soc.spec)


def _cost(soc: SoC) -> float | None:
    return None if soc.spec.cost is None else soc.spec.cost.total(soc.spec)


AREA = Metric(
    "area", "area", "null when the SoC file has no area model",
    of_soc=_area,
    unit="mm²", better="less", joint="first",
    state_it="add an 'area' section to the SoC file (see hetsim schema soc)",
)  # fmt: skip

COST = Metric(
    "cost", "cost", "null when the SoC file has no cost model",
    of_soc=_cost,
    better="less", joint="first",
    state_it="add a 'cost' section to the SoC file (see hetsim schema soc)",
)  # fmt: skip

METRICS = (AREA, COST)
