"""Figures of whole results, and what notebooks show."""

from __future__ import annotations

import dataclasses
import re
import xml.etree.ElementTree as ET

import pytest

import hetsim
from hetsim.analysis.notebook import RENDERERS
from hetsim.analysis.result import Result, Run
from hetsim.analysis.serving.result import ServedResult, ServedRun
from hetsim.report.figures.plotting import COLUMN_IN, figure_images, new_figure, paper_style
from hetsim.report.figures.summaries import (
    RESULT_FIGURES,
    attribution_figure,
    comparison_figure,
    gap_figure,
)
from hetsim.report.page.notebook import show_in_notebooks
from hetsim.report.palette import PARTS
from hetsim.report.summary import time_shares
from tests.report.samples import HOSTILE, sample_result


@pytest.fixture(scope="module")
def result() -> Result:
    return sample_result()


@pytest.mark.slow
def test_every_network_has_a_panel_and_every_scheduler_a_row(result: Result) -> None:
    for make in (comparison_figure, attribution_figure):
        figure = make(result)
        assert len(figure.axes) == 2
        for ax, model in zip(figure.axes, ("net0", "net1"), strict=True):
            labels = [t.get_text() for t in ax.get_yticklabels()]
            own = [r.scheduler for r in result.runs if r.model == model and not r.error]
            assert labels == own
        assert figure.get_size_inches()[0] == 2 * COLUMN_IN


@pytest.mark.slow
def test_bars_are_as_long_as_the_makespans(result: Result) -> None:
    ax = comparison_figure(result).axes[0]
    own = [run for run in result.runs if run.model == "net0"]
    lengths = [patch.get_width() for patch in ax.patches]
    assert [x / lengths[0] for x in lengths] == pytest.approx(
        [run.makespan_s / own[0].makespan_s for run in own]
    )
    stacked = attribution_figure(result).axes[0]
    per_row = [0.0] * len(own)
    for patch in stacked.patches:
        per_row[round(patch.get_y() + patch.get_height() / 2)] += patch.get_width()
    assert per_row == pytest.approx(lengths)


def test_parts_and_schedulers_can_be_told_without_colour(result: Result) -> None:
    hatches = [style.hatch for name, style in PARTS.items() if name not in ("compute", "idle")]
    assert all(hatches)
    assert len(set(hatches)) == len(hatches)
    lines = [
        line for ax in gap_figure(result).axes for line in ax.lines if line.get_label()[0] != "_"
    ]
    marks = [(line.get_marker(), line.get_fillstyle()) for line in lines]
    assert len(set(marks)) == len(marks) == 4


@pytest.mark.slow
def test_the_same_result_gives_the_same_bytes(result: Result) -> None:
    first = {n: figure_images(f.draw(result)) for n, f in RESULT_FIGURES.items()}
    second = {n: figure_images(f.draw(result)) for n, f in RESULT_FIGURES.items()}
    assert first == second
    assert set(first) == {"comparison", "attribution", "gap"}
    for svg, png in first.values():
        ET.fromstring(svg)
        assert b"<image" not in svg  # vector all through
        assert png.startswith(b"\x89PNG")


@pytest.mark.slow
def test_any_name_can_be_drawn() -> None:
    for figure in RESULT_FIGURES.values():
        ET.fromstring(figure_images(figure.draw(sample_result(hostile=True)))[0])


def test_a_result_without_a_run_has_no_figures() -> None:
    sample = sample_result()
    empty = dataclasses.replace(sample, runs=sample.failed)
    assert not any(figure.possible(empty) for figure in RESULT_FIGURES.values())
    for make in (comparison_figure, gap_figure):
        with pytest.raises(ValueError, match="no run"):
            make(empty)


@pytest.mark.parametrize("name", ["load_result", "run", "simulate", "compare", "Run"])
def test_whoever_comes_in_by_the_front_door_sees_results_drawn(name: str, monkeypatch) -> None:
    monkeypatch.delitem(vars(hetsim), name, raising=False)
    kept = dict(RENDERERS)
    try:
        RENDERERS.clear()
        assert sample_result()._repr_html_() is None  # notebooks fall back to plain text
        assert getattr(hetsim, name)
        assert RENDERERS.keys() == {Run, Result, ServedRun, ServedResult}
    finally:
        RENDERERS.update(kept)


@pytest.mark.slow
def test_notebooks_show_every_row_and_escape_names() -> None:
    show_in_notebooks()
    sample = sample_result(hostile=True)
    page = sample._repr_html_()
    assert "<img" not in page
    assert HOSTILE not in page
    ran = [run for run in sample.runs if run.error is None]
    assert page.count("data-key") >= len(ran)
    plain = sample_result()
    for run in plain.runs:
        assert run.scheduler in plain._repr_html_()
        shown = run._repr_html_()
        ET.fromstring(shown)
        assert run.model in shown
        if run.error:
            assert "failed" in shown
            continue
        assert "bus contention" in shown
        widths = [float(w) for w in re.findall(r"width:([\d.]+)px;background", shown)]
        assert sum(w for w in widths if w != 10) == pytest.approx(480, abs=0.1)


def test_shares_of_the_time_are_told_largest_first(result: Result) -> None:
    assert time_shares(result.runs[0]) == "75% compute, 25% bus contention"
    assert time_shares(result.failed[0]) == ""
    assert HOSTILE not in time_shares(result.runs[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    "bad", ["a\x00b", "a\ufffeb", "a\uffffb", "a\ud800b", "a\x1b[31mb", "a\x0bb"]
)
def test_no_label_breaks_a_picture(bad: str) -> None:
    label = f"a{bad}b"
    with paper_style():
        figure, ax = new_figure(3, 2)
        ax.bar([0, 1], [1, 2], label=label)
        ax.set_xticks([0, 1], labels=[label, "x"])
        ax.set_title(label)
        ax.legend()
    svg, png = figure_images(figure)
    assert ET.fromstring(svg).tag.endswith("svg")
    assert png.startswith(b"\x89PNG")
