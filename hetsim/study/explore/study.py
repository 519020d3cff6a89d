"""Design-space exploration: the best designs under constraints, searched with Optuna.

Designs are asked for in batches of a fixed size and evaluated by any executor; the next batch is
asked for when all of one are known. So the search does not depend on the number of workers or on
who is done first. What a batch's sampler sees is in the storage, and its seed follows from the
number of its first trial: an interrupted search goes on where it was.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hetsim.errors import ConfigError, Location
from hetsim.report.figures.pareto import pareto_front
from hetsim.scenario.loader import Scenario
from hetsim.scenario.variants import check_schedulers, scheduler_refs
from hetsim.study.axes import Axis, distinct
from hetsim.study.executors.base import Executor
from hetsim.study.executors.serial import SerialExecutor
from hetsim.study.explore.objectives import Constraint, measure, parse_objectives
from hetsim.study.explore.objectives import measures as known_measures
from hetsim.study.explore.space import design_of, distributions, size
from hetsim.study.explore.trials import Trials, require_optuna
from hetsim.study.point import Bench, Outcome, Point, digest, points_of
from hetsim.study.sweep.study import check_axes

Progress = Callable[[str, int, int], None]

BATCH = 8
"""Trials asked for at once, whatever the number of workers."""

TRIALS = 100
"""Designs tried when nobody says how many."""


@dataclass(frozen=True)
class Design:
    """A design that was tried: its values, and its measures or why it has none.

    ``violations`` are shares by which constraints are missed; zero or less where they are met.
    """

    number: int
    values: Mapping[str, object]
    measures: Mapping[str, float] = field(default_factory=dict)
    violations: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None

    @property
    def feasible(self) -> bool:
        """Whether it runs and meets every constraint."""
        return self.error is None and all(v <= 0.0 for v in self.violations.values())


@dataclass(frozen=True)
class Exploration:
    """A finished exploration. ``importance`` is by objective, then by path (shares of one)."""

    scenario: Scenario = field(repr=False)
    axes: tuple[Axis, ...]
    objectives: tuple[str, ...]
    constraints: tuple[Constraint, ...]
    sampler: str
    designs: tuple[Design, ...] = field(repr=False)
    importance: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    fresh: int = 0
    wall_s: float = 0.0

    @property
    def feasible(self) -> tuple[Design, ...]:
        """The designs that run and meet every constraint."""
        return tuple(design for design in self.designs if design.feasible)

    @property
    def front(self) -> tuple[Design, ...]:
        """Feasible designs that no other beats in every objective, by the first objective."""
        able = self.feasible
        points = [[design.measures[name] for name in self.objectives] for design in able]
        return tuple(able[i] for i in pareto_front(points))

    def killed(self) -> dict[str, int]:
        """How many designs each constraint rules out, and how many cannot run at all."""
        ran = [design for design in self.designs if design.error is None]
        counts = {
            str(c): sum(design.violations[str(c)] > 0 for design in ran) for c in self.constraints
        }
        return {**counts, "cannot run": len(self.designs) - len(ran)}

    def _repr_html_(self) -> str:
        from hetsim.study.explore.report import exploration_html

        return exploration_html(self)


def explore(
    scenario: Scenario,
    axes: Sequence[Axis],
    *,
    minimise: Sequence[str] = ("latency_ms",),
    constraints: Sequence[Constraint] = (),
    trials: int = TRIALS,
    sampler: str | None = None,
    storage: str | Path | None = None,
    executor: Executor[str] | None = None,
    progress: Progress | None = None,
) -> Exploration:
    """Tries designs until ``trials`` are known, those found in ``storage`` included.

    Raises:
        MissingExtraError: optuna is not installed.
        ConfigError: a path, objective, constraint or sampler that makes no sense here.
        ResultsError: the storage cannot be used, or is about something else.
    """
    begun = time.perf_counter()
    require_optuna()
    axes, objectives = distinct(axes), parse_objectives(minimise)
    measures = tuple(dict.fromkeys([*objectives, *(c.measure for c in constraints)]))
    _check(scenario, axes, measures, trials)
    bench = Bench.of(scenario)
    sampler = sampler or ("tpe" if len(objectives) == 1 else "nsga2")
    question = _question(axes, objectives, constraints, sampler)
    content = digest([bench.key(point) for point in points_of(scenario, [{}])])
    memory = Trials(storage, scenario.name, question, content, objectives)
    with contextlib.ExitStack() as stack:
        chosen = executor if executor is not None else SerialExecutor[str]()
        stack.enter_context(chosen)
        stack.enter_context(memory.explaining())
        memory.take_over()
        search = _Search(bench, axes, objectives, tuple(constraints), measures, memory, chosen)
        fresh = search.run(trials, sampler, progress)
        designs = tuple(_design(axes, trial) for trial in memory.finished)
        importance = _importance(memory.study, objectives)
    return Exploration(
        scenario, axes, objectives, tuple(constraints), sampler, designs, importance, fresh,
        time.perf_counter() - begun,
    )  # fmt: skip


@dataclass
class _Search:
    """The loop, and what it remembers between batches."""

    bench: Bench
    axes: tuple[Axis, ...]
    objectives: tuple[str, ...]
    constraints: tuple[Constraint, ...]
    measures: tuple[str, ...]
    memory: Trials
    executor: Executor[str]

    def run(self, trials: int, sampler: str, progress: Progress | None) -> int:
        """Asks for batches until enough is known; returns how many trials were new."""
        space = distributions(self.axes)
        fresh = 0
        while True:
            finished = self.memory.finished
            if progress is not None:
                progress("asking", len(finished), trials)
            tried = {repr(design_of(self.axes, t.params)) for t in finished}
            if len(finished) >= trials or len(tried) >= size(self.axes):
                return fresh
            first = len(self.memory.study.get_trials(deepcopy=False))
            self.memory.use(sampler, self.bench.scenario.seed * 1_000_003 % 2**31 + first)
            batch = [self.memory.ask(space) for _ in range(min(BATCH, trials - len(finished)))]
            fresh += len(batch)
            self._evaluate(batch, len(finished), trials, progress)

    def _evaluate(
        self, batch: Sequence[Any], done: int, trials: int, progress: Progress | None
    ) -> None:
        known = self.memory.known()
        waiting: list[tuple[Any, dict[str, Point]]] = []
        needed: dict[str, Point] = {}
        for trial in batch:
            design = design_of(self.axes, trial.params)
            points = points_of(self.bench.scenario, [design])
            keyed = {self.bench.key(point): point for point in points}
            waiting.append((trial, keyed))
            needed |= {k: p for k, p in keyed.items() if k not in known and k not in needed}

        def settle() -> None:
            nonlocal done
            for entry in [e for e in waiting if known.keys() >= e[1].keys()]:
                waiting.remove(entry)
                self._tell(*entry, known)
                done += 1
                if progress is not None:
                    progress("", done, trials)

        settle()
        if needed:
            self.executor.ensure(self.bench)
            for key, outcome in self.executor.perform(needed.items()):
                known[key] = outcome
                settle()

    def _tell(self, trial: Any, keyed: Mapping[str, Point], known: Mapping[str, Outcome]) -> None:
        outcomes = {key: known[key] for key in keyed}
        rows = [(point, outcomes[key]) for key, point in keyed.items()]
        measured, error = measure(rows, self.measures)
        if error is not None:
            self.memory.tell_failed(trial, error, outcomes)
            return
        violations = {str(c): c.violation(measured) for c in self.constraints}
        self.memory.tell(trial, measured, self.objectives, violations, outcomes)


def _check(scenario: Scenario, axes: Sequence[Axis], measures: Sequence[str], trials: int) -> None:
    if not axes:
        raise ConfigError("there is nothing to explore", where=Location("--vary"))
    if trials < 1:
        raise ConfigError("at least one trial is needed", where=Location("--trials"))
    check_schedulers(scheduler_refs(scenario))
    check_axes(scenario, axes)
    for name in measures:
        metric = known_measures()[name].metric
        fixed = all(axis.path != "soc" for axis in axes)
        if metric.of_soc is not None and fixed and metric.of_soc(scenario.soc) is None:
            raise ConfigError(
                f"{scenario.soc.name} states no {metric.name}, so {name!r} has no value",
                where=Location(scenario.soc.source),
                hint=metric.state_it,
            )


def _question(
    axes: Sequence[Axis],
    objectives: Sequence[str],
    constraints: Sequence[Constraint],
    sampler: str,
) -> str:
    """A hash of what is varied and what is wanted."""
    varied = [[a.path, list(a.values), repr(a.interval), a.stepped] for a in axes]
    return digest([varied, list(objectives), [str(c) for c in constraints], sampler])


def _design(axes: Sequence[Axis], trial: Any) -> Design:
    attrs = trial.user_attrs
    return Design(
        trial.number,
        design_of(axes, trial.params),
        attrs.get("measures", {}),
        attrs.get("violations", {}),
        attrs.get("error"),
    )


def _value(position: int) -> Callable[[Any], float]:
    return lambda trial: float(trial.values[position])


def _importance(study: Any, objectives: Sequence[str]) -> dict[str, dict[str, float]]:
    """Shares of each parameter in each objective (PED-ANOVA), largest first.

    Watanabe, Bansal, Hutter, "PED-ANOVA" (IJCAI 2023): how much a parameter decides whether a
    design is among the best.
    """
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    found = {}
    for i, name in enumerate(objectives):
        try:
            shares = get_param_importances(
                study,
                evaluator=PedAnovaImportanceEvaluator(),
                target=_value(i),
            )
        except (ValueError, RuntimeError, ZeroDivisionError):
            continue  # too few designs ran to tell
        if all(share == share for share in shares.values()):
            found[name] = {path: float(share) for path, share in shares.items()}
    return found
