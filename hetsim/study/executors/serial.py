"""One point after the other in this process."""

from __future__ import annotations

from hetsim.study.executors.base import Executor, Ticket
from hetsim.study.point import Bench, Outcome, Point


class SerialExecutor(Executor[Ticket]):
    """No workers at all: the neutral element, and what a debugger wants."""

    slots = 1

    def __init__(self) -> None:
        self._bench: Bench | None = None
        self._done: list[tuple[Ticket, Outcome]] = []

    def start(self, bench: Bench) -> None:
        """Keeps the bench."""
        self._bench = bench

    def submit(self, ticket: Ticket, point: Point) -> None:
        """Performs the point."""
        assert self._bench is not None
        self._done.append((ticket, self._bench.evaluate(point)))

    def wait(self) -> list[tuple[Ticket, Outcome]]:
        """What :meth:`submit` did."""
        done, self._done = self._done, []
        return done

    def stop(self) -> None:
        """Forgets the bench."""
        self._bench = None
