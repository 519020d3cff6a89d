"""``hetsim run`` from the outside: what it prints, writes, refuses, and returns."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

import hetsim
from hetsim.cli.main import entry
from hetsim.report.files.resultfile import ResultFile

BROKEN_SCHEDULER = """
from hetsim.schedulers.base import Problem, Scheduler


class Broken(Scheduler):
    name = "broken"
    optimises = ignores = complexity = source = "nothing"

    def plan(self, problem):
        raise RuntimeError("out of ideas")


class Liar(Broken):
    def plan(self, problem):
        return "not a plan"
"""


def symbolic_model(path: Path) -> Path:
    """Conv and Relu on an input whose batch and extent are symbols."""
    data = helper.make_tensor_value_info("data", TensorProto.FLOAT, ["N", 3, "H", "H"])
    result = helper.make_tensor_value_info("result", TensorProto.FLOAT, None)
    weights = helper.make_tensor("w", TensorProto.FLOAT, [8, 3, 3, 3], [0.5] * 216)
    nodes = [
        helper.make_node("Conv", ["data", "w"], ["c"], name="conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["result"], name="relu"),
    ]
    graph = helper.make_graph(nodes, "symbolic", [data], [result], [weights])
    onnx.save(helper.make_model(graph), path)
    return path


@pytest.fixture
def workdir(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    symbolic_model(tmp_path / "tiny.onnx")
    (tmp_path / "broken.py").write_text(BROKEN_SCHEDULER, encoding="utf-8")
    return tmp_path


TINY = ["run", "paper_one", "--model", "tiny.onnx", "--input-shape", "data=1x3x32x32"]


def result_json(capsys, *arguments: str, code: int = 0) -> dict:
    assert entry([*arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def makespans(result: dict) -> dict[str, float]:
    return {run["scheduler"]: run["makespan_us"] for run in result["runs"]}


@pytest.mark.slow
def test_a_run_ends_with_a_table_and_a_results_directory(workdir, capsys):
    assert entry(["run", "paper_one"]) == 0
    out, err = capsys.readouterr()
    assert "type_based" in out
    assert "partition_tuner" in out
    assert "results/paper_one/report.html" in out
    assert err == ""
    names = {path.name for path in (workdir / "results" / "paper_one").iterdir()}
    stem = "squeezenet-partition_tuner"
    assert names == {"result.json", "report.html", "operators.csv", "manifest.json",
                     "runs.json.gz", f"gantt-{stem}.svg", f"gantt-{stem}.png",
                     f"plan-{stem}.yaml"}  # fmt: skip


@pytest.mark.slow
def test_json_is_the_only_thing_on_standard_output_and_equals_the_file(workdir, capsys):
    assert entry([*TINY, "--json", "--output", "here"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out == (workdir / "here" / "result.json").read_text(encoding="utf-8")
    assert json.loads(out)["schema"] == "hetsim.result/1"


@pytest.mark.slow
def test_the_result_fits_its_published_schema(workdir, capsys):
    text = json.dumps(result_json(capsys, *TINY, "--no-files", "--scheduler", "type_based",
                                  "--scheduler", "broken.py:Broken", code=2))  # fmt: skip
    parsed = ResultFile.model_validate_json(text, strict=True)
    assert [run.error is None for run in parsed.runs] == [True, False]
    seven = hetsim.load_scenario("paper_seven")
    assert seven.reference is not None  # so that the published figures are part of the check
    text = json.dumps(result_json(capsys, "run", "paper_seven", "--model", "squeezenet",
                                  "--scheduler", "type_based", "--scheduler", "partition_tuner",
                                  "--no-files"))  # fmt: skip
    parsed = ResultFile.model_validate_json(text, strict=True)
    assert parsed.reference is not None
    ours = {(f.model, f.baseline): f.simulated_percent for f in parsed.reference.figures}
    assert ours["squeezenet", "type_based"] is not None
    assert ours["resnet50", "profile_greedy"] is None


@pytest.mark.slow
def test_an_existing_directory_is_refused_before_anything_is_computed(workdir, capsys, monkeypatch):
    assert entry([*TINY, "-o", "here", "--quiet"]) == 0
    before = (workdir / "here" / "result.json").read_bytes()

    def never(*_: object, **__: object) -> None:
        raise AssertionError("computed although the directory exists")

    with monkeypatch.context() as patch:
        patch.setattr("hetsim.runs.scenario.run_scenario", never)
        assert entry([*TINY, "-o", "here"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: here exists")
    assert "--force" in err
    assert (workdir / "here" / "result.json").read_bytes() == before
    assert entry([*TINY, "-o", "here", "--force", "--seed", "7", "--quiet"]) == 0
    assert json.loads((workdir / "here" / "result.json").read_text())["seed"] == 7


def test_a_foreign_directory_is_never_replaced(workdir, capsys):
    (workdir / "mine").mkdir()
    (workdir / "mine" / "thesis.tex").write_text("years of work")
    assert entry([*TINY, "-o", "mine", "--force"]) == 2
    assert [path.name for path in (workdir / "mine").iterdir()] == ["thesis.tex"]


def test_no_files_leaves_nothing_behind_and_quiet_says_nothing(workdir, capsys):
    before = sorted(workdir.iterdir())
    assert entry([*TINY, "--no-files", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert sorted(workdir.iterdir()) == before


@pytest.mark.slow
def test_a_scenario_name_cannot_lead_out_of_results(workdir):
    text = "hetsim: scenario/1\nname: ../../else where\nsoc: edge-mcu\n"
    text += "models: [{path: tiny.onnx, input_shapes: {data: [1, 3, 32, 32]}}]\n"
    (workdir / "odd.yaml").write_text(text + "schedulers: [cpu_only]\n", encoding="utf-8")
    assert entry(["run", "odd.yaml", "--quiet"]) == 0
    (made,) = (workdir / "results").iterdir()
    assert (made / "result.json").is_file()


def test_schedulers_and_models_replace_those_of_the_scenario(workdir, capsys):
    result = result_json(capsys, *TINY, "--no-files", "--scheduler", "cpu_only")
    assert [(run["model"], run["scheduler"]) for run in result["runs"]] == [("tiny", "cpu_only")]


def test_a_failing_scheduler_loses_its_row_only(workdir, capsys):
    arguments = [*TINY, "--no-files", "--scheduler", "cpu_only",
                 "--scheduler", "broken.py:Broken", "--scheduler", "broken.py:Liar"]  # fmt: skip
    assert entry([*arguments, "--json"]) == 2
    out, err = capsys.readouterr()
    runs = {run["scheduler"]: run for run in json.loads(out)["runs"]}
    assert runs["cpu_only"]["makespan_us"] > 0
    assert "out of ideas" in runs["Broken"]["error"]
    assert runs["Broken"]["makespan_us"] is None
    assert "not a Plan" in runs["Liar"]["error"]
    assert err.startswith("error: 2 of 3 rows failed")
    assert "out of ideas" in err
    assert "Traceback" not in err
    assert entry(arguments) == 2
    out, err = capsys.readouterr()
    assert "out of ideas" in out
    assert err == "error: 2 of 3 rows failed\n"


def test_a_changed_soc_changes_the_result(workdir, capsys):
    base = makespans(result_json(capsys, *TINY, "--no-files"))
    slow = makespans(
        result_json(capsys, *TINY, "--no-files", "--set", "cpu.operating_points.nominal.clock=0.5x")
    )
    other = result_json(capsys, *TINY, "--no-files", "--set", "soc=edge-mcu")
    assert all(slow[name] > base[name] for name in base)
    assert other["soc"] == "edge-mcu"


def test_execution_and_seed_are_taken_over(workdir, capsys):
    options = ["--execution", "dataflow", "--seed", "3"]
    result = result_json(capsys, *TINY, "--no-files", *options)
    assert (result["execution"], result["seed"]) == ("dataflow", 3)


def test_a_plan_of_an_unknown_network_is_told_with_its_file(workdir, capsys):
    (workdir / "mine.yaml").write_text(
        "hetsim: plan/1\nmodel: nobody\npartitions: [{name: all, pu: cpu, operators: [conv]}]\n"
    )
    assert entry(["run", "paper_one", "--plan", "mine.yaml", "--no-files"]) == 2
    err = capsys.readouterr().err
    assert "--plan mine.yaml: there is no network called 'nobody'" in err


@pytest.mark.slow
def test_a_written_plan_runs_again_to_the_same_makespan(workdir, capsys):
    assert entry([*TINY, "-o", "first", "--scheduler", "type_based", "--quiet"]) == 0
    first = json.loads((workdir / "first" / "result.json").read_text())["runs"][0]
    plan = str(Path("first", first["files"]["plan"]))
    again = result_json(capsys, *TINY, "--no-files", "--plan", plan)
    assert [run["makespan_us"] for run in again["runs"]] == [first["makespan_us"]]
    beside = result_json(capsys, *TINY, "--no-files", "--plan", plan, "--scheduler", "cpu_only")
    assert len(beside["runs"]) == 2


@pytest.mark.slow
def test_two_runs_write_the_same_bytes(workdir):
    for name in ("one", "two"):
        assert entry([*TINY, "-o", name, "--quiet"]) == 0
    for file in ("result.json", "operators.csv"):
        assert (workdir / "one" / file).read_bytes() == (workdir / "two" / file).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run"], "missing argument"),
        (["run", "nowhere"], "no scenario is called 'nowhere'"),
        (["run", "nowhere.yaml"], "there is no file 'nowhere.yaml'"),
        (["run", "bad.yaml"], "bad.yaml:4:1: "),
        (["run", "broken.py"], "no scenario is called 'broken.py'"),
        (["run", "paper_one", "--model", "squeeze"], "no network called 'squeeze'"),
        (["run", "paper_one", "--model", "none.onnx"], "'none.onnx' does not exist"),
        (["run", "paper_one", "--model", "tiny.onnx"], "data"),
        (["run", "paper_one", "--model", "cut.onnx"], "cut.onnx"),
        ([*TINY[:4], "--input-shape", "data=3xy"], "'data=3xy' is not a shape"),
        (["run", "paper_one", "--input-shape", "data=1x3"], "but no models"),
        (["run", "paper_one", "--scheduler", "heft2"], "there is no scheduler 'heft2'"),
        (["run", "paper_one", "--scheduler", "none.py:X"], "no such scheduler file"),
        (["run", "paper_one", "--scheduler", "broken.py:X"], "defines no 'X'"),
        (["run", "paper_one", "--scheduler", "heft", "--scheduler", "heft"], "given twice"),
        (["run", "paper_one", "--set", "npu.sram"], "'npu.sram' is not a change"),
        (["run", "paper_one", "--set", "dram.bandwidth=0 GB/s"], "must be more than zero"),
        (["run", "paper_one", "--set", "dram.bandwidth=3 GHz"], "unit of frequency"),
        (["run", "paper_one", "--set", "dram.bandwith=3 GB/s"], "did you mean 'bandwidth'"),
        (["run", "paper_one", "--plan", "none.yaml"], "none.yaml"),
        (["run", "paper_one", "--plan", "bad.yaml"], "bad.yaml:"),
        (["run", "paper_one", "--execution", "magic"], "'magic' is not one of"),
        (["run", "paper_one", "--seed", "-1"], "-1 is not in the range"),
        (["run", "paper_one", "--no-files", "--force"], "--no-files"),
        (["run", "paper_one", "-o", "tiny.onnx"], "tiny.onnx"),
    ],
)
def test_bad_input_is_one_message_and_leaves_nothing(workdir, capsys, monkeypatch, arguments, said):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # Python's cache is not ours
    (workdir / "bad.yaml").write_text(
        "hetsim: scenario/1\nname: bad\nsoc: edge-mcu\nmodles: [squeezenet]\nschedulers: all\n"
    )
    (workdir / "cut.onnx").write_bytes((workdir / "tiny.onnx").read_bytes()[:-20])
    before = sorted(workdir.iterdir())
    assert entry(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert said in err
    assert "Traceback" not in err
    assert sorted(workdir.iterdir()) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schedulers", "shown"), [("heft,mosaic", False), ("heft,type_based", True)]
)
def test_a_baseline_that_did_not_run_has_no_column(tmp_path, capsys, schedulers, shown):
    names = [part for name in schedulers.split(",") for part in ("--scheduler", name)]
    small = ["--model", "squeezenet", "--figures", "none"]
    assert entry(["run", "paper_one", *small, *names, "--output", str(tmp_path / "r")]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert ("type based" in out) is shown
    assert "greedy" not in out
