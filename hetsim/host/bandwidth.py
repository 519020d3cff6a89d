"""Memory bandwidth of this machine, measured with numpy on arrays larger than its caches.

STREAM's kernels (McCalpin, "Memory Bandwidth and Machine Balance", 1995) as numpy can run them:
copy, and triad in two passes. Bytes are counted as the program sees them, without the line that a
store may fetch first, so that they mean the same as the simulator's bytes.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from hetsim.errors import ResultsError
from hetsim.host.clock import Stopwatch
from hetsim.host.machine import Machine, pinned

LARGEST = 512 << 20
"""Bytes of one array at most, so that small machines survive."""


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """B/s of all threads together; ``fits_cache`` when no array beyond the caches was possible."""

    threads: int
    copy: float
    triad: float
    array_bytes: int
    fits_cache: bool

    @property
    def best(self) -> float:
        """The faster kernel's."""
        return max(self.copy, self.triad)


def array_bytes(machine: Machine, threads: int) -> int:
    """Size of one array: twice the largest cache, a sixteenth of the memory at most."""
    most = LARGEST
    if machine.memory_bytes is not None:
        most = min(most, machine.memory_bytes // (16 * threads))
    return max(1 << 20, min(2 * machine.largest_cache, most))


def measure_bandwidth(machine: Machine, threads: int, repeats: int = 7) -> Bandwidth:
    """Measures with ``threads`` threads, each pinned to a core of its own; medians.

    Raises:
        ResultsError: others took all the time of every repeat.
    """
    size = array_bytes(machine, threads)
    copies = _together(machine.cpus, threads, size, repeats, _copy)
    triads = _together(machine.cpus, threads, size, repeats, _triad)
    return Bandwidth(threads, copies, triads, size, size <= machine.largest_cache)


def _copy(a: Any, b: Any, _c: Any) -> int:
    import numpy as np

    np.copyto(a, b)
    return int(a.nbytes + b.nbytes)


def _triad(a: Any, b: Any, c: Any) -> int:
    import numpy as np

    np.multiply(c, 3.0, out=a)
    np.add(a, b, out=a)
    return int(3 * a.nbytes + b.nbytes + c.nbytes)


def _together(cpus: Sequence[int], threads: int, size: int, repeats: int, kernel: Any) -> float:
    """Median over repeats of all threads' bytes over the slowest thread's time."""
    import numpy as np

    barrier = threading.Barrier(threads)
    times = [[0.0] * threads for _ in range(repeats)]
    moved = [0] * threads

    def work(index: int) -> None:
        with pinned([cpus[index % len(cpus)]]):
            arrays = [np.full(size // 8, float(i + 1)) for i in range(3)]
            kernel(*arrays)
            for repeat in range(repeats):
                barrier.wait()
                watch = Stopwatch()
                moved[index] = kernel(*arrays)
                times[repeat][index] = watch.stop().own_s

    workers = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    told = [max(row) for row in times if max(row) > 0]  # else others had the cores all the time
    if not told:
        raise ResultsError(
            "the memory's bandwidth cannot be told: others take all of this machine's time",
            hint="measure when the machine is quiet",
        )
    return median(sum(moved) / seconds for seconds in told)
