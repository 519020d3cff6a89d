"""The table of measured networks: its rows, and the CSV file that keeps them.

One row is one phase of one network on one device. ``inference`` is a whole run. A language model
has two: ``prompt`` (``tokens`` of a prompt at once) and ``generation`` (``tokens`` one after the
other, ``context`` of them before). ``latency_ms`` is the time of the whole phase for the whole
batch. Columns without a value were not told by the source.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from hetsim.errors import ConfigError, Location, shortened
from hetsim.infiles import read_text

Phase = Literal["inference", "prompt", "generation"]

LONGEST_S = 1e5
"""No network of this decade runs longer than a day."""


@dataclass(frozen=True, slots=True)
class NetworkTime:
    """One measured latency of a whole network. Seconds; ``None`` is not told.

    ``component``: a part of the network that was measured by itself. ``precision`` is the source's
    word (``float``, ``w8a16``, ``Q4_K``). ``unit``: the kind of unit that ran most of it.
    ``spread_s`` is half the distance between the quartiles, or the standard deviation where the
    source tells only that. ``layers``: how many the runtime put on each kind of unit. ``family``
    overrides the family that the network's name and graph give it.
    """

    network: str
    device: str
    runtime: str
    latency_s: float
    component: str = ""
    precision: str = ""
    unit: str = ""
    phase: Phase = "inference"
    batch: int = 1
    tokens: int | None = None
    context: int | None = None
    spread_s: float | None = None
    samples: int | None = None
    layers: Mapping[str, int] = field(default_factory=dict, hash=False)
    family: str = ""
    where: Location | None = field(default=None, compare=False)


COLUMNS = (
    "network", "component", "precision", "device", "runtime", "unit", "phase", "batch", "tokens",
    "context", "latency_ms", "spread_ms", "samples", "layers", "family",
)  # fmt: skip
"""The header of the file. ``layers`` reads ``npu:71;cpu:2``."""

ALIASES = {"model": "network", "primary_unit": "unit"}
"""Other names of columns. ``layers_npu``, ``layers_gpu``, ... are ``layers``, a column per unit."""

UNREAD = ("peak_memory_min_mb", "peak_memory_max_mb")
"""Columns that published tables have and nothing here uses: they say nothing about time."""

_LAYERS = "layers_"


def dump_networks(rows: Iterable[NetworkTime]) -> str:
    """The rows as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        plain: dict[str, Any] = {f.name: getattr(row, f.name) for f in fields(row)}
        plain["latency_ms"] = _ms(row.latency_s)
        plain["spread_ms"] = "" if row.spread_s is None else _ms(row.spread_s)
        plain["layers"] = ";".join(f"{unit}:{count}" for unit, count in row.layers.items())
        writer.writerow("" if plain[name] is None else plain[name] for name in COLUMNS)
    return out.getvalue()


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.9g}"


def read_networks(path: str | Path) -> list[NetworkTime]:
    """Reads a file that :func:`dump_networks` wrote, or one in its columns or their aliases.

    ``network``, ``device`` and ``latency_ms`` must be there, the others may be left out.

    Raises:
        ConfigError: unreadable, a column missing or unknown, a row that is none; says where.
    """
    reader = csv.reader(io.StringIO(read_text(path)), strict=True)
    rows: list[NetworkTime] = []
    header: list[str] = []
    try:
        for cells in reader:
            where = Location(str(path), reader.line_num)
            if not header:
                header = _header(cells, where)
            elif any(cells):
                rows.append(_row(header, cells, where))
    except csv.Error as error:
        raise ConfigError(str(error), where=Location(str(path), reader.line_num)) from None
    if not rows:
        raise ConfigError("it holds no measured network", where=Location(str(path)))
    return rows


def _header(cells: list[str], where: Location) -> list[str]:
    names = [ALIASES.get(cell.strip(), cell.strip()) for cell in cells]
    missing = [name for name in ("network", "device", "latency_ms") if name not in names]
    known = {*COLUMNS, *UNREAD}
    unknown = [name for name in names if name not in known and not name.startswith(_LAYERS)]
    if missing or unknown or len(set(names)) < len(names):
        also = ", ".join(f"{alias} for {name}" for alias, name in ALIASES.items())
        raise ConfigError(
            f"columns are {', '.join(names)}",
            where=where,
            hint=f"known are {', '.join(COLUMNS)} ({also}, layers_npu and the like for layers);"
            " network, device and latency_ms must be there",
        )
    return names


