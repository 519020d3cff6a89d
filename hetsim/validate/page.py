"""The page of a validation: the table, then each check with its scatter plot, and its pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hetsim.report.page.charts import Axis, Line, Plot, Point, Series
from hetsim.report.page.study import Page, Section
from hetsim.report.page.tables import Cell, Table
from hetsim.validate.base import Check, Row
from hetsim.validate.measures import by_group, figures, said, share
from hetsim.validate.outcome import Outcome
from hetsim.validate.report import SHOWN, allowed, complaints, origins

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DIMENSIONS = {"s": "time", "J": "energy", "W": "power", "B/s": "bandwidth"}
"""Of the units that a page writes with a prefix that suits the value."""

BAND = 0.2
"""How wide the band around the diagonal is to each side, as a share of the reference."""

MOST_POINTS = 1_500
"""Points that a chart draws; of more every so many-th in the order of their size."""

MOST_RANGES = 120
"""Points that are drawn with their range; more would hide one another."""

NAMED = 5
"""Rows furthest off that carry their name in the chart, and stand in the table of the worst."""


def page(outcomes: Sequence[Outcome]) -> Page:
    """Headline, overview, a section for each check that compared something, the worst rows."""
    return Page(
        "how wrong hetsim is",
        f"validate · {', '.join(outcome.name for outcome in outcomes)}",
        headline(outcomes),
        [
            Section("Errors", _troubles(outcomes), _overview(outcomes)),
            *(_section(outcome) for outcome in outcomes),
            Section("Worst rows", table=_worst(outcomes)),
        ],
    )


def headline(outcomes: Sequence[Outcome]) -> str:
    """How many checks pass, and which do not."""
    passed = [outcome for outcome in outcomes if outcome.verdict == "passed"]
    rows = sum(len(outcome.rows) for outcome in outcomes)
    said_all = f"{len(passed)} of {len(outcomes)} checks stay within their limits"
    others = {o.name: o.verdict for o in outcomes if o.verdict != "passed"}
    tail = "".join(f"; {name}: {verdict}" for name, verdict in others.items())
    return f"{said_all}, {rows:,} comparisons in all{tail}."


def _troubles(outcomes: Sequence[Outcome]) -> list[str]:
    return [line for outcome in outcomes for line in complaints(outcome)]


def _overview(outcomes: Sequence[Outcome]) -> Table:
    rows: list[list[str | Cell]] = [
        [
            Cell(outcome.name, link=f"#{outcome.name}"),
            outcome.verdict,
            *_told(outcome.figures if outcome.rows else {}),
            ", ".join(allowed(outcome.limits, outcome)) or "–",
            outcome.check.peer or "–",
        ]
        for outcome in outcomes
    ]
    columns = ["check", "verdict", *SHOWN, "allowed", "what others reach"]
    words = ["allowed", "what others reach"]
    caption = "Absolute errors of hetsim, relative to the reference."
    return Table(columns, rows, caption, left=2, words=words)


def _told(found: Mapping[str, float | None], measures: Sequence[str] = SHOWN) -> list[Cell]:
    return [Cell(said(m, found.get(m)), found.get(m)) for m in measures]


def _section(outcome: Outcome) -> Section:
    check = outcome.check
    text = [f"{check.title[:1].upper()}{check.title[1:]}: {check.compared}."]
    if check.peer:
        text.append(f"What others reach: {check.peer}.")
    text += [f"Reference ({check.kind}): {line}." for line in origins(check)]
    if not outcome.rows:
        return Section(outcome.name, [*text, *complaints(outcome)])
    return Section(outcome.name, text, _groups(outcome), [chart(outcome)])


def _groups(outcome: Outcome) -> Table:
    measures = [*SHOWN, "worst", "bias"]
    measures += [m for m in ("rank", "coverage") if outcome.figures[m] is not None]
    rows: list[list[str | Cell]] = [
        [group, *_told(figures(rows), measures)] for group, rows in by_group(outcome.rows).items()
    ]
    rows.append(["all", *_told(outcome.figures, measures)])
    return Table([outcome.check.grouped, *measures], rows)


def chart(outcome: Outcome) -> Plot:
    """Reference against hetsim, log-log, coloured by group; the furthest off carry their names."""
    groups = list(by_group(outcome.rows))
    worst = set(_furthest(outcome.rows, NAMED))
    drawn = _thinned(outcome.rows)
    drawn += [row for row in worst if row not in set(drawn)]
    values = [value for row in drawn for value in (row.reference, row.simulated)]
    ends = (min(values), max(values))
    check, found = outcome.check, outcome.figures
    ranges = len(drawn) <= MOST_RANGES
    drawn_of = f" {len(drawn):,} of {len(outcome.rows):,} rows."
    fewer = drawn_of if len(drawn) < len(outcome.rows) else ""
    return Plot(
        f"hetsim against what is {check.kind}",
        f"A point is a row, by {check.grouped}; the line is equality, the band"
        f" {100 * BAND:.0f} % to each side.{fewer}",
        f"Half of the rows are within {said('median', found['median'])}, nine of ten within"
        f" {said('p90', found['p90'])}.",
        axis(check, check.kind),
        axis(check, "hetsim"),
        [
            Point(
                row.reference, row.simulated, row.name, groups.index(row.group),
                facts=[("error", share(row.error, signed=True))], strong=row in worst,
                low=row.low if ranges else None, high=row.high if ranges else None,
            )
            for row in drawn
        ],
        [
            Line(
                [(end, (1 + BAND) * end) for end in ends], "", len(groups) + 1,
                base=[(1 - BAND) * end for end in ends],
            ),
            Line([(end, end) for end in ends], "", len(groups)),
        ],
        [*map(Series, groups), Series("equal", "#808080"), Series("within the band", "#b8b8b8")],
        what="row",
        square=True,
        named=False,
    )  # fmt: skip


def axis(check: Check, label: str) -> Axis:
    """The axis of a check's values."""
    dimension = DIMENSIONS.get(check.unit, "")
    return Axis(label, dimension, "" if dimension else check.unit, log=True)


