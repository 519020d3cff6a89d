"""XRBench's scores of streams with deadlines (:mod:`hetsim.analysis.serving.xrbench`).

The energy of an inference is the mean of what its stream drew on units and links, idling left out,
as the authors price it. Accuracy is that of the networks as they are, which is to say 1: hetsim
does not compute what they answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf

import numpy as np

from hetsim.analysis.energy import energy_of_stream
from hetsim.analysis.metrics.base import Metric, ServedEvaluation
from hetsim.analysis.serving.view import StreamView
from hetsim.analysis.serving.xrbench import Scores, scores, together
from hetsim.sim.serving.served import DONE


def _scored(run: ServedEvaluation, view: StreamView) -> Scores | None:
    """Of one stream; ``None`` without any inference.

    Where no power is stated, energy counts for nothing; who needs it asks first.
    """
    late = view.late_s
    dropped = view.arrived - len(late) + _uncaused(run, view)
    return scores(late, np.full(len(late), _joules(run, view) or 0.0), dropped)


def _joules(run: ServedEvaluation, view: StreamView) -> float | None:
    """Of one inference, on average; ``None`` when the SoC states no power."""
    total = energy_of_stream(run.served.by_stream, run.soc, view.stream.name)
    return None if total is None else total / max(view.ledger.count(DONE), 1)


def _uncaused(run: ServedEvaluation, view: StreamView) -> float:
    """Inferences that other streams would have asked for, had they not given some of theirs up.

    The authors count these as dropped. Of triggers with a probability it is how many on average;
    of a chain of three it is the nearest link, as theirs.
    """
    arrivals, own = view.stream.arrivals, view.stream.name
    ledgers = (run.served.ledgers[name] for name in arrivals.follows(own) if name != own)
    given_up = sum(
        int(((found.arrival >= view.warm_up_s) & (found.status != DONE)).sum()) for found in ledgers
    )
    return given_up * arrivals.caused_per_end


def _mean(read: Callable[[Scores], float], *, priced: bool) -> Callable[..., float | None]:
    def of(run: ServedEvaluation) -> float | None:
        due = [view for view in run.views if view.stream.deadline_s < inf]
        if priced and any(_joules(run, view) is None for view in due):
            return None
        found = [told for view in due if (told := _scored(run, view)) is not None]
        return together(map(read, found)) if found else None

    return of


_POWER = "state active_power, idle_power or energy_per_byte in the SoC file"

XRBENCH = Metric(
    "xrbench_score", "XRBench score",
    "inferences in time, their energy, and the share that ran; null without power or deadlines",
    of_served=_mean(lambda found: found.total, priced=True),
    unit="share", better="more", joint="first", heading="XRBench", state_it=_POWER,
)  # fmt: skip

_REAL_TIME = Metric(
    "xrbench_real_time", "XRBench real-time score",
    "of the inferences that ran; null without deadlines",
    of_served=_mean(lambda found: found.real_time, priced=False),
    unit="share", better="more", joint="first", audience="programs",
)  # fmt: skip

METRICS = (
    XRBENCH,
    _REAL_TIME,
    replace(
        _REAL_TIME, name="xrbench_energy", label="XRBench energy score", state_it=_POWER,
        about="of the inferences that ran; null without power or deadlines",
        of_served=_mean(lambda found: found.energy, priced=True),
    ),
    replace(
        _REAL_TIME, name="xrbench_experience", label="XRBench quality of experience",
        about="the share of the inferences that ran; null without deadlines",
        of_served=_mean(lambda found: found.experience, priced=False),
    ),
)  # fmt: skip
