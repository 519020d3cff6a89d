"""Better plans: the search of :mod:`hetsim.schedulers.search` with the simulator in the loop.

Here live the worker processes, which judge by simulating (:mod:`.crew`), the state file
(:mod:`.state`), the study itself (:mod:`.study`), what it finds (:mod:`.result`) and what it writes
(:mod:`.report`).
"""
