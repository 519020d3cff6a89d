"""Whole networks measured on real devices: one table, whatever tool it came from.

A :class:`~hetsim.calibrate.networks.table.NetworkTime` is no operator profile: nothing says where
in the network the time went. It judges a simulated makespan, it does not feed one.
"""
