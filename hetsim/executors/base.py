"""What performs jobs: a bench turns one job into an answer, an executor many."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Generic, TypeVar

Job = TypeVar("Job")
"""What is asked of a bench: plain data that crosses to other processes."""

Answer = TypeVar("Answer")
"""What a bench makes of a job: plain data that crosses back."""

Ticket = TypeVar("Ticket")
"""What the caller knows a job by."""


class Bench(ABC, Generic[Job, Answer]):
    """Carries out jobs. It is pickled once for each worker; an answer depends on the job alone."""

    @abstractmethod
    def evaluate(self, job: Job) -> Answer:
        """Carries out one job, in whatever process. Raises nothing that a job can be blamed for."""

    @abstractmethod
    def lost(self, job: Job, reason: str) -> Answer:
        """The answer to a job whose worker died of it; asked in the process that waits.

        Raises:
            HetsimError: no study can go on without that answer.
        """


class Executor(ABC, Generic[Job, Answer]):
    """Performs jobs on a bench: jobs in, answers out, in whatever order they are done.

    Life cycle: the constructor says how; :meth:`start` brings workers up; then any number of
    :meth:`submit` and :meth:`wait` in turn; :meth:`stop` drops whatever is under way, and
    :meth:`start` may follow again. Studies call :meth:`ensure` and :meth:`perform`, which do all
    that, and ``with`` stops at the end. A new executor is a subclass in a file of its own and a
    line in :mod:`hetsim.executors.registry`.
    """

    _started_for: Bench[Job, Answer] | None = None

    @abstractmethod
    def start(self, bench: Bench[Job, Answer]) -> None:
        """Called once, before any job.

        Raises:
            HetsimError: the workers cannot be reached or started.
        """

    @property
    @abstractmethod
    def slots(self) -> int:
        """How many jobs to keep under way, at least one; may change as workers come and go."""

    @abstractmethod
    def submit(self, number: int, job: Job) -> None:
        """Hands over a job; returns at once, or after performing it."""

    @abstractmethod
    def wait(self) -> list[tuple[int, Answer]]:
        """Answers that came in since the last call, at least one, each with its job's number.

        Something must be under way.

        Raises:
            HetsimError: the workers are gone for good.
        """

    @abstractmethod
    def stop(self) -> None:
        """Ends the workers; jobs under way are lost. May be called at any time, more than once."""

    def ensure(self, bench: Bench[Job, Answer]) -> None:
        """Starts the workers unless they run already; a study has one bench all its life."""
        if self._started_for is not bench:
            self.start(bench)
            self._started_for = bench

    def perform(self, jobs: Iterable[tuple[Ticket, Job]]) -> Iterator[tuple[Ticket, Answer]]:
        """The answers to ``jobs`` as they come, keeping the workers busy."""
        pending = enumerate(jobs)
        under_way: dict[int, Ticket] = {}
        exhausted = False
        while not exhausted or under_way:
            while not exhausted and len(under_way) < max(1, self.slots):
                following = next(pending, None)
                if following is None:
                    exhausted = True
                    break
                number, (ticket, job) = following
                under_way[number] = ticket
                self.submit(number, job)
            if under_way:
                for number, answer in self.wait():
                    yield under_way.pop(number), answer

    def __enter__(self) -> Executor[Job, Answer]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._started_for = None
        self.stop()
