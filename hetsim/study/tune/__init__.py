"""Better plans: the search of :mod:`hetsim.schedulers.search` with the simulator in the loop.

Here live the worker processes, which judge by simulating (:mod:`.crew`), the state file
(:mod:`.state`), the search (:mod:`.search`), the study around it (:mod:`.study`), what it finds
(:mod:`.result`) and what it writes (:mod:`.report`).
"""
