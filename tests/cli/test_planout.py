"""``hetsim plan export``, ``run`` and ``import`` from the outside."""

from __future__ import annotations

import json

import onnx
import pytest

from hetsim.cli.main import entry
from tests.plan.handed import every_role

try:
    import onnxruntime

    HERE = hasattr(onnxruntime.InferenceSession, "get_provider_graph_assignment_info")
except ImportError:
    HERE = False
needs_runtime = pytest.mark.skipif(
    not HERE, reason="onnxruntime 1.24 or later is not installed: pip install 'hetsim[measure]'"
)

PLACE = ["--model", "roles.onnx", "--soc", "edge-mcu"]


@pytest.fixture
def planned(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    onnx.save(every_role(), "roles.onnx")
    assert entry(["plan", "make", *PLACE, "--scheduler", "type_based", "-o", "p.yaml"]) == 0
    return tmp_path


def export(to: str, *more: str) -> int:
    return entry(["plan", "export", "p.yaml", *PLACE, "--to", to, *more])


def test_json_goes_to_standard_output_and_agrees_with_the_plan(planned, capsys):
    assert export("json") == 0
    told = json.loads(capsys.readouterr().out)
    assert {node["name"] for node in told["nodes"]} >= {"conv", "norm", "view", "dead"}
    npu = {n["operator"] for n in told["nodes"] if n["part"] >= 0
           and told["parts"][n["part"]]["pu"] == "npu"}  # fmt: skip
    assert "conv" in npu


@pytest.mark.slow
def test_what_is_several_files_needs_a_directory_that_is_free(planned, capsys):
    mapped = ["--map", "npu=CPUExecutionProvider"]
    assert export("onnxruntime", *mapped) == 2
    assert "--output is missing" in capsys.readouterr().err
    assert export("onnxruntime", *mapped, "-o", "out") == 0
    assert (planned / "out" / "model.onnx").is_file()
    assert export("onnxruntime", *mapped, "-o", "out") == 2
    assert "--force" in capsys.readouterr().err
    assert export("onnxruntime", *mapped, "-o", "out", "--force") == 0
    assert export("onnxruntime", "-o", "other") == 2
    assert "nothing says what the runtime calls npu" in capsys.readouterr().err
    assert not (planned / "other").exists()
    assert export("openvinos", "-o", "other") == 2


def test_a_plan_of_another_version_says_which_operators_differ(planned, capsys):
    model = every_role()
    model.graph.node[0].name = "convolution"
    onnx.save(model, "roles.onnx")
    assert export("json") == 2
    told = capsys.readouterr().err
    assert "there is no operator 'conv'" in told
    assert "operator 'convolution' is in no partition" in told


@pytest.mark.slow
@needs_runtime
def test_a_plan_is_carried_out_and_read_back(planned, capsys):
    assert export("onnxruntime", "--map", "npu=CPUExecutionProvider", "-o", "out") == 0
    capsys.readouterr()
    assert entry(["plan", "run", "out", "--strict", "--tolerance", "1e-5", "-o", "r.json"]) == 0
    out = capsys.readouterr().out
    assert "placeable nodes ran as planned (onnxruntime" in out
    assert "1 more nodes: no output depends on them" in out
    back = ["plan", "import", "r.json", "--from", "onnxruntime", "--plan", "out", "--strict"]
    assert entry([*back, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["as_planned"] == told["placeable"] > 0
    assert {n["name"]: n["status"] for n in told["nodes"]}["conv"] == "as planned"
    # A record of the same model under another assignment.
    assert export("onnxruntime", "--map", "npu=Elsewhere", "-o", "two") == 0
    assert entry([*back[:-2], "two"]) == 0
    assert entry([*back[:-2], "two", "--strict"]) == 2
    assert "Elsewhere is not among the session's providers" in capsys.readouterr().out
    assert entry(["plan", "run", "two"]) == 2
    assert "has no Elsewhere" in capsys.readouterr().err


@pytest.mark.slow
@needs_runtime
def test_outputs_that_differ_are_an_error(planned, capsys):
    assert export("onnxruntime", "--map", "npu=CPUExecutionProvider", "-o", "out") == 0
    file = planned / "out" / "part-000.onnx"
    part = onnx.load(file, load_external_data=False)
    for node in part.graph.node:
        if node.op_type == "BatchNormalization":
            node.attribute.append(onnx.helper.make_attribute("epsilon", 9.0))
    onnx.save(part, file)
    assert entry(["plan", "run", "out"]) == 2
    assert "outputs differ from the whole model's" in capsys.readouterr().err


def test_faults_are_told_with_their_file(planned, capsys):
    assert entry(["plan", "run", "nowhere"]) == 2
    assert "nowhere: there is no such file" in capsys.readouterr().err
    assert export("json", "-o", "a.json") == 0
    assert entry(["plan", "run", "a.json"]) == 2
    assert "nothing here runs exports for 'json'" in capsys.readouterr().err
    back = ["plan", "import", "p.yaml", "--from", "onnxruntime", "--plan", "a.json"]
    assert entry(back) == 2
    assert "p.yaml:1:1: not JSON" in capsys.readouterr().err


def test_names_of_a_file_do_not_steer_the_terminal(planned, capsys):
    assert export("json", "-o", "a.json") == 0
    told = json.loads((planned / "a.json").read_text())
    told["nodes"][0]["name"] = "\x1b[31m[red]conv\ud800"
    (planned / "a.json").write_text(json.dumps(told))
    names = {node["name"]: "Some" for node in told["nodes"]}
    record = {"hetsim": "placement/1", "runtime": "onnxruntime", "assigned": names}
    (planned / "r.json").write_text(json.dumps(record))
    capsys.readouterr()
    back = ["plan", "import", "r.json", "--from", "onnxruntime", "--plan", "a.json"]
    assert entry(back) == 0
    assert "\\x1b[31m[red]conv\\ud800" in capsys.readouterr().out
    assert entry([*back, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["nodes"][0]["name"] == told["nodes"][0]["name"]
