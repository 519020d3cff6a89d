"""A proven lower bound and the argument behind it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bound:
    """A proven lower bound on the makespan: seconds and the argument behind it."""

    seconds: float
    argument: str
