"""What came of a check, and what that means against its limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from hetsim.validate.base import Check, Row
from hetsim.validate.limits import Limit
from hetsim.validate.measures import figures, said

Verdict = Literal["passed", "worse", "no limit", "not run", "failed"]


@dataclass(frozen=True, slots=True)
class Part:
    """What a part of a check yields: rows, or the ``reason`` why there are none.

    ``impossible`` when something is missing here, rather than wrong. ``cpu_s`` is processor time.
    """

    rows: tuple[Row, ...] = ()
    reason: str = ""
    impossible: bool = False
    cpu_s: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """One check with all its rows, and ``limits`` by figure."""

    name: str
    check: Check
    parts: tuple[Part, ...]
    limits: Mapping[str, Limit]

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Of all parts, in their order; none when one of them has none to give."""
        return () if self.reason else tuple(row for part in self.parts for row in part.rows)

    @property
    def reason(self) -> str:
        """Why it says nothing; empty when it does."""
        told = dict.fromkeys(part.reason for part in self.parts if part.reason)
        empty = "it compares nothing" if not any(part.rows for part in self.parts) else ""
        return "; ".join(told) or empty

    @cached_property
    def figures(self) -> Mapping[str, float | None]:
        """See :func:`hetsim.validate.measures.figures`."""
        return figures(self.rows)

    @property
    def beyond(self) -> list[str]:
        """What is not allowed, a line for each figure: what it is and what it may be."""
        return [
            f"{measure} is {said(measure, self.figures[measure])}, allowed: {limit.text(measure)}"
            for measure, limit in self.limits.items()
            if not limit.allows(self.figures[measure])
        ]

    @property
    def verdict(self) -> Verdict:
        """What it means; only ``passed`` is a pass."""
        if self.reason:
            silent = [part for part in self.parts if part.reason]
            return "not run" if silent and all(p.impossible for p in silent) else "failed"
        if not self.limits:
            return "no limit"
        return "worse" if self.beyond else "passed"

    @property
    def cpu_s(self) -> float:
        """Processor seconds of all parts."""
        return sum(part.cpu_s for part in self.parts)


def exit_code(outcomes: Iterable[Outcome], named: Iterable[str] = ()) -> int:
    """What the shell gets: 2 when a check failed or a ``named`` one could not run, 3 when an error
    is above its limit, else 0.
    """
    asked = set(named)
    worst = 0
    for outcome in outcomes:
        verdict = outcome.verdict
        if verdict == "failed" or (verdict == "not run" and outcome.name in asked):
            return 2
        if verdict == "worse":
            worst = 3
    return worst
