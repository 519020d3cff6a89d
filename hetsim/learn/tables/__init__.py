"""Measurement tables: reading them, checking them, and saying what was wrong with them."""

from hetsim.learn.tables.reader import read_measurements
from hetsim.learn.tables.table import Measurements, Problem

__all__ = ["Measurements", "Problem", "read_measurements"]
