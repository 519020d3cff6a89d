"""Worker processes on this machine.

Workers are spawned, not forked, so they behave alike on every system and inherit no threads. A
worker that dies (killed, out of memory) takes only the points under way with it: they are run
again one at a time, and one whose worker dies again is an outcome with ``error``.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection

from hetsim.study.executors.base import Executor, Ticket
from hetsim.study.point import Bench, Outcome, Point

_bench: Bench | None = None
"""The bench of this worker process."""


class ProcessExecutor(Executor[Ticket]):
    """A pool of ``workers`` processes."""

    def __init__(self, workers: int) -> None:
        """``workers`` processes, at least one."""
        self.workers = max(1, workers)
        self._pool: ProcessPoolExecutor | None = None
        self._bench = b""
        self._running: dict[Future[Outcome], tuple[Ticket, Point]] = {}
        self._suspects: deque[tuple[Ticket, Point]] = deque()

    @property
    def slots(self) -> int:
        """Two for each worker, so that none waits for the next point."""
        return 2 * self.workers

    def start(self, bench: Bench) -> None:
        """Starts the processes; each gets the bench once."""
        self._bench = pickle.dumps(bench)
        self._open()

    def submit(self, ticket: Ticket, point: Point) -> None:
        """Queues the point; while the culprit of a crash is sought, behind the suspects."""
        if self._suspects:
            self._suspects.append((ticket, point))
        else:
            self._send(ticket, point)

    def wait(self) -> list[tuple[Ticket, Outcome]]:
        """Waits for the next outcomes."""
        while True:
            if not self._running and self._suspects:
                self._send(*self._suspects.popleft())
            done, _ = wait(self._running, return_when=FIRST_COMPLETED)
            alone = len(self._running) == 1
            outcomes: list[tuple[Ticket, Outcome]] = []
            crashed = False
            for future in [f for f in self._running if f in done]:
                ticket = self._running[future][0]
                try:
                    outcomes.append((ticket, future.result()))
                except BrokenProcessPool:
                    crashed = True
                    continue
                del self._running[future]
            if crashed:
                outcomes += self._after_crash(alone)
            if outcomes:
                return outcomes

    def stop(self) -> None:
        """Ends the processes without waiting for what they do."""
        if self._pool is None:
            return
        processes = list((getattr(self._pool, "_processes", None) or {}).values())
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(5.0)
        self._pool = None

    def _open(self) -> None:
        self._pool = ProcessPoolExecutor(
            self.workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_prepare,
            initargs=(self._bench,),
        )

    def _send(self, ticket: Ticket, point: Point) -> None:
        assert self._pool is not None
        try:
            self._running[self._pool.submit(_evaluate, point)] = (ticket, point)
        except BrokenProcessPool:
            self._running[_broken()] = (ticket, point)

    def _after_crash(self, alone: bool) -> list[tuple[Ticket, Outcome]]:
        """A new pool; the points under way are suspects, or the only one is guilty."""
        lost = list(self._running.values())
        self._running.clear()
        self.stop()
        self._open()
        if alone:
            [(ticket, _)] = lost
            error = "the worker process died (killed, or out of memory)"
            return [(ticket, Outcome(error=error))]
        self._suspects.extendleft(reversed(lost))
        return []


def _broken() -> Future[Outcome]:
    future: Future[Outcome] = Future()
    future.set_exception(BrokenProcessPool("the pool was broken already"))
    return future


def _prepare(bench: bytes) -> None:
    """Runs first in every worker."""
    global _bench
    # Ctrl-C goes to the whole group; the parent decides what becomes of the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    _bench = pickle.loads(bench)


def _die_with_parent() -> None:
    """A killed parent cannot stop its workers, so they watch it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _evaluate(point: Point) -> Outcome:
    assert _bench is not None
    return _bench.evaluate(point)
