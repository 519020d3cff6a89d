"""What the terminal says of streams."""

from __future__ import annotations

import io
from dataclasses import replace
from math import inf

import pytest
from rich.console import Console

from hetsim.report.serving import best_served, headline_of, notes_of, with_interval
from hetsim.report.serving import metric as named
from hetsim.report.text.columns import split, width_of
from hetsim.report.text.served import print_served
from tests.report.serving_samples import served_result


def printed(result, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_served(result, console)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 200])
def test_every_figure_is_whole_at_every_width(width):
    text = printed(served_result(), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    for run in served_result().runs:
        for found in run.streams:
            for column in ("latency_mean_s", "latency_p50_s", "latency_p999_s", "latency_max_s"):
                assert f" {found.metrics[column] * 1e3:.3f}" in text


def test_runs_are_compared_and_the_one_that_misses_less_is_the_best():
    result = served_result()
    best = best_served(result)
    assert best.label.startswith("type_based")
    assert best_served(replace(result, runs=result.runs[::-1])) is best
    assert "comparison" in printed(result, 100)
    assert "comparison" not in printed(replace(result, runs=result.runs[:1]), 100)


def test_the_headline_says_who_keeps_a_deadline_and_who_does_not():
    result = served_result()
    text = headline_of(result)
    assert "cam<era> keeps its 6 ms: p99 2.864 ms, no miss" in text
    assert "it misses 0.0%, cpu_only 0.4%" in text.replace(" · priority", "")
    slow = headline_of(replace(result, runs=result.runs[:1]))
    assert "web misses its 12 ms in 0.9% of the cases: p99 9.383 ms" in slow
    failed = replace(result.runs[0], error="no")
    assert "No run" in headline_of(replace(result, runs=(failed,)))
    assert headline_of(replace(result, runs=(failed, result.runs[1]))).endswith(
        "1 of 2 runs failed."
    )


def test_a_confidence_interval_stands_beside_its_figure():
    p99 = named("latency_p99")
    values = {"latency_p99_s": 0.0312, "latency_p99_low_s": 0.0308, "latency_p99_high_s": 0.0319}
    assert with_interval(p99, values) == "31.2 ms (30.8–31.9, 95 %)"
    result = served_result()
    run = result.runs[1]
    streams = tuple(
        replace(s, metrics={**s.metrics, "latency_p99_low_s": 0.0027, "latency_p99_high_s": 0.0033})
        for s in run.streams
    )
    text = printed(replace(result, runs=(replace(run, streams=streams),)), 100)
    assert "2.864 (2.70–3.30)" in text
    assert "ms (95 %)" in text


def test_what_was_left_out_and_by_which_rule_is_told():
    result = served_result()
    assert notes_of(result) == [
        "Arrivals of the first 100 ms are in no figure (warm-up, a fixed time)."
    ]
    chosen = replace(result, service=replace(result.service, warm_up="mser"))
    assert "the MSER rule" in notes_of(chosen)[0]
    stopped = replace(result.runs[0].served, stopped="overload")
    note = notes_of(replace(result, runs=(replace(result.runs[0], served=stopped),)))[1]
    assert note.endswith("was stopped: overload.")


def test_streams_without_deadlines_are_not_said_to_keep_one():
    result = served_result()
    run = result.runs[1]
    free = tuple(replace(s, stream=replace(s.stream, deadline_s=inf)) for s in run.streams)
    text = headline_of(replace(result, runs=(replace(run, streams=free),)))
    assert "keeps" not in text
    assert "cases" in text
    assert "deadline  " not in printed(replace(result, runs=(replace(run, streams=free),)), 100)


@pytest.mark.parametrize("width", range(12, 40))
def test_columns_are_split_where_the_next_would_not_fit(width):
    columns = {"a": ["1234"], "long\nhead": ["1"], "c": ["12345678"], "d": ["1"]}
    wide = {"a": 6, "long\nhead": 6, "c": 10, "d": 3}
    tables = split(2, columns, width)
    assert {title: texts for table in tables for title, texts in table.items()} == columns
    for table, after in zip(tables, [*tables[1:], {}], strict=True):
        used = 2 + sum(wide[title] for title in table)
        assert used == width_of(2, table) <= width
        assert not after or used + wide[next(iter(after))] > width
