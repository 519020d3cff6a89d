"""One job after the other in this process."""

from __future__ import annotations

from hetsim.executors.base import Answer, Bench, Executor, Job


class SerialExecutor(Executor[Job, Answer]):
    """No workers at all: the neutral element, and what a debugger wants."""

    slots = 1

    def __init__(self) -> None:
        self._bench: Bench[Job, Answer] | None = None
        self._done: list[tuple[int, Answer]] = []

    def start(self, bench: Bench[Job, Answer]) -> None:
        """Keeps the bench."""
        self._bench = bench

    def submit(self, number: int, job: Job) -> None:
        """Performs the job."""
        assert self._bench is not None
        self._done.append((number, self._bench.evaluate(job)))

    def wait(self) -> list[tuple[int, Answer]]:
        """What :meth:`submit` did."""
        done, self._done = self._done, []
        return done

    def stop(self) -> None:
        """Forgets the bench."""
        self._bench = None
