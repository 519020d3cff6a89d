"""How wrong hetsim is: every check against something that is not hetsim, behind one contract.

A :class:`~hetsim.validate.base.Check` tells its data set and licence and yields rows of a reference
value beside the simulated one; what errors follow, which are allowed (``thresholds.yaml``) and how
they are shown is the same for all. Tables stand in ``hetsim/data`` with their sources. Imports what
simulates (:mod:`hetsim.runs`), calibrates and measures; only the command line imports it.
"""
