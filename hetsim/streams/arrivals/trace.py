"""Arrivals as somebody recorded them: a CSV file of times."""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Iterator, Sequence
from itertools import count, pairwise
from math import inf, isfinite
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, PrivateAttr

from hetsim.errors import ConfigError, Location
from hetsim.infiles import read_text, user_path
from hetsim.names import suggest
from hetsim.soc.fields import Quantity
from hetsim.streams.arrivals.base import Arrivals
from hetsim.units import endings

Unit = Literal["s", "ms", "us", "ns"]


class Trace(Arrivals):
    """Arrivals at the times of a CSV file, and once more each ``repeat`` where that is given.

    A time is a number, not negative, no earlier than the one above it. The name of its column ends
    with its unit (``arrival_ms``), or ``unit`` tells it; without a heading the file has one column.
    """

    kind: Literal["trace"]
    file: Annotated[str, Field(min_length=1)] = Field(
        description="a CSV file, relative to the scenario file"
    )
    column: str | None = Field(
        default=None, description="its heading; default: the only one that ends with a unit of time"
    )
    unit: Unit | None = Field(default=None, description="where no heading tells it")
    repeat: Annotated[float, Quantity("time")] | None = Field(
        default=None, description="the file starts anew after so long; default: it ends"
    )
    _times: array[float] = PrivateAttr(default_factory=lambda: array("d"))
    _path: Path | None = PrivateAttr(default=None)

    def ready(self, directory: Path, where: Location) -> Self:
        path = directory / user_path(self.file, where)
        if not path.is_file():
            problem = "is a directory" if path.is_dir() else "does not exist"
            raise ConfigError(f"trace {str(path)!r} {problem}", where=where)
        times = _read(path, self.column, self.unit)
        if self.repeat is not None and self.repeat < times[-1]:
            raise ConfigError(
                f"it is to start anew after {self.repeat:g} s, and its last arrival is at"
                f" {times[-1]:g} s",
                where=where, hint=f"say 'repeat: {times[-1]:g} s' or more",
            )  # fmt: skip
        found = self.model_copy()
        found._times, found._path = times, path
        return found

    @property
    def files(self) -> tuple[Path, ...]:
        return () if self._path is None else (self._path,)

    def times(self, random: np.random.Generator) -> Iterator[float]:
        if self.repeat is None:
            return iter(self._times)
        return (k * self.repeat + time for k in count() for time in self._times)

    @property
    def rate(self) -> float:
        """Of one that ends: how often while it lasts."""
        times = self._times
        if self.repeat is not None:
            return len(times) / self.repeat
        return (len(times) - 1) / (times[-1] - times[0]) if times and times[-1] > times[0] else 0.0

    @property
    def ends(self) -> bool:
        return self.repeat is None

    def separation_s(self, count: int) -> float:
        found = np.asarray(self._times)
        if self.repeat is None:
            return float((found[count:] - found[:-count]).min()) if count < len(found) else inf
        rounds, rest = divmod(count, len(found))
        if not rest:
            return rounds * self.repeat
        twice = np.concatenate((found, found + self.repeat))
        spans = twice[rest : rest + len(found)] - found
        return rounds * self.repeat + float(spans.min())


def _read(path: Path, column: str | None, unit: str | None) -> array[float]:
    """The times in seconds; an error says file and line."""
    reader = csv.reader(io.StringIO(read_text(path)), skipinitialspace=True)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        where = Location(str(path), reader.line_num)
        raise ConfigError(f"this is not a CSV file: {error}", where=where) from None
    columns = len(rows[0][1]) if rows else 0
    place, factor, rows = _column(path, rows, column, unit)
    times = array("d")
    for line, row in rows:
        where = Location(str(path), line)
        if any(map(str.strip, row[columns:])):  # or '1,5' would be read as 1
            hint = "write decimals with a point; text with commas in quotes"
            problem = f"it has {len(row):,} cells, and the first line has {columns:,}"
            raise ConfigError(problem, where=where, hint=hint)
        cell = row[place].strip() if place < len(row) else ""
        try:
            time = float(cell) * factor
        except ValueError:
            raise ConfigError(f"{cell!r} is not a time of arrival", where=where) from None
        if not isfinite(time) or time < 0.0:
            hint = "times are counted from the start of the stream"
            raise ConfigError(f"an arrival at {cell}", where=where, hint=hint)
        times.append(time)
    if not times:
        raise ConfigError("it holds no arrival", where=Location(str(path)))
    for (line, row), (before, after) in zip(rows[1:], pairwise(times), strict=False):
        if after < before:
            raise ConfigError(
                f"an arrival at {row[place].strip()}, and the one above it is later:"
                f" {before / factor:.9g}",
                where=Location(str(path), line), hint="sort the file by time",
            )  # fmt: skip
    return times


Rows = list[tuple[int, list[str]]]


def _column(
    path: Path, rows: Rows, column: str | None, unit: str | None
) -> tuple[int, float, Rows]:
    """Where the times stand, their factor to seconds, and the rows below the heading."""
    if not rows:
        raise ConfigError("the file is empty", where=Location(str(path)))
    units = {ending: factor for ending, (_, factor) in endings("time").items()}
    line, first = rows[0]
    where = Location(str(path), line)
    if all(_number(cell) for cell in first):
        if column is not None:
            raise ConfigError(f"it has no heading, so no column {column!r}", where=where)
        if len(first) > 1:
            hint = "give the columns a heading, and name the one with the times 'arrival_ms'"
            raise ConfigError(f"it has {len(first)} columns and no heading", where=where, hint=hint)
        if unit is None:
            hint = "say 'unit: ms' beside 'file', or give the column a heading like 'arrival_ms'"
            raise ConfigError("nothing tells the unit of these times", where=where, hint=hint)
        return 0, units[unit], rows
    names = [cell.strip() for cell in first]
    place = _named(names, column, units, unit, where)
    told = names[place].rpartition("_")[2]
    if told not in units and unit is None:
        hint = "say 'unit: ms' beside 'file', or name it like 'arrival_ms'"
        raise ConfigError(
            f"nothing tells the unit of column {names[place]!r}", where=where, hint=hint
        )
    if told in units and unit is not None and told != unit:
        raise ConfigError(
            f"column {names[place]!r} is in {told}, and 'unit' says {unit}", where=where,
            hint="leave 'unit' out",
        )  # fmt: skip
    return place, units[told if told in units else str(unit)], rows[1:]


def _named(
    names: Sequence[str], column: str | None, units: dict[str, float], unit: str | None,
    where: Location,
) -> int:  # fmt: skip
    """The position of the column with the times."""
    if column is not None:
        if column not in names:
            hint = suggest(column, names)
            raise ConfigError(f"it has no column {column!r}", where=where, hint=hint)
        return names.index(column)
    fitting = [i for i, name in enumerate(names) if name.rpartition("_")[2] in units]
    if not fitting and len(names) == 1 and not _number(names[0]):
        return 0
    if len(fitting) != 1:
        said = "several columns end" if fitting else "no column ends"
        raise ConfigError(
            f"{said} with a unit of time: {', '.join(names)}", where=where,
            hint="say which it is with 'column'",
        )  # fmt: skip
    return fitting[0]


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
