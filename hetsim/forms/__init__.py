"""Closed forms of time: matrix arrays and convolutions on vector cores, as pure functions.

They answer in :mod:`hetsim.cost` and are fitted in :mod:`hetsim.learn`, so they stand below both.
Imports descriptions (:mod:`hetsim.soc`) and operators (:mod:`hetsim.workload`).
"""
