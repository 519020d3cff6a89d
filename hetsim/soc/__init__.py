"""SoCs as described: schema of their files, kinds of processing units, and the checked object.

Imports the ground (units, errors, names, YAML, plug-ins) and :mod:`hetsim.workload`, which
imports nothing of it: operator kinds, convolution classes and data types are named there.
"""
