"""One plan or one scenario, from start to finish.

:mod:`.case` holds one network on one SoC, :mod:`.scenario` runs every scheduler of a scenario,
:mod:`.judge` simulates what is new in a plan, :mod:`.profile` makes what schedulers are told.
Imports everything from analysis down; what runs many of these is :mod:`hetsim.study`. (Not called
``run``, because :func:`hetsim.run` is the function.)
"""
