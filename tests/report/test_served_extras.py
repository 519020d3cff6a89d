"""What stands beside the report of streams: pictures for papers and traces for Perfetto."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest

from hetsim.cli.main import entry
from hetsim.report.figures.serving import STREAM_FIGURES, blocking_figure, distribution_figure
from hetsim.report.files.extras import Wanted
from hetsim.report.files.serving.kind import SERVED
from hetsim.report.files.serving.perfetto import asked_of, served_trace
from hetsim.report.files.writer import write_results
from tests.report.serving_samples import served_result


@pytest.fixture(scope="module")
def trace():
    run = served_result().runs[0]
    return run, served_trace(run, served_result().soc)


def test_words_choose_figures_and_traces_of_streams() -> None:
    result = served_result()
    kinds = sorted(extra.kind for extra in SERVED.chosen(result, Wanted("all", "none", "none")))
    assert kinds == sorted([*STREAM_FIGURES] * 2)
    only = SERVED.chosen(result, Wanted("latency", "best", "none"))
    assert [(extra.kind, extra.position) for extra in only] == [
        ("latency", 0), ("latency", 1), ("trace", 1)
    ]  # fmt: skip


def test_the_tail_of_the_figure_is_that_of_the_inferences() -> None:
    run = served_result().runs[0]
    ax = distribution_figure(run).axes[0]
    web = next(line for line in ax.get_lines() if line.get_label() == "web")
    assert max(web.get_xdata()) == pytest.approx(
        run.streams[1].metrics["latency_max_s"] * 1e3, rel=1e-9
    )
    deadlines = [line.get_xdata()[0] for line in ax.get_lines() if len(line.get_xdata()) == 2]
    assert {6.0, 12.0} <= {round(at, 9) for at in deadlines}
    heat = blocking_figure(run).axes[0].images[0].get_array()
    assert heat.max() == pytest.approx(run.served.by_stream.blocked_s.max() * 1e3)


def test_a_run_without_any_latency_has_no_figure() -> None:
    run = replace(served_result().runs[0], warm_up_s=99.0)
    with pytest.raises(ValueError, match="nothing of"):
        distribution_figure(run)
    assert not STREAM_FIGURES["distribution"].possible(run)


def test_inferences_of_the_trace_wait_and_run_as_the_ledger_says(trace) -> None:
    run, made = trace
    json.dumps(made, allow_nan=False)
    assert made["otherData"]["windows"]
    slices = [e for e in made["traceEvents"] if e["ph"] == "X" and e["pid"] == 2]
    for name, ledger in run.served.ledgers.items():
        ran = {
            e["args"]["inference"]: e for e in slices
            if e["args"]["stream"] == name and e["name"].endswith("runs")
        }  # fmt: skip
        assert ran
        for number, event in ran.items():
            (at,) = [i for i, n in enumerate(ledger.number.tolist()) if n == number]
            assert event["ts"] == pytest.approx(ledger.start[at] * 1e6, abs=1e-3)
            assert event["dur"] == pytest.approx(
                (ledger.finish[at] - ledger.start[at]) * 1e6, abs=2e-3
            )


def test_rows_do_not_overlap_and_arrows_lead_to_units(trace) -> None:
    run, made = trace
    rows: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for event in made["traceEvents"]:
        if event["ph"] == "X":
            end = event["ts"] + event["dur"]
            rows.setdefault((event["pid"], event["tid"]), []).append((event["ts"], end))
    for spans in rows.values():
        spans.sort()
        assert all(b[0] >= a[1] - 1e-6 for a, b in itertools.pairwise(spans))
    begins = {e["id"]: e for e in made["traceEvents"] if e["ph"] == "s"}
    ends = {e["id"]: e for e in made["traceEvents"] if e["ph"] == "f"}
    assert begins.keys() == ends.keys()
    assert len(begins) == len({n.number for own in asked_of(run.served).values() for n in own})
    assert all(begins[i]["ts"] <= ends[i]["ts"] for i in begins)
    owners = {
        e["args"]["inference"]: e["args"]["stream"]
        for e in made["traceEvents"]
        if e["ph"] == "X" and e["pid"] == 1
    }
    assert set(owners.values()) <= {"cam<era>", "web", "background"}


@pytest.mark.slow
def test_pictures_can_be_made_later(tmp_path: Path) -> None:
    place = tmp_path / "out"
    write_results(served_result(), place, extras=())
    assert (
        entry(["report", str(place), "--figures", "blocking", "--traces", "best", "--quiet"]) == 0
    )
    names = {path.name for path in place.iterdir()}
    assert {"blocking-cpu_only.svg", "blocking-type_based.png", "trace-type_based.json"} <= names
    assert not any(name.startswith("latency") for name in names)
