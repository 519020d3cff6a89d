"""Charts as data: what the page's script reads, and the tables that say the same."""

from __future__ import annotations

import json
import re

import pytest

from hetsim.report.page.charts import (
    Axis,
    Bar,
    Bars,
    Guide,
    Heat,
    Line,
    Mark,
    Plot,
    Point,
    Segment,
    Series,
    Tile,
    plain,
)
from hetsim.report.page.study import Page, Section, anchored, fragment, render_page
from hetsim.report.page.tables import LONGEST, Cell, Table
from tests.report.samples import HOSTILE

TIME = Axis("time per inference", "time")
ENERGY = Axis("energy per inference", "energy")


def texts(table: Table) -> list[list[str]]:
    return [[str(cell) for cell in row] for row in table.rows]


@pytest.mark.parametrize(
    ("axis", "value", "text"),
    [
        (TIME, 0.00812345, "8.123 ms"),
        (TIME, 12e-6, "12 µs"),
        (TIME, None, "–"),
        (Axis("size", "size"), 524288.0, "512 KiB"),
        (Axis("share", unit="%"), 12.5, "12.5 %"),
        (Axis("plans"), 20.0, "20"),
        (Axis("dataflow", names=("ws", "os")), 1, "os"),
    ],
)
def test_values_are_written_in_units_that_people_use(
    axis: Axis, value: float | None, text: str
) -> None:
    assert axis.text(value) == text


def test_what_is_as_a_default_is_not_written_and_no_number_is_infinite() -> None:
    bar = Bar("heft", (Segment(float("inf")), Segment(0.0, series=2)))
    assert plain(Bars("t", "a", "b", TIME, [bar])) == {
        "kind": "bars", "title": "t", "shows": "a", "seen": "b",
        "axis": {"label": "time per inference", "dimension": "time"},
        "bars": [
            {"label": "heft", "segments": [{"end": None}, {"end": 0.0, "series": 2}]}
        ],
    }  # fmt: skip


def test_the_table_of_bars_tells_values_marks_facts_and_problems() -> None:
    marks = (Mark("lower bound", 0.004), Mark("predicted", 0.006, "diamond"))
    first = Bar("heft", (Segment(0.005),), marks, link="#run-1", facts=(("energy", "2 mJ"),))
    chart = Bars("t", "a", "b", TIME, [first, Bar("npu_only", problem="fits no unit")], "scheduler")
    table = chart.table()
    assert table.columns == ["scheduler", TIME.label, "lower bound", "predicted", "energy"]
    assert texts(table) == [
        ["heft", "5 ms", "4 ms", "6 ms", "2 mJ"],
        ["npu_only", "–", "–", "–", "fits no unit"],
    ]
    assert table.rows[0][:2] == [Cell("heft", link="#run-1"), Cell("5 ms", 0.005)]


def test_the_table_of_a_tornado_tells_both_ends_with_changes_and_whiskers() -> None:
    ends = (Segment(0.012, 0.01, 0, "half", 0.011, 0.013), Segment(0.008, 0.01, 1, "twice"))
    chart = Bars(
        "t", "a", "b", TIME, [Bar("npu.sram", ends)], "parameter",
        (Series("lowered"), Series("raised")), (Guide("as it is", 0.01),),
    )  # fmt: skip
    assert texts(chart.table()) == [["npu.sram", "12 ms (half, 11 ms … 13 ms)", "8 ms (twice)"]]


def test_the_table_of_stacked_bars_tells_lengths_by_group() -> None:
    bar = Bar("heft", (Segment(0.003), Segment(0.005, 0.003, 1), Segment(0.006, 0.005)), group="n0")
    chart = Bars("t", "a", "b", TIME, [bar], "", (Series("compute"), Series("wait")), stacked=True)
    assert texts(chart.table()) == [["n0", "heft", "4 ms", "2 ms"]]
    assert chart.table().left == 2


def test_the_table_of_a_plane_tells_points_and_lines_and_says_when_it_is_cut() -> None:
    points = [Point(0.01, 0.002, "058", link="run-058.yaml", low=0.001, high=0.003)]
    chart = Plot("t", "a", "b", TIME, ENERGY, points, [Line([(0.01, 0.002)], "front")])
    assert texts(chart.table()) == [
        ["058", "10 ms", "2 mJ (1 mJ … 3 mJ)"],
        ["front", "10 ms", "2 mJ"],
    ]
    bare = Plot("t", "a", "b", TIME, ENERGY, [Point(0.01, 0.002, link="#x")])
    assert bare.table().rows[0][:2] == [Cell(""), Cell("10 ms", 0.01, "#x")]  # a link has a text
    many = Plot("t", "a", "b", TIME, ENERGY, [Point(i, i) for i in range(LONGEST + 1)])
    assert len(many.table().rows) == LONGEST
    assert many.table().caption == f"The first {LONGEST} of {LONGEST + 1:,} points."


def test_the_table_of_a_heat_map_lies_as_the_map() -> None:
    x, y = Axis("sram", names=("1", "2")), Axis("bus", names=("a",))
    chart = Heat("t", "a", "b", x, y, TIME, [[Tile(0.001, "#x"), None]])
    assert texts(chart.table()) == [["a", "1 ms", "–"]]
    assert chart.table().rows[0][1] == Cell("1 ms", 0.001, "#x")


def test_anchors_are_distinct_and_plain() -> None:
    sections = [Section("What if: net0"), Section("what if net0"), Section("…")]
    assert [anchor for anchor, _ in anchored(sections)] == [
        "what_if_net0", "what_if_net0-2", "section",
    ]  # fmt: skip


def test_names_from_files_never_become_markup() -> None:
    chart = Bars(HOSTILE, HOSTILE, HOSTILE, TIME, [Bar(HOSTILE, (Segment(1.0),), link=HOSTILE)])
    table = Table([HOSTILE], [[Cell(HOSTILE, link=HOSTILE)]], HOSTILE)
    page = Page(HOSTILE, HOSTILE, HOSTILE, [Section(HOSTILE, [HOSTILE], table, [chart])])
    for text in (render_page(page, {}), fragment(Page("", "", "", [Section("", charts=[chart])]))):
        assert "<img" not in text
        data = re.search(r'<script type="application/json">(.*?)</script>', text)
        assert data is not None
        assert json.loads(data[1])["title"] == HOSTILE


def test_a_fragment_holds_its_style_and_script_once() -> None:
    text = fragment(
        Page(
            "",
            "",
            "",
            [Section("", charts=[Bars("t", "a", "b", TIME, [Bar("x", (Segment(1.0),))])] * 2)],
        )
    )
    assert text.count("<style>") == 1
    assert text.count("<script>") == 1
    assert text.count('<figure class="chart bars">') == 2
