"""What the points of a study are about: one network, or all streams of a scenario together.

Either is planned by contenders and judged by a time; nobody else asks which of the two it is.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hetsim.analysis.attribution import Parts, attribute_by_unit
from hetsim.analysis.metrics.base import LEADS
from hetsim.analysis.result import Run
from hetsim.analysis.serving.result import ServedRun
from hetsim.errors import PlanError
from hetsim.plan.model import Plan
from hetsim.plan.validate import plan_problems
from hetsim.runs.case import Case
from hetsim.runs.rows import case_of
from hetsim.runs.serving import Mix
from hetsim.scenario.loader import Scenario
from hetsim.scenario.refs import ALL_STREAMS, Contender
from hetsim.study.outcome import Outcome
from hetsim.workload.graph import Graph

Made = tuple[Plan, ...]
"""A plan for each network that runs: of a lone network one, of streams in the file's order."""


@dataclass(frozen=True)
class Traced:
    """Where the time of a plan goes (:class:`hetsim.study.pool.Told`); empty of streams."""

    where: Mapping[str, Parts] = field(default_factory=dict)
    tiles: tuple[tuple[int, int, int], ...] = ()
    compute_s: float = 0.0


class Subject(ABC):
    """A network or a mix of streams on one SoC."""

    @abstractmethod
    def check(self) -> None:
        """Whether anything can be asked of it.

        Raises:
            HetsimError: nothing of it can run on this SoC.
        """

    @abstractmethod
    def run(self, contender: Contender) -> tuple[Run | ServedRun, Made]:
        """Its run under ``contender``, with the plans; a failure is a run with ``error``."""

    @abstractmethod
    def plan(self, contender: Contender) -> Made:
        """What ``contender`` plans.

        Raises:
            HetsimError: it finds no plan.
        """

    @abstractmethod
    def seconds(self, made: Made, contender: Contender) -> float | None:
        """The time it is judged by with plans that may have been made for another SoC.

        ``None`` when they do not fit this one.
        """

    @abstractmethod
    def own_seconds(self, run: Run | ServedRun) -> float | None:
        """That time of a run; ``None`` when it failed."""

    @abstractmethod
    def afresh(self) -> Subject:
        """The same, to be run as if nothing had been before; what any plan needs stays proven."""

    def traced(self, made: Made) -> Traced:
        """Where the time goes, as far as that is known."""
        return Traced()

    def outcome(self, contender: Contender) -> Outcome:
        """What comes of it under ``contender``; its failure is an outcome with ``error``.

        Raises:
            HetsimError: nothing of it can run on this SoC.
        """
        self.check()
        return outcome_of(self.run(contender)[0])


@dataclass(frozen=True)
class NetworkSubject(Subject):
    """One network alone."""

    case: Case
    time_limit_s: float | None

    def check(self) -> None:
        self.case.check()

    def run(self, contender: Contender) -> tuple[Run, Made]:
        made = contender.scheduler.create()
        run = self.case.run(contender.label, made, self.time_limit_s)
        return run, () if run.plan is None else (run.plan,)

    def plan(self, contender: Contender) -> Made:
        return (self.case.plan(contender.scheduler.create(), self.time_limit_s),)

    def seconds(self, made: Made, contender: Contender) -> float | None:
        return seconds_of(self.case, made[0])

    def own_seconds(self, run: Run | ServedRun) -> float | None:
        return run.makespan_s

    def afresh(self) -> NetworkSubject:
        return replace(self, case=self.case.afresh())

    def traced(self, made: Made) -> Traced:
        case, (plan,) = self.case, made
        program = case.rewritten(plan.rewrites).lowering.program(plan)
        kernels = [launch.work for job in program.jobs for launch in job.launches]
        tiles = tuple(
            (run.count, run.load_bytes, run.store_bytes) for work in kernels for run in work.tiles
        )
        compute_s = math.fsum(work.compute_s for work in kernels)
        where = attribute_by_unit(program, case.simulate(plan), [pu.name for pu in case.soc.pus])
        return Traced(where, tiles, compute_s)


@dataclass(frozen=True)
class MixSubject(Subject):
    """All streams of a scenario; ``column`` is the metric that they are judged by, a time."""

    mix: Mix
    column: str = LEADS[1]

    def check(self) -> None:
        self.mix.check()

    def run(self, contender: Contender) -> tuple[ServedRun, Made]:
        run = self.mix.run(contender)
        return run, tuple(found.plan for found in run.streams)

    def plan(self, contender: Contender) -> Made:
        plans = self.mix.plans(contender)
        return tuple(plans[stream.name] for stream in self.mix.service.streams)

    def seconds(self, made: Made, contender: Contender) -> float | None:
        streams = self.mix.service.streams
        for stream, plan in zip(streams, made, strict=True):
            case = self.mix.cases[stream.model]
            if plan_problems(plan, case.graph, case.soc):
                return None
        plans = {stream.name: plan for stream, plan in zip(streams, made, strict=True)}
        try:
            return self.own_seconds(self.mix.run(contender, plans))
        except PlanError:
            return None

    def afresh(self) -> MixSubject:
        return replace(self, mix=self.mix.afresh())

    def own_seconds(self, run: Run | ServedRun) -> float | None:
        value = outcome_of(run).metrics.get(self.column)
        return value or None  # a time of nothing is no time


def subject_of(scenario: Scenario, label: str, graphs: Mapping[str, Graph]) -> Subject:
    """What ``label`` of :attr:`~hetsim.scenario.loader.Scenario.subjects` means."""
    if label == ALL_STREAMS and scenario.service is not None:
        return MixSubject(Mix.of(scenario, graphs))
    return NetworkSubject(case_of(scenario, graphs[label]), scenario.time_limit_s)


def judged_by(subject: Subject, column: str) -> Subject:
    """``subject`` by another metric, where there is a choice."""
    return replace(subject, column=column) if isinstance(subject, MixSubject) else subject


def seconds_of(case: Case, plan: Plan) -> float | None:
    """What a plan that was made for another SoC takes; ``None`` when it does not fit this one."""
    if plan_problems(plan, case.graph, case.soc):
        return None
    try:
        return case.makespan(plan)
    except PlanError:
        return None


def outcome_of(run: Run | ServedRun) -> Outcome:
    """The numbers of a run."""
    return of_streams(run) if isinstance(run, ServedRun) else of_network(run)


def of_network(run: Run) -> Outcome:
    """The numbers of a run of one network."""
    if run.error is not None:
        return Outcome(error=run.error)
    return Outcome(
        metrics=dict(run.metrics),
        utilization={
            **{name: pu.utilization for name, pu in run.pus.items()},
            **{name: link.utilization for name, link in run.links.items()},
        },
        contention_s={name: link.contention_s for name, link in run.links.items()},
        attribution_s=dict(run.attribution),
    )


def of_streams(run: ServedRun) -> Outcome:
    """The numbers of a run of streams: of all together, and of each as ``STREAM.METRIC``."""
    if run.error is not None or run.served is None:
        return Outcome(error=run.error or "no result")
    served = run.served
    span = served.end_s or 1.0
    each = {
        f"{found.stream.name}.{column}": value
        for found in run.streams
        for column, value in found.metrics.items()
    }
    return Outcome(
        metrics={**run.metrics, **each},
        utilization={
            **{name: busy / span for name, busy in served.unit_busy_s.items()},
            **{name: usage.busy_s / span for name, usage in served.links.items()},
        },
        contention_s={name: usage.contention_s for name, usage in served.links.items()},
    )
