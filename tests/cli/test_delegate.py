"""``hetsim delegate`` from the outside."""

from __future__ import annotations

import json

import pytest
from onnx import TensorProto, helper, save

from hetsim.cli.main import entry

ASK = ["delegate", "squeezenet", "--soc", "zcu102-vta", "--tuning", "0", "--evaluations", "50"]


@pytest.fixture
def workdir(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("columns", ["80", "120"])
def test_tables_fit_the_terminal_and_say_what_to_do(workdir, monkeypatch, capsys, columns):
    monkeypatch.setenv("COLUMNS", columns)
    assert entry(ASK) == 0
    out = capsys.readouterr().out
    assert all(len(line) <= int(columns) for line in out.splitlines())
    for words in ("nothing", "largest on npu", "all on npu", "bound: no plan is below",
                  "npu does not run Concat", "Delegate "):  # fmt: skip
        assert words in out


@pytest.mark.slow
def test_json_is_the_whole_answer(workdir, capsys):
    assert entry([*ASK, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["schema"] == "hetsim.delegate/1"
    times = {option["label"]: option["makespan_us"] for option in answer["options"]}
    assert times["advice"] <= min(times.values()) * (1 + 1e-9)
    assert answer["bound_us"] <= times["advice"] * (1 + 1e-9)
    delegated = [name for part in answer["advice"] for name in part["operators"]]
    assert sorted(delegated) == sorted(n for c in answer["candidates"] for n in c["delegated"])
    assert answer["refused"]["npu"]["npu does not run Concat"] == {"Concat": 8}


@pytest.mark.slow
def test_its_plans_run_as_it_said(workdir, capsys):
    assert entry([*ASK, "-o", "out"]) == 0
    answer = json.loads((workdir / "out" / "delegate.json").read_text())
    plans = {option["plan"]: option["makespan_us"] for option in answer["options"]}
    assert {f"out/{name}" for name in plans} == {
        str(file.relative_to(workdir)) for file in (workdir / "out").glob("*.yaml")
    }
    files = [f"out/{name}" for name in plans]
    assert entry(["plan", "validate", *files, "--soc", "zcu102-vta"]) == 0
    capsys.readouterr()
    given = [word for file in files for word in ("--plan", file)]
    run = ["run", "paper_one", "--set", "soc=zcu102-vta", "--execution", "barrier", *given]
    assert entry([*run, "--no-files", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["runs"]
    simulated = {f"{row['scheduler']}.yaml": row["makespan_us"] for row in rows}
    assert simulated == pytest.approx(plans, rel=1e-9)


def test_an_existing_directory_is_kept(workdir, capsys):
    (workdir / "out").mkdir()
    (workdir / "out" / "mine.txt").write_text("mine")
    assert entry([*ASK, "-o", "out"]) == 2
    assert "out exists and is not empty" in capsys.readouterr().err
    assert [file.name for file in (workdir / "out").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["delegate", "squeezenet"], "--soc"),
        (["delegate", "squeezenet", "--soc", "zcu102"], "zcu102-vta"),
        (["delegate", "squeezene", "--soc", "zcu102-vta"], "did you mean 'squeezenet'"),
        (["delegate", "no.onnx", "--soc", "zcu102-vta"], "no.onnx"),
        (["delegate", "alexnet", "--soc", "edge-mcu"], "of memory"),
        (["delegate", "squeezenet", "--soc", "zcu102-vta", "--force"], "--force goes with"),
        (["delegate", "squeezenet", "--soc", "zcu102-vta", "--set", "npx.sram=1"], "npx"),
    ],
)
def test_wrong_inputs_are_told(workdir, capsys, arguments, message):
    assert entry(arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_a_network_that_no_accelerator_takes_stays_where_it_is(workdir, capsys):
    nodes = [helper.make_node("Softmax", ["x"], ["y"], name="last")]
    shapes = [helper.make_tensor_value_info(t, TensorProto.FLOAT, [1, 8]) for t in "xy"]
    graph = helper.make_graph(nodes, "none", shapes[:1], shapes[1:])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), "none.onnx")
    assert entry(["delegate", "none.onnx", "--soc", "zcu102-vta"]) == 0
    out = capsys.readouterr().out
    assert "no part of it can be delegated" in out
    assert "npu does not run Softmax" in out
    assert "Delegate nothing: " in out
