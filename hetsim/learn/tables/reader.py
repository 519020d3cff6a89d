"""Reading a measurement CSV: every fault found is located, counted, and never silently mended.

A file that cannot be understood at all (no known form, missing columns, no time) is an error. Rows
that cannot be used are dropped and listed; more than ``max_dropped`` of them is an error too,
because a fit to what remains would mislead.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hetsim.errors import ConfigError, Location
from hetsim.infiles import read_text
from hetsim.learn.tables.doubts import doubt_units
from hetsim.learn.tables.duplicates import merge_duplicates
from hetsim.learn.tables.forms import FORMS, Form, Row, RowError
from hetsim.learn.tables.table import Column, Measurements, Problem

MAX_DROPPED = 0.2
"""Share of unusable rows above which a file is refused."""

SHOWN = 8
"""How many problems an error message lists before it only counts."""

MOST, MOST_LARGE = 1e9, 1e18
"""No size is larger than the first, no product of sizes larger than the second."""

_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "seconds": 1.0}
_CLOCK = re.compile(r"cycles_at_([\d.]+)([kMG]?)Hz")
_PREFIX = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}


def read_measurements(path: str | Path, *, max_dropped: float = MAX_DROPPED) -> Measurements:
    """Reads a measurement file of any form of :mod:`hetsim.learn.tables.forms`.

    Times become seconds, whatever unit the column's name ends in (``_us``, ``_ms``, ...); cycles
    stay cycles. ``families`` is the file's own column, else input resolution and kernel.

    Raises:
        ConfigError: unreadable, no known form, a column missing or doubled, no usable row, or more
            than ``max_dropped`` (a share) of the rows unusable; says where and how many.
    """
    file = str(path)
    lines = _lines(read_text(path), file)
    if not lines:
        raise ConfigError("the file is empty", where=Location(file), hint=_known_forms())
    header_line, header = lines[0][0], [cell.strip() for cell in lines[0][1]]
    where = Location(file, header_line)
    doubled = sorted({name for name in header if header.count(name) > 1})
    if doubled:
        raise ConfigError(f"columns stand twice: {', '.join(doubled)}", where=where)
    form = _recognise(header, where)
    times = _time_columns(form, header, where)
    problems: list[Problem] = []
    rows: list[tuple[int, Row, float]] = []
    for line, cells in lines[1:]:
        try:
            rows.append((line, *_parse_row(form, times, header, cells)))
        except RowError as fault:
            problems.append(Problem(line, fault.kind, str(fault)))
    read = len(lines) - 1
    _refuse_if_too_many(problems, read, max_dropped, file)
    rows, doubts = doubt_units(form, rows)
    problems += doubts
    rows, disagreements = merge_duplicates(form, rows)
    problems += disagreements
    _refuse_if_too_many(problems, read, max_dropped, file)
    problems.sort(key=lambda problem: problem.line)
    return _table(form, file, rows, tuple(problems), read)


def _lines(text: str, file: str) -> list[tuple[int, list[str]]]:
    """The rows that are not blank, each with its line."""
    reader = csv.reader(io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n")))
    try:
        return [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise ConfigError(
            f"this is not a CSV file: {error}", where=Location(file, reader.line_num)
        ) from None


def _known_forms() -> str:
    return "; ".join(f"{form.name}: {', '.join(form.required)} and a time" for form in FORMS)


def _recognise(header: Sequence[str], where: Location) -> Form:
    """The form whose required columns are there, or an error about the nearest one."""
    missing = {form.name: [c for c in form.required if c not in header] for form in FORMS}
    fitting = [form for form in FORMS if not missing[form.name]]
    if fitting:
        return max(fitting, key=lambda form: len(form.required))
    nearest = max(
        FORMS, key=lambda form: (len(form.required) - len(missing[form.name])) / len(form.required)
    )
    if len(missing[nearest.name]) == len(nearest.required):
        raise ConfigError(
            f"these columns are of no known form: {', '.join(header)}",
            where=where, hint=_known_forms(),
        )  # fmt: skip
    raise ConfigError(
        f"columns are missing for {nearest.name}: {', '.join(missing[nearest.name])}",
        where=where,
        hint=f"it needs {', '.join(nearest.required)} and a time",
    )


def _time_columns(form: Form, header: Sequence[str], where: Location) -> dict[str, float]:
    """Columns that hold the measured time, with their factor to seconds or cycles."""
    found: dict[str, float] = {}
    for name in header:
        clock = _CLOCK.fullmatch(name)
        if not name.startswith(form.time_prefixes):
            continue
        if form.unit == "cycles":
            if clock or "cycles" in name:
                found[name] = 1.0
        elif clock:
            found[name] = 1.0 / (float(clock[1]) * _PREFIX[clock[2]])
        elif name.rsplit("_", 1)[-1] in _UNITS:
            found[name] = _UNITS[name.rsplit("_", 1)[-1]]
    if not found:
        what = "latency_us, latency_ms or latency_s" if form.unit == "seconds" else "cycles"
        raise ConfigError(f"no column tells the {form.unit}", where=where, hint=f"add {what}")
    return found


def _parse_row(
    form: Form, times: dict[str, float], header: Sequence[str], cells: Sequence[str]
) -> tuple[Row, float]:
    if len(cells) != len(header):
        raise RowError("ragged", f"{len(cells)} fields where the header has {len(header)}")
    given = dict(zip(header, (cell.strip() for cell in cells), strict=True))
    row: Row = {}
    for name in form.texts:
        row[name] = given.get(name) or str(form.defaults.get(name, ""))
        if not row[name] and name not in form.defaults:
            raise RowError("empty field", f"{name} is empty")
    for name in form.integers:
        row[name] = _whole(name, given.get(name, ""), form)
    for name in form.reals:
        row[name] = _real(name, given.get(name, "") or str(form.defaults[name]))
    target = _time(times, given)
    row.update(form.check(row))
    return row, target


def _whole(name: str, text: str, form: Form) -> int:
    if not text and name in form.defaults:
        return int(form.defaults[name])
    value = _real(name, text)
    if value != int(value):
        raise RowError("not a whole number", f"{name} is {text}, a whole number was expected")
    least = 0 if name in form.zero_ok else 1
    if value < least:
        raise RowError("out of range", f"{name} is {text}, at least {least} was expected")
    most = MOST_LARGE if name in form.large else MOST
    if value > most:
        raise RowError("out of range", f"{name} is {text}, at most {most:.0e} was expected")
    return int(value)


def _real(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise RowError("not a number", f"{name} is {text!r}, a number was expected") from None
    if not math.isfinite(value):
        raise RowError("not a number", f"{name} is {text}, a finite number was expected")
    return value


def _time(times: dict[str, float], given: dict[str, str]) -> float:
    """The measured time; several time columns must agree within 1 %, or all but one be empty."""
    values: dict[str, float] = {}
    for name, factor in times.items():
        if given[name]:
            value = _real(name, given[name])
            if value <= 0:
                raise RowError("time not positive", f"{name} is {given[name]}, which is no time")
            values[name] = value * factor
    if not values:
        raise RowError("no time", f"{' and '.join(times)} is empty")
    if max(values.values()) > 1.01 * min(values.values()):
        said = ", ".join(f"{name} {given[name]}" for name in values)
        raise RowError("units contradict", f"the times contradict each other: {said}")
    return next(iter(values.values()))


def _refuse_if_too_many(
    problems: Sequence[Problem], read: int, max_dropped: float, file: str
) -> None:
    dropped = [problem for problem in problems if problem.dropped]
    if read and len(dropped) < read and len(dropped) <= max_dropped * read:
        return
    if not read:
        raise ConfigError("there is a header but no row", where=Location(file))
    listed = "".join(f"\n    {problem}" for problem in dropped[:SHOWN])
    more = f"\n    and {len(dropped) - SHOWN} more" if len(dropped) > SHOWN else ""
    raise ConfigError(
        f"{len(dropped)} of {read} rows cannot be used:{listed}{more}",
        where=Location(file, dropped[0].line),
        hint=f"at most {max_dropped:.0%} may be dropped; mend the rows or the file's unit",
    )


def _table(
    form: Form,
    file: str,
    rows: Sequence[tuple[int, Row, float]],
    problems: tuple[Problem, ...],
    read: int,
) -> Measurements:
    columns: dict[str, Column] = {}
    for name in rows[0][1]:
        values = [row[name] for _, row, _ in rows]
        columns[name] = np.array(values)
    parts = [columns[name] for name in form.device_columns]
    labels = ["/".join(str(p) for p in row if str(p)) for row in zip(*parts, strict=True)]
    columns["device"] = np.array(labels)
    shapes = _shapes(columns)
    return Measurements(
        form=form.name,
        file=file,
        unit=form.unit,
        columns=columns,
        target=np.array([time for _, _, time in rows]),
        families=np.where(columns["family"] != "", columns["family"], shapes),
        shapes=shapes,
        lines=np.array([line for line, _, _ in rows], dtype=np.int64),
        problems=problems,
        rows_read=read,
    )


def _shapes(columns: dict[str, Column]) -> Column:
    """Input resolution and kernel of each row; the size of a transfer."""
    height = columns.get("h_in", columns.get("input_0_height"))
    if height is None:
        return np.array([f"{size} bytes" for size in columns["bytes"]])
    width = columns["w_in"] if "w_in" in columns else columns["input_0_width"]
    k_h = columns["k_h"] if "k_h" in columns else columns["kernel_height"]
    k_w = columns["k_w"] if "k_w" in columns else columns["kernel_width"]
    quadruples = zip(height, width, k_h, k_w, strict=True)
    return np.array([f"{h}x{w} k{a}x{b}" for h, w, a, b in quadruples])
