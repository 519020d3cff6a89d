"""What ``hetsim whatif`` finds out about each network, and how it says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hetsim.analysis.attribution import Parts
from hetsim.analysis.metrics.time import MAKESPAN
from hetsim.report.summary import share_text, tidy_time
from hetsim.scenario.refs import ALL_STREAMS
from hetsim.study.pool import EQUAL
from hetsim.study.result import StudyResult
from hetsim.study.whatif.knobs import Change, Knob
from hetsim.study.whatif.sensitivity import Effect, Sensitivity, improvement_gain


@dataclass(frozen=True)
class Relief:
    """The bottleneck relieved: what was changed, what that gave, and the next bottleneck."""

    sensitivity: Sensitivity
    effect: Effect
    following: Sensitivity | None


@dataclass(frozen=True)
class NetworkWhatIf:
    """The sensitivities of one network under its fastest scheduler, the most telling first.

    ``base_s`` is the time of the best plan known for the unchanged SoC, seconds; ``plan`` says what
    that was made for and ``where`` splits it by unit and part. ``own_s`` is what the
    scheduler's own plan takes, ``bound_s`` what no plan goes below, where that is known. All
    times are of what ``judged_by`` says.
    ``loss`` is by what share the scheduler's plans usually miss the best of the ``plans`` known.
    """

    model: str
    scheduler: str
    base_s: float
    plan: str
    plans: int
    loss: float
    where: Mapping[str, Parts] = field(repr=False)
    own_s: float
    bound_s: float | None
    sensitivities: tuple[Sensitivity, ...] = field(repr=False)
    relief: Relief | None = None
    judged_by: str = MAKESPAN.label

    @property
    def judged(self) -> str:
        """What was judged, in words: the network, or a time of streams."""
        if self.judged_by == MAKESPAN.label:
            return self.model
        named = f" of {self.model}" if self.model == ALL_STREAMS else ""
        return f"{self.judged_by}{'' if ' of ' in self.judged_by else named}"

    @property
    def attribution_s(self) -> dict[str, float]:
        """The makespan by part of the critical path, seconds."""
        parts: dict[str, float] = {}
        for own in self.where.values():
            for part, seconds in own.items():
                parts[part] = parts.get(part, 0.0) + seconds
        return parts


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
            f"{network.judged} on {soc} ({tidy_time(network.base_s)}, {network.scheduler}) has no"
            " single bottleneck: improving any one parameter changes nothing noticeable that the"
            " scheduler does not drown."
        )
    relief = network.relief
    knob = relief.sensitivity.knob
    new = relief.effect.best_s or network.base_s
    text = (
        f"The bottleneck of {network.judged} on {soc} is {knob.component}:"
        f" {turned(knob, relief.effect.change)} saves {_saved(1 - new / network.base_s)}"
        f" ({tidy_time(network.base_s)} → {tidy_time(new)}, {network.scheduler})"
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
        f" {_saved(saved)}."
    )


def turned(knob: Knob, change: Change) -> str:
    """A change in words; a factor of many values stands alone."""
    if change.label.endswith("×"):
        return f"{knob.name} {change.label}"
    return f"{knob.name} from {knob.now} to {change.label}"


def noise(network: NetworkWhatIf) -> str:
    """Which plan the times are of, and what the scheduler loses against the best known."""
    name, own = network.scheduler, network.own_s
    if network.plans == 1:
        return f"{name} makes the same plan whatever is changed; it adds no noise."
    text = f"Every time is that of the best of {network.plans} plans known."
    if own > network.base_s * EQUAL:
        text += (
            f" For the SoC as it is {name} made one of {tidy_time(own)}; the one made for"
            f" {network.plan} takes {tidy_time(network.base_s)} there."
        )
    if network.loss < 5e-4:
        return f"{text} In nine of ten cases that is the one that {name} makes."
    return text + (
        f" In nine of ten cases the one that {name} makes takes at most {network.loss:.1%} longer;"
        " ranges tell what a still better plan may do."
    )


def _as_good(sensitivity: Sensitivity, relief: Relief) -> bool:
    """Whether improving another size of the same component gains the same, or nearly."""
    if sensitivity.knob.component != relief.sensitivity.knob.component:
        return False
    return improvement_gain(sensitivity) - 1 > 0.95 * (improvement_gain(relief.sensitivity) - 1)


def _saved(share: float) -> str:
    """A share in whole percent; below one percent with a digit more."""
    return share_text(share, 0 if share >= 0.01 else 1)
