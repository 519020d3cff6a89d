"""Tables of times: one row per operator.

Two forms. A *profile table* has a column ``key`` (hetsim's keys) or ``operators`` (names in
a network that is given; ``+`` joins a group), a time column and, if it likes, ``pu``, ``model``,
``spread_us``, ``samples``, ``transfer_us`` (copying its inputs, measured apart): what
``hetsim profile`` writes as ``profile.csv``. With ``transfer_us`` the time may be left out, of a
row or altogether. A *measurement table* of convolutions has their geometry in columns (see
:mod:`hetsim.learn.tables`).

The time column says its unit in its name (``time_us``, ``latency_ms``), or every cell does
(``time`` with ``35 us``), or the user does.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hetsim.cost.measured.keys import convolution_key, group_key, kinds_of
from hetsim.cost.measured.readers.base import UNITS, Findings, Request, finish, listed
from hetsim.cost.measured.table import CANNOT_RUN, Entry, ProfileTable, Scope
from hetsim.errors import ConfigError, Location, UnitError
from hetsim.infiles import read_text
from hetsim.units import parse_quantity
from hetsim.workload.graph import Graph

_NAMES = ("time", "latency", "median")
TRANSFER = "transfer_us"
_CANNOT = frozenset({"inf", "infinity", "cannot run", "infeasible"})


class _BadRowError(Exception):
    """A row that cannot be used; the text says why."""


def read(request: Request) -> list[ProfileTable]:
    """Reads tables of times: one profile per device or PU they name.

    Raises:
        ConfigError: unreadable, columns missing, contradictory units, nothing that can be used.
    """
    devices: dict[tuple[str, Scope], _Device] = {}
    for path in request.files:
        text = read_text(path)
        rows = list(csv.reader(io.StringIO(text), skipinitialspace=True))
        header = [cell.strip() for cell in rows[0]] if rows else []
        if "c_in" in header or "h_in" in header:
            _convolutions(path, request, devices)
        else:
            _profile_rows(path, header, text, request, devices)
    tables = []
    for (name, scope), device in devices.items():
        table = ProfileTable.of(
            device.entries,
            name=name,
            device=name,
            source=f"table {', '.join(path.name for path in request.files)}",
            scope=scope,
            doubts=device.findings.doubts,
        )
        tables.append(finish(table, request))
    return tables


@dataclass
class _Device:
    entries: list[Entry] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)


def _convolutions(path: Path, request: Request, devices: dict[tuple[str, Scope], _Device]) -> None:
    """A measurement table, read with all the checks of calibration."""
    from hetsim.learn.tables.reader import read_measurements

    request.refuse_unit(f"the table {path}")
    table = read_measurements(path)
    if table.unit != "seconds":
        raise ConfigError(
            f"{table.form} are in {table.unit}; a profile needs times", where=Location(str(path))
        )
    for i in range(len(table)):
        row = {name: column[i] for name, column in table.columns.items()}
        number = {name: int(row[name]) for name in row if name in _GEOMETRY}
        key = convolution_key(
            n=number["n"], c=number["c_in"], h=number["h_in"], w=number["w_in"],
            o=number["c_out"], kernel=(number["k_h"], number["k_w"]),
            stride=(number["stride_h"], number["stride_w"]),
            pads=tuple(number[f"pad_{side}"] for side in ("top", "left", "bottom", "right")),
            dilation=(number["dilation_h"], number["dilation_w"]), groups=number["groups"],
            dtype=str(row["dtype"]),
        )  # fmt: skip
        name = request.device or str(row["device"])  # with its unit and data type
        device = devices.setdefault((name, "kernel"), _Device())
        where = Location(str(path), int(table.lines[i]))
        device.entries.append(Entry(key, float(table.target[i]), None, 1, (), where))
    for device in devices.values():
        for problem in table.problems:
            place = Location(str(path), problem.line)
            device.findings.add(problem.kind, problem.message, place)


_GEOMETRY = frozenset({
    "n", "c_in", "h_in", "w_in", "c_out", "k_h", "k_w", "stride_h", "stride_w", "pad_top",
    "pad_left", "pad_bottom", "pad_right", "dilation_h", "dilation_w", "groups",
})  # fmt: skip


def _profile_rows(
    path: Path,
    header: Sequence[str],
    text: str,
    request: Request,
    devices: dict[tuple[str, Scope], _Device],
) -> None:
    where = Location(str(path), 1)
    if not header:
        raise ConfigError("the file is empty", where=where)
    doubled = sorted({name for name in header if header.count(name) > 1})
    if doubled:
        raise ConfigError(f"columns stand twice: {', '.join(doubled)}", where=where)
    if "key" not in header and "operators" not in header:
        raise ConfigError(
            "the column 'key' or 'operators' is missing",
            where=where,
            hint="one row per operator: 'key' holds hetsim's keys, 'operators' names in a network",
        )
    if "key" not in header:
        request.need_graphs("a table of operator names")
    factor, column = _time_column(header, request, where)
    broken: list[str] = []
    count = 0
    reader = csv.reader(io.StringIO(text), skipinitialspace=True)
    next(reader)
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        count += 1
        line = reader.line_num
        place = Location(str(path), line)
        try:
            if len(cells) != len(header):
                raise _BadRowError(f"{len(cells)} fields where the header has {len(header)}")
            row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
            entry = _entry(row, column, factor, request.graphs, place)
        except _BadRowError as reason:
            broken.append(f"line {line}: {reason}")
            continue
        name = request.device or row.get("pu") or row.get("device") or path.stem
        scope: Scope = "partition" if row.get("scope") == "partition" else "kernel"
        devices.setdefault((name, scope), _Device()).entries.append(entry)
    if broken and len(broken) == count:
        raise ConfigError(f"none of {count} rows can be used: {listed(broken)}", where=where)
    if not count:
        raise ConfigError("there is a header but no row", where=where)
    if broken:
        message = f"{len(broken)} of {count} rows cannot be used: {listed(broken)}"
        for device in devices.values():
            device.findings.add("broken rows", message, where)


def _time_column(
    header: Sequence[str], request: Request, where: Location
) -> tuple[float | None, str]:
    """The factor to seconds (``None``: every cell has its unit) and the time column's name."""
    found: list[tuple[float | None, str]] = []
    for name in header:
        stem, _, unit = name.rpartition("_")
        if stem in _NAMES and unit in UNITS:
            found.append((UNITS[unit], name))
        elif name in _NAMES:
            found.append((None, name))
    if not found and TRANSFER in header:
        return None, ""
    if not found:
        raise ConfigError(
            "no column tells the time", where=where, hint="add time_us, time_ms or time_s"
        )
    if len(found) > 1:
        names = ", ".join(name for _, name in found)
        raise ConfigError(
            f"several columns tell the time: {names}", where=where, hint="keep one of them"
        )
    [(factor, column)] = found
    if factor is None and request.unit is not None:
        return UNITS[request.unit], column
    if factor is not None:
        request.refuse_unit(f"the column {column!r} of {where.file}")
    return factor, column


