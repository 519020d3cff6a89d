"""How a makespan answers to one knob: effects, gains, elasticities, and which knob is in the way.

The *elasticity* of the makespan T in a parameter p is d ln T / d ln p, here the slope between the
outermost values that ran: −1 says that doubling p halves T, 0 that p does not matter. Every T is
that of the best plan known for that SoC.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from hetsim.analysis.attribution import Parts
from hetsim.report.summary import time_unit
from hetsim.study.whatif.knobs import Change, Knob
from hetsim.study.whatif.noise import Whisker

NOTICED = 1e-3
"""A makespan that changes by a smaller share is called unchanged."""

Verdict = Literal["told", "drowned", "none"]
"""The hardware's effect; one that may be the scheduler's; none that is noticed."""


class Moved(NamedTuple):
    """Seconds by which a part of the critical path on a unit grew, or shrank if negative.

    ``another plan`` is what a plan gains over the one that is best without the change.
    """

    unit: str
    part: str
    seconds: float


@dataclass(frozen=True)
class Effect:
    """What one change did.

    ``best_s`` is the time of the best known plan there, which ``plan`` was made for, and ``ratio``
    how many times as fast that is as the best known plan without the change. ``replanned_s`` is
    what the scheduler's own plan for the changed SoC takes, ``kept_s`` its plan for the unchanged
    one. ``moved`` is where the difference lies, the largest first; ``oddity`` explains one that no
    one would expect, ``error`` is why nothing ran or, with a time, why no plan was made for it.
    """

    change: Change
    ratio: Whisker | None = None
    best_s: float | None = None
    plan: str = ""
    replanned_s: float | None = None
    kept_s: float | None = None
    moved: tuple[Moved, ...] = ()
    oddity: str = ""
    error: str | None = None

    @property
    def verdict(self) -> Verdict:
        """Whether the effect stands out from what the scheduler may have done."""
        if self.ratio is None:
            return "none"
        low, known, high = (math.log(ratio) for ratio in self.ratio)
        if low > NOTICED or high < -NOTICED:
            return "told"
        return "drowned" if max(abs(low), abs(known), abs(high)) > NOTICED else "none"


@dataclass(frozen=True)
class Sensitivity:
    """What one knob does to a makespan of ``base_s`` seconds."""

    knob: Knob
    base_s: float
    less: Effect | None = None
    more: Effect | None = None
    alternatives: tuple[Effect, ...] = ()

    @classmethod
    def of(cls, knob: Knob, base_s: float, effects: Sequence[Effect]) -> Sensitivity:
        """The effects of :attr:`~hetsim.study.whatif.knobs.Knob.changes`, in that order."""
        left = list(effects)
        less = left.pop(0) if knob.less is not None else None
        more = left.pop(0) if knob.more is not None else None
        return cls(knob, base_s, less, more, tuple(left))

    @property
    def effects(self) -> tuple[Effect, ...]:
        """All changes tried."""
        sides = [effect for effect in (self.less, self.more) if effect is not None]
        return (*sides, *self.alternatives)

    @property
    def verdict(self) -> Verdict:
        """That of the most telling effect."""
        verdicts = [effect.verdict for effect in self.effects]
        return "told" if "told" in verdicts else "drowned" if "drowned" in verdicts else "none"

    @property
    def improvement(self) -> Effect | None:
        """The change towards the side that a designer pays for."""
        return self.less if self.knob.better == "less" else self.more

    @property
    def gain(self) -> float:
        """How many times faster the best change makes the network for sure; at least 1.

        Only effects that stand out count, and none that is odd.
        """
        sure = [e.ratio for e in self.effects if e.verdict == "told" and not e.oddity]
        return max([1.0, *(ratio.known for ratio in sure if ratio is not None)])

    @property
    def swing(self) -> float:
        """From the shortest to the longest makespan, as a share of the base."""
        times = [effect.best_s for effect in self.effects if effect.best_s is not None]
        return (max([*times, self.base_s]) - min([*times, self.base_s])) / self.base_s

    @property
    def elasticity(self) -> float | None:
        """d ln T / d ln p; ``None`` where there is no number to vary or nothing ran."""
        ends = [(1.0, self.base_s)]
        for effect in (self.less, self.more):
            if effect is not None and effect.change.factor and effect.best_s:
                ends.append((effect.change.factor, effect.best_s))
        (low, t_low), (high, t_high) = min(ends), max(ends)
        return math.log(t_high / t_low) / math.log(high / low) if high > low else None


def bottleneck(sensitivities: Sequence[Sensitivity]) -> Sensitivity | None:
    """The size whose improvement gains most; ``None`` when none stands out."""
    sizes = [s for s in sensitivities if improvement_gain(s) > 1 + NOTICED]
    return max(sizes, key=improvement_gain, default=None)


def improvement_gain(sensitivity: Sensitivity) -> float:
    """How many times faster that makes the network; 1 when the scheduler may have done it."""
    effect = sensitivity.improvement
    if effect is None or effect.ratio is None or effect.verdict != "told":
        return 1.0
    return effect.ratio.known


def moved(before: Mapping[str, Parts], after: Mapping[str, Parts]) -> tuple[Moved, ...]:
    """Where the difference of two makespans lies, the largest first; nothing that did not move."""
    units = dict.fromkeys([*before, *after])
    found = [
        Moved(unit, part, after.get(unit, {}).get(part, 0.0) - before.get(unit, {}).get(part, 0.0))
        for unit in units
        for part in {**before.get(unit, {}), **after.get(unit, {})}
    ]
    told = (m for m in found if abs(m.seconds) > 1e-12)
    return tuple(sorted(told, key=lambda m: (-abs(m.seconds), m.unit, m.part)))


def moved_text(parts: Sequence[Moved], total_s: float) -> str:
    """The parts that make most of a difference of ``total_s``: ``cpu compute −71.2 of −71.8 ms``.

    At most two, the second only if the first leaves a third of it.
    """
    same = [m for m in parts if m.seconds * total_s > 0]
    if not same or not total_s:
        return "no part of the critical path"
    few = same[:1] if abs(same[0].seconds) > abs(total_s) * 2 / 3 else same[:2]
    unit, factor = time_unit(max(abs(total_s), abs(few[0].seconds)))
    texts = [f"{m.unit} {m.part.replace('_', ' ')} {_signed(m.seconds / factor)}" for m in few]
    return f"{', '.join(texts)} of {_signed(total_s / factor)} {unit}"


def _signed(number: float) -> str:
    return f"{number:+.3g}".replace("-", "−")