def _row(header: list[str], cells: list[str], where: Location) -> NetworkTime:
    if len(cells) != len(header):
        raise ConfigError(f"{len(cells)} cells under {len(header)} columns", where=where)
    row = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    phase = row.get("phase") or "inference"
    if phase not in get_args(Phase):
        raise ConfigError(
            f"phase is {phase!r}", where=where, hint=f"known are {', '.join(get_args(Phase))}"
        )
    for name in ("network", "device"):
        if not row[name]:
            raise ConfigError(f"{name} is empty", where=where)
    spread = row.get("spread_ms")
    return NetworkTime(
        row["network"], row["device"], row.get("runtime", ""),
        milliseconds(row["latency_ms"], "latency_ms", where),
        row.get("component", ""), row.get("precision", ""), row.get("unit", "").lower(),
        phase,  # type: ignore[arg-type]  # checked above
        count(row.get("batch") or 1, "batch", where),
        _optional(row, "tokens", where),
        _optional(row, "context", where, least=0),
        milliseconds(spread, "spread_ms", where, least=0.0) if spread else None,
        _optional(row, "samples", where),
        _layers(row, where),
        row.get("family", ""),
        where,
    )  # fmt: skip


def _optional(row: Mapping[str, str], name: str, where: Location, least: int = 1) -> int | None:
    return count(row[name], name, where, least) if row.get(name) else None


def _layers(row: Mapping[str, str], where: Location) -> dict[str, int]:
    found = {}
    for part in filter(None, row.get("layers", "").split(";")):
        unit, _, number = part.partition(":")
        found[unit.strip()] = count(number, f"layers {part!r}", where, least=0)
    for name, number in row.items():
        if name.startswith(_LAYERS) and number:
            found[name.removeprefix(_LAYERS)] = count(number, name, where, least=0)
    return found


def milliseconds(value: object, what: str, where: Location, *, least: float | None = None) -> float:
    """Seconds of a number of milliseconds; a :class:`ConfigError` when it is no time."""
    return seconds(value, 1e-3, what, where, least=least)


def seconds(
    value: object, unit: float, what: str, where: Location, *, least: float | None = None
) -> float:
    """Seconds of ``value`` times ``unit``; positive, or ``least``.

    Raises:
        ConfigError: it is no number, or no time.
    """
    found = number(value, what, where, least=least) * unit
    if found > LONGEST_S:
        raise ConfigError(f"{what} is {shortened(repr(value), 80)}, which is no time", where=where)
    return found


def number(value: object, what: str, where: Location, *, least: float | None = None) -> float:
    """A number that is positive, or ``least``; a :class:`ConfigError` when it is not."""
    try:
        if isinstance(value, bool):
            raise TypeError
        found = float(value)  # type: ignore[arg-type]  # a TypeError is caught
    except (ArithmeticError, TypeError, ValueError):
        told = shortened(repr(value), 80) if isinstance(value, str | float | bool) else type(value)
        raise ConfigError(f"{what} is {told}, a number was expected", where=where) from None
    if not (math.isfinite(found) and (found > 0 or found == least)):
        raise ConfigError(
            f"{what} is {shortened(repr(value), 80)}, which is not above 0", where=where
        )
    return found


def count(value: object, what: str, where: Location, least: int = 1) -> int:
    """A whole number that is at least ``least``; a :class:`ConfigError` when it is not."""
    try:
        if isinstance(value, bool | float):
            raise TypeError
        found = int(value)  # type: ignore[call-overload]  # a TypeError is caught
    except (TypeError, ValueError):
        found = least - 1
    if not least <= found < 2**53:
        raise ConfigError(
            f"{what} is {shortened(repr(value), 80)}, a whole number of at least {least} was"
            " expected",
            where=where,
        )
    return int(found)
