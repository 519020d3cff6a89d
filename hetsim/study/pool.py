"""All plans that are known for a network, and what each of them takes on every SoC it fits.

A plan made for one SoC is a plan for another, too, as long as that one has the units it names. So
what is known about a SoC is the best of *all* plans, wherever they were made: a scheduler that
stumbles over a faster port does not make the port slower.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from hetsim.analysis.attribution import Parts, attribute_by_unit
from hetsim.errors import HetsimError, PlanError
from hetsim.executors.base import Bench, Executor
from hetsim.plan.model import Plan
from hetsim.plan.validate import plan_problems
from hetsim.progress import Progress
from hetsim.runs.case import Case
from hetsim.runs.rows import case_of
from hetsim.study.point import Point, PointBench

EQUAL = 1.0 + 1e-9
"""Times of one plan on one SoC differ by less, whoever adds them up; so do those of equal plans."""


@dataclass(frozen=True)
class Ask:
    """Asks for a plan at ``point``, or, with ``plans``, for what each of them takes there.

    Of the plan at position ``traced`` it is told where its time goes; ``None`` means the best.
    """

    point: Point
    plans: tuple[Plan, ...] = ()
    traced: int | None = None


@dataclass(frozen=True)
class Told:
    """A plan; or the seconds of each plan, ``None`` of those that do not fit, and where they go.

    ``where`` splits the makespan of the traced plan by unit and part of the critical path;
    ``tiles`` says how its kernels are cut: tiles in a row, and the bytes that each of them moves;
    ``compute_s`` are the seconds of arithmetic in all of them. Empty and zero if it does not fit.
    """

    plan: Plan | None = None
    times: tuple[float | None, ...] = ()
    where: Mapping[str, Parts] = field(default_factory=dict)
    tiles: tuple[tuple[int, int, int], ...] = ()
    compute_s: float = 0.0
    error: str | None = None


@dataclass(frozen=True)
class PlanBench(Bench[Ask, Told]):
    """Makes plans for a scenario's networks on changed SoCs, and runs plans there."""

    points: PointBench

    def evaluate(self, job: Ask) -> Told:
        """One answer. A design or a scheduler that fails is an answer with ``error``."""
        try:
            scenario = self.points.scenario_of(job.point)
            case = case_of(scenario, self.points.graph_of(scenario, job.point.model))
            case.check()
            if job.plans:
                return _judged(case, job.plans, job.traced)
            scheduler = scenario.scheduler(job.point.scheduler).create()
            return Told(case.plan(scheduler, scenario.time_limit_s))
        except HetsimError as error:
            return Told(error=str(error))

    def lost(self, job: Ask, reason: str) -> Told:
        """An answer that cost its worker the life is one that says so."""
        return Told(error=reason)


def _judged(case: Case, plans: Sequence[Plan], traced: int | None) -> Told:
    times = tuple(seconds_of(case, plan) for plan in plans)
    chosen = best_of(times) if traced is None else traced
    if best_of(times) is None:
        return Told(times=times, error="no known plan fits it")
    if chosen is None or times[chosen] is None:
        return Told(times=times)
    program = case.rewritten(plans[chosen].rewrites).lowering.program(plans[chosen])
    names = [pu.name for pu in case.soc.pus]
    kernels = [launch.work for job in program.jobs for launch in job.launches]
    tiles = tuple(
        (run.count, run.load_bytes, run.store_bytes) for work in kernels for run in work.tiles
    )
    compute_s = math.fsum(work.compute_s for work in kernels)
    where = attribute_by_unit(program, case.simulate(plans[chosen]), names)
    return Told(times=times, where=where, tiles=tiles, compute_s=compute_s)


def best_of(times: Sequence[float | None]) -> int | None:
    """The position of the shortest time, of equals the first; ``None`` when there is none."""
    known = [seconds for seconds in times if seconds is not None]
    if not known:
        return None
    limit = min(known) * EQUAL
    return next(i for i, seconds in enumerate(times) if seconds is not None and seconds <= limit)


def seconds_of(case: Case, plan: Plan) -> float | None:
    """What a plan that was made for another SoC takes; ``None`` when it does not fit this one."""
    if plan_problems(plan, case.graph, case.soc):
        return None
    try:
        return case.makespan(plan)
    except PlanError:
        return None


class Pool:
    """The different plans of one network, in the order in which they came."""

    def __init__(self) -> None:
        self._found: dict[Hashable, int] = {}
        self._plans: list[Plan] = []
        self.origins: list[str] = []

    def add(self, plan: Plan, origin: str) -> int:
        """Takes ``plan`` in unless it is there; its position. ``origin`` says whose it is."""
        key = (
            tuple((p.pu, p.operators, p.fuse) for p in plan.partitions),
            _groups(plan),
            plan.rewrites,
            tuple(sorted(plan.memories.items())),
        )
        if key not in self._found:
            self._found[key] = len(self._plans)
            self._plans.append(plan)
            self.origins.append(origin)
        return self._found[key]

    @cached_property
    def plans(self) -> tuple[Plan, ...]:
        """All plans; no more are added once they were asked for."""
        return tuple(self._plans)

    def __len__(self) -> int:
        return len(self._plans)


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
