"""The matplotlib Gantt chart: same bytes, right shares, any name."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET

import pytest
from matplotlib.colors import to_rgba

from hetsim.analysis.result import Result
from hetsim.report.figures.gantt import COLUMN_IN, gantt_figure, gantt_images
from hetsim.report.palette import STYLES, VERMILION
from hetsim.report.why import critical_steps
from hetsim.sim.trace import RateSample, Span, Trace
from tests.report.samples import HOSTILE, sample_graph, sample_result, sample_run, sample_soc


@pytest.fixture(scope="module")
def result() -> Result:
    return sample_result(1, failing=False)


@pytest.mark.slow
def test_the_same_run_gives_the_same_bytes_and_no_date(result: Result) -> None:
    svg, png = gantt_images(result.runs[0], result.soc)
    assert gantt_images(result.runs[0], result.soc) == (svg, png)
    ET.fromstring(svg)
    assert b"<dc:date>" not in svg
    assert png.startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_figure_fits_a_paper_column_and_leaves_global_state_alone(result: Result) -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    figure = gantt_figure(result.runs[0], result.soc)
    assert figure.get_figwidth() == COLUMN_IN
    assert dict(matplotlib.rcParams) == before
    wide = gantt_figure(result.runs[0], result.soc, width_in=7.16)
    assert wide.get_figwidth() == 7.16


@pytest.mark.slow
def test_nothing_sticks_out_of_the_page(result: Result) -> None:
    figure = gantt_figure(result.runs[0], result.soc)
    figure.canvas.draw()
    box = figure.get_tightbbox(figure.canvas.get_renderer())
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= figure.get_figwidth()
    assert box.y1 <= figure.get_figheight()


def test_every_lane_and_link_is_named(result: Result) -> None:
    figure = gantt_figure(result.runs[0], result.soc)
    texts = [t.get_text() for ax in figure.axes for t in ax.texts]
    lanes = [
        "cpu",
        "npu",
        "npu.dma",
        "npu.dma #2",
        "cpu:npu",
        "npu SRAM",
        "port",
        "axi",
        "dram",
        "npu.dma",
    ]
    assert [text for text in texts if text in lanes] == lanes
    assert "10.2 GB/s" in texts
    assert "256 KiB" in texts


@pytest.mark.slow
def test_any_name_can_be_drawn() -> None:
    soc = sample_soc()
    for name in (HOSTILE, "$\\frac{1}{", "层\x00\x1b[31m", "a\nb", ""):
        run = sample_run(sample_graph(1, "net"), "heft", soc)
        run = dataclasses.replace(run, model=name, scheduler=name)
        svg, _ = gantt_images(run, soc)
        ET.fromstring(svg)


@pytest.mark.slow
def test_crowded_rows_show_shares_of_time() -> None:
    """A thousand spans of 1 µs every 4 µs: a quarter of the row's surface, not all of it."""
    spans = [
        Span("cpu", "compute", "op", i * 4e-6, i * 4e-6 + 1e-6, 0, "p0", ("op",))
        for i in range(1000)
    ]
    soc = sample_soc()
    base = sample_run(sample_graph(1), "heft", soc)
    run = dataclasses.replace(base, trace=Trace(4e-3, {}, {}, spans))
    figure = gantt_figure(run, soc)
    patch = next(p for p in figure.axes[0].artists or figure.axes[0].patches)
    boxes = patch.get_path().vertices.reshape(-1, 5, 2)
    widths = boxes[:, 2, 0] - boxes[:, 0, 0]
    heights = abs(boxes[:, 1, 1] - boxes[:, 0, 1])
    row_height, makespan_ms = 0.52, 4.0
    assert (widths * heights).sum() == pytest.approx(row_height * makespan_ms / 4, rel=1e-6)


