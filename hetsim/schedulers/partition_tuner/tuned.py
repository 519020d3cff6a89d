"""PartitionTuner with its parameters, and then the plan itself, improved by simulation.

First PartitionTuner's parameters are tuned for this network
(:mod:`hetsim.schedulers.search.parameters`), then the search of
:mod:`hetsim.schedulers.search.campaign` goes on from the result and from the plans of other
built-in schedulers (:mod:`hetsim.schedulers.search.starts`). ``hetsim tune`` does the same with
more: workers, budgets in seconds, resuming.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import ClassVar

from hetsim.errors import HetsimError, PlanError, SchedulerError
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.partition_tuner.scheduler import PartitionTuner
from hetsim.schedulers.registry import find
from hetsim.schedulers.search.campaign import (
    Ground,
    Grounds,
    Rewrites,
    begin,
    best_plan,
    run,
)
from hetsim.schedulers.search.judge import PlanJudge
from hetsim.schedulers.search.parameters import Parameters, descend
from hetsim.schedulers.search.space import Space
from hetsim.schedulers.search.starts import start_names, start_plans


@dataclass(frozen=True)
class PartitionTunerTuned(Scheduler):
    """Simulation in the loop, within ``run``.

    ``evaluations``: plans that may be simulated, at least; the plans to start from are simulated
    however small it is. A fifth of it goes to PartitionTuner's parameters. ``seed``: of the
    search's random choices; the problem's own when ``None``. ``starts``: schedulers to start from,
    by name or ``FILE.py:CLASS``; when ``None``, all built-in ones and PartitionTuner with tuned
    parameters. With ``starts`` no parameters are tuned, and all evaluations are the plan's.
    Never worse, in simulation, than the schedulers it starts from. Where there is no simulator, it
    is PartitionTuner with the parameters whose prediction is least.
    """

    name: ClassVar[str] = "partition_tuner_tuned"
    optimises: ClassVar[str] = "the simulated makespan, contention included, over whole plans"
    ignores: ClassVar[str] = "nothing that is simulated; it stops when its budget is used up"
    complexity: ClassVar[str] = "evaluations · (O(V + E) + one simulation)"
    source: ClassVar[str] = "Yu et al., ETRI Journal 45(2) 2023, tuned by simulated annealing"

    evaluations: int = 2000
    seed: int | None = None
    starts: Sequence[str] | None = None

    def __post_init__(self) -> None:
        """Raises :class:`SchedulerError` for a parameter outside its range."""
        if isinstance(self.starts, str) or self.starts == []:
            raise SchedulerError(
                f"{self.name}: starts must be a list of schedulers, not {self.starts!r}",
                hint="write it like starts: [heft, mosaic]",
            )
        for name in self.starts or ():
            find(str(name))
        if self.evaluations < 1:
            raise SchedulerError(
                f"{self.name}: evaluations must be at least 1, not {self.evaluations}"
            )

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` when no built-in scheduler finds a plan that can run."""
        seed = problem.seed if self.seed is None else self.seed
        parameters: Parameters | None = None
        tuned: Plan | None = None
        if self.starts is None or problem.evaluate is None:
            parameters, tuned = self._tuned_parameters(problem)
        if problem.evaluate is None:
            if tuned is None:
                raise SchedulerError(f"{self.name}: PartitionTuner finds no plan")
            return replace(
                tuned, scheduler=self.name, parameters=asdict(self),
                details={"partition_tuner": parameters, "simulated": False},
            )  # fmt: skip
        named = start_names() if self.starts is None else self.starts
        starts = [plan for _, plan in start_plans(problem, named)] + ([tuned] if tuned else [])
        grounds = _grounds(problem)
        budget = self.evaluations if parameters is None else self._left()
        try:
            campaign = begin(grounds, starts, budget)
        except PlanError as error:
            raise SchedulerError(f"{self.name}: {error.message}") from error
        built_in_s = min(search.initial_s for search in campaign.searches)
        campaign = run(grounds, campaign, seed, budget)
        return replace(
            best_plan(grounds, campaign, self.name),
            parameters=asdict(self),
            predicted_s=campaign.seconds,
            details={
                "best_start_us": built_in_s * 1e6,
                "evaluations": campaign.evaluations,
                "partition_tuner": parameters,
            },
        )

    def _left(self) -> int:
        """Evaluations that the search of parameters leaves to that of the plan."""
        return self.evaluations - self.evaluations // 5

    def _tuned_parameters(self, problem: Problem) -> tuple[Parameters, Plan | None]:
        """PartitionTuner's best parameters here, and its plan with them, if it finds one."""

        def worth(parameters: Parameters) -> float:
            try:
                plan = PartitionTuner(**parameters).plan(problem)  # type: ignore[arg-type]
                return _predicted(plan) if problem.evaluate is None else problem.evaluate(plan)
            except HetsimError:
                return math.inf

        def score(several: Sequence[Parameters]) -> list[float]:
            return [worth(parameters) for parameters in several]

        parameters, seconds = descend(score, max(1, self.evaluations // 5))
        if seconds == math.inf:
            return parameters, None
        return parameters, PartitionTuner(**parameters).plan(problem)  # type: ignore[arg-type]


def _grounds(problem: Problem) -> Grounds:
    """Spaces and judges of the problem's network and of what rewrites make of it."""
    known: dict[Rewrites, Ground] = {}

    def ground(rewrites: Rewrites) -> Ground:
        if rewrites not in known:
            there = problem
            if rewrites:
                assert problem.rewritten is not None, "somebody rewrote the network"
                there = problem.rewritten(rewrites)
            assert there.evaluate is not None
            known[rewrites] = Ground(
                Space(there.graph, there.soc, parallel=problem.forks),
                PlanJudge(there.graph, there.soc, there.evaluate),
            )
        return known[rewrites]

    return ground


def _predicted(plan: Plan) -> float:
    return math.inf if plan.predicted_s is None else plan.predicted_s
