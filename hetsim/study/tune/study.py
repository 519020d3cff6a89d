"""The tuning study: parameters, then plans, network by network; stops and goes on at any round."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from hetsim.analysis.serving.objectives import OBJECTIVES
from hetsim.errors import ConfigError, Location, UnitError
from hetsim.executors.base import Executor
from hetsim.executors.serial import SerialExecutor
from hetsim.progress import Progress
from hetsim.report.page.study import Page
from hetsim.runs.joint import INFERENCES, OF_EACH
from hetsim.scenario.loader import Scenario
from hetsim.study.base import Files, Study
from hetsim.study.result import Rows, Shown, Words
from hetsim.study.tune.crew import Crew, TuneAnswer, TuneBench, TuneJob
from hetsim.study.tune.parameters import check_holdout
from hetsim.study.tune.proof import check_prover
from hetsim.study.tune.report import (
    PLAN_COLUMNS,
    headline,
    listed,
    parameter_rows,
    plan_rows,
    tune_files,
)
from hetsim.study.tune.result import Tuning
from hetsim.study.tune.rounds import UNLIMITED, Effort, grounds_of
from hetsim.study.tune.search import Search
from hetsim.study.tune.state import resumed
from hetsim.study.tune.streamstudy import EVALUATIONS, StreamTuneStudy
from hetsim.units import parse_quantity


class _Time(click.ParamType):  # type: ignore[type-arg]
    """A time with its unit, above zero."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            seconds = parse_quantity(str(value), "time")
        except UnitError as error:
            self.fail(f"{error.message}; {error.hint}", param, ctx)
        if seconds <= 0.0:
            self.fail(f"{value!r} must be more than zero", param, ctx)
        return seconds


class TuneStudy(Study[Tuning]):
    """Search for better plans with the simulator in the loop.

    Starts from the plans of the built-in schedulers, and of others that the scenario or
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
        click.Option(
            ["--objective"], type=click.Choice(list(OBJECTIVES)),
            help="What plans of several streams are tuned for, together.  [default: latency]",
        ),
        click.Option(
            ["--horizon", "horizon_s"], type=_Time(), metavar="TIME",
            help="Simulated time by which plans of streams are judged.  [default: long enough for"
            f" {INFERENCES} inferences, {OF_EACH} of each stream]",
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
    def asked(cls, scenario: Scenario, options: Mapping[str, Any]) -> TuneStudy | StreamTuneStudy:
        """Evaluations are unlimited where seconds are not. Streams are tuned together."""
        given = cls.own(options)
        streams = {name: given.pop(name) for name in ("objective", "horizon_s")}
        only, seconds, evaluations = (given.pop(k) for k in ("only", "seconds", "evaluations"))
        usual = Effort().evaluations if scenario.service is None else EVALUATIONS
        limit = evaluations or (usual if seconds is None else UNLIMITED)
        if scenario.service is not None:
            _without(given | {"only": only}, ("only", "holdout", "prove_s"), "a network alone")
            together = StreamTuneStudy(
                scenario, streams["objective"] or "latency", Effort(limit, seconds),
                horizon_s=streams["horizon_s"], resume=given["resume"],
                state=given["state"],
            )  # fmt: skip
            together.state = together.state or together.place(f"-{together.objective}.state.json")
            return together
        _without(streams, tuple(streams), "streams, and the scenario has none")
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
        """What is tuned; with more effort it is the same question."""
        return {"parameters": self.parameters, "plans": self.plans, "holdout": self.holdout}

    def run(
        self, executor: Executor[TuneJob, TuneAnswer], progress: Progress | None = None
    ) -> Tuning:
        """Tunes parameters, then a plan for every network; Ctrl-C ends it early."""
        if self.prove_s is not None:
            check_prover()
        begun = time.perf_counter()
        scenario = self.scenario
        search = Search(scenario, self.budget, self.state, progress or (lambda *_: None))
        check_holdout(self.holdout, len(search.cases))
        search.state = resumed(self.state, search.state, resume=self.resume)
        before = search.judged
        interrupted = False
        crew = Crew(TuneBench(tuple(search.cases.values())), executor)
        search.check(crew.bench)
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
            search.tuned(label, grounds_of(crew.bench, i), None if interrupted else self.prove_s)
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


def _without(options: Mapping[str, Any], names: Iterable[str], what: str) -> None:
    """Raises ``ConfigError`` when one of ``names``, which are about ``what``, is asked for."""
    for name in names:
        if options[name] is not None:
            flag = f"--{name.removesuffix('_s')}"
            raise ConfigError(f"{flag} is about {what}", where=Location(flag))


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
