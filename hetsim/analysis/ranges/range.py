"""The range of a simulated time, and which of two plans is faster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hetsim.analysis.launches import OperatorRow
from hetsim.analysis.ran import Ran
from hetsim.analysis.ranges.errors import Errors
from hetsim.analysis.ranges.replay import replay
from hetsim.numeric import Floats
from hetsim.soc.uncertainty import LEVEL

DIGITS = 6
"""Of a sample's ratio, so that files need not keep more."""


@dataclass(frozen=True)
class Range:
    """What a makespan may really be.

    ``ratios`` are real over simulated, sample by sample
    (:data:`~hetsim.analysis.ranges.draws.SAMPLES`); there are none where nothing that ran is
    calibrated. ``uncalibrated`` is, by unit, the share of all kernels' time that is taken to be
    exact because nobody measured anything.
    """

    ratios: tuple[float, ...] = ()
    uncalibrated: Mapping[str, float] = field(default_factory=dict)

    def ends(self, seconds: float) -> tuple[float, float] | None:
        """The least and the most at :data:`~hetsim.soc.uncertainty.LEVEL`, of a makespan."""
        if not self.ratios:
            return None
        low, high = np.quantile(self.ratios, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
        return float(low) * seconds, float(high) * seconds


EXACT = 0.1
"""Share of the kernels' time on units that are taken to be exact up to which plans are compared."""

UNKNOWN = Range()
"""That of what nothing is known of."""


def range_of(ran: Ran, kernels: Sequence[OperatorRow]) -> Range:
    """The range of the makespan of ``ran``, whose launches are ``kernels``."""
    errors = Errors(ran.graph, ran.soc)
    total = sum(row.seconds for row in kernels)
    unknown: dict[str, float] = {}
    known = False
    for job in ran.jobs:
        pu = ran.soc.pus[job.job.pu]
        for part in job.launches:
            if errors.known(part.launch, pu):
                known = True
            elif total > 0.0:
                share = (part.at[1] - part.at[0]) / total
                unknown[pu.name] = unknown.get(pu.name, 0.0) + share
    if not known or ran.trace.makespan_s <= 0.0:
        return Range((), unknown)
    ratios: Floats = replay(ran, kernels, errors) / ran.trace.makespan_s
    return Range(tuple(round(float(ratio), DIGITS) for ratio in ratios), unknown)


def faster(
    one: Range, one_s: float, other: Range, other_s: float, *, shared: bool = True
) -> float | None:
    """The probability that a plan of ``one_s`` simulated seconds is really the faster one.

    With ``shared`` both ran on one SoC or variants of it: what errs in both errs the same way in
    both. Units of two SoCs may have one name and err each for itself: all pairs of samples count.
    Ties count half, so that a plan is as likely as not to be faster than itself. ``None`` where
    either has no range, or more than :data:`EXACT` of its kernels' time has none: certainty would
    then come from what nobody measured.
    """
    if not one.ratios or not other.ratios:
        return None
    if max(sum(plan.uncalibrated.values()) for plan in (one, other)) > EXACT:
        return None
    left, right = np.array(one.ratios) * one_s, np.array(other.ratios) * other_s
    if not shared:
        left = left[:, np.newaxis]
    alike = np.abs(left - right) <= 10.0**-DIGITS * right
    return float(np.mean(np.where(alike, 0.5, left < right)))
