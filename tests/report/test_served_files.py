"""Results of streams in directories: written, read back, made anew."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import hetsim
from hetsim.analysis.metrics.registry import told
from hetsim.cli.main import entry
from hetsim.errors import ResultsError
from hetsim.report.files.extras import Wanted
from hetsim.report.files.serving.archive import dump_inferences, dump_served
from hetsim.report.files.serving.jsonout import served_to_dict
from hetsim.report.files.serving.resultfile import ServingFile, serving_json_schema
from hetsim.report.files.writer import write_results
from tests.report.serving_samples import served_result, served_scenario


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("served") / "out"
    write_results(served_result(), place, extras=Wanted("none", "none", "best"), command="hetsim x")
    return place


@pytest.mark.slow
def test_what_is_read_back_makes_the_same_files(written: Path, tmp_path: Path) -> None:
    again = hetsim.load_result(written)
    assert [run.streams[0].plan for run in again.runs] == [
        run.streams[0].plan for run in served_result().runs
    ]
    assert dump_served(again) == dump_served(served_result())
    assert dump_inferences(again) == dump_inferences(served_result())
    assert entry(["report", str(written), "-o", str(tmp_path / "b"), "--quiet"]) == 0
    for path in written.iterdir():
        if path.name != "manifest.json":
            assert (tmp_path / "b" / path.name).read_bytes() == path.read_bytes(), path.name


def test_the_columns_hold_every_inference(written: Path) -> None:
    columns = np.load(written / "inferences.npz")
    for i, run in enumerate(served_result().runs):
        for j, found in enumerate(run.streams):
            ledger = run.served.ledgers[found.stream.name]
            assert np.array_equal(columns[f"{i}.{j}.arrival"], ledger.arrival)
            assert np.array_equal(columns[f"{i}.{j}.finish"], ledger.finish)
            assert np.array_equal(columns[f"{i}.{j}.status"], ledger.status)


def test_result_json_follows_its_schema_and_holds_every_metric(written: Path) -> None:
    text = (written / "result.json").read_text(encoding="utf-8")
    document = json.loads(text)
    ServingFile.model_validate(document)
    described = serving_json_schema()["$defs"]["ServedRunEntry"]
    assert set(document["runs"][0]) == set(described["required"])
    assert described["properties"].keys() - {"error"} == set(document["runs"][0])
    first, run = document["runs"][0], served_result().runs[0]
    for metric in told("record", served=True):
        if not metric.of_the_soc:
            assert first[metric.key] == metric.written(run.metrics[metric.column])
            own = run.streams[1].metrics[metric.column]
            assert first["streams"][1][metric.key] == metric.written(own)
    assert document["streams"][0]["deadline_us"] == pytest.approx(6000)
    assert document["streams"][2]["deadline_us"] is None
    own = run.served.by_stream
    assert first["blocked_us"]["web"]["cam<era>"] == pytest.approx(own.blocked_s[1, 0] * 1e6)
    cpu = first["pus"]["cpu"]
    assert sum(cpu["busy_us_by_stream"].values()) == pytest.approx(cpu["busy_us"])
    assert first["pus"]["cpu"]["utilization"] == pytest.approx(
        run.served.unit_busy_s["cpu"] / run.served.end_s
    )


def test_streams_csv_has_a_line_for_each_stream_and_one_for_all(written: Path) -> None:
    with (written / "streams.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["stream"] for row in rows] == [*["cam<era>", "web", "background", "all"] * 2]
    assert math.isclose(
        float(rows[1]["latency_p99_us"]) / 1e6,
        served_result().runs[0].streams[1].metrics["latency_p99_s"],
        rel_tol=1e-9,
    )


@pytest.mark.slow
def test_a_run_that_failed_keeps_its_reason(tmp_path: Path) -> None:
    result = served_result()
    failed = replace(result.runs[0], streams=(), metrics={}, served=None, error="no <plan>")
    write_results(replace(result, runs=(failed, result.runs[1])), tmp_path / "out", extras=())
    again = hetsim.load_result(tmp_path / "out")
    assert [run.error for run in again.runs] == ["no <plan>", None]
    document = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    ServingFile.model_validate(document)
    assert document["runs"][0]["latency_p99_us"] is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["served.json.gz", "inferences.npz"])
def test_damage_is_told_with_the_name_of_the_file(tmp_path: Path, name: str) -> None:
    place = tmp_path / "out"
    write_results(served_result(), place, extras=())
    raw = (place / name).read_bytes()
    (place / name).write_bytes(raw[:-30] + bytes(30))
    with pytest.raises(ResultsError, match=name):
        hetsim.load_result(place)
    (place / "manifest.json").write_text(
        json.dumps({"schema": "hetsim.manifest/1"}), encoding="utf-8"
    )
    with pytest.raises(ResultsError, match=name):
        hetsim.load_result(place)
    (place / name).unlink()
    with pytest.raises(ResultsError):
        hetsim.load_result(place)


@pytest.mark.slow
def test_the_command_writes_prints_and_refuses(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    scenario = str(served_scenario(tmp_path))
    assert entry(["run", scenario, "--json", "--scheduler", "type_based", "--figures", "none"]) == 0
    printed = json.loads(capsys.readouterr().out)
    place = tmp_path / "results" / "small_streams"
    assert printed == json.loads((place / "result.json").read_text(encoding="utf-8"))
    assert (place / "plan-type_based-web.yaml").exists()
    assert entry(["run", scenario]) == 2
    assert "exists and is not empty" in capsys.readouterr().err
    assert entry(["run", scenario, "--no-files", "--figures", "none"]) == 2
    capsys.readouterr()
    assert entry(["run", scenario, "--no-files", "--model", "squeezenet"]) == 2
    assert "model" in capsys.readouterr().err
    assert entry(["report", str(place), "--figures", "gantt"]) == 2
    assert "there is no figure 'gantt'" in capsys.readouterr().err
    one = served_to_dict(hetsim.run(scenario, schedulers=["type_based"]))
    assert one["runs"][0]["streams"] == printed["runs"][0]["streams"]
    assert "streams.yaml" in hetsim.load_result(place).inputs
