"""How a makespan answers to one knob: effects, gains, elasticities, and which knob is in the way.

The *elasticity* of the makespan T in a parameter p is d ln T / d ln p, here the slope between the
outermost values that ran: −1 says that doubling p halves T, 0 that p does not matter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hetsim.study.point import Outcome
from hetsim.study.whatif.knobs import Change, Knob

NOTICED = 1e-3
"""A makespan that changes by a smaller share is called unchanged."""


@dataclass(frozen=True)
class Effect:
    """What one change did, the schedule planned anew and the plan kept."""

    change: Change
    anew: Outcome
    kept: Outcome

    @property
    def best_s(self) -> float | None:
        """The shorter of the two makespans, seconds; ``None`` when neither ran."""
        times = [o.makespan_s for o in (self.anew, self.kept) if o.makespan_s is not None]
        return min(times, default=None)

    @property
    def error(self) -> str | None:
        """Why nothing ran, if nothing did."""
        return None if self.best_s is not None else self.anew.error


@dataclass(frozen=True)
class Sensitivity:
    """What one knob does to a makespan of ``base_s`` seconds."""

    knob: Knob
    base_s: float
    less: Effect | None = None
    more: Effect | None = None
    alternatives: tuple[Effect, ...] = ()

    @property
    def effects(self) -> tuple[Effect, ...]:
        """All changes tried."""
        sides = [effect for effect in (self.less, self.more) if effect is not None]
        return (*sides, *self.alternatives)

    @property
    def best(self) -> Effect | None:
        """The change that helps most; ``None`` when none ran."""
        ran = [effect for effect in self.effects if effect.best_s is not None]
        return min(ran, key=lambda effect: effect.best_s or 0.0, default=None)

    @property
    def gain(self) -> float:
        """How many times faster the best change makes the network; at least 1."""
        best = self.best.best_s if self.best is not None else None
        return max(1.0, self.base_s / best) if best else 1.0

    @property
    def swing(self) -> float:
        """From the shortest to the longest makespan, as a share of the base."""
        times = [o.makespan_s for e in self.effects for o in (e.anew, e.kept)]
        known = [t for t in times if t is not None]
        return (max([*known, self.base_s]) - min([*known, self.base_s])) / self.base_s

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
    """The size whose improvement gains most; ``None`` when no improvement is noticed."""
    sizes = [s for s in sensitivities if s.knob.improvement is not None]
    best = max(sizes, key=improvement_gain, default=None)
    return best if best is not None and improvement_gain(best) > 1 + NOTICED else None


def improvement(sensitivity: Sensitivity) -> Effect | None:
    """The change towards the side that a designer pays for."""
    return sensitivity.less if sensitivity.knob.better == "less" else sensitivity.more


def improvement_gain(sensitivity: Sensitivity) -> float:
    """How many times faster that makes the network; below 1 when it does harm."""
    effect = improvement(sensitivity)
    best = effect.best_s if effect is not None else None
    return sensitivity.base_s / best if best else 1.0
