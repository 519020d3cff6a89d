"""What every executor is: points in, outcomes out, in whatever order they are done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Generic, TypeVar

from hetsim.study.point import Bench, Outcome, Point

Ticket = TypeVar("Ticket")
"""What the caller knows a point by."""


class Executor(ABC, Generic[Ticket]):
    """Performs points on a bench.

    Life cycle: the constructor says how; ``start(bench)`` brings workers up; then any number of
    ``submit(ticket, point)`` and ``wait()`` in turn; ``stop()`` drops whatever is under way.
    ``slots`` is how many points should be under way to keep all workers busy. A new executor is
    one subclass in a file of its own and a line in :func:`hetsim.study.executors.choice.executor`.
    """

    _bench_in_use: Bench | None = None

    @abstractmethod
    def start(self, bench: Bench) -> None:
        """Called once, before any point.

        Raises:
            HetsimError: the workers cannot be reached or started.
        """

    @property
    @abstractmethod
    def slots(self) -> int:
        """How many points to keep under way, at least one; may change as workers come and go."""

    @abstractmethod
    def submit(self, ticket: Ticket, point: Point) -> None:
        """Hands over a point; returns at once, or after performing it."""

    @abstractmethod
    def wait(self) -> list[tuple[Ticket, Outcome]]:
        """Outcomes that came in since the last call, at least one. Something must be under way.

        Raises:
            HetsimError: the workers are gone for good.
        """

    @abstractmethod
    def stop(self) -> None:
        """Ends the workers; runs under way are lost. May be called at any time, more than once."""

    def ensure(self, bench: Bench) -> None:
        """Starts the workers unless they run already; a study has one bench all its life."""
        if self._bench_in_use is not bench:
            self.start(bench)
            self._bench_in_use = bench

    def perform(self, points: Iterable[tuple[Ticket, Point]]) -> Iterator[tuple[Ticket, Outcome]]:
        """All outcomes of ``points`` as they come, keeping the workers busy."""
        pending = iter(points)
        under_way = 0
        exhausted = False
        while not exhausted or under_way:
            while not exhausted and under_way < max(1, self.slots):
                following = next(pending, None)
                if following is None:
                    exhausted = True
                    break
                self.submit(*following)
                under_way += 1
            if under_way:
                done = self.wait()
                under_way -= len(done)
                yield from done

    def __enter__(self) -> Executor[Ticket]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
