"""A table of measured times, by operator key."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

from hetsim.errors import Location

Scope = Literal["kernel", "partition"]
"""``kernel``: a time is one launch. ``partition``: also the call and the crossings around it."""

AGREE = 0.05
"""Repeated measurements within this share of their median are taken to agree."""

CANNOT_RUN = math.inf
"""The time of what the PU was found unable to run."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One measured time: seconds (infinite = cannot run), half the spread, how many samples.

    ``spread_s`` is half the distance between the first and third quartile; ``None`` when only one
    figure is known. ``seen`` names operators that were measured.
    """

    key: str
    seconds: float
    spread_s: float | None = None
    samples: int = 1
    seen: tuple[str, ...] = ()
    where: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something about a profile that its user should know, and what was done about it."""

    kind: str
    message: str
    where: Location | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


@dataclass(frozen=True)
class ProfileTable:
    """Measured times of one PU.

    ``device`` says what was measured, ``source`` by what. ``doubts`` are what reading it turned
    up; ``remarks`` are kept for people.
    """

    name: str
    device: str
    source: str
    scope: Scope
    entries: Mapping[str, Entry]
    doubts: tuple[Doubt, ...] = ()
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        entries: Iterable[Entry],
        *,
        name: str,
        device: str,
        source: str,
        scope: Scope,
        doubts: Iterable[Doubt] = (),
        remarks: Iterable[str] = (),
    ) -> ProfileTable:
        """Builds a table; entries with one key are merged, and told of when they disagree."""
        grouped: dict[str, list[Entry]] = {}
        for entry in entries:
            grouped.setdefault(entry.key, []).append(entry)
        merged, disagreements = {}, []
        for key, same in grouped.items():
            merged[key], doubt = merge(same)
            if doubt is not None:
                disagreements.append(doubt)
        doubts = (*doubts, *disagreements)
        return cls(name, device, source, scope, merged, doubts, tuple(remarks))

    def __len__(self) -> int:
        return len(self.entries)


def merge(entries: list[Entry]) -> tuple[Entry, Doubt | None]:
    """One entry for several of the same key: the median; a doubt when they differ by much."""
    first = entries[0]
    if len(entries) == 1:
        return first, None
    times = [entry.seconds for entry in entries]
    able = [seconds for seconds in times if math.isfinite(seconds)]
    middle = median(able) if able else CANNOT_RUN
    spreads = [entry.spread_s for entry in entries if entry.spread_s is not None]
    seen = tuple(dict.fromkeys(name for entry in entries for name in entry.seen))
    samples = sum(entry.samples for entry in entries)
    result = Entry(first.key, middle, max(spreads, default=None), samples, seen, first.where)
    if not able or (len(able) == len(times) and max(able) - min(able) <= 2 * AGREE * middle):
        return result, None
    if len(able) < len(times):
        told = f"cannot run in {len(times) - len(able)} of them"
    else:
        told = f"from {min(able) * 1e6:.6g} to {max(able) * 1e6:.6g} us"
    places = ", ".join(f"line {e.where.line}" for e in entries[:5] if e.where and e.where.line)
    message = (
        f"{len(entries)} measurements of {first.key} disagree ({told}"
        f"{'; ' + places if places else ''}); the median {middle * 1e6:.6g} us is used"
    )
    return result, Doubt("repeats disagree", message, first.where)
