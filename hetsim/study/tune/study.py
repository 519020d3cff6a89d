"""The tuning study: parameters, then plans, network by network; stops and goes on at any round."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from hetsim.bounds.bound import Bound
from hetsim.cost.sources import cost_files
from hetsim.errors import HetsimError, PlanError
from hetsim.plan.model import Plan
from hetsim.progress import Progress
from hetsim.report.page.study import Page
from hetsim.runs.case import Case
from hetsim.runs.scenario import case_of
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
from hetsim.schedulers.search.starts import start_names
from hetsim.study.base import Files, Study
from hetsim.study.executors.base import Executor
from hetsim.study.executors.serial import SerialExecutor
from hetsim.study.point import PointBench, digest, graph_hash
from hetsim.study.result import Rows, Shown, Words
from hetsim.study.tune.crew import Crew, TuneAnswer, TuneBench, TuneJob, Walk
from hetsim.study.tune.parameters import check_holdout, tune_parameters
from hetsim.study.tune.proof import check_prover, prove
from hetsim.study.tune.report import (
    PLAN_COLUMNS,
    headline,
    listed,
    parameter_rows,
    plan_rows,
    tune_files,
)
from hetsim.study.tune.result import TunedModel, Tuning
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


class TuneStudy(Study[Tuning]):
    """Search for better plans with the simulator in the loop.

    Starts from the plans of all built-in schedulers, and of others that the scenario or
    --scheduler name, and never ends with a worse one. The same seed and number of evaluations give
    the same result whatever the number of workers. Ctrl-C writes what has been found so far and
    ends with exit code 130; --resume goes on from there, also after the process was killed.
    """

    kind = "tune"
    set_help = "Change the SoC or the scenario."
    workers_help = "Worker processes; the result is the same.  [default: one per processor]"
    runs_elsewhere = False  # its rounds wait for all workers: a network would be in the way
    options = (
        click.Option(
            ["--evaluations"], type=click.IntRange(min=1), metavar="N",
            help="Plans to try for each network.  [default: 20000, or as many as --seconds allow]",
        ),
        click.Option(
            ["--seconds"], type=click.FloatRange(min=0, min_open=True), metavar="S",
            help="Time for each network. The result then depends on the machine.",
        ),
        click.Option(
            ["--prove", "prove_s"], type=click.FloatRange(min=0, min_open=True), metavar="S",
            help="Then let 'exact' prove for so long how good each plan can be"
            " (needs hetsim[exact]).",
        ),
        click.Option(
            ["--holdout"], type=click.IntRange(min=1), metavar="K",
            help="Tune parameters also without K of the networks in turn, and report those.",
        ),
        click.Option(
            ["--only"], type=click.Choice(["plans", "parameters"]),
            help="Tune the networks' plans only, or PartitionTuner's parameters only.",
        ),
    )  # fmt: skip
    keeping = (
        click.Option(
            ["--state"], type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
            help="Where the search keeps how far it is."
            "  [default: results/SCENARIO-tune.state.json]",
        ),
        click.Option(["--resume"], is_flag=True, help="Go on from the state file."),
    )  # fmt: skip

    def __init__(
        self,
        scenario: Scenario,
        effort: Effort | None = None,
        *,
        parameters: bool = True,
        plans: bool = True,
        holdout: int = 0,
        state: Path | None = None,
        resume: bool = False,
        prove_s: float | None = None,
    ) -> None:
        """See :func:`tune`."""
        super().__init__(scenario)
        self.budget = effort or Effort()
        self.parameters = parameters
        self.plans = plans
        self.holdout = holdout
        self.state = state
        self.resume = resume
        self.prove_s = prove_s

    @classmethod
    def check(cls, options: Mapping[str, Any]) -> None:
        """Nothing may be held out of what is left out."""
        if options["holdout"] and options["only"] == "plans":
            raise click.UsageError(
                "--holdout is about parameters, and --only plans leaves them out"
            )

    @classmethod
    def asked(cls, scenario: Scenario, options: Mapping[str, Any]) -> TuneStudy:
        """Evaluations are unlimited where seconds are not."""
        given = cls.own(options)
        only, seconds, evaluations = (given.pop(k) for k in ("only", "seconds", "evaluations"))
        limit = evaluations or (Effort().evaluations if seconds is None else UNLIMITED)
        given["holdout"] = given["holdout"] or 0
        study = cls(
            scenario,
            Effort(limit, seconds),
            parameters=only != "plans",
            plans=only != "parameters",
            **given,
        )
        study.state = study.state or study.place(".state.json")
        return study

    def question(self) -> object:
        """Its networks and runtime."""
        models = [ref.label for ref in self.scenario.models]
        return {"models": models, "execution": self.scenario.execution}

    def run(
        self, executor: Executor[TuneJob, TuneAnswer], progress: Progress | None = None
    ) -> Tuning:
        """Tunes parameters, then a plan for every network; Ctrl-C ends it early."""
        if self.prove_s is not None:
            check_prover()
        begun = time.perf_counter()
        scenario = self.scenario
        search = _Search(scenario, self.budget, self.state, progress or (lambda *_: None))
        check_holdout(self.holdout, len(search.cases))
        if self.resume and self.state is not None:
            search.state = TuneState.load(self.state, search.state.digest)
        before = search.judged
        interrupted = False
        crew = Crew(TuneBench(tuple(search.cases.values())), executor)
        try:
            if self.parameters:
                search.tune_parameters(crew, self.holdout)
            if self.plans:
                for i, label in enumerate(search.cases):
                    search.search(crew, i, label)
        except KeyboardInterrupt:
            if not search.state.models and search.state.parameters is None:
                raise
            interrupted = True
        models = tuple(
            search.tuned(label, _grounds(crew.bench, i), None if interrupted else self.prove_s)
            for i, label in enumerate(search.cases)
            if label in search.state.models
        )
        return Tuning(
            scenario.name,
            scenario.soc.name,
            scenario.execution,
            scenario.seed,
            search.state.parameters,
            models,
            interrupted,
            time.perf_counter() - begun,
            search.judged - before,
        )

    def report(self, result: Tuning) -> tuple[Page, Files]:
        """Plans, parameters, curves."""
        return tune_files(result)

    def headline(self, result: Tuning) -> str:
        """What was gained."""
        return headline(result)

    def shown(self, result: Tuning) -> Iterator[Shown]:
        """Plans, then parameters."""
        if result.models:
            yield Rows(PLAN_COLUMNS, plan_rows(result), left=2)
            rate = f", {result.fresh / result.wall_s:,.0f} plans a second" if result.wall_s else ""
            yield Words(f"\n{result.fresh:,} plans judged in {result.wall_s:.1f} s{rate}\n")
        if result.parameters is not None:
            columns = ("network", "published", "tuned", "change", "")
            for fold in (*result.parameters.folds, result.parameters.everything):
                held = sum(gain.held_out for gain in fold.gains)
                which = f"without {held} of the networks" if held else "on all networks"
                yield Words(f"partition_tuner's parameters tuned {which}", "bold")
                yield Rows(columns, parameter_rows(fold))
                yield Words(listed(fold), "dim")
        yield from super().shown(result)

    def failures(self, result: Tuning) -> list[str]:
        """That somebody stopped it."""
        return ["interrupted; go on with --resume"] if result.interrupted else []

    def exit_code(self, result: Tuning) -> int:
        """As any program that was interrupted."""
        return 130 if result.interrupted else 0


def tune(
    scenario: Scenario,
    effort: Effort | None = None,
    *,
    executor: Executor[TuneJob, TuneAnswer] | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Tuning:
    """Tunes PartitionTuner's parameters for the SoC, and a plan for every network.

    ``options`` are those of :class:`TuneStudy`. ``state`` is the file that is kept up to date after
    every round; with ``resume`` the study goes on from it. Ctrl-C ends the study early with what
    has been found. With ``prove_s`` the ``exact`` scheduler then has that many seconds for each
    network to prove how good a plan can be; should it find a better one on the way, that is the
    result. ``parameters`` and ``plans`` say what is tuned; ``holdout`` networks at a time are kept
    out of the tuning of parameters.

    Raises:
        ConfigError: more networks to hold out than there are.
        ResultsError: a state file that cannot be used or written; a worker that died.
        PlanError: a network for which no scheduler finds a plan.
        HetsimError: networks that cannot be loaded or do not fit.
    """
    with executor or SerialExecutor[TuneJob, TuneAnswer]() as team:
        return TuneStudy(scenario, effort, **options).run(team, progress)


def study_digest(scenario: Scenario, graphs: Sequence[object]) -> str:
    """SHA-256 of everything that decides how a search goes, its budget apart."""
    from hetsim.version import version

    return digest(
        {
            "hetsim": version(),
            "soc": scenario.soc.spec.model_dump(mode="json", exclude={"name", "description"}),
            "costs": [
                hashlib.sha256(path.read_bytes()).hexdigest() for path in cost_files(scenario.soc)
            ],
            "graphs": list(graphs),
            "execution": scenario.execution,
            "fidelity": scenario.fidelity,
            "seed": scenario.seed,
            "starts": [[name, dict(given)] for name, _, given in _starts(scenario)],
        }
    )


class _Search:
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

    def save(self) -> None:
        if self.path is not None:
            self.state.save(self.path)

    def tune_parameters(self, crew: Crew, holdout: int) -> None:
        known = self.state.parameters
        if known is not None and known.holdout == holdout:
            return
        self.progress("parameters of partition_tuner", 0, 1)
        self.state.parameters = tune_parameters(crew, holdout)
        self.save()

    def search(self, crew: Crew, model: int, label: str) -> None:
        """Rounds on one network until its effort is used up."""
        deadline = math.inf
        if self.effort.seconds is not None:
            deadline = time.perf_counter() + self.effort.seconds
        budget = self.effort.evaluations
        grounds = _grounds(crew.bench, model)
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


def _grounds(bench: TuneBench, model: int) -> Grounds:
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
