"""Kits: the checks that everything which extends hetsim must pass, for its author's own tests.

A kit is a class of tests that says what a contract asks. The author of a plug-in subclasses it,
names the plug-in, and runs pytest::

    from hetsim.testing import SchedulerKit

    class TestMine(SchedulerKit):
        name = "mine"

Each test of a kit is a method without arguments, so any runner will do, and
:meth:`~hetsim.testing.kit.Kit.check` runs them all without one:
``SchedulerKit.of(name="./mine.py:Mine").check()``. What fails is an ``AssertionError`` that says
of what; :mod:`hetsim.testing.problems` makes the problem of a scheduler again. Hetsim's own
schedulers, dispatchers, arrival processes, cost models, kinds, formats, executors, readers and
studies pass the same kits.

The names below are imported on first use: worker processes need one kit's bench and nothing else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hetsim.testing.arrivals import ArrivalsKit as ArrivalsKit
    from hetsim.testing.check import CheckKit as CheckKit
    from hetsim.testing.cost_model import CostModelKit as CostModelKit
    from hetsim.testing.dispatcher import DispatcherKit as DispatcherKit
    from hetsim.testing.executor import ExecutorKit as ExecutorKit
    from hetsim.testing.kit import Kit as Kit
    from hetsim.testing.model_format import ModelFormatKit as ModelFormatKit
    from hetsim.testing.pu_kind import PUKindKit as PUKindKit
    from hetsim.testing.reader import ReaderKit as ReaderKit
    from hetsim.testing.scheduler import SchedulerKit as SchedulerKit
    from hetsim.testing.study import StudyKit as StudyKit

_KITS = {
    "ArrivalsKit": "hetsim.testing.arrivals",
    "CheckKit": "hetsim.testing.check",
    "CostModelKit": "hetsim.testing.cost_model",
    "DispatcherKit": "hetsim.testing.dispatcher",
    "ExecutorKit": "hetsim.testing.executor",
    "Kit": "hetsim.testing.kit",
    "ModelFormatKit": "hetsim.testing.model_format",
    "PUKindKit": "hetsim.testing.pu_kind",
    "ReaderKit": "hetsim.testing.reader",
    "SchedulerKit": "hetsim.testing.scheduler",
    "StudyKit": "hetsim.testing.study",
}

__all__ = [
    "ArrivalsKit",
    "CheckKit",
    "CostModelKit",
    "DispatcherKit",
    "ExecutorKit",
    "Kit",
    "ModelFormatKit",
    "PUKindKit",
    "ReaderKit",
    "SchedulerKit",
    "StudyKit",
]


def __getattr__(name: str) -> object:
    if name not in _KITS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_KITS[name]), name)
