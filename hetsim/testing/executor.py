"""What every executor owes: each job is answered once, and a dead worker takes one job with it.

The kit's own bench adds numbers, so no scenario is needed and what is tested is the executor.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from hetsim.testing.kit import Kit

DEADLY = -1
"""The job that ends the process in which it is performed."""


@dataclass(frozen=True)
class Lost:
    """The answer to a job whose worker died of it."""

    job: int
    reason: str


@dataclass(frozen=True)
class Sums:
    """A bench: the answer to ``n`` is 0 + 1 + ... + n with a load of bytes, after a moment.

    ``home`` is the process that must survive whatever is asked.
    """

    load: int = 0
    home: int = field(default_factory=os.getpid)

    def evaluate(self, job: int) -> tuple[int, bytes]:
        """Performs one job; the moment makes later jobs overtake earlier ones."""
        if job == DEADLY:
            assert os.getpid() != self.home, "a job was performed in the process that waits for it"
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        time.sleep(0.002 * (job % 3 == 0))
        return job * (job + 1) // 2, bytes(self.load)

    def lost(self, job: int, reason: str) -> Lost:
        """What becomes of a job that cannot be performed."""
        return Lost(job, reason)


class ExecutorKit(Kit):
    """Checks one executor: override :meth:`make`.

    ``has_workers`` says whether jobs run in processes that may die; without, that is not tried.
    """

    has_workers: ClassVar[bool] = True
    jobs: ClassVar[int] = 25
    patience_s: ClassVar[float] = 120.0
    """How long an answer may take before the job is given up as lost."""

    @abstractmethod
    def make(self) -> Any:
        """A fresh executor that has not been started."""

    def test_every_job_is_answered_exactly_once(self) -> None:
        with self.make() as executor:
            for count in (0, 1, self.jobs):  # a second study may use the same workers
                self._perform(executor, Sums(), range(count))

    def test_tickets_come_back_with_their_own_answers(self) -> None:
        # What a caller knows a job by need not be a number, nor fit through a pipe.
        tickets = [object() for _ in range(self.jobs)]
        bench = Sums()
        with self.make() as executor:

            def ask() -> list[tuple[Any, Any]]:
                executor.ensure(bench)
                return list(executor.perform(zip(tickets, range(self.jobs), strict=True)))

            answers = self._patiently(ask)
        assert len(answers) == self.jobs, f"{len(answers)} answers to {self.jobs} jobs"
        found = dict(answers)
        for n, ticket in enumerate(tickets):
            assert found[ticket] == bench.evaluate(n), f"job {n} has the answer {found[ticket]!r}"

    def test_large_answers_arrive(self) -> None:
        with self.make() as executor:
            self._perform(executor, Sums(load=1 << 20), range(4))

    def test_stopping_is_possible_at_any_time_and_twice(self) -> None:
        unused = self.make()
        unused.stop()
        unused.stop()
        executor = self.make()
        self._patiently(lambda: executor.start(Sums()))
        assert executor.slots >= 1, f"{executor.slots} jobs may be under way: nothing would start"
        executor.submit(0, 1)
        self._patiently(executor.stop)
        self._patiently(executor.stop)

    def test_it_may_be_started_again(self) -> None:
        executor = self.make()
        try:
            for _ in range(2):
                self._perform(executor, Sums(), range(3))
                executor.stop()
        finally:
            executor.stop()

    def test_a_job_that_kills_its_worker_is_lost_alone(self) -> None:
        if not self.has_workers:
            return
        jobs = [*range(4), DEADLY, *range(4, 8)]
        with self.make() as executor:
            self._perform(executor, Sums(), jobs, lost=DEADLY)

    def _perform(
        self, executor: Any, bench: Sums, jobs: Sequence[int], lost: int | None = None
    ) -> None:
        """Submits and waits as a study does, and checks every answer."""
        answers: list[tuple[int, Any]]
        answers = self._patiently(lambda: self._ask(executor, bench, jobs))
        times = Counter(number for number, _ in answers)
        wrong = {number: times[number] for number in range(len(jobs)) if times[number] != 1}
        assert not wrong, f"answers by job that came not once: {wrong}"
        assert len(times) == len(jobs), f"answers to jobs nobody asked: {sorted(times)}"
        for number, answer in answers:
            job = jobs[number]
            if job == lost:
                is_lost = isinstance(answer, Lost) or getattr(answer, "error", None) is not None
                assert is_lost, f"the job that killed its worker has the answer {answer!r}"
            else:
                told = f"job {job} has the answer {answer!r}"
                assert answer == bench.evaluate(job), told[:200]

    def _ask(self, executor: Any, bench: Sums, jobs: Sequence[int]) -> list[tuple[int, Any]]:
        executor.start(bench)
        pending = list(reversed(range(len(jobs))))
        under_way = 0
        answers: list[tuple[int, Any]] = []
        while pending or under_way > 0:
            while pending and under_way < max(1, executor.slots):
                number = pending.pop()
                executor.submit(number, jobs[number])
                under_way += 1
            done = executor.wait()
            assert done, f"wait() gave nothing, and {under_way} jobs are under way"
            under_way -= len(done)
            answers += done
        return answers

    def _patiently(self, ask: Callable[[], Any]) -> Any:
        """What ``ask`` gives; an executor that lost a job might wait for its answer for ever."""
        given: list[Any] = []
        raised: list[BaseException] = []

        def run() -> None:
            try:
                given.append(ask())
            except BaseException as error:
                raised.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(self.patience_s)
        assert not thread.is_alive(), f"no answer for {self.patience_s:g} s: a job is lost"
        if raised:
            raise raised[0]
        return given[0]
