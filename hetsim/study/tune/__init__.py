"""``hetsim tune``: the search of :mod:`hetsim.schedulers.search` with the simulator in the loop.

Here live the judge that simulates (:mod:`.incremental`), the worker processes (:mod:`.workers`),
the state file (:mod:`.state`), the study itself (:mod:`.study`) and what it writes
(:mod:`.report`).
"""
