"""What came of plans that were simulated and run: errors, disturbances, and who is ranked right."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from statistics import median

from hetsim.host.clock import FEWEST
from hetsim.host.measure import Timing
from hetsim.plan.model import Plan

TOLERANCE = 1e-4
"""Outputs may differ from the uncut model's by this share of the largest of them."""

APART = 0.10
"""Plans whose measured latencies differ by more than this are ranked."""


@dataclass(frozen=True)
class Outcome:
    """One plan of one network, simulated and run.

    ``measured`` is of undisturbed rounds as far as there were any (``quiet_rounds``), ``wall_s``
    the median of all ``rounds``. ``composed_s`` is the latency that the pieces' processor times add
    up to in the plan's order: what a busy machine would have taken if nobody had disturbed it,
    without the hand-overs. ``deviation`` is the largest difference of an output from the uncut
    model's, as a share of its largest value. ``range_s`` is that of the simulated time.
    """

    model: str
    label: str
    plan: Plan
    simulated_s: float
    measured: Timing
    wall_s: float
    rounds: int
    quiet_rounds: int
    composed_s: float | None
    deviation: float
    parallel: bool
    range_s: tuple[float, float] | None = None

    @property
    def error(self) -> float:
        """Simulated over measured, less one."""
        return self.simulated_s / self.measured.median_s - 1.0

    @property
    def within(self) -> bool | None:
        """Whether the measured time lies in the range; ``None`` without one."""
        if self.range_s is None:
            return None
        return self.range_s[0] <= self.measured.median_s <= self.range_s[1]

    @property
    def disturbed(self) -> bool:
        """Whether the machine was too busy to measure this plan."""
        return self.quiet_rounds < min(FEWEST, self.rounds)

    @property
    def composed_error(self) -> float | None:
        """Simulated over composed, less one."""
        return None if not self.composed_s else self.simulated_s / self.composed_s - 1.0

    @property
    def equal(self) -> bool:
        """Whether outputs are the uncut model's within :data:`TOLERANCE`."""
        return self.deviation <= TOLERANCE


@dataclass(frozen=True)
class Verdict:
    """All outcomes, and what could not be run: (network, plan, reason).

    ``drift``: by network, how many times slower the reference kernel was at one turn than at
    another.
    """

    outcomes: tuple[Outcome, ...]
    failures: tuple[tuple[str, str, str], ...]
    pinned: bool
    drift: Mapping[str, float] = field(default_factory=dict)

    @property
    def median_error(self) -> float:
        """Median absolute error over plans; NaN when none ran."""
        return median(abs(o.error) for o in self.outcomes) if self.outcomes else math.nan

    def undisturbed(self) -> Verdict:
        """The same, of those plans alone that had enough undisturbed rounds."""
        quiet = tuple(o for o in self.outcomes if not o.disturbed)
        return replace(self, outcomes=quiet)

    @property
    def median_composed_error(self) -> float:
        """The same against what the pieces' processor times add up to; NaN when unknown."""
        known = [abs(e) for o in self.outcomes if (e := o.composed_error) is not None]
        return median(known) if known else math.nan

    def pairs(self) -> list[tuple[Outcome, Outcome]]:
        """Pairs of plans of one network whose measured latencies differ by more than 10 %."""
        return [
            (a, b)
            for a, b in combinations(self.outcomes, 2)
            if a.model == b.model and _apart(a.measured.median_s, b.measured.median_s)
        ]

    def ranked_right(self) -> list[tuple[Outcome, Outcome]]:
        """Those of :meth:`pairs` that the simulation puts in the right order."""
        return [
            (a, b)
            for a, b in self.pairs()
            if (a.simulated_s < b.simulated_s) == (a.measured.median_s < b.measured.median_s)
        ]


def _apart(a: float, b: float) -> bool:
    return max(a, b) > (1.0 + APART) * min(a, b)
