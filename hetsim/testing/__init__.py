"""Kits: the checks that everything which extends hetsim must pass, for its author's own tests.

A kit is a class of tests that says what a contract asks. The author of a plug-in subclasses it,
names the plug-in, and runs pytest::

    from hetsim.testing import SchedulerKit

    class TestMine(SchedulerKit):
        name = "mine"

Each test of a kit is a method without arguments, so any runner will do, and :meth:`Kit.check` runs
them all without one: ``SchedulerKit.of(name="./mine.py:Mine").check()``. What fails is an
``AssertionError`` that names the seed of the case, and :mod:`hetsim.testing.problems` makes that
case again. Hetsim's own schedulers, cost models, kinds, executors and readers pass the same kits.
"""

from hetsim.testing.kit import Kit
from hetsim.testing.scheduler import SchedulerKit

__all__ = ["Kit", "SchedulerKit"]
