"""What each parameter of the SoC is worth: every one lowered and raised, alone.

Each change is simulated twice: with the schedule planned anew, and with the plan of the unchanged
SoC kept. A scheduler may do worse on a better SoC, and a designer may always keep the plan, so
what a change *gains* counts the better of the two. The *bottleneck* is the size (not the choice)
whose improvement gains most; relieving it and asking again tells where the bottleneck moves.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hetsim.analysis.result import Run
from hetsim.errors import ConfigError, Location, SchedulerError
from hetsim.names import suggest
from hetsim.report.summary import tidy_time
from hetsim.scenario.loader import Scenario
from hetsim.scenario.variants import check_schedulers, scheduler_refs, varied
from hetsim.study.executors.base import Executor
from hetsim.study.point import Bench, Outcome, Point, case_of, outcome_of, plan_anew
from hetsim.study.sweep.study import run_points
from hetsim.study.whatif.knobs import Change, Knob, knobs_of
from hetsim.study.whatif.sensitivity import (
    Effect,
    Sensitivity,
    bottleneck,
    improvement,
    improvement_gain,
)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Relief:
    """The bottleneck relieved: what was changed, what that gave, and the next bottleneck."""

    sensitivity: Sensitivity
    effect: Effect
    following: Sensitivity | None


@dataclass(frozen=True)
class NetworkWhatIf:
    """The sensitivities of one network under its fastest scheduler, the most telling first."""

    model: str
    scheduler: str
    base: Outcome
    run: Run = field(repr=False)
    sensitivities: tuple[Sensitivity, ...] = field(repr=False)
    relief: Relief | None = None

    @property
    def base_s(self) -> float:
        """The makespan that all changes are compared with, seconds."""
        assert self.base.makespan_s is not None
        return self.base.makespan_s


@dataclass(frozen=True)
class WhatIf:
    """The answer of ``hetsim whatif`` for each network of a scenario."""

    scenario: str
    soc: str
    execution: str
    networks: tuple[NetworkWhatIf, ...]
    points: int
    wall_s: float = 0.0

    def _repr_html_(self) -> str:
        from hetsim.study.whatif.report import whatif_html

        return whatif_html(self)


def whatif(
    scenario: Scenario,
    *,
    only: Sequence[str] = (),
    executor: Executor[int] | None = None,
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
    begun = time.perf_counter()
    check_schedulers(scheduler_refs(scenario))
    bench = Bench.of(scenario)
    chosen = _chosen(knobs_of(scenario), only)
    bases = [_base(bench, model.label) for model in scenario.models]
    with contextlib.ExitStack() as stack:
        if executor is not None:
            stack.enter_context(executor)
        asked = [(base, knob, knob_changes(knob)) for base in bases for knob in chosen]
        answers, count = _ask(bench, [(b, {}, c) for b, _, c in asked], executor, progress)
        found: dict[int, list[Sensitivity]] = {}
        for (base, knob, _), effects in zip(asked, answers, strict=True):
            found.setdefault(id(base), []).append(_sensitivity(knob, base, effects))
        ranked = [sorted(found.get(id(base), ()), key=_rank) for base in bases]
        reliefs, more = _relieve(bench, bases, ranked, only, executor, progress)
    networks = tuple(
        NetworkWhatIf(base.model, base.scheduler, outcome_of(base), base, tuple(ranking), relief)
        for base, ranking, relief in zip(bases, ranked, reliefs, strict=True)
    )
    return WhatIf(
        scenario.name, scenario.soc.name, scenario.execution, networks, count + more,
        time.perf_counter() - begun,
    )  # fmt: skip


def sentence(network: NetworkWhatIf, soc: str) -> str:
    """The bottleneck, and where it moves, in a sentence or two."""
    if network.relief is None:
        return (
            f"{network.model} on {soc} ({tidy_time(network.base_s)}, {network.scheduler}) has no"
            " single bottleneck: improving any one parameter changes nothing noticeable."
        )
    relief = network.relief
    knob = relief.sensitivity.knob
    new = relief.effect.best_s or network.base_s
    kept = ", plan kept" if _kept_wins(relief.effect) else ""
    text = (
        f"The bottleneck of {network.model} on {soc} is {knob.component}: {knob.name} from"
        f" {knob.now} to {relief.effect.change.label} saves {1 - new / network.base_s:.0%}"
        f" ({tidy_time(network.base_s)} → {tidy_time(new)}, {network.scheduler}{kept})"
    )
    equals = [
        s.knob.name for s in network.sensitivities if s.knob is not knob and _as_good(s, relief)
    ]
    text += f"; {', '.join(equals)} would do as well." if equals else "."
    following = relief.following
    if following is None:
        return f"{text} Relieved of it, no other single parameter saves anything noticeable."
    stays = following.knob.component == knob.component
    where = f"{'stays with' if stays else 'moves to'} {following.knob.component}"
    saved = 1 - 1 / improvement_gain(following)
    return (
        f"{text} Relieved of it, the bottleneck {where}: {following.knob.name} saves a further"
        f" {saved:.0%}."
    )


def _as_good(sensitivity: Sensitivity, relief: Relief) -> bool:
    """Whether improving another size of the same component gains the same, to a percent."""
    if sensitivity.knob.component != relief.sensitivity.knob.component:
        return False
    return improvement_gain(sensitivity) > 0.99 * improvement_gain(relief.sensitivity)


def _kept_wins(effect: Effect) -> bool:
    anew, kept = effect.anew.makespan_s, effect.kept.makespan_s
    return kept is not None and (anew is None or kept < anew)


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


def _base(bench: Bench, model: str) -> Run:
    """The fastest run on the unchanged SoC; the first of equals."""
    scenario = bench.scenario
    case = case_of(scenario, bench.graphs[model])
    case.check()
    runs = [plan_anew(case, scenario, ref.label) for ref in scheduler_refs(scenario)]
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
    bench: Bench,
    questions: Sequence[Question],
    executor: Executor[int] | None,
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
    bench: Bench,
    bases: Sequence[Run],
    ranked: Sequence[Sequence[Sensitivity]],
    only: Sequence[str],
    executor: Executor[int] | None,
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
