"""Scenario files: what to simulate, with which schedulers, on which SoC.

:mod:`.loader` turns a file into checked objects, :mod:`.variants` changes some of their values.
Imports the registry of schedulers and descriptions of SoCs, and runs nothing.
"""