def test_only_spans_that_follow_too_closely_become_shares() -> None:
    """Two long kernels, a crowd of short ones between them, and a lone short one far from it."""
    long = [
        Span("cpu", "compute", "op", t, t + 1e-3, 0, "p0", ("deep/convolution",)) for t in (0, 2e-3)
    ]
    crowd = [
        Span("cpu", "dispatch", "op", 1e-3 + i * 1e-5, 1e-3 + (i + 0.5) * 1e-5, 0, "p0")
        for i in range(100)
    ]  # fmt: skip
    lone = [Span("cpu", "convert", "op", 3.5e-3, 3.501e-3, 0, "p0")]
    soc = sample_soc()
    base = sample_run(sample_graph(1), "heft", soc)
    run = dataclasses.replace(base, trace=Trace(4e-3, {}, {}, [*long, *crowd, *lone]))
    axes = gantt_figure(run, soc).axes[0]
    found = {}
    for patch in axes.artists or axes.patches:
        boxes = patch.get_path().vertices.reshape(-1, 5, 2)
        key = next(kind for kind, style in STYLES.items()
                   if to_rgba(style.colour) == patch.get_facecolor())  # fmt: skip
        found[key] = (
            len(boxes),
            boxes[:, 2, 0] - boxes[:, 0, 0],
            abs(boxes[:, 1, 1] - boxes[:, 0, 1]),
        )
    assert found["compute"][0] == 2
    assert found["compute"][2] == pytest.approx(0.52)
    assert found["convert"][0] == 1  # in its place, at its full height
    count, widths, heights = found["dispatch"]
    assert 20 < count < 60
    assert heights == pytest.approx(0.26, rel=0.15)  # busy half of the time
    assert widths.sum() == pytest.approx(1.0, rel=0.01)
    names = [text.get_text() for text in axes.texts]
    assert names.count("convolution") == 2


@pytest.mark.slow
def test_a_name_that_does_not_fit_is_cut_or_left_out() -> None:
    soc = sample_soc()
    base = sample_run(sample_graph(1), "heft", soc)
    for share, shown in ((1.0, "a_rather_long_name_of_a_kernel"), (0.1, "a_rathe"), (0.01, None)):
        span = Span("cpu", "compute", "op", 0, share, 0, "p0", ("a_rather_long_name_of_a_kernel",))
        run = dataclasses.replace(base, trace=Trace(1.0, {}, {}, [span]))
        texts = [text.get_text() for text in gantt_figure(run, soc).axes[0].texts]
        named = [text for text in texts if text.startswith("a_")]
        if shown is None:
            assert not named
        else:
            assert len(named) == 1
            assert named[0].startswith(shown[:5])
            assert named[0].endswith("…") == (share < 1.0)


def test_crowded_link_strips_keep_the_bytes() -> None:
    soc = sample_soc()
    samples = [RateSample(i * 1e-6, "dram", 1e9 * (i % 3), 1) for i in range(6000)]
    base = sample_run(sample_graph(1), "heft", soc)
    run = dataclasses.replace(base, trace=Trace(6e-3, {}, {}, [], samples))
    figure = gantt_figure(run, soc)
    outline = figure.axes[1].collections[0].get_paths()[2].vertices
    x, y = outline[:, 0], outline[:, 1]
    surface = abs((x[1:] - x[:-1]) @ (y[1:] + y[:-1])) / 2
    # A mean of 1 GB/s on a strip 0.82 high for 10.24 GB/s, over 6 ms.
    assert surface == pytest.approx(0.82 / 10.24 * 6.0, rel=1e-3)


def test_a_run_that_failed_has_no_chart(result: Result) -> None:
    failed = dataclasses.replace(result.runs[0], trace=None, error="no")
    with pytest.raises(ValueError, match="no trace"):
        gantt_figure(failed, result.soc)


def test_partitions_of_the_critical_path_have_thick_brackets(result: Result) -> None:
    run = result.runs[0]
    figure = gantt_figure(run, result.soc)
    widths = [width for lines in figure.axes[0].collections for width in lines.get_linewidths()]
    thick = sum(width > 1 for width in widths)
    steps = [step for step in critical_steps(run) if step.kind == "task"]
    assert thick == len({(step.inference, step.position) for step in steps})
    hops = next(
        lines for lines in figure.axes[0].collections
        if len(lines.get_colors()) and (lines.get_colors()[0] == to_rgba(VERMILION)).all()
    )  # fmt: skip
    assert len(hops.get_segments()) == thick - 1
    assert "thick, joined: critical path" in [text.get_text() for text in figure.texts]


@pytest.mark.parametrize("seconds", [0.0, 1e-9, 3.7e-4, 12.0, 86400.0])
def test_the_axis_has_a_few_round_numbers_whatever_the_length(seconds: float) -> None:
    soc = sample_soc()
    base = sample_run(sample_graph(1), "heft", soc)
    run = dataclasses.replace(base, trace=Trace(seconds, {}, {}))
    texts = [text.get_text() for text in gantt_figure(run, soc).texts]
    label = next(i for i, text in enumerate(texts) if text.startswith("time ("))
    ticks = [float(text) for text in texts[:label] if text.replace(".", "").isdigit()]
    assert 2 <= len(ticks) <= 7
    assert ticks == sorted(set(ticks))
