"""All plans that are known for a network or streams, and what each takes on every SoC it fits.

A plan made for one SoC is a plan for another, too, as long as that one has the units it names. So
what is known about a SoC is the best of *all* plans, wherever they were made: a scheduler that
stumbles over a faster port does not make the port slower.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from hetsim.analysis.attribution import Parts
from hetsim.analysis.metrics.base import LEADS
from hetsim.errors import HetsimError
from hetsim.executors.base import Bench, Executor
from hetsim.plan.model import Plan
from hetsim.progress import Progress
from hetsim.scenario.refs import Contender
from hetsim.study.point import Point, PointBench
from hetsim.study.subject import Made, Subject, judged_by

EQUAL = 1.0 + 1e-9
"""Times of one plan on one SoC differ by less, whoever adds them up; so do those of equal plans."""


@dataclass(frozen=True)
class Ask:
    """Asks for a plan at ``point``, or, with ``plans``, for what each of them takes there.

    Of the plan at position ``traced`` it is told where its time goes; ``None`` means the best.
    """

    point: Point
    plans: tuple[Made, ...] = ()
    traced: int | None = None


@dataclass(frozen=True)
class Told:
    """A plan; or the seconds of each plan, ``None`` of those that do not fit, and where they go.

    ``where`` splits the makespan of the traced plan by unit and part of the critical path;
    ``tiles`` says how its kernels are cut: tiles in a row, and the bytes that each of them moves;
    ``compute_s`` are the seconds of arithmetic in all of them. Empty and zero if it does not fit.
    """

    plan: Made | None = None
    times: tuple[float | None, ...] = ()
    where: Mapping[str, Parts] = field(default_factory=dict)
    tiles: tuple[tuple[int, int, int], ...] = ()
    compute_s: float = 0.0
    error: str | None = None


@dataclass(frozen=True)
class PlanBench(Bench[Ask, Told]):
    """Makes plans for a scenario's subjects on changed SoCs, and runs plans there.

    ``measure`` is the column of the metric that streams are judged by; of single inferences there
    is one only.
    """

    points: PointBench
    measure: str = LEADS[1]

    def evaluate(self, job: Ask) -> Told:
        """One answer. A design or a scheduler that fails is an answer with ``error``."""
        try:
            scenario = self.points.scenario_of(job.point)
            contender = scenario.contender(job.point.scheduler)
            subject = judged_by(self.points.subject(scenario, job.point.model), self.measure)
            subject.check()
            if job.plans:
                return _judged(subject, contender, job.plans, job.traced)
            return Told(subject.plan(contender))
        except HetsimError as error:
            return Told(error=str(error))

    def lost(self, job: Ask, reason: str) -> Told:
        """An answer that cost its worker the life is one that says so."""
        return Told(error=reason)


def _judged(
    subject: Subject, contender: Contender, plans: Sequence[Made], traced: int | None
) -> Told:
    times = tuple(subject.seconds(made, contender) for made in plans)
    chosen = best_of(times) if traced is None else traced
    if best_of(times) is None:
        return Told(times=times, error="no known plan fits it")
    if chosen is None or times[chosen] is None:
        return Told(times=times)
    found = subject.traced(plans[chosen])
    return Told(times=times, where=found.where, tiles=found.tiles, compute_s=found.compute_s)


def best_of(times: Sequence[float | None]) -> int | None:
    """The position of the shortest time, of equals the first; ``None`` when there is none."""
    known = [seconds for seconds in times if seconds is not None]
    if not known:
        return None
    limit = min(known) * EQUAL
    return next(i for i, seconds in enumerate(times) if seconds is not None and seconds <= limit)


class Pool:
    """The different plans of one subject, in the order in which they came."""

    def __init__(self) -> None:
        self._found: dict[Hashable, int] = {}
        self._plans: list[Made] = []
        self.origins: list[str] = []

    def add(self, made: Made, origin: str) -> int:
        """Takes plans in unless they are there; their position. ``origin`` says whose they are."""
        key = tuple(map(_content, made))
        if key not in self._found:
            self._found[key] = len(self._plans)
            self._plans.append(made)
            self.origins.append(origin)
        return self._found[key]

    @cached_property
    def plans(self) -> tuple[Made, ...]:
        """All plans; no more are added once they were asked for."""
        return tuple(self._plans)

    def __len__(self) -> int:
        return len(self._plans)


def _content(plan: Plan) -> Hashable:
    return (
        tuple((p.pu, p.operators, p.fuse) for p in plan.partitions),
        _groups(plan),
        plan.rewrites,
        tuple(sorted(plan.memories.items())),
    )


def _groups(plan: Plan) -> tuple[tuple[int, ...], ...]:
    """Parallel groups without the names of partitions, which mean nothing."""
    position = {partition.name: i for i, partition in enumerate(plan.partitions)}
    return tuple(tuple(position[name] for name in group) for group in plan.parallel_groups)


def perform(
    asks: Iterable[Ask],
    bench: PlanBench,
    executor: Executor[Ask, Told],
    progress: Progress | None,
    what: str,
) -> list[Told]:
    """The answers in order, whoever works."""
    jobs = list(asks)
    answers: dict[int, Told] = {}
    if jobs:
        executor.ensure(bench)
    for i, told in executor.perform(enumerate(jobs)):
        answers[i] = told
        if progress is not None:
            progress(f"{what} {jobs[i].point}", len(answers), len(jobs))
    return [answers[i] for i in range(len(jobs))]
