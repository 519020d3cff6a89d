"""Simulation in the loop: searching for better plans by trying them.

Part of the schedulers' room, because it only decides: it changes plans (:mod:`.moves` on the
:mod:`.genome` of a plan), asks a :class:`~hetsim.schedulers.search.judge.Judge` what each is worth,
and keeps the better ones (:mod:`.chain`, :mod:`.search`). It never imports the simulator: the judge
is handed in, by :mod:`hetsim.study.tune` or through ``Problem.evaluate``.
"""
