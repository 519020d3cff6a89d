"""What a simulation leaves behind, as plain data."""

from __future__ import annotations

import copy
import pickle

from hetsim.sim.trace import Activity, RateSample, Span, TaskRow
from tests.report.samples import sample_result


def test_a_trace_is_the_same_in_another_process() -> None:
    trace = sample_result(1, 1).runs[0].trace
    assert trace is not None
    again = pickle.loads(pickle.dumps(trace))
    assert again == trace
    assert copy.deepcopy(trace) == trace
    kinds = {type(row) for rows in (again.spans, again.rates, again.tasks) for row in rows}
    assert kinds == {Span, RateSample, TaskRow}


def test_rows_travel_as_their_values() -> None:
    """Slots are written one by one otherwise, which took most of the time a result travelled."""
    for kind in (Span, RateSample, TaskRow, Activity):
        assert kind.__reduce__ is not object.__reduce__
