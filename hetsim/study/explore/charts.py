"""The charts of an exploration's page: the front, what was tried, and what decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from hetsim.report.page.charts import (
    Axis,
    Bar,
    Bars,
    Chart,
    Guide,
    Heat,
    Line,
    Plot,
    Point,
    Segment,
    Series,
    Tile,
)
from hetsim.study.explore.answer import answer, by_price, nearest, price_of
from hetsim.study.explore.deciding import basis, deciding_table, summary, together
from hetsim.study.explore.importance import Importance
from hetsim.study.explore.objectives import Measure, known_measure
from hetsim.study.explore.pictures import best_so_far
from hetsim.study.explore.result import Design, Exploration

Link = Callable[[Design], str]
"""Where a design leads: a file beside the page, or nowhere."""

Place = Callable[[Design], float]

_GROUPS = (Series("misses a limit"), Series("meets the limits"), Series("on the front"))
MOST_FIELDS = 8
"""Values along each side of a heat map; a longer axis is thinned evenly."""


def front_charts(study: Exploration, link: Link) -> Iterator[Chart]:
    """Every design in the plane of the price and each other measure, limits as lines.

    With nothing beside the price, the designs in the order in which they were tried.
    """
    price = price_of(study)
    others = [name for name in study.measured if name != price]
    for name in others:
        yield _plane(study, name, price, link)
    if not others:
        yield _history(study, price, link)


def _plane(study: Exploration, name: str, price: str, link: Link) -> Plot:
    across, up = known_measure(name), known_measure(price)
    front = by_price(study, study.front)
    # With a third objective the front is no line in this plane.
    steps = sorted((across.si(d.measures[name]), up.si(d.measures[price])) for d in front)
    stairs = {name, price} == set(study.objectives) and len(steps) > 1
    seen = "Nothing meets all limits." if study.constraints else "No design runs."
    if front:
        best = front[0]
        within = " within the limits" if study.constraints else ""
        seen = (
            f"Design {best.stem} has the least {up.plain}{within}:"
            f" {up.amount(best.measures[price])} at {across.text(best.measures[name])}."
        )
    return Plot(
        f"{up.plain.capitalize()} and {across.plain}",
        f"The {len(study.ran)} designs that ran; towards the origin is better.",
        seen, axis_of(across), axis_of(up),
        list(_points(study, link, lambda d: across.si(d.measures[name]),
                     lambda d: up.si(d.measures[price]))),
        [Line(steps, series=2, step=True)] if stairs else [],
        _GROUPS, list(_guides(study, {name: "x", price: "y"})), what="design",
    )  # fmt: skip


def _history(study: Exploration, name: str, link: Link) -> Plot:
    measure = known_measure(name)
    order = {design.number: i + 1 for i, design in enumerate(study.designs)}
    best = [
        (float(i + 1), measure.si(value))
        for i, value in enumerate(best_so_far(study, name)) if value is not None
    ]  # fmt: skip
    found = answer(study)
    when = "" if found is None else (
        f"The best, design {found.design.stem}, was the one tried as number"
        f" {order[found.design.number]} of {len(study.designs)}."
    )  # fmt: skip
    return Plot(
        f"{measure.plain.capitalize()} of the designs tried",
        "In the order in which they were tried; the line is the best so far.",
        when or "Nothing meets all limits.", Axis("designs tried", zero=False), axis_of(measure),
        list(_points(study, link, lambda d: float(order[d.number]),
                     lambda d: measure.si(d.measures[name]))),
        [Line(best, "best so far", series=2, step=True)] if len(best) > 1 else [],
        _GROUPS, list(_guides(study, {name: "y"})), what="design",
    )  # fmt: skip


def _points(study: Exploration, link: Link, x: Place, y: Place) -> Iterator[Point]:
    """Every design that ran; the front, or else the nearest, by number."""
    found = answer(study)
    chosen = nearest(study) if found is None else found.design
    front = {design.number for design in study.front}
    for design in study.ran:
        strong, on_front = design == chosen, design.number in front
        yield Point(
            x(design), y(design), design.stem if strong or on_front else "",
            2 if on_front else int(design.feasible), link(design),
            [("design", design.stem), *((p, str(v)) for p, v in design.values.items())],
            strong=strong,
        )  # fmt: skip


def _guides(study: Exploration, axes: Mapping[str, Literal["x", "y"]]) -> Iterator[Guide]:
    for limit in study.constraints:
        if limit.measure in axes:
            at = known_measure(limit.measure).si(limit.bound)
            side: Literal["above", "below"] = "above" if limit.upper else "below"
            yield Guide(limit.words, at, axes[limit.measure], side)


def axis_of(measure: Measure) -> Axis:
    """The axis of a measure; its values are :meth:`Measure.si`."""
    dimension = measure.metric.dimension
    if dimension is not None:
        return Axis(measure.plain, dimension, zero=False)
    unit = "%" if measure.unit == "share" else "" if measure.unit == "count" else measure.unit
    return Axis(measure.plain, unit=unit, zero=False)


def deciding_charts(name: str, found: Importance) -> Iterator[Chart]:
    """Shares as bars, and the measure over the two parameters that act together the most."""
    measure = known_measure(name)
    if not found.effect:
        return
    table = deciding_table(name, found)
    facts = {str(row[0]): tuple(zip(table.columns[3:], map(str, row[3:]), strict=True))
             for row in table.rows}  # fmt: skip
    bars = [
        Bar(
            path,
            [Segment(100 * found.alone[path]),
             Segment(100 * max(effect, found.alone[path]), 100 * found.alone[path], series=1)],
            text=f"{effect:.0%}", facts=facts[path],
        )
        for path, effect in found.effect.items()
    ]  # fmt: skip
    yield Bars(
        f"What decides {measure.plain}", basis(name, found), summary(found),
        Axis("share", unit="%"), bars, "parameter",
        [Series("alone"), Series("with others")], stacked=True,
    )  # fmt: skip
    for pair, sentence in zip(found.pairs[:1], together(name, found), strict=False):
        across, up = (_thinned(len(found.values[path])) for path in reversed(pair.paths))
        own, other = pair.paths
        yield Heat(
            f"{measure.plain.capitalize()} over {other} and {own}",
            f"Means over all other parameters{', geometric ones' * found.log}.", sentence,
            Axis(other, names=[found.values[other][i] for i in across]),
            Axis(own, names=[found.values[own][i] for i in up]),
            axis_of(measure),
            [[Tile(measure.si(pair.means[row][column])) for column in across] for row in up],
        )  # fmt: skip


def _thinned(count: int) -> list[int]:
    """At most :data:`MOST_FIELDS` positions of ``count``, both ends among them."""
    kept = min(count, MOST_FIELDS)
    return [round(k * (count - 1) / max(1, kept - 1)) for k in range(kept)]
