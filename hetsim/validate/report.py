"""What validation tells: the table, what was compared with what, and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hetsim.study.result import Rows, Shown, Words
from hetsim.validate.base import Check
from hetsim.validate.limits import Limit
from hetsim.validate.measures import by_group, figures, said
from hetsim.validate.outcome import Outcome
from hetsim.validate.tables import Tables, sources

SCHEMA = "hetsim.validation/1"
SHOWN = ("rows", "mean", "median", "p90")
"""Figures with a column of their own; others are told where a limit is about them."""


def shown(outcomes: Sequence[Outcome]) -> Iterator[Shown]:
    """The table for the terminal, what did not go well, and what each check is."""
    yield errors_table(outcomes)
    told = [line for outcome in outcomes for line in complaints(outcome)]
    if told:
        yield Words()
    for line in told:
        yield Words(line, "bold")
    yield Words()
    for outcome in outcomes:
        yield from about(outcome.name, outcome.check)


def errors_table(outcomes: Iterable[Outcome]) -> Rows:
    """A line for each check."""
    lines = [
        [
            outcome.name,
            *(said(m, outcome.figures[m]) if outcome.rows else "–" for m in SHOWN),
            "\n".join(allowed(outcome.limits, outcome)) or "–",
            outcome.verdict,
        ]
        for outcome in outcomes
    ]
    return Rows(["check", *SHOWN, "allowed", "verdict"], lines, unbroken=(0, 1, 2, 3, 4))


def allowed(limits: Mapping[str, Limit], outcome: Outcome | None = None) -> list[str]:
    """The limits in few words, a text for each; those without a column also tell the figure."""
    told = []
    for measure, limit in limits.items():
        if measure == "rows":
            continue
        value = ""
        if outcome is not None and outcome.rows and measure not in SHOWN:
            value = f" ({said(measure, outcome.figures[measure])})"
        told.append(f"{limit.text(measure)}{value}")
    return told


def complaints(outcome: Outcome) -> list[str]:
    """Why a check did not pass, a line each; none for one that did."""
    if outcome.reason:
        return [f"{outcome.name} ({outcome.verdict}): {outcome.reason}"]
    return [f"{outcome.name} (worse): {line}" for line in outcome.beyond]


def about(name: str, check: Check) -> Iterator[Words]:
    """What a check is, in paragraphs."""
    yield Words(f"{name}: {check.title}", "bold")
    yield Words(f"  compared: {check.compared}")
    if check.peer:
        yield Words(f"  others: {check.peer}")
    for line in origins(check):
        yield Words(f"  source ({check.kind}): {line}")


def origins(check: Check) -> list[str]:
    """Where its reference values come from, with the licence, a line for each table."""
    known = [sources()[table] for table in check.tables]
    own = [check.source] if check.source else []
    return [f"{s.source}; {s.licence}" for s in known] + own


def as_json(outcomes: Iterable[Outcome], tables: Tables) -> dict[str, Any]:
    """All of it as plain data: shares, not percent; values in the check's unit."""
    return {
        "schema": SCHEMA,
        "checks": [
            {
                "name": outcome.name,
                "title": outcome.check.title,
                "compared": outcome.check.compared,
                "kind": outcome.check.kind,
                "unit": outcome.check.unit,
                "peer": outcome.check.peer or None,
                "sources": origins(outcome.check),
                "own_tables": [t for t in outcome.check.tables if tables.is_own(t)],
                "verdict": outcome.verdict,
                "reason": outcome.reason or None,
                "limits": {m: limit.model_dump() for m, limit in outcome.limits.items()},
                **outcome.figures,
                "groups": {
                    group: figures(rows) for group, rows in by_group(outcome.rows).items()
                },
                "comparisons": [
                    {
                        "name": row.name,
                        "group": row.group,
                        "reference": row.reference,
                        "simulated": row.simulated,
                        "low": row.low,
                        "high": row.high,
                    }
                    for row in outcome.rows
                ],
            }
            for outcome in outcomes
        ],
    }  # fmt: skip
