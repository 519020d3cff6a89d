"""Timing that can tell a disturbed run: how long our threads waited for a core others had.

Linux counts for every thread how long it was ready to run and did not (``schedstat``). Where that
is missing, a thread that computes all the time lost what its processor time lacks on the wall. On
one thread the loss can be left out; for several at once the runs that lost least are taken.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DISTURBED = 0.02
"""A run that lost more than this share of its time to others is disturbed."""

FEWEST = 5
"""With fewer undisturbed runs than this, the least disturbed ones are taken as well."""

_TASKS = Path("/proc/self/task")


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: seconds on the wall, and seconds that its threads waited for cores meanwhile."""

    wall_s: float
    taken_s: float = 0.0

    @property
    def own_s(self) -> float:
        """Wall-clock time without what was taken; of runs on one thread."""
        return self.wall_s - self.taken_s

    def at(self, pace: float) -> Sample:
        """The same run on a machine that is ``pace`` times as fast."""
        return Sample(self.wall_s / pace, self.taken_s / pace)

    @property
    def disturbed(self) -> bool:
        """Whether others took a noticeable share."""
        return self.taken_s > DISTURBED * self.wall_s


class Stopwatch:
    """Times the calling thread from its construction on."""

    __slots__ = ("_cpu", "_waited", "_wall")

    def __init__(self) -> None:
        self._waited = waited_by(threading.get_native_id())
        self._cpu = time.thread_time()
        self._wall = time.perf_counter()

    def stop(self, *, alone: bool = True) -> Sample:
        """The time so far; ``alone=False`` when other threads of ours worked along."""
        wall = time.perf_counter() - self._wall
        cpu = time.thread_time() - self._cpu
        waited = waited_by(threading.get_native_id())
        if waited is not None and self._waited is not None:
            return Sample(wall, min(wall, waited - self._waited))
        return Sample(wall, max(0.0, wall - cpu) if alone else 0.0)


def waited_by(thread: int) -> float | None:
    """Seconds that a thread of this process waited for a core so far; ``None`` if untold."""
    try:
        return int((_TASKS / str(thread) / "schedstat").read_text().split()[1]) * 1e-9
    except (OSError, IndexError, ValueError):
        return None


def waited_by_others() -> float:
    """Seconds that all threads of this process but the calling one waited so far; 0 if untold."""
    mine = threading.get_native_id()
    try:
        tasks = [int(name) for name in os.listdir(_TASKS)]
    except OSError:
        return 0.0
    return sum(waited_by(task) or 0.0 for task in tasks if task != mine)


def undisturbed(samples: Sequence[Sample]) -> list[Sample]:
    """The undisturbed samples, or the least disturbed ones when there are too few."""
    quiet = [sample for sample in samples if not sample.disturbed]
    if len(quiet) >= min(FEWEST, len(samples)):
        return quiet
    ranked = sorted(samples, key=lambda s: s.taken_s / s.wall_s if s.wall_s else 0.0)
    return ranked[: min(FEWEST, len(samples))]
