"""What each parameter of the SoC is worth: every one lowered and raised, alone.

Each change is simulated twice: with the schedule planned anew, and with the plan of the unchanged
SoC kept. A scheduler may do worse on a better SoC, and a designer may always keep the plan, so
what a change *gains* counts the better of the two. The *bottleneck* is the size (not the choice)
whose improvement gains most; relieving it and asking again tells where the bottleneck moves.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import click

from hetsim.analysis.result import Run
from hetsim.errors import ConfigError, Location, SchedulerError
from hetsim.executors.base import Executor
from hetsim.executors.registry import places
from hetsim.executors.serial import SerialExecutor
from hetsim.names import suggest
from hetsim.progress import Progress
from hetsim.report.page.study import Page
from hetsim.runs.scenario import case_of
from hetsim.scenario.loader import Scenario
from hetsim.scenario.variants import varied
from hetsim.study.base import Files, Study
from hetsim.study.compare.study import CompareStudy
from hetsim.study.perform import run_points
from hetsim.study.point import Outcome, Point, PointBench, outcome_of, plan_anew
from hetsim.study.result import Rows, Shown, Words
from hetsim.study.whatif.knobs import Change, Knob, knobs_of
from hetsim.study.whatif.report import (
    critical_path,
    headline,
    ranking,
    unchanged,
    whatif_files,
)
from hetsim.study.whatif.result import NetworkWhatIf, Relief, WhatIf, sentence
from hetsim.study.whatif.sensitivity import (
    Effect,
    Sensitivity,
    bottleneck,
    improvement,
)


class WhatIfStudy(Study[WhatIf]):
    """Find the bottleneck and what each hardware change would gain.

    Without --set and --variant, every parameter of the SoC that can change a time is lowered and
    raised, alone, with the schedule planned anew and with the plan kept. With them, the scenario
    as it is and its variants are compared side by side.
    """

    kind = "whatif"
    set_help = None  # it compares
    options = (
        *CompareStudy.options,
        click.Option(
            ["--only"], metavar="PART", multiple=True,
            help="Vary only this part of the SoC or these parameters: npu, npu.dma, bus.clock.",
        ),
    )  # fmt: skip

    def __init__(self, scenario: Scenario, *, only: Sequence[str] = ()) -> None:
        """``only`` are parts of the SoC (``npu``) or beginnings of knobs' names (``npu.dma``)."""
        super().__init__(scenario)
        self.only = tuple(only)

    @classmethod
    def check(cls, options: Mapping[str, Any]) -> None:
        """Either everything is varied or variants are compared."""
        varying = ("only", "workers", *places())
        if CompareStudy.is_asked(options) and any(options[name] for name in varying):
            raise click.UsageError(
                "--only, --workers and --dask belong to varying everything;"
                " --set and --variant compare"
            )

    @classmethod
    def asked(cls, scenario: Scenario, options: Mapping[str, Any]) -> Study[Any]:
        """A comparison, if variants are given."""
        if CompareStudy.is_asked(options):
            return CompareStudy.asked(scenario, options)
        return cls(scenario, only=options["only"])

    def question(self) -> object:
        """Which parts are varied."""
        return list(self.only)

    def run(self, executor: Executor[Point, Outcome], progress: Progress | None = None) -> WhatIf:
        """Varies every knob of the scenario's SoC, then again with each bottleneck relieved."""
        begun = time.perf_counter()
        scenario, only = self.scenario, self.only
        scenario.check_schedulers()
        bench = PointBench.of(scenario)
        chosen = _chosen(knobs_of(scenario), only)
        bases = [_base(bench, model.label) for model in scenario.models]
        asked = [(base, knob, knob_changes(knob)) for base in bases for knob in chosen]
        answers, count = _ask(bench, [(b, {}, c) for b, _, c in asked], executor, progress)
        found: dict[int, list[Sensitivity]] = {}
        for (base, knob, _), effects in zip(asked, answers, strict=True):
            found.setdefault(id(base), []).append(_sensitivity(knob, base, effects))
        ranked = [sorted(found.get(id(base), ()), key=_rank) for base in bases]
        reliefs, more = _relieve(bench, bases, ranked, only, executor, progress)
        networks = tuple(
            NetworkWhatIf(
                base.model, base.scheduler, outcome_of(base), base, tuple(ranking), relief
            )
            for base, ranking, relief in zip(bases, ranked, reliefs, strict=True)
        )
        return WhatIf(
            scenario.name, scenario.soc.name, scenario.execution, networks, count + more,
            time.perf_counter() - begun,
        )  # fmt: skip

    def report(self, result: WhatIf) -> tuple[Page, Files]:
        """The sensitivities, and a tornado chart for each network."""
        return whatif_files(result)

    def headline(self, result: WhatIf) -> str:
        """The bottleneck."""
        return headline(result)

    def shown(self, result: WhatIf) -> Iterator[Shown]:
        """Each network's ranking and sentence."""
        for network in result.networks:
            table = ranking(network)
            title = f"{network.model} · {network.scheduler} on {result.soc}"
            yield Rows(table.columns, table.rows, title, unbroken=(0,))
            yield Words()
            for line in (critical_path(network), unchanged(network)):
                if line:
                    yield Words(line, "dim")
            yield Words(sentence(network, result.soc), "bold")


