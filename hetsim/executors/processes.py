"""Worker processes on this machine.

Workers are spawned, not forked, so they behave alike on every system and inherit no threads. A
worker that dies (killed, out of memory) takes only the jobs under way with it: they are run again
one at a time, and for one whose worker dies again the bench answers (:meth:`Bench.lost`).
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from typing import Any

from hetsim.collector import look_seldom
from hetsim.executors.base import Answer, Bench, Executor, Job

_ENDINGS = (signal.SIGINT, signal.SIGTERM)
pthread_sigmask = getattr(signal, "pthread_sigmask", None)  # not on Windows

_bench: Bench[Any, Any] | None = None
"""The bench of this worker process."""


class ProcessExecutor(Executor[Job, Answer]):
    """A pool of ``workers`` processes."""

    def __init__(self, workers: int) -> None:
        """``workers`` processes, at least one."""
        self.workers = max(1, workers)
        self._pool: ProcessPoolExecutor | None = None
        self._bench: Bench[Job, Answer] | None = None
        self._running: dict[Future[Answer], tuple[int, Job]] = {}
        self._suspects: deque[tuple[int, Job]] = deque()

    @property
    def slots(self) -> int:
        """Two for each worker, so that none waits for the next job."""
        return 2 * self.workers

    def start(self, bench: Bench[Job, Answer]) -> None:
        """Starts the processes; each gets the bench once."""
        self._bench = bench
        self._open()

    def submit(self, number: int, job: Job) -> None:
        """Queues the job; while the culprit of a crash is sought, behind the suspects."""
        if self._suspects:
            self._suspects.append((number, job))
        else:
            self._send(number, job)

    def wait(self) -> list[tuple[int, Answer]]:
        """Waits for the next answers."""
        while True:
            if not self._running and self._suspects:
                self._send(*self._suspects.popleft())
            done, _ = wait(self._running, return_when=FIRST_COMPLETED)
            alone = len(self._running) == 1
            answers: list[tuple[int, Answer]] = []
            crashed = False
            for future in [f for f in self._running if f in done]:
                number = self._running[future][0]
                try:
                    answers.append((number, future.result()))
                except BrokenProcessPool:
                    crashed = True
                    continue
                del self._running[future]
            if crashed:
                answers += self._after_crash(alone)
            if answers:
                return answers

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
        bench = pickle.dumps(self._bench)
        with _undisturbed():  # a signal between a semaphore's making and its registration leaks it
            self._pool = ProcessPoolExecutor(
                self.workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_prepare,
                initargs=(bench,),
            )

    def _send(self, number: int, job: Job) -> None:
        assert self._pool is not None
        future: Future[Answer]
        try:
            with _undisturbed():  # it starts a process while workers are missing
                future = self._pool.submit(_evaluate, job)
        except BrokenProcessPool as error:
            future = Future()
            future.set_exception(error)
        self._running[future] = (number, job)

    def _after_crash(self, alone: bool) -> list[tuple[int, Answer]]:
        """A new pool; the jobs under way are suspects, or the only one is guilty."""
        lost = list(self._running.values())
        self._running.clear()
        self.stop()
        self._open()
        if alone:
            assert self._bench is not None
            [(number, job)] = lost
            reason = "the worker process died (killed, or out of memory)"
            return [(number, self._bench.lost(job, reason))]
        self._suspects.extendleft(reversed(lost))
        return []


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Puts signals off: a worker half started would complain when its parent goes away.

    Workers inherit that, so Ctrl-C does not interrupt them either before they ignore it.
    """
    before = pthread_sigmask(signal.SIG_BLOCK, _ENDINGS) if pthread_sigmask else None
    try:
        yield
    finally:
        if pthread_sigmask and before is not None:
            pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare(bench: bytes) -> None:
    """Runs first in every worker."""
    global _bench
    look_seldom()
    # Ctrl-C goes to the whole group; the parent decides what becomes of the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if pthread_sigmask:
        pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    _bench = pickle.loads(bench)


def _die_with_parent() -> None:
    """A killed parent cannot stop its workers, so they watch it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _evaluate(job: Any) -> Any:
    assert _bench is not None
    return _bench.evaluate(job)
