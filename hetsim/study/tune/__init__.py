"""Better plans: the search of :mod:`hetsim.schedulers.search` with the simulator in the loop.

Here live the worker processes (:mod:`.crew`), the state file (:mod:`.state`), the study itself
(:mod:`.study`) and what it finds (:mod:`.result`) and writes (:mod:`.report`).
"""
