"""Costs from first principles: peak rates, efficiencies, array mappings, tiling."""

from hetsim.cost.analytical.model import AnalyticalModel, register

__all__ = ["AnalyticalModel", "register"]