def _thinned(rows: Sequence[Row]) -> list[Row]:
    if len(rows) <= MOST_POINTS:
        return list(rows)
    ordered = sorted(rows, key=lambda row: (row.group, row.reference))
    step = (len(rows) - 1) / (MOST_POINTS - 1)
    return [ordered[round(i * step)] for i in range(MOST_POINTS)]


def _furthest(rows: Sequence[Row], count: int) -> list[Row]:
    return sorted(rows, key=lambda row: -abs(row.error))[:count]


def _worst(outcomes: Sequence[Outcome]) -> Table:
    rows: list[list[str | Cell]] = []
    for outcome in outcomes:
        of = axis(outcome.check, "")
        rows += [
            [
                Cell(outcome.name, link=f"#{outcome.name}"), row.name, row.group,
                of.cell(row.reference), of.cell(row.simulated),
                Cell(share(row.error, signed=True), row.error),
            ]
            for row in _furthest(outcome.rows, NAMED)
        ]  # fmt: skip
    columns = ["check", "row", "group", "reference", "hetsim", "error"]
    caption = f"The {NAMED} rows of each check that hetsim is furthest off."
    return Table(columns, rows, caption, left=3)


def pictures(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """The scatter plot of each check for a paper, by file name without its end."""
    from hetsim.report.figures.scatter import scatter_figure

    return {
        f"scatter-{outcome.name}": scatter_figure(
            {outcome.check.title: {
                group: [(row.reference, row.simulated) for row in rows]
                for group, rows in by_group(outcome.rows).items()
            }},
            x_label=f"{outcome.check.kind}, {outcome.check.unit}",
            y_label=f"hetsim, {outcome.check.unit}",
            band=BAND,
        )
        for outcome in outcomes
        if outcome.rows
    }  # fmt: skip
