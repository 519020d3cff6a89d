"""The charts on the pages of studies: they say what the runs say, and lead to their rows."""

from __future__ import annotations

import re

import pytest

from hetsim.analysis.metrics.energy import ENERGY
from hetsim.analysis.result import Run
from hetsim.report.page.charts import Axis, Bars, Heat, Plot
from hetsim.report.page.study import Page, render_page
from hetsim.study.axes import parse_axis
from hetsim.study.compare.charts import model_charts
from hetsim.study.compare.study import compare
from hetsim.study.sweep.charts import sweep_charts, value_axis
from hetsim.study.sweep.report import sweep_files
from hetsim.study.sweep.study import sweep
from hetsim.study.tune.charts import curve_chart, starts_chart
from hetsim.study.tune.result import TunedModel, Tuning
from hetsim.study.tune.state import Start
from tests.study.samples import loaded


def links(page: Page) -> tuple[set[str], set[str]]:
    """Anchors that something leads to, and anchors there are."""
    text = render_page(page, {})
    return set(re.findall(r'"#(row-\d+)"', text)), set(re.findall(r'<tr id="(row-\d+)"', text))


@pytest.mark.slow
def test_one_numeric_axis_gives_curves_whose_points_lead_to_their_rows(tmp_path):
    done = sweep(loaded(tmp_path), [parse_axis("npu.sram=256KiB,64KiB,128KiB,0KiB")])
    page, _ = sweep_files(done)
    chart = page.sections[0].charts[0]
    assert isinstance(chart, Plot)
    assert chart.x == Axis("npu.sram", "size", log=False, zero=False)
    [line] = chart.lines
    times = {p.design["npu.sram"]: o.makespan_s for p, o in done.rows}
    sizes = {"64 KiB": 2.0**16, "128 KiB": 2.0**17, "256 KiB": 2.0**18}  # 0 KiB cannot run
    assert list(line.points) == [(size, times[text]) for text, size in sizes.items()]
    assert [point.link for point in chart.points] == ["#row-1", "#row-2", "#row-0"]
    wanted, there = links(page)
    assert wanted == there == {"row-0", "row-1", "row-2"}
    assert "--set 'npu.sram=" in page.sections[1].code
    assert [section.title for section in page.sections] == ["Charts", "Runs", "Failed"]


@pytest.mark.slow
def test_two_axes_give_a_map_of_the_best(tmp_path):
    axes = [parse_axis("npu.sram=128KiB,64KiB"), parse_axis("bus.clock=1x,2x")]
    done = sweep(loaded(tmp_path), axes)
    [chart] = sweep_charts(done, [], {0, 1, 2})
    assert isinstance(chart, Heat)
    assert (chart.x.names, chart.y.names) == (["64 KiB", "128 KiB"], ["1x", "2x"])
    found = {tuple(p.design.values()): (o.makespan_s, i) for i, (p, o) in enumerate(done.rows)}
    for row, clock in zip(chart.rows, ("1x", "2x"), strict=True):
        for tile, size in zip(row, ("64 KiB", "128 KiB"), strict=True):
            seconds, position = found[size, clock]
            assert tile is not None
            assert tile.value == seconds
            assert tile.link == (f"#row-{position}" if position < 3 else "")


@pytest.mark.slow
def test_names_give_bars_and_a_sample_gives_points(tmp_path):
    done = sweep(loaded(tmp_path), [parse_axis("execution=barrier,dataflow")])
    [chart] = sweep_charts(done, [], ())
    assert isinstance(chart, Bars)
    assert [bar.group for bar in chart.bars] == ["execution = barrier", "execution = dataflow"]
    assert {bar.segments[0].end for bar in chart.bars} == {o.makespan_s for _, o in done.rows}
    axes = [parse_axis("npu.sram=64KiB,128KiB,256KiB"), parse_axis("bus.clock=1x,2x,3x")]
    sample = sweep(loaded(tmp_path), axes, mode="lhs", points=3)
    charts = sweep_charts(sample, [], ())
    assert [chart.x.label for chart in charts if isinstance(chart, Plot)] == [
        "npu.sram",
        "bus.clock",
    ]


@pytest.mark.slow
def test_the_front_is_what_nothing_beats(tmp_path):
    axes = [parse_axis("npu.sram=64KiB,128KiB"), parse_axis("bus.clock=1x,2x")]
    done = sweep(loaded(tmp_path), axes)
    plane = sweep_charts(done, [ENERGY], ())[-1]
    assert isinstance(plane, Plot)
    front = [(p.x, p.y) for p in plane.points if p.series == 0]
    for point in plane.points:
        beaten = any(
            x <= point.x and y <= point.y and (x, y) != (point.x, point.y) for x, y in front
        )
        assert beaten == (point.series == 1)
    assert list(plane.lines[0].points) == sorted(front)


@pytest.mark.parametrize(
    ("values", "axis"),
    [
        (["64 KiB", "1 MiB"], Axis("p", "size", log=True, zero=False)),
        (["1x", "2x"], Axis("p", "", "×", zero=False)),
        ([1, 2], Axis("p", zero=False)),
        (["b", "a"], Axis("p", names=("b", "a"))),
        (["8 bit", "16 bit"], Axis("p", names=("8 bit", "16 bit"))),
    ],
)
def test_what_was_varied_has_an_axis_of_its_kind(values, axis):
    assert value_axis("p", values) == axis


def test_a_comparison_shows_each_variant_beside_the_first(tmp_path):
    comparison = compare(loaded(tmp_path), {"slow": {"bus.clock": "0.25x"}})
    times, parts = model_charts(comparison, "small")
    runs = [variant.best("small") for variant in comparison.variants]
    assert [bar.segments[0].end for bar in times.bars] == [run.makespan_s for run in runs]
    assert times.guides[0].at == runs[0].makespan_s
    assert [bar.strong for bar in times.bars] == [True, False]
    assert dict(times.bars[1].facts)["bus.clock"] == "0.25x"
    for bar, run in zip(parts.bars, runs, strict=True):
        assert bar.segments[-1].end == pytest.approx(run.makespan_s)  # the parts add up


def test_tuning_shows_the_way_down_and_where_it_began(tmp_path):
    scenario = loaded(tmp_path)
    graph = compare(scenario, {"x": {}}).variants[0].best("small").graph
    metrics = {"makespan_s": 0.011, "lower_bound_s": 0.010, "gap": 0.1}
    best = Run("small", "tuned", graph, metrics=metrics)
    start = Run("small", "heft", graph, metrics={"makespan_s": 0.02})
    starts = (Start("heft", 0.02), Start("npu_only", None, "does not fit\nhint"))
    model = TunedModel("small", starts, start, best, 500, 3, ((1, 0.02), (60, 0.011)))
    tuning = Tuning("s", "board", "dataflow", 0, None, (model,))
    [line] = curve_chart(tuning).lines
    assert [(at, round(gap, 9)) for at, gap in line.points] == [(1, 1.0), (60, 0.1), (500, 0.1)]
    bars = starts_chart(model).bars
    assert [(bar.label, bar.strong, bar.problem) for bar in bars] == [
        ("tuned", True, ""), ("heft", False, ""), ("npu_only", False, "does not fit"),
    ]  # fmt: skip
    assert starts_chart(model).seen.startswith("Tuning saves 45.0%: 11 ms against 20 ms of heft")
