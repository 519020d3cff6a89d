"""Traces written to disk: the same rows, and memory that does not grow with the run."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from hetsim.errors import ResultsError
from hetsim.lower.program import Program
from hetsim.runs.case import Case
from hetsim.schedulers.registry import create
from hetsim.sim.simulate import execute
from hetsim.sim.source import Inference
from hetsim.sim.trace import Activity, Span, TaskRow
from hetsim.sim.tracefile import TraceFile, read_trace_file
from hetsim.soc.loader import load_soc
from hetsim.soc.model import SoC
from hetsim.workload.synthetic import chain_graph


def streamed() -> tuple[SoC, Program]:
    soc = load_soc("edge-mcu")
    case = Case(chain_graph(20), soc)
    return soc, case.lowering.program(case.plan(create("type_based", {})))


def test_a_trace_file_holds_the_rows_that_memory_would(tmp_path: Path) -> None:
    soc, program = streamed()
    stream = [Inference(program, 0.001 * i) for i in range(3)]
    kept = execute(soc, stream)
    with TraceFile(tmp_path / "trace.jsonl") as file:
        written = execute(soc, stream, trace=file)
    assert written.makespan_s == kept.makespan_s
    assert written.finished == kept.finished
    assert written.spans == []
    rows = list(read_trace_file(tmp_path / "trace.jsonl"))
    assert [row for row in rows if isinstance(row, Span)] == kept.spans
    assert [row for row in rows if isinstance(row, TaskRow)] == kept.tasks
    assert [row for row in rows if isinstance(row, Activity)] == kept.activities


@pytest.mark.slow
def test_memory_does_not_grow_with_a_stream_whose_trace_goes_to_disk(tmp_path: Path) -> None:
    soc, program = streamed()

    def peak(inferences: int) -> int:
        stream = [Inference(program, 1.0 * i) for i in range(inferences)]
        with TraceFile(tmp_path / "trace.jsonl") as file:
            tracemalloc.start()
            execute(soc, stream, trace=file)
            used = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return used

    peak(2)
    short, long = peak(10), peak(200)
    # Twenty times the operators; a few words for each inference are all that may stay.
    assert long < short + 200 * 400


def test_what_is_no_trace_is_refused_by_line(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text('["TaskRow",0,0,0,0.0,1.0]\n{"not": "a row"}\n', encoding="utf-8")
    rows = read_trace_file(path)
    assert next(rows) == TaskRow(0, 0, 0, 0.0, 1.0)
    with pytest.raises(ResultsError, match=r"trace\.jsonl:2"):
        next(rows)
    with pytest.raises(ResultsError, match="cannot read"):
        list(read_trace_file(tmp_path / "missing.jsonl"))
    with pytest.raises(ResultsError, match="cannot write"):
        TraceFile(tmp_path / "no" / "such" / "folder.jsonl")
