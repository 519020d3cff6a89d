"""What readers of foreign profiles share: the request, the doubts, the plausibility of units."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Literal

from hetsim.cost.measured.keys import operator_key
from hetsim.cost.measured.table import Doubt, Entry, ProfileTable
from hetsim.errors import ConfigError, Location
from hetsim.workload.graph import Graph

SHOWN = 6
"""How many of a kind a message lists before it only counts."""

FASTEST_MACS = 1e15
"""Multiply-accumulates per second that no single device of this decade reaches."""

SHORTEST_S, LONGEST_S = 1e-8, 100.0
"""Median operator times outside this range suggest a wrong unit."""

UNITS: Mapping[str, float] = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
"""Seconds of each unit that a file may be in."""

Censored = Literal["keep", "drop"]

COARSE: Mapping[str, float] = {unit: UNITS[unit] for unit in ("s", "ms")}
"""Files whose times are all whole multiples of one of these are read as intervals."""


@dataclass(frozen=True)
class Request:
    """What to read: files, the networks they speak of, and what their devices are called.

    ``device`` overrides the name in the file, which can be wrong. ``unit`` (of :data:`UNITS`) is
    that of files which state none. ``censored`` says what becomes of times that are only known to
    be short (:func:`finish`).
    """

    files: tuple[Path, ...]
    graphs: tuple[Graph, ...] = ()
    device: str | None = None
    unit: str | None = None
    censored: Censored = "keep"

    def need_graphs(self, what: str) -> None:
        """Raises ``ConfigError`` when no network was given."""
        if not self.graphs:
            raise ConfigError(
                f"{what} does not say everything about its operators: a network must be given",
                hint="name it with --model",
            )

    def refuse_unit(self, what: str) -> None:
        """Raises ``ConfigError`` when a unit was given, because ``what`` has its own."""
        if self.unit is not None:
            raise ConfigError(
                f"{what} states the unit of its times itself", where=Location(f"--unit {self.unit}")
            )


Reader = Callable[[Request], list[ProfileTable]]


@dataclass
class Findings:
    """Collects doubts while a file is read."""

    doubts: list[Doubt] = field(default_factory=list)

    def add(self, kind: str, message: str, where: Location | None = None) -> None:
        """Notes one doubt."""
        self.doubts.append(Doubt(kind, message, where))

    def several(self, kind: str, what: str, items: Sequence[str], where: Location) -> None:
        """Notes one doubt about ``items``, if there are any."""
        if items:
            self.add(kind, f"{len(items)} {what}: {listed(items)}", where)


def listed(items: Sequence[str]) -> str:
    """The first few items, and how many more there are."""
    more = f" and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
    return ", ".join(items[:SHOWN]) + more


def missing_operators(table: ProfileTable, graphs: Iterable[Graph]) -> list[Doubt]:
    """A doubt for every network some of whose operators have no time of their own."""
    doubts = []
    for graph in graphs:
        missing = [op.name for op in graph.operators if table.time(operator_key(graph, op)) is None]
        if missing:
            doubts.append(
                Doubt(
                    "missing operators",
                    f"{len(missing)} of {len(graph)} operators of {graph.name} have no time of"
                    f" their own and fall back to the model: {listed(missing)}",
                )
            )
    return doubts


def unit_doubts(table: ProfileTable, graphs: Iterable[Graph]) -> list[Doubt]:
    """Doubts about the unit of a table's times, from their size and from the work done in them."""
    known = [e.seconds for e in table.entries.values() if e.seconds is not None]
    times = [seconds for seconds in known if math.isfinite(seconds)]
    if not times:
        return []
    doubts = []
    middle = median(times)
    if not SHORTEST_S <= middle <= LONGEST_S:
        doubts.append(
            Doubt("unit doubtful", f"the median time is {middle:.3g} s; is the unit right?")
        )
    fast = [
        op.name
        for graph in graphs
        for op in graph.operators
        if (seconds := table.time(operator_key(graph, op))) and op.macs / seconds > FASTEST_MACS
    ]
    if fast:
        doubts.append(
            Doubt(
                "unit doubtful",
                f"{len(fast)} operators would exceed {FASTEST_MACS:.0e} multiply-accumulates/s:"
                f" {listed(fast)}; is the unit right?",
            )
        )
    return doubts


