"""A bench for plain functions: a job is a call of one of them.

One pool can so do different work one after the other, with whatever its workers have loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hetsim.executors.base import Bench


@dataclass(frozen=True, slots=True)
class Call:
    """``function(*arguments)``: a function of a module, and plain data."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """What stands for the answer of a call whose worker died of it."""

    reason: str


class Caller(Bench[Call, Any]):
    """Makes calls; an error in one of them is raised where its answer is waited for."""

    def evaluate(self, job: Call) -> Any:
        """What the function returns."""
        return job.function(*job.arguments)

    def lost(self, job: Call, reason: str) -> Lost:
        """See :class:`Lost`."""
        return Lost(reason)


CALLER = Caller()
"""The one that is needed: it knows nothing."""
