"""Timing that can tell a disturbed run: how much of it the operating system gave to others.

A thread that computes all the time uses as much processor time as passes on the wall; what is
missing was taken by other programs. On one thread that share can be left out; for several at once
the runs that lost least are taken.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

DISTURBED = 0.02
"""A run that lost more than this share of its time to others is disturbed."""

FEWEST = 5
"""With fewer undisturbed runs than this, the least disturbed ones are taken as well."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: seconds on the wall, and seconds of them that others had the core."""

    wall_s: float
    taken_s: float = 0.0

    @property
    def own_s(self) -> float:
        """Wall-clock time without what was taken."""
        return self.wall_s - self.taken_s

    @property
    def disturbed(self) -> bool:
        """Whether others took a noticeable share."""
        return self.taken_s > DISTURBED * self.wall_s


class Stopwatch:
    """Times the calling thread from its construction on."""

    __slots__ = ("_cpu", "_wall")

    def __init__(self) -> None:
        self._wall = time.perf_counter()
        self._cpu = time.thread_time()

    def stop(self, *, alone: bool = True) -> Sample:
        """The time so far; ``alone=False`` when other threads of ours worked along."""
        cpu = time.thread_time() - self._cpu
        wall = time.perf_counter() - self._wall
        return Sample(wall, max(0.0, wall - cpu) if alone else 0.0)


def undisturbed(samples: Sequence[Sample]) -> list[Sample]:
    """The undisturbed samples, or the least disturbed ones when there are too few."""
    quiet = [sample for sample in samples if not sample.disturbed]
    if len(quiet) >= min(FEWEST, len(samples)):
        return quiet
    ranked = sorted(samples, key=lambda s: s.taken_s / s.wall_s if s.wall_s else 0.0)
    return ranked[: min(FEWEST, len(samples))]
