"""What the workers of a tuning study do, and how they are asked.

The workers are those of sweeps (:mod:`hetsim.study.executors`), with another bench: it carries out
:class:`Walk` and :class:`Attempt` jobs. A job's result depends on the job alone, so it does not
matter who does it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any

from hetsim.errors import HetsimError, ResultsError
from hetsim.plan.model import Plan
from hetsim.runs.case import Case
from hetsim.schedulers.base import Problem
from hetsim.schedulers.partition_tuner.scheduler import PartitionTuner
from hetsim.schedulers.search.campaign import Ground, Rewrites
from hetsim.schedulers.search.parameters import Parameters
from hetsim.schedulers.search.search import Outcome, Task, perform
from hetsim.schedulers.search.space import Space
from hetsim.study.executors.choice import executor
from hetsim.study.point import Outcome as Failure


@dataclass(frozen=True, slots=True)
class Walk:
    """One chain's part of a round, on the network ``model`` after ``rewrites``."""

    model: int
    rewrites: Rewrites
    task: Task


@dataclass(frozen=True, slots=True)
class Attempt:
    """What PartitionTuner with some parameters makes of network ``model``."""

    model: int
    parameters: Parameters


@dataclass(frozen=True)
class TuneBench:
    """The networks of a study, each with its grounds and profile, made once."""

    cases: tuple[Case, ...]
    _grounds: dict[tuple[int, Rewrites], Ground] = field(default_factory=dict, compare=False)
    _problems: dict[int, Problem] = field(default_factory=dict, compare=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Crosses to other processes without what it has worked out."""
        return TuneBench, (tuple(replace(case) for case in self.cases),)

    def ground(self, model: int, rewrites: Rewrites) -> Ground:
        """Where plans of a network are searched."""
        key = (model, rewrites)
        if key not in self._grounds:
            case = self.cases[model].rewritten(rewrites)
            space = Space(case.graph, case.soc, parallel=case.execution == "barrier")
            self._grounds[key] = Ground(space, case.judge)
        return self._grounds[key]

    def attempt(self, model: int, parameters: Parameters) -> Plan:
        """PartitionTuner's plan with ``parameters``; all attempts share a profile."""
        if model not in self._problems:
            self._problems[model] = self.cases[model].problem()
        return PartitionTuner(**parameters).plan(self._problems[model])  # type: ignore[arg-type]

    def evaluate(self, job: Walk | Attempt) -> Outcome | float:
        """Carries out a job. Seconds of a walk's outcome and of an attempt are by the judge."""
        if isinstance(job, Walk):
            ground = self.ground(job.model, job.rewrites)
            return perform(ground.space, ground.judge, job.task)
        try:
            return self.cases[job.model].makespan(self.attempt(job.model, job.parameters))
        except HetsimError:
            return math.inf


class Crew:
    """``workers`` processes that know the bench; one worker is this process."""

    def __init__(self, bench: TuneBench, workers: int | None = 1) -> None:
        """``None`` workers are as many as there are processors.

        Raises:
            ConfigError: fewer than one worker.
        """
        self.bench = bench
        self._executor = executor(workers)
        self._started = False

    def walk(self, jobs: Sequence[Walk]) -> list[Outcome]:
        """Outcomes in the order of ``jobs``."""
        return self._perform(jobs)

    def attempt(self, jobs: Sequence[Attempt]) -> list[float]:
        """Makespans in the order of ``jobs``; infinite where there is no plan."""
        return self._perform(jobs)

    def _perform(self, jobs: Sequence[Any]) -> list[Any]:
        if not self._started:
            self._executor.start(self.bench)  # type: ignore[arg-type]  # any bench will do
            self._started = True
        found: dict[int, Any] = dict(self._executor.perform(enumerate(jobs)))
        for outcome in found.values():
            if isinstance(outcome, Failure):
                raise ResultsError(
                    f"tuning stopped: {outcome.error}",
                    hint="what was found is in the state file; go on with --resume",
                )
        return [found[i] for i in range(len(jobs))]

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._executor.stop()
