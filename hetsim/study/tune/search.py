"""The search of a tuning study for a plan of every network, each alone on the SoC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from hetsim.bounds.bound import Bound
from hetsim.errors import HetsimError, PlanError
from hetsim.plan.model import Plan
from hetsim.progress import Progress
from hetsim.runs.case import Case
from hetsim.runs.rows import case_of
from hetsim.scenario.loader import Scenario
from hetsim.schedulers.base import Scheduler
from hetsim.schedulers.partition_tuner.scheduler import PartitionTuner
from hetsim.schedulers.registry import create
from hetsim.schedulers.search.campaign import Campaign, Grounds, begin, best_plan
from hetsim.schedulers.search.starts import start_names
from hetsim.study.point import PointBench, cost_hashes, digest, graph_hash, setting
from hetsim.study.tune.crew import Crew, TuneBench, WalkBench
from hetsim.study.tune.parameters import in_turn, tune_parameters
from hetsim.study.tune.proof import prove
from hetsim.study.tune.result import TunedModel
from hetsim.study.tune.rounds import Effort, Rounds
from hetsim.study.tune.state import ModelState, Start, TuneState

TUNED = "partition_tuner, tuned parameters"
"""What the start made with tuned parameters is called."""


def study_digest(scenario: Scenario, graphs: Sequence[object]) -> str:
    """SHA-256 of everything that decides how a search goes, its budget apart."""
    from hetsim.version import version

    return digest(
        {
            "hetsim": version(),
            "costs": cost_hashes(scenario),
            "graphs": list(graphs),
            "starts": starts_of(scenario),
            **setting(scenario),
        }
    )


class Search(Rounds):
    """The search for a plan of every network, by the makespan of one inference."""

    def __init__(
        self, scenario: Scenario, effort: Effort, path: Path | None, progress: Progress
    ) -> None:
        self.scenario = scenario
        graphs = PointBench.of(scenario).graphs
        self.cases = {label: case_of(scenario, graph) for label, graph in graphs.items()}
        for case in self.cases.values():
            case.check()
        hashes = [[label, graph_hash(graph)] for label, graph in graphs.items()]
        super().__init__(
            tuple(self.cases), scenario.soc.name, scenario.seed,
            TuneState(study_digest(scenario, hashes)), effort, path, progress,
        )  # fmt: skip

    def worth(self, value: float) -> str:
        return f"{value * 1e3:.4g} ms"

    def tune_parameters(self, crew: Crew[TuneBench], holdout: int) -> None:
        known = self.state.parameters
        if known is not None and known.holdout == holdout:
            return
        self.progress("parameters of partition_tuner", 0, 1)
        self.state.parameters = tune_parameters(crew, in_turn(len(self.cases), holdout))
        self.save()

    def begin(self, bench: WalkBench, model: int, label: str, grounds: Grounds) -> ModelState:
        case = self.cases[label]
        starts: list[Start] = []
        plans: list[tuple[float, Plan]] = []
        for name, plan in self._plans(case):
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
        campaign: Campaign = begin(grounds, [plan for _, plan in plans], self.effort.evaluations)
        return ModelState(tuple(starts), best, campaign)

    def _plans(self, case: Case) -> Iterator[tuple[str, Plan | HetsimError]]:
        """The plans of all schedulers, then PartitionTuner's with the tuned parameters."""
        limit = self.scenario.time_limit_s
        for label, name, given in starts_of(self.scenario):
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


def starts_of(scenario: Scenario) -> list[tuple[str, str, dict[str, object]]]:
    """Label, name and parameters: all built-in schedulers, and what else the scenario lists."""
    built_in = start_names()
    entries: list[tuple[str, str, dict[str, object]]] = [(name, name, {}) for name in built_in]
    for ref in scenario.schedulers:
        known = ref.name in built_in and not ref.parameters
        if ref.listed and ref.name != "partition_tuner_tuned" and not known:
            entries.append((ref.label, ref.name, dict(ref.parameters)))
    return entries