def finish(table: ProfileTable, request: Request) -> ProfileTable:
    """``table`` with doubts about its units and what it lacks; coarse times become intervals.

    Whole milliseconds (or seconds) are what rounding left: *n* ms is a time within half a
    millisecond of it, 1 ms is any below 1.5 ms. Such censored rows become the middle of that
    interval, or are left out where ``censored`` is ``drop``, so that the model answers.

    Raises:
        ConfigError: it holds no time at all.
    """
    table = _with_intervals(table, request.censored)
    if not table.entries:
        told = "".join(f"\n    {doubt}" for doubt in table.doubts[:SHOWN])
        raise ConfigError(f"{table.source}: no time could be used{told}")
    more = [*unit_doubts(table, request.graphs), *missing_operators(table, request.graphs)]
    return replace(table, doubts=(*table.doubts, *more))


def one_device(
    entries: list[Entry], request: Request, findings: Findings, *, tool: str, what: str, left: str
) -> list[ProfileTable]:
    """The table of files that are of one device and do not name it: kernels' times.

    ``tool`` stands for a device that nobody names, ``what`` is what its files are called, ``left``
    what of them is not in use. Raises like :func:`finish`.
    """
    if request.device is None:
        findings.add(
            "unknown device", "the file does not say what was measured; name it (--device)"
        )
    device = request.device or tool
    table = ProfileTable.of(
        entries,
        name=device,
        device=device,
        source=f"{what} {', '.join(path.name for path in request.files)}",
        scope="kernel",
        doubts=findings.doubts,
        remarks=(left,),
    )
    return [finish(table, request)]


def _with_intervals(table: ProfileTable, censored: Censored) -> ProfileTable:
    unit = _coarse_unit(table)
    if unit is None:
        if censored == "keep":
            return table
        none = Doubt("coarse times", "the times are no whole milliseconds: none is censored")
        return replace(table, doubts=(*table.doubts, none))
    step = COARSE[unit]
    entries, short = {}, []
    for key, entry in table.entries.items():
        if entry.seconds is None or math.isinf(entry.seconds) or entry.spread_s is not None:
            entries[key] = entry
        elif entry.seconds > 1.5 * step:
            entries[key] = replace(entry, spread_s=step / 4)
        else:
            short.append(entry.seen[0] if entry.seen else key)
            if censored == "keep":
                entries[key] = replace(entry, seconds=0.75 * step, spread_s=0.375 * step)
            elif entry.transfer_s is not None:
                entries[key] = replace(entry, seconds=None)
    told = f"all times are whole {unit}, read as intervals; {len(short)} are below 1.5 {unit}"
    if short:
        how = f"taken as 0.75 {unit}" if censored == "keep" else "left to the model"
        told += f" and {how}: {listed(short)}"
    doubt = Doubt("coarse times", told)
    return replace(table, entries=entries, doubts=(*table.doubts, doubt))


def _coarse_unit(table: ProfileTable) -> str | None:
    """The largest unit of which all times are whole multiples, if there are enough to tell."""
    known = [e.seconds for e in table.entries.values() if e.seconds is not None]
    times = [t for t in known if math.isfinite(t)]
    for unit, step in COARSE.items():
        if len(times) >= 5 and all(t > 0.5 * step and _is_whole(t / step) for t in times):
            return unit
    return None


def _is_whole(number: float) -> bool:
    return abs(number - round(number)) < 1e-6


def entry(
    key: str, seconds: float, where: Location, seen: Iterable[str] = (), samples: int = 1
) -> Entry:
    """A single figure from a foreign file."""
    return Entry(key, seconds, None, samples, tuple(seen), where)
