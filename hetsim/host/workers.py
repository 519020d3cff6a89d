"""Pinned worker threads, one per PU, that run partitions in plan order as their inputs arrive.

The real counterpart of the simulator's dataflow runtime: each worker takes its partitions in
the plan's order and waits for the results it reads; ONNX Runtime releases Python's lock while it
computes, so workers run side by side.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hetsim.host.clock import Sample, waited_by_others
from hetsim.host.machine import pinned

Body = Callable[[], object]
"""Runs one partition, from the buffers it reads to those it writes."""


@dataclass(frozen=True)
class Piece:
    """A partition ready to run: its place in the plan, the places it waits for, its body."""

    position: int
    needs: tuple[int, ...]
    body: Body


@dataclass(frozen=True, slots=True)
class Run:
    """One execution: from the first piece's start to the last's end, and pieces' processor time.

    ``own_s`` is by position, of the worker's thread alone.
    """

    sample: Sample
    own_s: tuple[float, ...]


@dataclass
class _Round:
    """One execution of all pieces."""

    done: list[threading.Event]
    ended: list[float]
    own: list[float]
    begun: list[float] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)


class Team:
    """Workers that execute the same pieces again and again.

    ``cpus[w]`` are the cores of worker ``w``. Use as a context manager: threads start on entry,
    make their pieces (sessions are opened on the pinned thread, so their own threads inherit its
    cores), and end on exit. ``make`` gives the pieces of a worker, ``count`` is how many there are.
    """

    def __init__(
        self, cpus: Sequence[Sequence[int]], make: Callable[[int], list[Piece]], count: int
    ) -> None:
        self._cpus = cpus
        self._make = make
        self._start = threading.Barrier(len(cpus) + 1)
        self._end = threading.Barrier(len(cpus) + 1)
        self._round: _Round | None = None
        self._failures: list[BaseException] = []
        self._count = count
        self.pinned = True
        self._threads = [
            threading.Thread(target=self._serve, args=(w,), daemon=True) for w in range(len(cpus))
        ]

    def __enter__(self) -> Team:
        for thread in self._threads:
            thread.start()
        self._end.wait()  # everybody has made its pieces
        if self._failures:
            self._stop()
            raise self._failures[0]
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _stop(self) -> None:
        self._round = None
        self._start.wait()
        for thread in self._threads:
            thread.join()

    def run(self) -> Run:
        """Executes all pieces once.

        What others took is the time that the workers' threads waited for cores.

        Raises whatever a piece raised first.
        """
        events = [threading.Event() for _ in range(self._count)]
        current = self._round = _Round(events, [0.0] * self._count, [0.0] * self._count)
        before = waited_by_others()
        self._start.wait()
        self._end.wait()
        if current.errors:
            raise current.errors[0]
        taken = waited_by_others() - before
        sample = Sample(max(current.ended) - min(current.begun), taken)
        return Run(sample, tuple(current.own))

    def _serve(self, worker: int) -> None:
        with pinned(self._cpus[worker]) as held:
            self.pinned = self.pinned and held
            mine: list[Piece] = []
            try:
                mine = self._make(worker)
            except BaseException as error:
                self._failures.append(error)
            self._end.wait()
            while True:
                self._start.wait()
                current = self._round
                if current is None:
                    return
                self._play(current, mine)
                self._end.wait()

    def _play(self, current: _Round, mine: Sequence[Piece]) -> None:
        current.begun.append(time.perf_counter())
        for piece in mine:
            for need in piece.needs:
                current.done[need].wait()
            if not current.errors:
                cpu = time.thread_time()
                try:
                    piece.body()
                except BaseException as error:
                    current.errors.append(error)
                current.own[piece.position] = time.thread_time() - cpu
            current.ended[piece.position] = time.perf_counter()
            current.done[piece.position].set()
