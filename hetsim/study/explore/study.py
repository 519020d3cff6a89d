"""Design-space exploration: the cheapest design under constraints, searched with Optuna."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from hetsim.errors import ConfigError, Location
from hetsim.executors.base import Executor
from hetsim.executors.serial import SerialExecutor
from hetsim.names import suggest
from hetsim.progress import Progress
from hetsim.report.page.study import Page
from hetsim.scenario.loader import Scenario
from hetsim.study.axes import Axis, asked_axes, check_axes, distinct
from hetsim.study.base import Files, Study
from hetsim.study.explore.answer import details, headline, obstacles
from hetsim.study.explore.deciding import basis, deciding_table, together
from hetsim.study.explore.importance import Importance, importance
from hetsim.study.explore.objectives import (
    Constraint,
    known_measure,
    parse_constraint,
    parse_objectives,
    stream_of,
)
from hetsim.study.explore.report import TIMELINES, explore_files, front_table
from hetsim.study.explore.result import Design, Exploration, measured_by
from hetsim.study.explore.search import Search
from hetsim.study.explore.space import design_of
from hetsim.study.explore.told import Told
from hetsim.study.explore.trials import SAMPLERS, Trials, require_optuna
from hetsim.study.outcome import Outcome
from hetsim.study.point import Point, PointBench, digest, points_of
from hetsim.study.result import Rows, Shown, Words

SHOWN = 20
"""Designs of the front that the terminal shows; all are in the files."""

TRIALS = 100
"""Designs tried when nobody says how many."""


class ExploreStudy(Study[Exploration]):
    """Search the design space under constraints.

    Latency is that of the slowest network, energy the sum of all, each under its fastest
    scheduler; area and cost are the SoC file's own sums. The same command goes on where an
    earlier one ended, and several may share a storage. The best designs are written as SoC files.
    """

    kind = "explore"
    options = (
        click.Option(
            ["--vary"], multiple=True, metavar="PATH=VALUES",
            help="What to vary: npu.sram=128KiB..4MiB:log2, bus.clock=40MHz..320MHz;"
            " may be repeated.",
        ),
        click.Option(
            ["--minimise", "--minimize", "minimise"], multiple=True, metavar="MEASURE",
            help="latency_ms, energy_mj, area, cost, or another of 'hetsim list metrics';"
            " camera.latency_p99_ms of one stream; repeat for a Pareto front."
            "  [default: latency_ms; latency_p99_ms of streams]",
        ),
        click.Option(
            ["--constraint", "constraints"], multiple=True, metavar="'MEASURE <= NUMBER'",
            help="What designs must meet: 'latency_ms <= 33'; may be repeated.",
        ),
        click.Option(
            ["--trials"], type=click.IntRange(min=1), metavar="N",
            help="Designs to know at the end, those of earlier runs included.  [default: 100]",
        ),
        click.Option(
            ["--sampler"], type=click.Choice(SAMPLERS),
            help="How to search.  [default: tpe; nsga2 for several objectives]",
        ),
        click.Option(
            ["--storage"], metavar="FILE|URL",
            help="Where Optuna keeps the study: .sqlite, .log (journal), or a database URL."
            "  [default: results/SCENARIO-explore.sqlite]",
        ),
        click.Option(
            ["--timelines"], type=click.IntRange(min=0), metavar="N",
            help="Designs of the front, cheapest first, that run once more for a page with their"
            " timeline.  [default: 3]",
        ),
    )  # fmt: skip

    def __init__(
        self,
        scenario: Scenario,
        axes: Sequence[Axis],
        *,
        minimise: Sequence[str] | None = None,
        constraints: Sequence[Constraint] = (),
        trials: int = TRIALS,
        sampler: str | None = None,
        storage: str | Path | None = None,
        timelines: int = TIMELINES,
    ) -> None:
        """``trials`` designs are to be known at the end; ``storage`` keeps them.

        ``minimise`` defaults to the latency: of the slowest network, or the 99th percentile of all
        streams.
        ``timelines`` of the front are drawn by :meth:`report`.
        """
        super().__init__(scenario)
        self.axes = tuple(axes)
        latency = "latency_ms" if scenario.service is None else "latency_p99_ms"
        self.minimise = tuple(minimise or (latency,))
        self.constraints = tuple(constraints)
        self.trials = trials
        self.sampler = sampler
        self.storage = storage
        self.timelines = timelines

    @classmethod
    def check(cls, options: Mapping[str, Any]) -> None:
        """Optuna is needed."""
        require_optuna()

    @classmethod
    def asked(cls, scenario: Scenario, options: Mapping[str, Any]) -> ExploreStudy:
        """The search of the options, or else of the scenario's own section."""
        given = cls.own(options)
        vary = given.pop("vary")
        axes = asked_axes(scenario, vary, cls.kind)
        if not vary:
            for name in ("minimise", "constraints", "trials", "sampler"):
                given[name] = given[name] or scenario.document.get((cls.kind, name))
        given["constraints"] = [parse_constraint(text) for text in given["constraints"] or ()]
        said = {name: value for name, value in given.items() if value or value == 0}
        study = cls(scenario, axes, **said)
        study.storage = study.storage or str(study.place(".sqlite"))
        return study

    def question(self) -> object:
        """What is varied, what is wanted, and how it is searched."""
        varied = [[a.path, list(a.values), repr(a.interval), a.stepped] for a in self.axes]
        return [varied, list(self.minimise), [str(c) for c in self.constraints], self._sampler]

    @property
    def _sampler(self) -> str:
        return self.sampler or ("tpe" if len(self.minimise) == 1 else "nsga2")

    def run(
        self, executor: Executor[Point, Outcome], progress: Progress | None = None
    ) -> Exploration:
        """Tries designs until enough are known."""
        begun = time.perf_counter()
        require_optuna()
        scenario, constraints = self.scenario, self.constraints
        axes, objectives = distinct(self.axes), parse_objectives(self.minimise)
        measures = measured_by(objectives, constraints)
        _check(scenario, axes, measures, self.trials)
        bench = PointBench.of(scenario, {axis.path: axis.values[0] for axis in axes})
        question = digest(self.question())
        content = digest([bench.key(point) for point in points_of(scenario, [{}])])
        memory = Trials(self.storage, scenario.name, question, content, objectives)
        with memory, memory.explaining():
            search = Search(bench, axes, objectives, constraints, measures, memory, executor)
            fresh = search.run(self.trials, self._sampler, progress)
            designs = tuple(_design(axes, number, told) for number, told in memory.finished)
        return Exploration(
            scenario, axes, objectives, constraints, self._sampler, designs,
            {name: _deciding(axes, designs, name) for name in measures}, fresh,
            time.perf_counter() - begun,
        )  # fmt: skip

    def report(self, result: Exploration) -> tuple[Page, Files]:
        """The front, what decides, data, SoC files that run, and timelines."""
        return explore_files(result, self.timelines)

    def headline(self, result: Exploration) -> str:
        """The best design, or what stands in the way of any."""
        return headline(result)

    def shown(self, result: Exploration) -> Iterator[Shown]:
        """The front by price, what decides, and the answer."""
        front = front_table(result)
        if front.rows:
            unbroken = range(1 + len(result.measured))
            yield Rows(front.columns, front.rows[:SHOWN], left=0, unbroken=unbroken)
            more = len(front.rows) - SHOWN
            yield Words(f"… and {more} more" if more > 0 else "")
        for name, found in result.importance.items():
            if found.effect:
                table = deciding_table(name, found)
                yield Rows(table.columns, table.rows, unbroken=(0,))
            for sentence in together(name, found):
                yield Words(sentence)
            yield Words(basis(name, found), "dim")
            yield Words()
        if result.constraints and result.feasible:
            yield Words(f"Ruled out: {obstacles(result)}.", "dim")
        if front.rows:
            yield from super().shown(result)
            yield from map(Words, details(result))

    def effort(self, result: Exploration) -> str:
        """What was tried, and what was known."""
        known = max(0, len(result.designs) - result.fresh)
        repeated = len(result.designs) - len(result.tried)
        again = f", {repeated} of them repeats" if repeated else ""
        return (
            f"{result.fresh} trials now in {result.wall_s:.1f} s, {known} known{again}:"
            f" {self.storage}"
        )

    def failures(self, result: Exploration) -> list[str]:
        """That no design will do, and why."""
        told = " ".join([headline(result), *details(result)])
        return [] if result.feasible else [f"error: {told}"]