def whatif(
    scenario: Scenario,
    *,
    only: Sequence[str] = (),
    executor: Executor[Point, Outcome] | None = None,
    progress: Progress | None = None,
) -> WhatIf:
    """Varies every knob of the scenario's SoC, for each of its networks.

    Of several schedulers the one that is fastest on the unchanged SoC is used. ``only`` are
    parts of the SoC (``npu``) or beginnings of knobs' names (``npu.dma``) to stay with.

    Raises:
        ConfigError: ``only`` fits no knob.
        InfeasibleError: a network does not fit the unchanged SoC.
        SchedulerError: no scheduler finds a plan for a network on the unchanged SoC.
    """
    with executor or SerialExecutor[Point, Outcome]() as team:
        return WhatIfStudy(scenario, only=only).run(team, progress)


def _rank(sensitivity: Sensitivity) -> tuple[float, float]:
    return (-sensitivity.gain, -sensitivity.swing)


def _chosen(knobs: Sequence[Knob], only: Sequence[str]) -> list[Knob]:
    chosen = [
        knob
        for knob in knobs
        if not only or any(knob.component == o or f"{knob.name}.".startswith(f"{o}.") for o in only)
    ]
    for wanted in only:
        if not any(k.component == wanted or f"{k.name}.".startswith(f"{wanted}.") for k in chosen):
            names = [*dict.fromkeys(k.component for k in knobs), *(k.name for k in knobs)]
            raise ConfigError(
                f"nothing to vary is called {wanted!r}", where=Location("--only"),
                hint=suggest(wanted, names),
            )  # fmt: skip
    return chosen


def _base(bench: PointBench, model: str) -> Run:
    """The fastest run on the unchanged SoC; the first of equals."""
    scenario = bench.scenario
    case = case_of(scenario, bench.graphs[model])
    case.check()
    runs = [plan_anew(case, scenario, ref.label) for ref in scenario.schedulers]
    done = [run for run in runs if run.makespan_s is not None]
    if not done:
        reasons = "; ".join(f"{run.scheduler}: {run.error}" for run in runs)
        raise SchedulerError(f"no scheduler finds a plan for {model}: {reasons}")
    best = min(done, key=lambda run: run.makespan_s or 0.0)
    return replace(best, model=model)


def knob_changes(knob: Knob) -> list[Change]:
    """All changes of a knob: less, more, then the alternatives."""
    sides = [side for side in (knob.less, knob.more) if side is not None]
    return [*sides, *knob.alternatives]


Question = tuple[Run, Mapping[str, object], Sequence[Change]]
"""A base run, changes that are made already, and those to try one by one on top."""


def _ask(
    bench: PointBench,
    questions: Sequence[Question],
    executor: Executor[Point, Outcome],
    progress: Progress | None,
) -> tuple[list[list[Effect]], int]:
    """The effects of each question's changes, and how many points that were."""
    points = [
        Point(base.model, base.scheduler, {**made, **change.values}, plan)
        for base, made, changes in questions
        for change in changes
        for plan in (None, base.plan)
    ]
    outcomes, _ = run_points(bench, points, None, executor, progress=progress)
    pairs = iter(zip(outcomes[::2], outcomes[1::2], strict=True))
    effects = [[Effect(change, *next(pairs)) for change in changes] for _, _, changes in questions]
    return effects, len(points)


def _sensitivity(knob: Knob, base: Run, effects: Sequence[Effect]) -> Sensitivity:
    remaining = list(effects)
    less = remaining.pop(0) if knob.less is not None else None
    more = remaining.pop(0) if knob.more is not None else None
    return Sensitivity(knob, base.makespan_s or 0.0, less, more, tuple(remaining))


def _relieve(
    bench: PointBench,
    bases: Sequence[Run],
    ranked: Sequence[Sequence[Sensitivity]],
    only: Sequence[str],
    executor: Executor[Point, Outcome],
    progress: Progress | None,
) -> tuple[list[Relief | None], int]:
    """Relieves each network's bottleneck and asks what then helps."""
    worst = [bottleneck(sensitivities) for sensitivities in ranked]
    questions: list[Question] = []
    asked: list[tuple[int, Knob, float]] = []
    for i, (base, found) in enumerate(zip(bases, worst, strict=True)):
        effect = improvement(found) if found is not None else None
        if effect is None or effect.best_s is None:
            continue
        made = effect.change.values
        for knob in _chosen(knobs_of(varied(bench.scenario, made)), only):
            if knob.improvement is not None:
                questions.append((base, made, [knob.improvement]))
                asked.append((i, knob, effect.best_s))
    answers, count = _ask(bench, questions, executor, progress)
    following: dict[int, list[Sensitivity]] = {}
    for (i, knob, base_s), [effect] in zip(asked, answers, strict=True):
        sides = {knob.better: effect}
        following.setdefault(i, []).append(
            Sensitivity(knob, base_s, sides.get("less"), sides.get("more"))
        )
    reliefs: list[Relief | None] = []
    for i, found in enumerate(worst):
        effect = improvement(found) if found is not None else None
        if found is None or effect is None or i not in following:
            reliefs.append(None)
        else:
            reliefs.append(Relief(found, effect, bottleneck(following[i])))
    return reliefs, count
