"""What readers of foreign profiles share: the request, the doubts, the plausibility of units."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

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


@dataclass(frozen=True)
class Request:
    """What to read: files, the networks they speak of, and what their devices are called.

    ``device`` overrides the name in the file, which can be wrong.
    """

    files: tuple[Path, ...]
    graphs: tuple[Graph, ...] = ()
    device: str | None = None

    def need_graphs(self, what: str) -> None:
        """Raises ``ConfigError`` when no network was given."""
        if not self.graphs:
            raise ConfigError(
                f"{what} does not say everything about its operators: a network must be given",
                hint="name it with --model",
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
    whole = [t for t in times if abs(t * 1e3 - round(t * 1e3)) < 1e-9 and t >= 1e-3]
    if len(times) >= 5 and len(whole) == len(times):
        doubts.append(
            Doubt(
                "coarse times",
                "all times are whole milliseconds: short operators carry errors of up to 50 %",
            )
        )
    rates = []
    for graph in graphs:
        for op in graph.operators:
            seconds = table.time(operator_key(graph, op))
            if seconds is not None and op.macs and math.isfinite(seconds):
                rates.append((op.macs / seconds, op.name))
    fast = [name for rate, name in rates if rate > FASTEST_MACS]
    if fast:
        doubts.append(
            Doubt(
                "unit doubtful",
                f"{len(fast)} operators would exceed {FASTEST_MACS:.0e} multiply-accumulates/s:"
                f" {listed(fast)}; is the unit right?",
            )
        )
    return doubts


def finish(table: ProfileTable, graphs: Sequence[Graph]) -> ProfileTable:
    """``table`` with doubts about its units and what it lacks.

    Raises:
        ConfigError: it holds no time at all.
    """
    if not table.entries:
        told = "".join(f"\n    {doubt}" for doubt in table.doubts[:SHOWN])
        raise ConfigError(f"{table.source}: no time could be used{told}")
    more = [*unit_doubts(table, graphs), *missing_operators(table, graphs)]
    return replace(table, doubts=(*table.doubts, *more))


def entry(
    key: str, seconds: float, where: Location, seen: Iterable[str] = (), samples: int = 1
) -> Entry:
    """A single figure from a foreign file."""
    return Entry(key, seconds, None, samples, tuple(seen), where)
