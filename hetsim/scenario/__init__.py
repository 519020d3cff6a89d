"""Scenario files: what to simulate, with which schedulers, on which SoC."""
