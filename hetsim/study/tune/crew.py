"""What the workers of a tuning study do, and how they are asked.

The workers are those of sweeps (:mod:`hetsim.executors`), with another bench: it carries out
:class:`Walk` and :class:`Attempt` jobs. A job's result depends on the job alone, so it does not
matter who does it.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from hetsim.errors import HetsimError, ResultsError
from hetsim.executors.base import Bench, Executor
from hetsim.executors.serial import SerialExecutor
from hetsim.plan.model import Plan
from hetsim.runs.case import Case
from hetsim.runs.joint import Together
from hetsim.schedulers.base import Problem
from hetsim.schedulers.partition_tuner.scheduler import PartitionTuner
from hetsim.schedulers.search.campaign import Ground, Rewrites
from hetsim.schedulers.search.parameters import Parameters
from hetsim.schedulers.search.search import Outcome, Task, perform
from hetsim.schedulers.search.space import Space
from hetsim.sim.runtimes.registry import find_runtime


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


TuneJob = Walk | Attempt
TuneAnswer = Outcome | float
"""A walk's outcome, or the makespan of an attempt in seconds."""


class WalkBench(Bench[TuneJob, TuneAnswer]):
    """Whoever has grounds on which chains walk."""

    @abstractmethod
    def ground(self, model: int, rewrites: Rewrites) -> Ground:
        """Where plans of what is tuned are searched; the same object each time."""

    def walk(self, job: Walk) -> Outcome:
        """One chain's part of a round."""
        ground = self.ground(job.model, job.rewrites)
        return perform(ground.space, ground.judge, job.task)

    def lost(self, job: TuneJob, reason: str) -> TuneAnswer:
        """The search cannot go on without an answer.

        Raises:
            ResultsError: always.
        """
        raise ResultsError(
            f"tuning stopped: {reason}",
            hint="what was found is in the state file; go on with --resume",
        )


@dataclass(frozen=True)
class TuneBench(WalkBench):
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
            space = Space(case.graph, case.soc, parallel=find_runtime(case.execution).forks)
            self._grounds[key] = Ground(space, case.judge)
        return self._grounds[key]

    def attempt(self, model: int, parameters: Parameters) -> Plan:
        """PartitionTuner's plan with ``parameters``; all attempts share a profile."""
        if model not in self._problems:
            self._problems[model] = self.cases[model].problem()
        return PartitionTuner(**parameters).plan(self._problems[model])  # type: ignore[arg-type]

    def evaluate(self, job: TuneJob) -> TuneAnswer:
        """Carries out a job. Seconds of a walk's outcome and of an attempt are by the judge."""
        if isinstance(job, Walk):
            return self.walk(job)
        try:
            return self.cases[job.model].makespan(self.attempt(job.model, job.parameters))
        except HetsimError:
            return math.inf


class JointBench(WalkBench):
    """Streams whose plans are tuned together: there is one thing to tune."""

    def __init__(self, together: Together) -> None:
        self.together = together

    def __reduce__(self) -> tuple[Any, ...]:
        """Crosses to other processes without what it has worked out."""
        here = self.together
        cases = {label: replace(case) for label, case in here.mix.cases.items()}
        return JointBench, (replace(here, mix=replace(here.mix, cases=cases)),)

    def ground(self, model: int, rewrites: Rewrites) -> Ground:
        """That of the union of all networks."""
        return self.together.ground(rewrites)

    def evaluate(self, job: TuneJob) -> TuneAnswer:
        """Carries out a walk; seconds of its outcome are the objective's value."""
        assert isinstance(job, Walk)
        return self.walk(job)


Kind = TypeVar("Kind", bound=TuneAnswer)


Own = TypeVar("Own", bound=WalkBench)


class Crew(Generic[Own]):
    """A bench and who works on it; the caller stops the executor."""

    def __init__(self, bench: Own, executor: Executor[TuneJob, TuneAnswer] | None = None) -> None:
        """Without an executor everything is done in this process."""
        self.bench = bench
        self._executor = executor or SerialExecutor[TuneJob, TuneAnswer]()

    def walk(self, jobs: Sequence[Walk]) -> list[Outcome]:
        """Outcomes in the order of ``jobs``."""
        return self._perform(jobs, Outcome)

    def attempt(self, jobs: Sequence[Attempt]) -> list[float]:
        """Makespans in the order of ``jobs``; infinite where there is no plan."""
        return self._perform(jobs, float)

    def _perform(self, jobs: Sequence[TuneJob], kind: type[Kind]) -> list[Kind]:
        """Answers in the order of ``jobs``, all of which are answered by a ``kind``."""
        self._executor.ensure(self.bench)
        found: dict[int, Kind] = {}
        for i, answer in self._executor.perform(enumerate(jobs)):
            assert isinstance(answer, kind)
            found[i] = answer
        return [found[i] for i in range(len(jobs))]
