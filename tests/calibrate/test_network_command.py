"""``hetsim calibrate --networks`` from the outside."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from hetsim.calibrate.networks.graphs import GraphLibrary
from hetsim.cli.main import entry
from hetsim.errors import ConfigError
from tests.calibrate.measured import library, lines, table


def run(tmp_path: Path, *arguments: str) -> int:
    return entry(["calibrate", "--networks", str(tmp_path / "measured.csv"), *arguments])


@pytest.mark.slow
def test_the_command_judges_tells_and_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = lines({"A": 1, "B": 2, "C": 4}, count=8)
    mixed = "resnet18,,w8a8_mixed_fp16,A,qnn,NPU,1,,"
    path = table(tmp_path, *rows, "nobody,,float,A,qnn,NPU,1,,", mixed)
    before = path.read_text()
    out = tmp_path / "out"
    assert run(tmp_path, "-o", str(out), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["with_graph"], found["used"]) == (26, 25, 24)
    assert [task["task"] for task in found["tasks"]] == [
        "known device, unseen network", "new device, ten networks measured",
    ]  # fmt: skip
    assert set(found["tasks"][0]["models"]["careless"]["by_device"]) == {
        "A, float", "B, float", "C, float",
    }  # fmt: skip
    assert json.loads((out / "report.json").read_text()) == found
    with (out / "residuals.csv").open() as stream:
        residuals = list(csv.DictReader(stream))
    assert len(residuals) == 24
    assert {row["measured_ms"] for row in residuals} >= {"1", "32"}
    assert all(float(row["careless_ms"]) > 0 for row in residuals)
    assert {file.name for file in out.glob("*.png")} == {f"scatter-{d}.png" for d in "ABC"}
    assert run(tmp_path, "-o", str(out)) == 2
    assert "report.json exists" in capsys.readouterr().err
    assert path.read_text() == before
    assert run(tmp_path, "--include-doubtful", "--json", "--device", "A") == 0
    assert json.loads(capsys.readouterr().out)["used"] == 25


@pytest.mark.slow
def test_a_device_told_twice_takes_part_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table(tmp_path, *lines({"A": 1, "Twin": 1, "C": 3}))
    assert run(tmp_path, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["copies"], found["with_graph"], found["used"]) == ({"Twin": "A"}, 36, 24)


@pytest.mark.slow
def test_the_command_is_deterministic_and_readable_at_80_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    table(tmp_path, *lines({"A": 1, "B": 2, "C": 4}, count=8), "nobody,,float,A,qnn,NPU,1,,")
    assert run(tmp_path) == 0
    first = capsys.readouterr().out
    assert run(tmp_path) == 0
    assert capsys.readouterr().out == first
    assert max(map(len, first.splitlines())) <= 80
    assert "no graph: 1" in first
    assert "Known device, unseen network" in first


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--graphs", "nowhere"], "there is no such directory"),
        (["--device", "Z"], "no device with a graph is called 'Z'"),
        (["--precision", "w8a8"], "there are float"),
        (["--runtime", "qn"], "nothing with a graph ran under 'qn'"),
        (["--split", "row"], "--split row goes with --measurements"),
        (["--pu", "npu"], "a SOC and --pu go together"),
    ],
)
def test_wrong_arguments_are_refused(
    tmp_path: Path, arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table(tmp_path, *lines({"A": 1, "B": 2, "C": 4}, count=8))
    assert run(tmp_path, *arguments) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.slow
def test_names_that_look_like_markup_and_models_that_cannot_be_fitted_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table(tmp_path, *lines({"Z [bold]": 1, "Y": 2}, count=8))
    assert run(tmp_path) == 0
    assert "Z [bold]" in capsys.readouterr().out
    table(tmp_path, *lines({"Z [bold]": 1}, count=4))
    assert run(tmp_path) == 0
    assert "no model could be fitted" in capsys.readouterr().out


def test_a_table_of_few_networks_is_refused_with_how_many_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table(tmp_path, *lines({"A": 1}, count=3), "nobody,,float,A,qnn,NPU,1,,")
    assert run(tmp_path) == 2
    told = capsys.readouterr().err
    assert "A has 3" in told
    assert "4 networks" in told
    assert "measured.csv:5: nobody: no graph" in told.replace("\n", "")


@pytest.mark.slow
def test_networks_of_one_family_cannot_be_kept_aside_and_a_column_may_say_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = library(tmp_path)
    names = [f"r{i}" for i in range(10)]
    (directory / "index.csv").write_text("model,file\n" + "".join(f"{n},r18.onnx\n" for n in names))
    table(tmp_path, *(f"{name},,float,A,qnn,NPU,1,," for name in names))
    assert run(tmp_path, "--graphs", str(directory)) == 2
    told = capsys.readouterr().err
    assert "all 10 rows are of one family (r)" in told
    assert "column family" in told
    assert run(tmp_path, "--graphs", str(directory), "--split", "network") == 0


@pytest.mark.parametrize(
    ("index", "complaint"),
    [
        ("model,shape\na,b\n", r"index\.csv:1: columns are"),
        ("model,file\na\n", r"index\.csv:2: 1 cells under 2"),
        ("model,file\na,b.onnx\na,c.onnx\n", r"index\.csv:3: a stands here twice"),
    ],
)
def test_an_index_that_is_none_is_refused(tmp_path: Path, index: str, complaint: str) -> None:
    (tmp_path / "index.csv").write_text(index)
    with pytest.raises(ConfigError, match=complaint):
        GraphLibrary(tmp_path)


@pytest.mark.slow
def test_a_row_below_the_bound_of_the_soc_is_told_with_what_would_have_to_be_true(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"{letter}net" for letter in "abcdefghij"]
    directory = library(tmp_path)
    index = "".join(f"{name},r18.onnx\n" for name in names)
    (directory / "index.csv").write_text(f"model,file\n{index}")
    rows = [f"{name},w8a8,A,npu,{0.9 if name == 'anet' else 40},{name}" for name in names]
    header = "network,precision,device,unit,latency_ms,family"
    (tmp_path / "measured.csv").write_text("\n".join([header, *rows]) + "\n")
    on_soc = ["mobile-flagship", "--pu", "npu", "--graphs", str(directory), "--json"]
    assert run(tmp_path, *on_soc) == 0
    found = json.loads(capsys.readouterr().out)
    (doubt,) = [doubt for doubt in found["doubts"] if doubt["kind"] == "below the bound"]
    assert doubt["where"].endswith("measured.csv:2")
    assert "0.9 ms measured, and at least" in doubt["message"]
    assert "multiply-accumulates per second" in doubt["message"]
    models = found["tasks"][0]["models"]
    assert list(models) == ["described", "careless"]
    assert models["described"]["all"]["rows"] == 10


@pytest.mark.slow
def test_a_soc_as_described_is_simulated_in_the_precision_of_the_row() -> None:
    from hetsim.calibrate.networks.cases import MeasuredNetwork
    from hetsim.calibrate.networks.described import DescribedModel
    from hetsim.calibrate.networks.precision import precision_of
    from hetsim.calibrate.networks.table import NetworkTime
    from hetsim.runs.case import Case
    from hetsim.schedulers.registry import create
    from hetsim.soc.loader import load_soc
    from hetsim.workload.networks import load_network

    graph = load_network("resnet18")
    cases = [
        MeasuredNetwork(
            NetworkTime("resnet18", "A", "r", 1.0), graph, precision_of(name), "resnet", "any"
        )
        for name in ("float", "w8a8", "w8a16")
    ]
    model = DescribedModel("mobile-flagship", "npu")
    floats, w8a8, w8a16 = model.fit(cases).predict(cases)
    case = Case(graph, load_soc("mobile-flagship"))  # its NPU is int8, and the rest is its fallback
    plan = case.plan(create("npu_only"))
    assert w8a8 == pytest.approx(case.simulate(plan, trace=False).makespan_s)
    assert floats > w8a8
    assert w8a16 != w8a16
    assert "int16" in model.refused["int16"]


@pytest.mark.slow
def test_a_soc_is_one_device_and_has_the_unit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table(tmp_path, *lines({"A": 1, "B": 2}, count=8))
    assert run(tmp_path, "mobile-flagship", "--pu", "npu") == 2
    assert "--device: A, B" in capsys.readouterr().err
    assert run(tmp_path, "mobile-flagship", "--pu", "nup", "--device", "A") == 2
    assert "did you mean 'npu'" in capsys.readouterr().err
    assert run(tmp_path, "mobile-flagship") == 2
    assert "a SOC and --pu go together" in capsys.readouterr().err
