"""``hetsim model`` from the outside."""

from __future__ import annotations

import json

import numpy as np
import pytest
from onnx import TensorProto, helper, save

import hetsim
from hetsim.cli.main import entry


@pytest.fixture
def workdir(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def write(path, shape, *, kind="Relu", domain=""):
    weight = helper.make_tensor("w", TensorProto.FLOAT, [8, 3, 3, 3], np.zeros(216, np.float32))
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["c"], name="conv", pads=[1, 1, 1, 1]),
            helper.make_node(kind, ["c"], ["y"], name="last", domain=domain),
        ],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [weight],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("acme", 1)]
    save(helper.make_model(graph, opset_imports=opsets), path)
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize("columns", ["80", "120"])
def test_a_network_is_told_on_one_screen(workdir, monkeypatch, capsys, columns):
    monkeypatch.setenv("COLUMNS", columns)
    assert entry(["model", "mobilenet_v2", "--soc", "zcu102-vta"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= int(columns)
    assert len(lines) < 40
    text = "\n".join(lines)
    for words in ("99 operators", "301 MMACs", "input: 1x3x224x224 float32", "Clip", "30 of 99",
                  "npu does not run Clip", "groups are more than 1",
                  "falls back to a CPU: 22 Conv"):  # fmt: skip
        assert words in text


@pytest.mark.slow
def test_json_has_the_figures_of_the_graph(workdir, capsys):
    assert entry(["model", "squeezenet", "--soc", "zcu102-vta", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    graph = hetsim.load_model("squeezenet")
    assert told["schema"] == "hetsim.model/1"
    assert (told["operators"], told["macs"]) == (len(graph), graph.macs)
    assert told["parameters"] == graph.parameters
    assert sum(row["macs"] for row in told["kinds"]) == graph.macs
    cpu, npu = told["units"]
    assert (cpu["unit"], cpu["operators"], cpu["refuses"]) == ("cpu", len(graph), {})
    assert npu["operators"] + len(npu["refuses"]) == len(graph)
    assert set(told["falls_back"]) == set(npu["refuses"])
    assert told["no_unit"] == []
    assert told["does_not_fit"] is None


def test_without_a_soc_nothing_is_said_of_units(workdir, capsys):
    assert entry(["model", write(workdir / "net.onnx", [1, 3, 8, 8]), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["model"] == "net"
    assert told["weight_bytes"] == {"float32": 864}
    assert told["peak_activation_bytes"] == 4 * (3 + 8 + 8) * 64
    assert "units" not in told


def test_everything_that_is_wrong_is_told_at_once(workdir, capsys):
    file = write(workdir / "net.onnx", ["batch", 3, 8, 8], kind="Wobble", domain="acme")
    assert entry(["model", file]) == 2
    told = capsys.readouterr().err
    assert "net.onnx: 2 problems" in told
    assert "'x' is [batch, 3, 8, 8]" in told
    assert "acme.Wobble" in told
    assert entry(["model", file, "--input-shape", "x=1x3x8x8"]) == 2
    told = capsys.readouterr().err
    assert "acme.Wobble" in told
    assert "batch" not in told


def test_a_network_too_large_for_the_soc_is_described_all_the_same(workdir, capsys):
    assert entry(["model", "alexnet", "--soc", "edge-mcu"]) == 0
    assert "needs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model", "squeezene"], "did you mean 'squeezenet'"),
        (["model", "no.onnx"], "no.onnx"),
        (["model", "text.onnx"], "not an ONNX model"),
        (["model", "squeezenet", "--soc", "zcu102"], "zcu102-vta"),
        (["model", "squeezenet", "--set", "npu.sram=1"], "--set goes with --soc"),
        (["model", "squeezenet", "--input-shape", "data=1x"], "is not a shape"),
    ],
)
def test_wrong_inputs_are_told(workdir, capsys, arguments, message):
    (workdir / "text.onnx").write_text("this is no network")
    assert entry(arguments) == 2
    assert message in capsys.readouterr().err
