"""Costs from first principles: peak rates, efficiencies, array mappings, tiling."""

from hetsim.cost.analytical.model import AnalyticalModel

__all__ = ["AnalyticalModel"]
