"""The search of a tuning study: rounds over its networks, kept in the state file after each."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hetsim.bounds.bound import Bound
from hetsim.errors import HetsimError, PlanError
from hetsim.plan.model import Plan
from hetsim.progress import Progress
from hetsim.records import damaged
from hetsim.runs.case import Case
from hetsim.runs.rows import case_of
from hetsim.scenario.loader import Scenario
from hetsim.schedulers.base import Scheduler
from hetsim.schedulers.partition_tuner.scheduler import PartitionTuner
from hetsim.schedulers.registry import create
from hetsim.schedulers.search.campaign import (
    Campaign,
    Grounds,
    begin,
    best_plan,
    round_done,
    round_tasks,
)
from hetsim.schedulers.search.genome import Genome, decode
from hetsim.schedulers.search.space import Space
from hetsim.schedulers.search.starts import start_names
from hetsim.study.point import PointBench, cost_hashes, digest, graph_hash, setting
from hetsim.study.tune.crew import Crew, TuneBench, Walk
from hetsim.study.tune.parameters import in_turn, tune_parameters
from hetsim.study.tune.proof import prove
from hetsim.study.tune.result import TunedModel
from hetsim.study.tune.state import ModelState, Start, TuneState

UNLIMITED = 10**15
"""Evaluations, where only seconds limit."""

TUNED = "partition_tuner, tuned parameters"
"""What the start made with tuned parameters is called."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to spend on each network: ``evaluations`` and, if not ``None``, wall ``seconds``.

    With seconds the result depends on the machine; with evaluations alone it does not.
    """

    evaluations: int = 20_000
    seconds: float | None = None


def _fits(space: Space, genome: Genome) -> bool:
    """Whether ``genome`` is of this network on these units: in order, and on units that can."""
    if len(genome.pu) != len(space.graph) or max(genome.pu) >= len(space.soc.pus):
        return False
    place = {op: i for i, op in enumerate(genome.order)}
    before = space.graph.predecessors
    ordered = all(place[p] < place[op] for op in place for p in before[op])
    return ordered and decode(space, genome) is not None


def study_digest(scenario: Scenario, graphs: Sequence[object]) -> str:
    """SHA-256 of everything that decides how a search goes, its budget apart."""
    from hetsim.version import version

    return digest(
        {
            "hetsim": version(),
            "costs": cost_hashes(scenario),
            "graphs": list(graphs),
            "starts": _starts(scenario),
            **setting(scenario),
        }
    )


class Search:
    """A study under way; ``state`` is always the end of some round."""

    def __init__(
        self, scenario: Scenario, effort: Effort, path: Path | None, progress: Progress
    ) -> None:
        self.scenario = scenario
        self.effort = effort
        self.path = path
        self.progress = progress
        graphs = PointBench.of(scenario).graphs
        self.cases = {label: case_of(scenario, graph) for label, graph in graphs.items()}
        for case in self.cases.values():
            case.check()
        hashes = [[label, graph_hash(graph)] for label, graph in graphs.items()]
        self.state = TuneState(study_digest(scenario, hashes))

    @property
    def judged(self) -> int:
        return sum(model.campaign.evaluations for model in self.state.models.values())

    def check(self, bench: TuneBench) -> None:
        """Holds a state that was read against the networks and units it is about.

        Raises:
            ResultsError: it speaks of operators or units that are not there.
            PlanError: it rewrites what cannot be rewritten.
        """
        for model, label in enumerate(self.cases):
            state = self.state.models.get(label)
            campaign = None if state is None else state.campaign
            for rewrites, search in (
                () if campaign is None else zip(campaign.rewrites, campaign.searches, strict=True)
            ):
                space = grounds_of(bench, model)(rewrites).space
                genome = search.best
                if not _fits(space, genome):
                    raise damaged(
                        str(self.path), f"its search does not fit {label} on {space.soc.name}"
                    )

    def save(self) -> None:
        if self.path is not None:
            self.state.save(self.path)

    def tune_parameters(self, crew: Crew, holdout: int) -> None:
        known = self.state.parameters
        if known is not None and known.holdout == holdout:
            return
        self.progress("parameters of partition_tuner", 0, 1)
        self.state.parameters = tune_parameters(crew, in_turn(len(self.cases), holdout))
        self.save()

    def search(self, crew: Crew, model: int, label: str) -> None:
        """Rounds on one network until its effort is used up."""
        deadline = math.inf
        if self.effort.seconds is not None:
            deadline = time.perf_counter() + self.effort.seconds
        budget = self.effort.evaluations
        grounds = grounds_of(crew.bench, model)
        total = min(budget, UNLIMITED)
        if label not in self.state.models:
            self.progress(f"{label} · plans to start from", 0, total)
            self.state.models[label] = self._begin(crew.bench, model, label, grounds, budget)
            self.save()
        while time.perf_counter() < deadline:
            here = self.state.models[label]
            campaign = here.campaign
            self.progress(f"{label} · {campaign.seconds * 1e3:.4g} ms", campaign.evaluations, total)
            tasks = round_tasks(grounds, campaign, self.scenario.seed, budget)
            if not tasks:
                break
            rewrites = campaign.rewrites[campaign.following]
            outcomes = crew.walk([Walk(model, rewrites, task) for task in tasks])
            campaign = round_done(grounds, campaign, outcomes)
            self.state.models[label] = replace(here, campaign=campaign)
            self.save()

    def _begin(
        self, bench: TuneBench, model: int, label: str, grounds: Grounds, budget: int
    ) -> ModelState:
        case = self.cases[label]
        starts: list[Start] = []
        plans: list[tuple[float, Plan]] = []
        for name, plan in self._plans(bench, model, case):
            if isinstance(plan, HetsimError):
                starts.append(Start(name, None, plan.message))
                continue
            seconds = case.simulate(plan, trace=False).makespan_s
            starts.append(Start(name, seconds))
            plans.append((seconds, plan))
        if not plans:
            reasons = "; ".join(f"{s.scheduler}: {s.error}" for s in starts)
            raise PlanError(f"no scheduler finds a plan for {label}: {reasons}")
        best = min(plans, key=lambda entry: entry[0])[1]
        campaign: Campaign = begin(grounds, [plan for _, plan in plans], budget)
        return ModelState(tuple(starts), best, campaign)

    def _plans(
        self, bench: TuneBench, model: int, case: Case
    ) -> Iterator[tuple[str, Plan | HetsimError]]:
        """The plans of all schedulers, then PartitionTuner's with the tuned parameters."""
        limit = self.scenario.time_limit_s
        for label, name, given in _starts(self.scenario):
            try:
                scheduler: Scheduler = create(name, given)
                yield label, case.plan(scheduler, limit)
            except HetsimError as error:
                yield label, error
        if self.state.parameters is not None:
            tuned = PartitionTuner(**self.state.parameters.best)  # type: ignore[arg-type]
            try:
                yield TUNED, case.plan(tuned, limit)
            except HetsimError as error:
                yield TUNED, error

    def tuned(self, label: str, grounds: Grounds, prove_s: float | None) -> TunedModel:
        """The outcome of one network: the better of what was found and what it started from."""
        case, state = self.cases[label], self.state.models[label]
        campaign = state.campaign
        plan = best_plan(grounds, campaign, "tune")
        start = case.evaluate(state.best_start.scheduler, state.best_start)
        found = case.evaluate("tuned", plan)
        assert found.makespan_s is not None
        assert start.makespan_s is not None
        if start.makespan_s < found.makespan_s:  # equal but for rounding, as the judge adds up
            plan = replace(state.best_start, scheduler="tune")
        best_s = min(start.makespan_s, found.makespan_s)
        proven: tuple[Bound, ...] = ()
        if prove_s is not None:
            proof, proof_s, proven = prove(case, prove_s)
            if proof_s < best_s:
                plan, best_s = replace(proof, scheduler="tune"), proof_s
            proven = () if plan.rewrites else proven
        plan = replace(
            plan,
            parameters={"seed": self.scenario.seed, "evaluations": campaign.evaluations},
            predicted_s=best_s,
            details={
                "execution": self.scenario.execution,
                "fidelity": self.scenario.fidelity,
                "best_start": state.best_start.scheduler,
                "best_start_us": start.makespan_s * 1e6,
            },
        )
        return TunedModel(
            label,
            state.starts,
            start,
            case.evaluate("tuned", plan, proven=proven),
            campaign.evaluations,
            campaign.rounds,
            campaign.curve,
        )


def grounds_of(bench: TuneBench, model: int) -> Grounds:
    """Network ``model`` after any rewrites, as the bench knows it."""
    return lambda rewrites: bench.ground(model, rewrites)


def _starts(scenario: Scenario) -> list[tuple[str, str, dict[str, object]]]:
    """Label, name and parameters: all built-in schedulers, and what else the scenario lists."""
    built_in = start_names()
    entries: list[tuple[str, str, dict[str, object]]] = [(name, name, {}) for name in built_in]
    for ref in scenario.schedulers:
        known = ref.name in built_in and not ref.parameters
        if ref.listed and ref.name != "partition_tuner_tuned" and not known:
            entries.append((ref.label, ref.name, dict(ref.parameters)))
    return entries
