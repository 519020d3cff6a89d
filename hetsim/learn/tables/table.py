"""The table of measurements that a file became, and the list of what was wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hetsim.numeric import Array, Bools, Floats, Ints

Column = Array
Mask = Bools | NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong at ``line`` of a measurement file, and what was done about it.

    ``kind`` groups problems of one sort for counting; ``dropped`` tells whether the row is gone.
    """

    line: int
    kind: str
    message: str
    dropped: bool = True

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


@dataclass(frozen=True)
class Measurements:
    """Measured rows of one form, as columns.

    ``columns`` holds one array of equal length per name: the descriptor of each row (shapes, data
    type, device, ...). ``target`` is what was measured, in ``unit`` (``seconds`` or ``cycles``).
    ``families`` says which rows are relatives (one network, one test family), ``shapes`` groups
    rows by input resolution and kernel, ``lines`` tells where each row stands in ``file``.
    ``rows_read`` counts the rows of the file, kept or not.
    """

    form: str
    file: str
    unit: str
    columns: Mapping[str, Column]
    target: Floats
    families: Column
    shapes: Column
    lines: Ints
    problems: tuple[Problem, ...] = ()
    rows_read: int = 0

    def __len__(self) -> int:
        return len(self.target)

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    def number(self, name: str) -> Floats:
        """A numeric column as floats."""
        return np.asarray(self.columns[name], dtype=np.float64)

    def select(self, rows: Mask) -> Measurements:
        """The table of ``rows`` (a mask or positions), in that order."""
        return replace(
            self,
            columns={name: column[rows] for name, column in self.columns.items()},
            target=self.target[rows],
            families=self.families[rows],
            shapes=self.shapes[rows],
            lines=self.lines[rows],
        )

    @property
    def devices(self) -> tuple[str, ...]:
        """The names of the devices measured, in order of appearance."""
        return tuple(dict.fromkeys(str(name) for name in self.columns["device"]))

    def of_device(self, device: str) -> Measurements:
        """The rows of one device."""
        return self.select(np.asarray(self.columns["device"] == device))

    @property
    def summary(self) -> str:
        """One line: how many rows were read, kept and dropped, and why."""
        kept = f"{self.rows_read} rows read, {len(self)} used"
        if not self.problems:
            return kept
        counts = Counter(problem.kind for problem in self.problems)
        reasons = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
        return f"{kept}; problems: {reasons}"
