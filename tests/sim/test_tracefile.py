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
from hetsim.sim.trace import Activity, Hit, Span, TaskRow
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


def test_every_kind_of_row_comes_back_as_it_was(tmp_path: Path) -> None:
    span = Span("npu", "compute", "a", 0.1, 0.30000000000000004, 1, "p", ("a", "é"), 7, 0.2, "n", 3)
    task, hit = TaskRow(1, 2, 3, 0.5, 1e-300), Hit(0, -1, "kernel", "a+b", 64)
    activity = Activity(1, 2, 3.0, 4.0, 0.1, 0.2, 0.3, 0.15, 0.25, 0.5)
    with TraceFile(tmp_path / "trace.jsonl") as file:
        for to, row in zip(
            (file.hits, file.spans, file.activities, file.tasks), (hit, span, activity, task),
            strict=True,
        ):  # fmt: skip
            to.append(row)  # type: ignore[attr-defined]
    assert list(read_trace_file(tmp_path / "trace.jsonl")) == [hit, span, activity, task]
    with pytest.raises(ValueError, match="closed"):
        file.hits.append(hit)


@pytest.mark.parametrize(
    "line",
    [
        '["Hit",0,0,"kernel","a"]', '["Hit",0,0,"kernel","a",1,2]', '["Row",0]', "[]", "7",
        '["TaskRow",0,0,0,"soon",1.0]', '["TaskRow",0,0,0,0.0',
    ],
)  # fmt: skip
def test_a_row_of_another_shape_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text('["TaskRow",0,0,0,0.0,1.0]\n' * 2 + line + "\n", encoding="utf-8")
    rows = read_trace_file(path)
    assert [next(rows), next(rows)] == [TaskRow(0, 0, 0, 0.0, 1.0)] * 2
    with pytest.raises(ResultsError, match=r"trace\.jsonl:3"):
        next(rows)
