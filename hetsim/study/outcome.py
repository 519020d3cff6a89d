"""What one run of a study gave: plain numbers that fit a row of a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from hetsim.analysis.metrics.base import Measured, Metrics
from hetsim.records import Record, checked, damaged, parse_json, seal, unsealed


@dataclass(frozen=True)
class Outcome(Measured):
    """What one run gave, in SI units; nothing but ``error`` when it failed.

    ``metrics`` are by column (:mod:`hetsim.analysis.metrics`), ``utilization`` is by PU and link,
    ``contention_s`` by link; ``attribution_s`` splits the makespan along the critical path
    (:mod:`hetsim.analysis.attribution`). ``seconds`` is the wall-clock time it took; it is no part
    of the result.
    """

    metrics: Metrics = field(default_factory=dict)
    utilization: Mapping[str, float] = field(default_factory=dict)
    contention_s: Mapping[str, float] = field(default_factory=dict)
    attribution_s: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None
    seconds: float = field(default=0.0, compare=False)

    def to_json(self) -> str:
        """The outcome as JSON text, sealed; floats keep every bit."""
        return json.dumps(seal(asdict(self)), allow_nan=False)

    @classmethod
    def from_json(cls, text: object, place: str = "outcome") -> Outcome:
        """The inverse of :meth:`to_json`; ``place`` is what errors call where the text stands.

        Raises:
            ResultsError: the text is something else, or was changed.
        """
        if not isinstance(text, str):
            raise damaged(place, "an outcome is not text")
        entry = checked(unsealed(parse_json(text, place), place), _OutcomeEntry, place)
        return cls(**dict(entry))


Numbers = dict[str, int | float]  # whole ones stay whole


class _OutcomeEntry(Record):
    metrics: dict[str, int | float | None]
    utilization: Numbers
    contention_s: Numbers
    attribution_s: Numbers
    error: str | None
    seconds: float
