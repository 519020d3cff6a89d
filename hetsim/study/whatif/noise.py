"""How much of an effect may be the scheduler's and not the hardware's.

Let T(p, d) be the time of plan p on SoC d, and T*(d) the shortest of the plans that are known. The
effect of a change from SoC b to d is the ratio g = T*(b) / T*(d): above one it saves. A plan that
nobody knows may be better, on b, on d or on both, so the true ratio may be another.

*What the scheduler loses.* On each SoC the scheduler's own plan takes T(own, d) / T*(d) - 1 longer
than the best known one. The :func:`usual_loss` q is what nine of ten SoCs stay within. The rule
assumes that the best known plan misses the best possible one by no more than that.

*What plans say.* With one plan on both SoCs there is no scheduler in the ratio
r(p) = T(p, b) / T(p, d). If p is the best possible plan on b and s that on d, the true ratio lies
between r(p) and r(s), because T(s, d) <= T(p, d) and T(p, b) <= T(s, b). Which plans are the best
possible is unknown; the rule takes the range of r over the plans within q of the best known.

The *whisker* is what both leave:

    low  = max(g / (1 + q),  least r of plans within q on b,     bound of b / T*(d))
    high = min(g · (1 + q),  greatest r of plans within q on d)

where the bound is what no plan on b goes below (:mod:`hetsim.bounds`). It always holds g; it is a
point when all good plans agree, when the scheduler always finds the best known plan, or when there
is only one plan; then the effect is the hardware's, as far as this scheduler can tell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hetsim.study.pool import EQUAL, best_of

QUANTILE = 0.9
"""The share of SoCs on which a scheduler stays within its usual loss."""


@dataclass(frozen=True)
class Column:
    """The seconds of every known plan on one SoC; ``own`` is the scheduler's plan for it."""

    times: Sequence[float | None]
    own: int | None = None

    @property
    def best(self) -> int | None:
        """The best known plan; ``None`` when none fits."""
        return best_of(self.times)

    @property
    def best_s(self) -> float | None:
        """What that takes."""
        return None if self.best is None else self.times[self.best]

    @property
    def own_s(self) -> float | None:
        """What the scheduler's plan takes."""
        return None if self.own is None else self.times[self.own]

    @property
    def loss(self) -> float | None:
        """By what share of the best known time the scheduler's plan takes longer."""
        if self.own_s is None or not self.best_s:
            return None
        return max(0.0, self.own_s / self.best_s - 1.0)

    def near(self, share: float) -> list[int]:
        """The plans that take at most ``share`` longer than the best."""
        limit = (self.best_s or 0.0) * (1.0 + share) * EQUAL
        return [i for i, s in enumerate(self.times) if s is not None and s <= limit]


class Whisker(NamedTuple):
    """The ratio of times before and after a change: as known, and the range it may be in."""

    low: float
    known: float
    high: float


def usual_loss(columns: Sequence[Column]) -> float:
    """What nine of ten SoCs stay within (nearest rank); zero when no plan was made."""
    losses = sorted(loss for column in columns if (loss := column.loss) is not None)
    return losses[math.ceil(QUANTILE * len(losses)) - 1] if losses else 0.0


def whisker(before: Column, after: Column, loss: float, bound_s: float = 0.0) -> Whisker | None:
    """The ratio and its range; ``None`` when no plan fits one of the SoCs.

    ``bound_s`` is a lower bound on the time of any plan before the change.
    """
    before_s, after_s = before.best_s, after.best_s
    if not before_s or not after_s:
        return None
    known = before_s / after_s
    least = min(_ratio(before, after, plan) for plan in before.near(loss))
    most = max(_ratio(before, after, plan) for plan in after.near(loss))
    low = max(known / (1 + loss), least, bound_s / after_s)
    high = min(known * (1 + loss), most)
    return Whisker(min(low, known), known, max(high, known))


def _ratio(before: Column, after: Column, plan: int) -> float:
    """What the change does to one plan; a SoC that the plan does not fit takes it for ever."""
    first, then = before.times[plan], after.times[plan]
    if first is None:
        return math.inf
    return 0.0 if then is None else first / then
