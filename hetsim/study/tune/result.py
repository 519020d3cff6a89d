"""What a tuning study finds."""

from __future__ import annotations

from dataclasses import dataclass, field

from hetsim.analysis.result import Run
from hetsim.study.result import StudyResult
from hetsim.study.tune.parameters import TunedParameters
from hetsim.study.tune.state import Start


@dataclass(frozen=True)
class TunedModel:
    """One network: the ``best`` run (full simulation), what it started from, how it came about.

    ``start`` is the run of the best starting plan. ``curve`` holds (evaluations, seconds).
    """

    model: str
    starts: tuple[Start, ...]
    start: Run
    best: Run
    evaluations: int
    rounds: int
    curve: tuple[tuple[int, float], ...] = field(repr=False)


@dataclass(frozen=True)
class Tuning(StudyResult):
    """What a study found. ``interrupted``: somebody stopped it, so some networks may be missing.

    ``wall_s`` is the wall-clock time this took and ``fresh`` the plans judged in it.
    """

    scenario: str
    soc: str
    execution: str
    seed: int
    parameters: TunedParameters | None
    models: tuple[TunedModel, ...]
    interrupted: bool = False
    wall_s: float = 0.0
    fresh: int = 0
