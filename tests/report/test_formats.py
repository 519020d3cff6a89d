"""JSON, CSV, Perfetto and the terminal table: what other tools and people read."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from hetsim.analysis.result import Result
from hetsim.report.counters import link_counters
from hetsim.report.files.jsonout import dumps, result_to_dict
from hetsim.report.files.perfetto import perfetto_json
from hetsim.report.files.resultfile import ResultFile
from hetsim.report.files.tables import COLUMNS, operators_csv
from hetsim.report.lanes import nanoseconds, rows_of
from hetsim.report.summary import headline, published_figures, speedup, tidy_time
from hetsim.report.text.run import print_result
from hetsim.sim.trace import RateSample, Span, Trace
from tests.report.samples import HOSTILE, sample_result, sample_run, sample_soc


@pytest.fixture(scope="module")
def result() -> Result:
    return sample_result()


# ---- result.json


def test_result_json_follows_its_schema_and_states_the_runs(result: Result) -> None:
    text = dumps(result_to_dict(result, {0: {"trace": "trace-a.json"}}))
    value = json.loads(text, parse_constant=lambda c: pytest.fail(f"{c} is not strict JSON"))
    ResultFile.model_validate(value)
    first, run = value["runs"][0], result.runs[0]
    assert first["makespan_us"] == pytest.approx(run.makespan_s * 1e6, abs=1e-6)
    assert first["lower_bound_us"] == pytest.approx(max(b["us"] for b in first["bounds"]))
    assert first["gap"] == pytest.approx(first["makespan_us"] / first["lower_bound_us"] - 1)
    assert first["operators"] == len(run.graph)
    assert first["partitions"] == len(run.plan.partitions)
    assert first["links"]["dram"]["bytes"] == sum(
        row.load_bytes + row.store_bytes for row in run.operators
    )
    assert first["files"] == {"trace": "trace-a.json"}


def test_attribution_adds_up_to_the_makespan(result: Result) -> None:
    row = json.loads(dumps(result_to_dict(result)))["runs"][0]
    assert sum(row["attribution_us"].values()) == pytest.approx(row["makespan_us"], abs=1e-5)
    assert row["contention_free_us"] == pytest.approx(0.8 * row["makespan_us"])
    for pu in row["pus"].values():
        assert sum(pu["attribution_us"].values()) == pytest.approx(row["makespan_us"], abs=1e-5)


def test_a_failed_run_says_why_and_has_no_figures(result: Result) -> None:
    row = result_to_dict(result)["runs"][-1]
    assert row["error"].startswith("operator 'b0/pool' fits no processing unit")
    assert [row[k] for k in ("makespan_us", "gap", "partitions", "events")] == [None] * 4
    assert all("error" not in other for other in result_to_dict(result)["runs"][:-1])


def test_infinite_predictions_do_not_break_strict_json(result: Result) -> None:
    odd = {"predicted_s": math.inf, "energy_j": math.nan}
    run = dataclasses.replace(result.runs[0], metrics={**result.runs[0].metrics, **odd})
    text = dumps(result_to_dict(dataclasses.replace(result, runs=(run,))))
    assert "Infinity" not in text
    assert "NaN" not in text
    assert json.loads(text)["runs"][0]["predicted_us"] is None


def test_result_json_is_the_same_whatever_planning_took(result: Result) -> None:
    slower = tuple(dataclasses.replace(run, planning_s=99.0) for run in result.runs)
    assert dumps(result_to_dict(result)) == dumps(
        result_to_dict(dataclasses.replace(result, runs=slower))
    )


# ---- published figures


def test_published_figures_use_the_stated_definitions(result: Result) -> None:
    ours, missing = published_figures(result)
    base = result.find("net0", "type_based").makespan_s
    mine = result.find("net0", "heft").makespan_s
    assert ours.published == 5.03
    assert ours.ours == pytest.approx((base / mine - 1) * 100)
    assert ours.ours_saved == pytest.approx((1 - mine / base) * 100)
    assert missing.ours is None
    assert missing.ours_saved is None


def test_speedup_needs_both_runs(result: Result) -> None:
    failed = result.runs[-1]
    assert speedup(result, failed, "type_based") is None
    assert speedup(result, result.runs[0], "nobody") is None
    assert speedup(result, result.runs[0], "type_based") == 1.0


def test_headline_tells_of_failures_and_of_nothing_but_failures(result: Result) -> None:
    assert "1 of 9 runs failed" in headline(result)
    only = dataclasses.replace(result, runs=result.failed)
    assert headline(only) == "No run of demo on board succeeded."


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 µs"), (1.5e-8, "15 ns"), (0.99999e-3, "1 ms"), (0.0123456, "12.35 ms"), (2.0, "2 s")],
)
def test_times_for_people(seconds: float, text: str) -> None:
    assert tidy_time(seconds) == text


# ---- operators.csv


def test_csv_sums_are_those_of_the_runs(result: Result) -> None:
    rows = list(csv.DictReader(io.StringIO(operators_csv(result))))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == sum(len(run.operators) for run in result.runs)
    for run in result.runs[:-1]:
        mine = [r for r in rows if (r["model"], r["scheduler"]) == (run.model, run.scheduler)]
        assert sum(int(r["macs"]) for r in mine) == run.graph.macs
        moved = sum(int(r["load_bytes"]) + int(r["store_bytes"]) for r in mine)
        assert moved == run.links["dram"].bytes
        assert max(float(r["end_us"]) for r in mine) == pytest.approx(run.makespan_s * 1e6)
        for r in mine:
            took = float(r["end_us"]) - float(r["start_us"])
            assert float(r["duration_us"]) == pytest.approx(took, abs=2e-6)


def test_csv_quotes_hostile_names() -> None:
    result = sample_result(1, hostile=True)
    rows = list(csv.DictReader(io.StringIO(operators_csv(result))))
    assert rows[0]["model"] == f"{HOSTILE}0"
    assert rows[0]["operators"] == HOSTILE


# ---- lanes

spans = st.lists(
    st.tuples(
        st.sampled_from(["cpu", "npu", "npu.dma", "cpu:npu", "elsewhere"]),
        st.floats(0, 1e-3),
        st.floats(0, 1e-4),
    ),
    max_size=40,
)


@pytest.mark.slow
@given(spans)
def test_rows_hold_every_span_once_and_never_overlap(drawn: list[tuple[str, float, float]]) -> None:
    made = [Span(lane, "compute", "x", at, at + took, 0, "p0") for lane, at, took in drawn]
    trace = Trace(2e-3, {}, {}, made)
    rows = rows_of(trace, sample_soc())
    assert sorted(i for row in rows for i in row.spans) == list(range(len(made)))
    assert {"cpu", "npu"} <= {row.label for row in rows}
    for row in rows:
        times = [(nanoseconds(made[i].start), nanoseconds(made[i].end)) for i in row.spans]
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(times))
        assert {made[i].lane for i in row.spans} <= {row.lane}


def test_counters_keep_the_last_of_simultaneous_samples_and_close_at_the_end() -> None:
    samples = [
        RateSample(0.0, "dram", 1e9, 1), RateSample(1e-3, "dram", 5e9, 2),
        RateSample(1e-3, "dram", 2e9, 1), RateSample(2e-3, "dram", 2e9, 1),
    ]  # fmt: skip
    trace = Trace(4e-3, {}, {}, [], samples)
    curve = next(c for c in link_counters(trace, sample_soc()) if c.name == "dram")
    assert curve.times == (0.0, 1e-3, 4e-3)
    assert curve.values == (1e9, 2e9, 0.0)
    assert curve.capacity == pytest.approx(10.24e9)


# ---- Perfetto


def test_perfetto_trace_is_complete_and_balanced(result: Result) -> None:
    run = result.runs[0]
    events = json.loads(perfetto_json(run, result.soc))["traceEvents"]
    kinds = {ph: [e for e in events if e["ph"] == ph] for ph in "XMCsf"}
    assert sum(map(len, kinds.values())) == len(events)
    assert len(kinds["X"]) == len(run.trace.spans)
    assert {e["pid"] for e in events} == {1}
    named = {e["tid"] for e in kinds["M"] if e["name"] == "thread_name"}
    assert {e["tid"] for e in kinds["X"]} <= named
    busy: dict[int, int] = {}
    for event in sorted(kinds["X"], key=lambda e: (e["tid"], e["ts"])):
        start = round(event["ts"] * 1000)
        assert event["dur"] >= 0
        assert start >= busy.get(event["tid"], 0), "spans of one row overlap"
        busy[event["tid"]] = start + round(event["dur"] * 1000)
    assert max(busy.values()) == nanoseconds(run.makespan_s)


def test_perfetto_arrows_start_and_end_inside_spans_of_the_right_partitions(result: Result) -> None:
    run = result.runs[0]
    events = json.loads(perfetto_json(run, result.soc))["traceEvents"]
    boxes = [e for e in events if e["ph"] == "X"]
    starts = {e["id"]: e for e in events if e["ph"] == "s"}
    ends = {e["id"]: e for e in events if e["ph"] == "f"}
    assert starts.keys() == ends.keys()
    owner = {op: p.name for p in run.plan.partitions for op in p.operators}
    wanted = {
        (owner[run.graph.operators[p].name], owner[op.name])
        for i, op in enumerate(run.graph.operators)
        for p in run.graph.predecessors[i]
        if owner[run.graph.operators[p].name] != owner[op.name]
    }

    def under(event: dict[str, object]) -> set[str]:
        return {
            b["args"]["partition"]
            for b in boxes
            if b["tid"] == event["tid"] and b["ts"] <= event["ts"] <= b["ts"] + b["dur"]
        }

    found = set()
    for number, start in starts.items():
        source, target = start["name"].split(" -> ")
        assert source in under(start)
        assert target in under(ends[number])
        assert start["ts"] <= ends[number]["ts"]
        found.add((source, target))
    assert found == wanted


def test_perfetto_counters_integrate_to_the_bytes_moved(result: Result) -> None:
    run = result.runs[0]
    events = json.loads(perfetto_json(run, result.soc))["traceEvents"]
    samples = [e for e in events if e["ph"] == "C" and e["name"] == "link dram"]
    moved = sum(a["args"]["MB/s"] * (b["ts"] - a["ts"]) for a, b in itertools.pairwise(samples))
    assert samples[-1]["args"]["MB/s"] == 0
    assert moved == pytest.approx(run.trace.links["dram"].bytes, rel=1e-3)


# ---- the terminal


def printed(result: Result, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    print_result(result, console)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_terminal_table_fits_and_loses_nothing(result: Result, width: int) -> None:
    text = printed(result, width)
    assert max(map(len, text.splitlines())) <= width
    for run in result.runs[:-1]:
        assert f"{run.makespan_s * 1e3:,.3f}" in text
        assert run.scheduler in text
    assert "…" not in text
    words = " ".join(text.split())
    assert "npu_only: operator 'b0/pool' fits no processing unit; allow MaxPool on cpu" in words
    assert "(baseline / makespan − 1)·100 %" in words
    assert "+5.03 %" in text
    assert "where the time goes along the critical path" in words
    assert "contention" in words
    assert "DMA" not in words, "a part that takes no time needs no column"
    assert "not run" in words


def test_terminal_prints_names_as_they_are_not_as_markup() -> None:
    result = dataclasses.replace(sample_result(1), scenario="[red]x[/red] [/]")
    assert "[red]x[/red] [/]" in printed(result, 120)


def test_long_names_wrap_instead_of_breaking_the_table() -> None:
    base = sample_result(1, failing=False)
    run = sample_run(base.runs[0].graph, "heft", base.soc)
    run = dataclasses.replace(run, model="m" * 70, scheduler="s" * 70)
    text = printed(dataclasses.replace(base, runs=(run,)), 80)
    assert max(map(len, text.splitlines())) <= 80
    assert text.replace("\n", "").replace(" ", "").count("s" * 20) >= 1
