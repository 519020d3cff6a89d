"""Measurement tables: reading them, checking them, and saying what was wrong with them."""

from hetsim.cost.measurements.reader import read_measurements
from hetsim.cost.measurements.table import Measurements, Problem

__all__ = ["Measurements", "Problem", "read_measurements"]
