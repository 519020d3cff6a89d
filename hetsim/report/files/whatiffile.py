"""``whatif.json`` of ``hetsim whatif``, as whoever reads it sees it: its schema and its reading.

It is written by :mod:`hetsim.study.whatif.report`; pages are made from what is read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from hetsim.errors import ResultsError
from hetsim.records import Record, read_record

SCHEMA = "hetsim.whatif/2"
NAME = "whatif.json"

Microseconds = Annotated[float, Field(ge=0)]
Verdict = Literal["told", "drowned", "none"]


class _Read(Record):
    model_config = ConfigDict(extra="ignore")  # programs are told more than people


class Moved(_Read):
    """What a part of the critical path on a unit took more, or less if negative; another plan."""

    unit: str
    part: str
    us: float


class Change(_Read):
    """A parameter changed, ``factor`` times where that is a number, and what came of it.

    ``best_us`` is the time of the best plan known, which was made for ``plan``; a plan that nobody
    knows may take from ``shortest_us`` to ``longest_us`` instead, the time without the change being
    as it is. ``why`` and ``moved`` are where the difference lies, the largest first; ``oddity``
    explains one that nobody would expect. ``error`` is why nothing ran or, with a time, why no plan
    was made for it.
    """

    to: str
    factor: float | None
    best_us: Microseconds | None
    shortest_us: Microseconds | None
    longest_us: Microseconds | None
    plan: str
    replanned_us: Microseconds | None
    kept_us: Microseconds | None
    verdict: Verdict
    why: str
    moved: list[Moved]
    oddity: str
    error: str | None


class Parameter(_Read):
    """A parameter and its changes; ``gain`` is the best speed-up that stands out."""

    name: str
    now: str
    verdict: Verdict
    gain: float
    elasticity: float | None
    changes: list[Change]

    @property
    def sides(self) -> tuple[Change | None, Change | None]:
        """The change to less, and that to more."""
        less = next((c for c in self.changes if c.factor is not None and c.factor < 1), None)
        more = next((c for c in self.changes if c.factor is not None and c.factor > 1), None)
        return less, more


class Network(_Read):
    """What was found out for one network; ``own_us`` is the plan of the scheduler itself.

    All times are of what ``judged_by`` says.
    """

    model: str
    scheduler: str
    sentence: str
    noise: str
    judged_by: str = "time per inference"
    makespan_us: Annotated[float, Field(gt=0)]
    own_us: Annotated[float, Field(gt=0)]
    attribution_us: Mapping[str, float]
    parameters: list[Parameter]

    def of(self, *verdicts: Verdict) -> list[Parameter]:
        """The parameters with one of these verdicts, the most telling first."""
        return [parameter for parameter in self.parameters if parameter.verdict in verdicts]


class StudyFile(_Read):
    """What is read of ``whatif.json``."""

    scenario: str
    soc: str
    networks: list[Network]


def read_whatif(place: Path) -> tuple[Path, StudyFile]:
    """The study in ``place`` (a directory, or its ``whatif.json``), and the file it was read from.

    Raises:
        ResultsError: no such study, damaged, or of another version.
    """
    path = place / NAME if place.is_dir() else place
    if not path.exists():
        raise ResultsError(
            f"{path} is missing", hint="name a directory that 'hetsim whatif' has written"
        )
    again = "made by another version of hetsim; make it again with 'hetsim whatif'"
    return path, read_record(path, StudyFile, schema=SCHEMA, hint=again)
