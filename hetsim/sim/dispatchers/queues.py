"""Queues of tasks that are ready, one for each unit."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappop, heappush

from hetsim.sim.task import Task

Rank = tuple[float, int]
"""The smaller the earlier: what the dispatcher goes by, then the order of arrival."""


class Queues:
    """For each unit the tasks that it may begin, by rank, then in plan order."""

    def __init__(self, units: int) -> None:
        self._heaps: list[list[tuple[Rank, int, Task]]] = [[] for _ in range(units)]

    def push(self, task: Task, rank: Rank) -> None:
        """``task`` waits for its unit."""
        heappush(self._heaps[task.job.pu], (rank, task.position, task))

    def pop(self, unit: int, before: Rank | None = None) -> Task | None:
        """The first task of ``unit``, if it has one, and that ranks below ``before``."""
        heap = self._heaps[unit]
        if not heap or (before is not None and heap[0][0] >= before):
            return None
        return heappop(heap)[2]

    def waiting(self, unit: int) -> int:
        """How many wait for ``unit``."""
        return len(self._heaps[unit])

    def forget(self, inference: int, units: Iterable[int]) -> None:
        """Takes out what waits of an inference, in time in proportion to what waits."""
        for unit in units:
            heap = self._heaps[unit]
            heap[:] = [entry for entry in heap if entry[2].inference != inference]
            heapify(heap)