def _entry(
    row: Mapping[str, str],
    column: str,
    factor: float | None,
    graphs: Sequence[Graph],
    where: Location,
) -> Entry:
    spread = row.get("spread_us")
    samples = row.get("samples")
    try:
        half = float(spread) * 1e-6 if spread else None
        count = int(samples) if samples else 1
    except ValueError:
        raise _BadRowError("spread_us or samples is not a number") from None
    transfer = _transfer(row.get(TRANSFER, ""))
    untimed = transfer is not None and not row.get(column)
    seconds = None if untimed else _seconds(row.get(column, ""), factor, column)
    return Entry(_key(row, graphs), seconds, half, max(count, 1), (), where, transfer)


def _transfer(text: str) -> float | None:
    if not text:
        return None
    try:
        seconds = float(text) * 1e-6
    except ValueError:
        raise _BadRowError(f"{TRANSFER} is {text!r}, a plain number of us was expected") from None
    if not 0 <= seconds < math.inf:
        raise _BadRowError(f"{TRANSFER} is {text}, which is no time")
    return seconds


def _seconds(text: str, factor: float | None, column: str) -> float:
    if text.lower() in _CANNOT:
        return CANNOT_RUN
    try:
        seconds = parse_quantity(text, "time") if factor is None else float(text) * factor
    except UnitError as error:
        raise _BadRowError(error.message) from None
    except ValueError:
        told = f"{column} is {text!r}, a plain number"
        unit = column.rpartition("_")[2]
        if unit in UNITS:
            told += f" of {unit}"
        raise _BadRowError(f"{told} was expected") from None
    if not (seconds > 0 and math.isfinite(seconds)):
        raise _BadRowError(f"{column} is {text}, which is no time")
    return seconds


def _key(row: Mapping[str, str], graphs: Sequence[Graph]) -> str:
    if row.get("key"):
        try:
            kinds_of(row["key"])
        except ValueError as error:
            raise _BadRowError(str(error)) from None
        return row["key"]
    names = [name for name in row.get("operators", "").split("+") if name]
    wanted = row.get("model")
    fitting = [g for g in graphs if wanted in (None, "", g.name)]
    owners = [g for g in fitting if names and all(name in g.index for name in names)]
    if not owners:
        raise _BadRowError(f"no network given has operators {row.get('operators')!r}")
    keys = {group_key(g, [g.operator(name) for name in names]) for g in owners}
    if len(keys) > 1:
        raise _BadRowError(
            f"{row['operators']} is another operator in each of"
            f" {', '.join(g.name for g in owners)}; add a column 'model'"
        )
    return keys.pop()
