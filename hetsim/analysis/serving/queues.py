"""How many wait, and how many are there, over time; and the laws that tie them to latencies.

Number in the system: arrived and not ended; number waiting: arrived and not begun. Both are step
functions, and their integrals are sums over inferences (Little, "A proof for the queuing formula
L = λW", Operations Research 9, 1961; exactly so over any stretch that begins and ends empty).
"""

from __future__ import annotations

import numpy as np

from hetsim.numeric import Floats


def integral(begin: Floats, end: Floats, low: float, high: float) -> float:
    """Seconds between ``begin`` and ``end`` (n,), summed, between ``low`` and ``high``.

    That is the integral of the number that are between the two.
    """
    inside = np.minimum(end, high) - np.maximum(begin, low)
    return float(np.maximum(inside, 0.0).sum())


def steps(begin: Floats, end: Floats) -> tuple[Floats, Floats]:
    """When the number between ``begin`` and ``end`` (n,) changes, and the number from then on.

    Who leaves at a moment at which another one comes has left before; nobody is there for no time.
    """
    there = end > begin
    times = np.concatenate((end[there], begin[there]))
    changes = np.concatenate((-np.ones(there.sum()), np.ones(there.sum())))
    order = np.argsort(times, kind="stable")
    return times[order], np.cumsum(changes[order])


def most(begin: Floats, end: Floats, low: float = 0.0) -> int:
    """The most that are there at a moment after ``low``."""
    later = end > low
    _, numbers = steps(np.maximum(begin[later], low), end[later])
    return int(numbers.max(initial=0.0))