def explore(
    scenario: Scenario,
    axes: Sequence[Axis],
    *,
    executor: Executor[Point, Outcome] | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Exploration:
    """Tries designs until ``trials`` are known, those found in ``storage`` included.

    ``options`` are those of :class:`ExploreStudy`: ``minimise``, ``constraints``, ``trials``,
    ``sampler``, ``storage``.

    Raises:
        MissingExtraError: optuna is not installed.
        ConfigError: a path, objective, constraint or sampler that makes no sense here.
        ResultsError: the storage cannot be used, or is about something else.
    """
    with executor or SerialExecutor[Point, Outcome]() as team:
        return ExploreStudy(scenario, axes, **options).run(team, progress)


def _check(scenario: Scenario, axes: Sequence[Axis], measures: Sequence[str], trials: int) -> None:
    if not axes:
        raise ConfigError("there is nothing to explore", where=Location("--vary"))
    if trials < 1:
        raise ConfigError("at least one trial is needed", where=Location("--trials"))
    scenario.check_schedulers()
    check_axes(scenario, axes)
    for name in measures:
        metric = known_measure(name).metric
        _check_streams(scenario, name)
        fixed = all(axis.path != "soc" for axis in axes)
        if metric.of_soc is not None and fixed and metric.of_soc(scenario.soc) is None:
            raise ConfigError(
                f"{scenario.soc.name} states no {metric.name}, so {name!r} has no value",
                where=Location(scenario.soc.source),
                hint=metric.state_it,
            )


def _check_streams(scenario: Scenario, name: str) -> None:
    """Some metrics are of streams, others of single inferences."""
    metric, stream, service = known_measure(name).metric, stream_of(name), scenario.service
    if not metric.measures(served=service is not None):
        about = "single inferences" if service is not None else "streams"
        raise ConfigError(
            f"{name!r} is measured of {about}, and scenario {scenario.name!r} runs"
            f" {'streams' if service is not None else 'single inferences'}",
            where=Location(scenario.source),
            hint="'hetsim list metrics' tells which is of what",
        )
    if stream is not None and service is not None:
        known = [found.name for found in service.streams]
        if stream not in known:
            raise ConfigError(
                f"{name!r}: there is no stream {stream!r}", where=Location(scenario.source),
                hint=suggest(stream, known),
            )  # fmt: skip


def _design(axes: Sequence[Axis], number: int, told: Told) -> Design:
    return Design(
        number, design_of(axes, told.params), told.measures, told.violations, told.error
    )  # fmt: skip


def _deciding(axes: Sequence[Axis], designs: Sequence[Design], name: str) -> Importance:
    physical = known_measure(name).metric.dimension is not None
    rows = ((d.values, d.measures[name]) for d in designs if d.error is None)
    return importance(axes, rows, physical=physical)
