"""What a sweep finds."""

from __future__ import annotations

from dataclasses import dataclass, field

from hetsim.study.axes import Axis
from hetsim.study.outcome import Outcome
from hetsim.study.point import Point
from hetsim.study.result import StudyResult
from hetsim.study.table import StudyTable


@dataclass(frozen=True)
class Sweep(StudyResult):
    """A finished sweep: one row per network, scheduler and design, in the order of the grid.

    ``source`` is what the command line calls the scenario. ``reused`` rows were in the store
    already. ``wall_s`` is the wall-clock time this took.
    """

    scenario: str
    soc: str
    axes: tuple[Axis, ...]
    mode: str
    rows: tuple[tuple[Point, Outcome], ...] = field(repr=False)
    reused: int = 0
    wall_s: float = 0.0
    source: str = ""

    @property
    def failed(self) -> tuple[tuple[Point, Outcome], ...]:
        """The rows that ended in an error."""
        return tuple(row for row in self.rows if row[1].error is not None)

    @property
    def table(self) -> StudyTable:
        """The rows as a table, for export and plots."""
        return StudyTable.of([axis.path for axis in self.axes], self.rows)
