"""Who decides: schedulers turn a problem (network, SoC, profile) into a plan.

:mod:`.base` has the contract and :mod:`.registry` the names; a folder per family of algorithms.
Imports bounds, plans, costs' profile and what stands under them; never the simulator, which is
handed in through the problem.
"""
