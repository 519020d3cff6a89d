"""The page of an exploration: the front with its limits, points that lead somewhere, tables."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hetsim.report.page.charts import Plot
from hetsim.report.page.study import render_page
from hetsim.scenario.choices import choose
from hetsim.study.axes import parse_axis
from hetsim.study.explore.objectives import parse_constraint
from hetsim.study.explore.report import explore_files
from hetsim.study.explore.study import explore
from hetsim.study.result import page_of
from hetsim.workload.networks import load_network
from tests.study.samples import priced

pytest.importorskip("optuna")

AXES = [parse_axis("npu.sram=32KiB..512KiB:log2"), parse_axis("bus.clock=20,40,80,160MHz")]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return explore(
        priced(tmp_path_factory.mktemp("page")), AXES, minimise=["latency_ms", "area"], trials=40,
        constraints=[parse_constraint("latency_ms <= 1.5")], sampler="random",
    )  # fmt: skip


def plot_of(page):
    [plot] = [c for s in page.sections for c in s.charts if isinstance(c, Plot)]
    return plot


@pytest.mark.slow
def test_the_front_is_a_plane_of_designs_with_the_limit_across(study):
    page, files = explore_files(study, timelines=2)
    plot = plot_of(page)
    assert len(plot.points) == len(study.ran)
    [guide] = plot.guides
    assert (guide.at, guide.axis, guide.forbids) == (pytest.approx(1.5e-3), "x", "above")
    by_name = {dict(p.facts)["design"]: p for p in plot.points}
    for design in study.ran:
        point = by_name[design.stem]
        assert point.x == pytest.approx(design.measures["latency_ms"] * 1e-3)
        assert point.y == pytest.approx(design.measures["area"])
        kind = plot.series[point.series].name
        if design in study.front:
            assert (kind, point.label) == ("on the front", design.stem)
            assert point.link in files
        else:
            assert kind == ("meets the limits" if design.feasible else "misses a limit")
    # Nothing lies below the stairs, and every step ends at a design of the front.
    [stairs] = plot.lines
    assert stairs.step
    assert [x for x, _ in stairs.points] == sorted(x for x, _ in stairs.points)
    assert set(stairs.points) == {(p.x, p.y) for p in plot.points if p.series == 2}
    for point in (p for p in plot.points if p.series):
        reached = [y for x, y in stairs.points if x <= point.x]
        assert reached
        assert point.y >= reached[-1]
    [strong] = [p for p in plot.points if p.strong]
    assert strong.y == min(d.measures["area"] for d in study.feasible)
    assert strong.link == f"design-{strong.label}.html"


@pytest.mark.slow
def test_the_cheapest_designs_have_their_timeline_and_its_times_are_those_explored(study):
    page, files = explore_files(study, timelines=2)
    pages = [name for name in files if name.startswith("design-")]
    cheapest = sorted(study.front, key=lambda d: d.measures["area"])[:2]
    assert pages == [f"design-{d.stem}.html" for d in cheapest]
    for design, name in zip(cheapest, pages, strict=True):
        text = str(files[name])
        assert f"small-{design.stem}" in text
        assert f"{design.measures['latency_ms']:.4g} ms" in text or (
            f"{design.measures['latency_ms'] * 1e3:.4g} µs" in text
        )
        assert len(text) < 250_000
    assert "The first 2 numbers open timelines" in " ".join(page.sections[0].text)
    command, verb, file = page.sections[0].code.split()
    assert (command, verb) == ("hetsim", "run")
    assert file in files
    rows = page.sections[0].table.rows
    assert [str(row[0]) for row in rows][:2] == [d.stem for d in cheapest]
    assert all(row[0].link in files for row in rows)


def test_the_page_speaks_in_words_and_units(study):
    page, files = explore_files(study, timelines=0)
    text = render_page(page, {})
    assert "latency_ms" not in text
    assert "latency ≤ 1.5 ms" in text
    data = json.loads(files["explore.json"])
    assert data["schema"] == "hetsim.explore/2"
    told = data["importance"]["area"]
    assert told["effect"].keys() == {"npu.sram", "bus.clock"}
    assert told["reason"] == ""


@pytest.mark.slow
def test_when_nothing_will_do_the_nearest_stands_out(study):
    limits = [parse_constraint("latency_ms <= 0.01"), parse_constraint("area <= 2")]
    none = explore(study.scenario, AXES, minimise=["area"], trials=8, constraints=limits,
                   sampler="random")  # fmt: skip
    page, files = explore_files(none, timelines=1)
    [strong] = [p for p in plot_of(page).points if p.strong]
    assert f"the nearest is design {strong.label}" in page.headline
    assert strong.link == f"design-{strong.label}.html"
    assert strong.link in files


@pytest.mark.slow
def test_one_objective_shows_how_the_search_went(study):
    alone = explore(study.scenario, AXES[:1], trials=8, sampler="random")
    page, _ = explore_files(alone, timelines=0)
    plot = plot_of(page)
    [line] = plot.lines
    best = [y for _, y in line.points]
    assert best == sorted(best, reverse=True)
    assert best[-1] == pytest.approx(min(d.measures["latency_ms"] for d in alone.ran) * 1e-3)


@pytest.mark.slow
def test_only_files_that_are_there_are_told_of(study):
    shown = render_page(page_of(study), {})  # in a notebook, beside which nothing is written
    assert "soc-NUMBER" not in shown
    assert "hetsim run " not in shown
    scenario = study.scenario
    graph = load_network(scenario.models[0].network)
    objects = replace(study, scenario=choose(scenario, models=[graph]))
    page, files = explore_files(objects, timelines=1)
    assert [name for name in files if name.startswith("soc-")]
    assert not [name for name in files if name.startswith("run-")]
    assert "no file can name them" in render_page(page, {})
    assert {p.link for p in plot_of(page).points if p.link} <= set(files)
