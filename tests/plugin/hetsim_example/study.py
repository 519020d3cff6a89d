"""A study: what every halving of a size costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from hetsim.report.files.jsonout import dumps
from hetsim.report.page.study import Page
from hetsim.scenario.loader import Scenario
from hetsim.study.base import PointStudy
from hetsim.study.outcome import Outcome
from hetsim.study.point import Point, points_of
from hetsim.study.result import Rows

Pairs = Sequence[tuple[Point, Outcome]]


class Halving(PointStudy[Pairs]):
    """Halve a size again and again, and see what it costs."""

    kind = "halving"
    options = (
        click.Option(["--size"], required=True, metavar="PATH", help="What is halved."),
        click.Option(["--times"], type=click.IntRange(min=1), default=2, help="How often."),
    )

    def __init__(self, scenario: Scenario, size: str, times: int) -> None:
        super().__init__(scenario)
        self.size, self.times = size, times
        self.store = self.place(".sqlite")

    def question(self) -> object:
        return [self.size, self.times]

    def points(self) -> Sequence[Point]:
        designs = [{self.size: f"{0.5**n}x"} for n in range(self.times)]
        return points_of(self.scenario, designs)

    def conclude(self, rows: Pairs, reused: int, wall_s: float) -> Pairs:
        return rows

    def report(self, result: Pairs) -> tuple[Page, dict[str, str | bytes]]:
        times = [outcome.makespan_s for _, outcome in result]
        page = Page("halving", "halving", self.headline(result))
        return page, {"halving.json": dumps(times)}

    def headline(self, result: Pairs) -> str:
        return f"{self.size} was halved {len(result) - 1} times"

    def shown(self, result: Pairs) -> Any:
        rows = [(str(point.design[self.size]), str(o.makespan_s)) for point, o in result]
        yield Rows(("size", "s"), rows)
        yield from super().shown(result)

    def failures(self, result: Pairs) -> Sequence[str]:
        return [f"error: {point}: {o.error}" for point, o in result if o.error]
