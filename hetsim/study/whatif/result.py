"""What ``hetsim whatif`` finds out about each network, and how it says it."""

from __future__ import annotations

from dataclasses import dataclass, field

from hetsim.analysis.result import Run
from hetsim.report.summary import tidy_time
from hetsim.study.point import Outcome
from hetsim.study.result import StudyResult
from hetsim.study.whatif.sensitivity import Effect, Sensitivity, improvement_gain


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
class WhatIf(StudyResult):
    """The answer of ``hetsim whatif`` for each network of a scenario."""

    scenario: str
    soc: str
    execution: str
    networks: tuple[NetworkWhatIf, ...]
    points: int
    wall_s: float = 0.0


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
