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

QUARTILE = 0.6745
"""Standard deviations from the median of a normal distribution to its quartiles."""

CANNOT_RUN = math.inf
"""The time of what the PU was found unable to run."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One measured time: seconds (infinite = cannot run), half the spread, how many samples.

    ``seconds`` is ``None`` where only the transfer was measured. ``spread_s`` is half the distance
    between the first and third quartile; ``None`` when only one figure is known. ``seen`` names
    operators that were measured. ``transfer_s``: copying the inputs took so long, seconds, measured
    apart from the time (PartitionTuner's T(n): Yu et al., ETRI Journal 45(2), 2023, section 3).
    """

    key: str
    seconds: float | None
    spread_s: float | None = None
    samples: int = 1
    seen: tuple[str, ...] = ()
    where: Location | None = field(default=None, compare=False)
    transfer_s: float | None = None


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
            merged[key], found = merge(same)
            disagreements += found
        doubts = (*doubts, *disagreements)
        return cls(name, device, source, scope, merged, doubts, tuple(remarks))

    def __len__(self) -> int:
        return len(self.entries)

    def time(self, key: str) -> float | None:
        """Seconds measured of ``key``, infinite when it cannot run; ``None`` when not measured."""
        entry = self.entries.get(key)
        return None if entry is None else entry.seconds

    def spread(self, key: str) -> float:
        """Standard deviation of the logarithm of a time that was measured of ``key``.

        From its quartiles, as of a normal distribution; :data:`AGREE` where only one is known.
        """
        entry = self.entries[key]
        if entry.spread_s is None or not entry.seconds or math.isinf(entry.seconds):
            return AGREE
        return entry.spread_s / entry.seconds / QUARTILE


def merge(entries: list[Entry]) -> tuple[Entry, list[Doubt]]:
    """One entry for several of the same key: the medians; doubts when they differ by much."""
    first = entries[0]
    if len(entries) == 1:
        return first, []
    timed = [(e, e.seconds) for e in entries if e.seconds is not None]
    copied = [(e, e.transfer_s) for e in entries if e.transfer_s is not None]
    spreads = [entry.spread_s for entry in entries if entry.spread_s is not None]
    result = Entry(
        first.key,
        _middle([seconds for _, seconds in timed]),
        max(spreads, default=None),
        sum(entry.samples for entry, _ in timed or copied),
        tuple(dict.fromkeys(name for entry in entries for name in entry.seen)),
        first.where,
        _middle([seconds for _, seconds in copied]),
    )
    doubts = [_disagreement("measurements", timed), _disagreement("measured transfers", copied)]
    return result, [doubt for doubt in doubts if doubt is not None]


def _middle(times: list[float]) -> float | None:
    able = [seconds for seconds in times if math.isfinite(seconds)]
    return median(able) if able else CANNOT_RUN if times else None


def _disagreement(what: str, measured: list[tuple[Entry, float]]) -> Doubt | None:
    times = [seconds for _, seconds in measured]
    able = [seconds for seconds in times if math.isfinite(seconds)]
    middle = _middle(times)
    if middle is None or not able:
        return None
    if len(able) == len(times) and max(able) - min(able) <= 2 * AGREE * middle:
        return None
    if len(able) < len(times):
        told = f"cannot run in {len(times) - len(able)} of them"
    else:
        told = f"from {min(able) * 1e6:.6g} to {max(able) * 1e6:.6g} us"
    first = measured[0][0]
    shown = [entry for entry, _ in measured[:5]]
    places = ", ".join(f"line {e.where.line}" for e in shown if e.where and e.where.line)
    message = (
        f"{len(times)} {what} of {first.key} disagree ({told}"
        f"{'; ' + places if places else ''}); the median {middle * 1e6:.6g} us is used"
    )
    return Doubt("repeats disagree", message, first.where)
