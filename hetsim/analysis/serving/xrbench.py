"""XRBench's score: how much of what an extended-reality device asks for is served in time.

Kwon et al., *XRBench: An Extended Reality (XR) Machine Learning Benchmark Suite for the Metaverse*
(MLSys 2023, arXiv 2211.08675). Formulas and constants are those of the program that its authors
published with the paper (github.com/XRBench/XRBench-MLSys2023); the scores that it wrote of one
schedule come out to their last digit (``hetsim validate xrbench-score``).

Every score is a share of one; the authors write the total in percent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from hetsim.numeric import Floats

STEEPNESS = 15e3
"""k of the real-time score, per second: 1/2 at the deadline, 0.01 of it 0.3 ms later."""

MOST_ENERGY = 1.5
"""What one inference may draw before its energy score is nothing, J."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What one model's frames are worth.

    ``real_time``, ``energy`` and ``total`` are means over frames: the first two over those that
    ran, ``total`` over all that were asked for, a dropped one being worth nothing. ``experience``
    is the share that ran, and is part of ``total``: who drops a frame loses it twice, here as in
    the authors' program.
    """

    real_time: float
    energy: float
    accuracy: float
    experience: float
    total: float


def real_time_scores(late_s: Floats) -> Floats:
    """How much each frame is worth for its time: 1 in time, 0 late, a logistic step between.

    ``late_s`` is when it was done less its deadline, seconds; negative when it was in time.
    """
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(STEEPNESS * late_s))


def energy_scores(joules: Floats) -> Floats:
    """How much each frame is worth for its energy: what is left of :data:`MOST_ENERGY`, as a share.

    The authors' program goes below zero from there on; no score does here.
    """
    return np.maximum(0.0, (MOST_ENERGY - joules) / MOST_ENERGY)


def scores(
    late_s: Floats, joules: Floats, dropped: float = 0.0, accuracy: float = 1.0
) -> Scores | None:
    """Of one model, whose frames that ran were ``late_s`` and drew ``joules`` each.

    ``dropped`` is how many more were asked for, or would have been on average. ``None`` without any
    frame.
    """
    ran = len(late_s)
    asked = ran + dropped
    if not asked:
        return None
    in_time, frugal = real_time_scores(late_s), energy_scores(joules)
    experience = ran / asked
    return Scores(
        real_time=float(in_time.mean()) if ran else 0.0,
        energy=float(frugal.mean()) if ran else 0.0,
        accuracy=accuracy,
        experience=experience,
        total=accuracy * float((in_time * frugal).sum()) / asked * experience,
    )


def together(totals: Iterable[float]) -> float:
    """A scenario's score from its models' totals, or a suite's from its scenarios': the mean."""
    listed = list(totals)
    return sum(listed) / len(listed)
