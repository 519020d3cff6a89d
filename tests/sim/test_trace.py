"""What a simulation leaves behind, as plain data."""

from __future__ import annotations

import copy
import pickle

import pytest

from hetsim.sim.trace import Activity, LinkUsage, RateSample, Span, TaskRow, Trace
from tests.report.samples import sample_result


def test_a_trace_is_the_same_in_another_process() -> None:
    trace = sample_result(1, 1).runs[0].trace
    assert trace is not None
    again = pickle.loads(pickle.dumps(trace))
    assert again == trace
    assert copy.deepcopy(trace) == trace
    kinds = {type(row) for rows in (again.spans, again.rates, again.tasks) for row in rows}
    assert kinds == {Span, RateSample, TaskRow}


def test_a_row_is_what_it_was_when_it_was_written() -> None:
    row = Activity(0, 1, 2.0, 3.0, compute=1.0)
    with pytest.raises(AttributeError):
        row.end = 4.0  # type: ignore[misc]  # what is tried
    assert {row: "kept"}[Activity(0, 1, 2.0, 3.0, 1.0)] == "kept"


def test_a_trace_of_nothing_is_empty() -> None:
    trace = Trace(0.0, {}, {"dram": LinkUsage()})
    rows = (trace.spans, trace.rates, trace.tasks, trace.activities, trace.hits)
    assert rows == ([], [], [], [], [])
    assert (trace.arrived, trace.finished, trace.state_peak_bytes) == ([], [], {})
    assert trace.events == 0
    usage = trace.links["dram"]
    assert (usage.bytes, usage.busy_s, usage.contention_s) == (0.0, 0.0, 0.0)
    assert Trace(0.0, {}, {}).spans is not trace.spans  # nobody else's


def test_a_span_says_nothing_that_it_was_not_told() -> None:
    span = Span("npu", "compute", "a", 1.0, 2.0, 0, "p")
    assert (span.operators, span.bytes, span.alone_s) == ((), 0, 0.0)
    assert (span.note, span.on_chip_bytes) == ("", 0)
