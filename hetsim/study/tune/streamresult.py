"""What a tuning study of streams finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hetsim.analysis.serving.objectives import Tally
from hetsim.plan.model import Plan
from hetsim.study.result import StudyResult
from hetsim.study.tune.state import Start


@dataclass(frozen=True)
class Judged:
    """Plans of all streams over some arrivals: the tally, and every objective's value by name.

    ``bounds`` are values that no plans go below for as many arrivals; zero says nothing.
    """

    tally: Tally
    values: Mapping[str, float]
    bounds: Mapping[str, float]


@dataclass(frozen=True)
class StreamTuning(StudyResult):
    """What a study found.

    ``plans`` are the tuned ones by the name of the stream. ``before`` and ``after`` are the best
    start and the tuned plans over the horizon of the search; ``fresh`` are both as long as the
    scenario says and with arrivals of another seed. ``curve`` holds (plans judged, value).
    """

    scenario: str
    soc: str
    seed: int
    objective: str
    dispatcher: str
    horizon_s: float
    starts: tuple[Start, ...]
    plans: Mapping[str, Plan]
    before: Judged
    after: Judged
    fresh: tuple[Judged, Judged]
    evaluations: int
    rounds: int
    curve: tuple[tuple[int, float], ...] = field(repr=False)
    interrupted: bool = False
    wall_s: float = 0.0
    judged: int = 0
