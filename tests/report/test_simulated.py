"""Reports of a real simulation: they know every lane, activity and part that comes out of it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

import hetsim
from hetsim.analysis.attribution import PARTS as MEASURED_PARTS
from hetsim.analysis.result import Result
from hetsim.report.counters import link_counters
from hetsim.report.files.resultfile import ResultFile
from hetsim.report.files.writer import Wanted, write_results
from hetsim.report.lanes import rows_of
from hetsim.report.palette import PARTS, STYLES


@pytest.fixture(scope="module")
def result() -> Result:
    return hetsim.run("paper_one")


def test_every_part_of_a_makespan_has_a_name() -> None:
    assert list(PARTS) == [*MEASURED_PARTS, "idle"]


@pytest.mark.slow
def test_every_lane_has_a_role_and_every_activity_a_style(result: Result) -> None:
    for run in result.runs:
        assert {row.role for row in rows_of(run.trace, result.soc)} <= {
            "pu", "dma", "host", "runtime",
        }  # fmt: skip
        assert {span.kind for span in run.trace.spans} <= STYLES.keys()


def test_areas_under_the_curves_are_the_bytes_of_the_links(result: Result) -> None:
    for run in result.runs:
        for curve in link_counters(run.trace, result.soc):
            steps = zip(curve.times, curve.times[1:], curve.values, strict=False)
            moved = sum((b - a) * rate for a, b, rate in steps)
            assert moved == pytest.approx(run.links[curve.name].bytes, rel=1e-6, abs=1.0)


@pytest.mark.slow
def test_the_whole_directory_of_a_real_run_is_sound(result: Result, tmp_path: Path) -> None:
    written = write_results(result, tmp_path / "out", extras=Wanted("all", "all", "all"))
    value = json.loads(written["result.json"].read_text())
    ResultFile.model_validate(value)
    assert {name for run in value["runs"] for name in run["files"].values()} <= written.keys()
    rows = list(csv.DictReader(io.StringIO(written["operators.csv"].read_text())))
    for run in result.runs:
        mine = [row for row in rows if row["scheduler"] == run.scheduler]
        assert sum(int(row["macs"]) for row in mine) == run.graph.macs
    for name in written:
        if name.startswith("trace-"):
            events = json.loads(written[name].read_text())["traceEvents"]
            assert {event["ph"] for event in events} >= {"X", "M", "C"}
