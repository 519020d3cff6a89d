"""An executor: threads of this process, for benches that wait more than they compute."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from hetsim.executors.base import Executor


class ThreadExecutor(Executor):
    """``address`` is the number of threads."""

    def __init__(self, address: str = "2") -> None:
        self.threads = int(address)
        self._pool: ThreadPoolExecutor | None = None
        self._bench: Any = None
        self._running: dict[Future[Any], int] = {}

    @property
    def slots(self) -> int:
        return self.threads

    def start(self, bench: Any) -> None:
        self.stop()
        self._bench = bench
        self._pool = ThreadPoolExecutor(self.threads)

    def submit(self, number: int, job: Any) -> None:
        assert self._pool is not None
        self._running[self._pool.submit(self._bench.evaluate, job)] = number

    def wait(self) -> list[tuple[int, Any]]:
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        return [(self._running.pop(future), future.result()) for future in done]

    def stop(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._pool = None
        self._running.clear()
