"""Plans carried out by real runtimes and read back; what they say, held against the plan."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from hetsim.errors import ConfigError, HetsimError, MissingExtraError, ResultsError
from hetsim.host.deviation import deviation
from hetsim.host.handover.compare import Comparison, compare
from hetsim.host.handover.evidence import Evidence, Kernel, dump_evidence, parse_evidence
from hetsim.host.handover.registry import find_reader, find_runner
from hetsim.plan.handover.assignment import Assignment, assign
from hetsim.plan.handover.document import load_assignment
from hetsim.plan.handover.registry import find_exporter
from hetsim.plan.handover.targets import Target
from hetsim.workload.onnx.runnable import load_runnable, make_runnable
from tests.plan.handed import order, quantised, roles, stretches

try:
    import onnxruntime

    HERE = hasattr(onnxruntime.InferenceSession, "get_provider_graph_assignment_info")
except ImportError:
    HERE = False
try:
    import openvino  # noqa: F401

    OPENVINO = True
except ImportError:
    OPENVINO = False
needs_runtime = pytest.mark.skipif(
    not HERE, reason="onnxruntime 1.24 or later is not installed: pip install 'hetsim[measure]'"
)
needs_openvino = pytest.mark.skipif(
    not OPENVINO, reason="openvino is not installed: pip install 'hetsim[openvino]'"
)
SECOND = "CPU2:library=openvino_intel_cpu_plugin,INFERENCE_PRECISION_HINT=f32"


def exported(place: Path, to: str, mapped: list[str], ready=None, every: int = 2) -> Path:
    ready = roles() if ready is None else ready
    made = find_exporter(to).export(order(ready, stretches(ready, every), mapped))
    place.mkdir()
    for name, content in made.files.items():
        (place / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return place


def carried_out(place: Path, whole: bool = False) -> Comparison:
    assignment = load_assignment(place)
    evidence = find_runner(assignment.runtime)(place, assignment, whole=whole, seed=0)
    return compare(assignment, evidence, str(place))


@pytest.mark.slow
@needs_runtime
@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("whole", [False, True])
def test_every_node_lands_and_parts_compute_what_the_whole_model_does(tmp_path, every, whole):
    place = exported(tmp_path / "out", "onnxruntime", ["npu=CPUExecutionProvider"], every=every)
    found = carried_out(place, whole)
    assert found.landed == len(found.placeable) >= 7
    assert found.share == 1
    assert found.evidence.deviation == pytest.approx(0, abs=1e-5)  # folding rounds otherwise
    roles_of = {row.node.name: row for row in found.rows}
    assert roles_of["norm"].status == "gone"
    assert roles_of["dead"].reason == "no output depends on it"


@pytest.mark.slow
@needs_runtime
def test_copies_count_where_they_belong(tmp_path):
    """A DequantizeLinear that three partitions read is in each, and in none that it is not in."""
    ready = make_runnable(quantised(), "quantised")
    place = exported(tmp_path / "out", "onnxruntime", ["npu=AzureExecutionProvider"], ready, 1)
    found = carried_out(place)
    rows = {row.node.name: row for row in found.rows}
    assert found.evidence.deviation == 0
    assert all(
        (row.status == "as planned") == (row.pu == "cpu") for row in rows.values() if row.really
    )


@needs_runtime
@pytest.mark.slow
def test_real_networks_land_completely(tmp_path):
    for name in ("squeezenet", "shufflenet"):
        ready = load_runnable(name)
        place = exported(tmp_path / name, "onnxruntime", ["npu=CPUExecutionProvider:threads=1"],
                         ready, every=5)  # fmt: skip
        found = carried_out(place)
        assert found.landed == len(found.placeable) >= len(ready.graph)
        assert found.evidence.deviation == 0


@pytest.mark.slow
@needs_runtime
def test_a_node_that_falls_back_says_what_its_provider_does_not_take(tmp_path):
    """Azure's provider is in every ONNX Runtime and takes none of these."""
    if "AzureExecutionProvider" not in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has a single provider")
    place = exported(tmp_path / "out", "onnxruntime", ["npu=AzureExecutionProvider"])
    for whole in (False, True):
        found = carried_out(place, whole)
        rows = {row.node.name: row for row in found.rows}
        assert rows["twice"].status == "elsewhere"
        assert rows["twice"].really == "CPUExecutionProvider"
        assert rows["twice"].reason == (
            "AzureExecutionProvider takes no Mul(float[1x8x8x8], float[1x8x1x1])"
        )
        assert rows["conv"].status == "as planned"
        assert found.landed < len(found.placeable)


@needs_runtime
def test_providers_that_are_not_installed_are_named_with_those_that_are(tmp_path):
    place = exported(tmp_path / "out", "onnxruntime", ["npu=CUDAExecutionProviders"])
    with pytest.raises(ConfigError, match=r"(?s)has no CUDAExecutionProviders.*CPUExecution"):
        carried_out(place)


@needs_runtime
def test_versions_that_cannot_say_or_be_told_are_refused(tmp_path, monkeypatch):
    place = exported(tmp_path / "out", "onnxruntime", ["npu=CPUExecutionProvider"])
    monkeypatch.setattr(onnxruntime, "__version__", "1.24.4")
    assert carried_out(place).share == 1
    with pytest.raises(ConfigError, match=r"ONNX Runtime 1.24.4 is too old: 1.25"):
        carried_out(place, whole=True)
    monkeypatch.setattr(onnxruntime, "__version__", "1.23.2")
    with pytest.raises(ConfigError, match=r"ONNX Runtime 1.23.2 is too old: 1.24"):
        carried_out(place)


@needs_runtime
def test_a_model_that_changed_after_the_export_is_refused_by_node(tmp_path):
    place = exported(tmp_path / "out", "onnxruntime", ["npu=CPUExecutionProvider"])
    model = onnx.load(place / "model.onnx", load_external_data=False)
    model.graph.node[2].op_type = "Tanh"
    onnx.save(model, place / "model.onnx")
    with pytest.raises(ResultsError, match=r"model.onnx: .*nodes that differ: Relu_2"):
        carried_out(place)


@needs_runtime
@pytest.mark.parametrize("name", ["weights.bin", "part-001.onnx", "model.onnx", "assignment.json"])
def test_an_incomplete_directory_names_the_file(tmp_path, name):
    place = exported(tmp_path / "out", "onnxruntime", ["npu=CPUExecutionProvider"])
    (place / name).unlink()
    with pytest.raises(HetsimError, match=rf"{name}: there is no such file"):
        carried_out(place)


@needs_runtime
def test_a_profile_of_the_runtime_is_read_back_fusions_and_all(tmp_path):
    place = exported(tmp_path / "out", "onnxruntime", ["npu=Other"])
    options = onnxruntime.SessionOptions()
    options.enable_profiling = True
    options.profile_file_prefix = str(tmp_path / "profile")
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        place / "model.onnx", options, providers=["CPUExecutionProvider"]
    )
    from hetsim.host.network import random_feeds

    session.run(None, random_feeds(session_model(place), 0))
    profile = Path(session.end_profiling())
    assignment = load_assignment(place)
    for files in ([profile], [profile, tmp_path / "optimised.onnx"]):
        found = compare(assignment, find_reader("onnxruntime")(files))
        operators = [row for row in found.rows if row.node.role == "operator"]
        assert {row.really for row in operators} == {"CPUExecutionProvider"}
        elsewhere = [row for row in operators if row.status == "elsewhere"]
        assert {row.pu for row in elsewhere} == {"npu"}
        assert all("Other ran nothing at all" in row.reason for row in elsewhere)
    other = replace(assignment, nodes=tuple(replace(n, name=f"my{n.name}", outputs=tuple(f"my{t}" for t in n.outputs)) for n in assignment.nodes))  # noqa: E501  # fmt: skip
    with pytest.raises(ResultsError, match=r"(?s)it is not of roles: .*another model"):
        compare(other, find_reader("onnxruntime")([profile]), str(profile))


def session_model(place: Path) -> onnx.ModelProto:
    return onnx.load(place / "model.onnx", load_external_data=False)


def test_without_a_runtime_one_is_told_how_to_get_it(tmp_path, monkeypatch):
    place = exported(tmp_path / "out", "onnxruntime", ["npu=CPUExecutionProvider"])
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"(?s)onnxruntime.*hetsim\[measure\]"):
        carried_out(place)
    place = exported(tmp_path / "ov", "openvino", ["npu=CPU2"])
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtraError, match=r"(?s)openvino.*hetsim\[openvino\]"):
        carried_out(place)


@needs_openvino
@pytest.mark.slow
def test_openvino_runs_every_node_on_the_device_of_the_plan(tmp_path):
    for name, ready in (("roles", roles()), ("shufflenet", load_runnable("shufflenet"))):
        mapped = [f"npu={SECOND}", "cpu=CPU:INFERENCE_PRECISION_HINT=f32"]
        place = exported(tmp_path / name, "openvino", mapped, ready)
        found = carried_out(place)
        assert found.landed == len(found.placeable) >= 7
        assert {row.really for row in found.placeable} == {"CPU", "CPU2"}
        assert found.evidence.deviation == pytest.approx(0, abs=1e-5)


@needs_openvino
@pytest.mark.slow
def test_openvino_without_the_device_says_which_there_are(tmp_path):
    place = exported(tmp_path / "out", "openvino", ["npu=NPU.7"])
    with pytest.raises(ConfigError, match=r"(?s)no device NPU.7 here.*it has: .*CPU"):
        carried_out(place)


DRAWN = r"""digraph
{
    Relu_1 [shape=box label="conv\nConvolution_1\nopset1::Convolution\nsubgraph=0\ndevice=CPU"]
    Mul_2 [shape=box label="twice\nMultiply_2\nopset1::Multiply\nsubgraph=1\ndevice=GPU.1"]
    S_3 [shape=box label="y\nSoftmax_3\nopset8::Softmax\nsubgraph=2\ndevice=CPU" style=filled]
}
"""


def test_drawings_of_openvinos_submodels_are_read(tmp_path):
    file = tmp_path / "hetero_subgraphs_x.dot"
    file.write_text(DRAWN)
    found = compare(made_up(), find_reader("openvino")([file]))
    rows = {row.node.name: row for row in found.rows}
    assert (rows["conv"].really, rows["twice"].really) == ("CPU", "GPU.1")
    assert rows["Softmax_14"].really == "CPU"  # the last node is called like the output it makes
    file.write_text("digraph {}")
    with pytest.raises(ResultsError, match=r"x.dot: it shows no node with a device"):
        find_reader("openvino")([file])


def made_up(every: int = 2) -> Assignment:
    ready = roles()
    targets = {"cpu": Target("Host"), "npu": Target("Fast")}
    return assign(stretches(ready, every), ready.graph, ready.model, targets, "onnxruntime")


def said(**places: str) -> Evidence:
    return Evidence("onnxruntime", places=("Host", "Fast"), assigned=places)


def rows_of(evidence: Evidence, every: int = 2) -> dict:
    return {row.node.name: row for row in compare(made_up(every), evidence).rows}


LANDED = {"conv": "Host", "Relu_2": "Host", "twice": "Fast", "twice_1": "Fast", "dense": "Host",
          "Softmax_14": "Host"}  # fmt: skip


def test_a_fallback_is_explained_by_what_became_of_others_of_its_kind():
    assert {row.status for row in rows_of(said(**LANDED)).values()} == {"as planned", "gone"}
    rows = rows_of(said(**{**LANDED, "twice": "Host"}))
    assert rows["twice"].status == "elsewhere"
    assert rows["twice"].reason == "Fast took none of the 1 Mul nodes that the plan gives it"
    rows = rows_of(said(**{**LANDED, "twice": "Host", "twice_1": "Host"}))
    assert rows["twice"].reason.startswith("Fast ran nothing at all")
    evidence = replace(said(**{**LANDED, "twice": "Host"}), places=("Host",))
    assert rows_of(evidence)["twice"].reason == "Fast is not among the session's providers: Host"
    evidence = replace(said(**{**LANDED, "twice": "Host"}), refused={"twice": "too large"})
    assert rows_of(evidence)["twice"].reason == "too large"


def test_what_the_runtime_put_in_is_told_apart_from_the_models_nodes():
    kernels = (
        Kernel("Memcpy", "MemcpyToHost", "Host"), Kernel("conv", "FusedConv", "Host"),
        Kernel("d_nchwc", "Mul", "Fast"), Kernel("twice_1", "Add", "Fast"),
        Kernel("dense/Fusion/", "Gemm", "Host"), Kernel("odd", "Softmax", "Host", ("y",)),
    )  # fmt: skip
    found = compare(made_up(), Evidence("onnxruntime", kernels=kernels))
    rows = {row.node.name: row for row in found.rows}
    assert [kernel.name for kernel in found.inserted] == ["Memcpy"]
    assert rows["Relu_2"].reason == "fused into conv, now a FusedConv"
    assert rows["twice"].reason == "ran as d_nchwc"
    assert rows["Softmax_14"].reason == "ran as odd"
    assert found.share == 1


def test_an_operator_that_nothing_stands_for_is_unseen_and_counts():
    places = {k: v for k, v in LANDED.items() if k != "dense"}
    found = compare(made_up(), said(**places))
    rows = {row.node.name: row for row in found.rows}
    assert rows["dense"].status == "unseen"
    assert found.landed == len(found.placeable) - 1
    within = replace(said(**places), within={"dense": "Host"})
    assert rows_of(within)["dense"].status == "as planned"


def test_nodes_of_another_kind_mean_another_model():
    kernels = (Kernel("conv", "Softmax", "Host"), Kernel("twice", "Add", "Host"))
    with pytest.raises(ResultsError, match=r"conv is a Softmax there and a Conv here"):
        compare(made_up(), Evidence("onnxruntime", kernels=kernels), "profile.json")


def test_a_record_is_read_back_as_it_was_and_damage_is_told(tmp_path):
    evidence = Evidence(
        "onnxruntime", "1.2", ("A", "B"), {"conv": "A"}, (Kernel("k", "Conv", "A", ("t",)),),
        {"dense": "B"}, {"twice": "why"}, 0.5,
    )  # fmt: skip
    file = tmp_path / "r.json"
    file.write_text(dump_evidence(evidence))
    assert find_reader("onnxruntime")([file]) == evidence
    with pytest.raises(ResultsError, match="it is of onnxruntime, not of openvino"):
        parse_evidence(file.read_text(), file, "openvino")
    data = json.loads(file.read_text())
    data["kernels"][0].pop("place")
    file.write_text(json.dumps(data))
    with pytest.raises(ResultsError, match=r"kernels\.0\.place"):
        find_reader("onnxruntime")([file])


def test_deviation_is_a_share_and_never_hides_what_is_not_a_number():
    assert deviation({"y": [1.0, 2.0]}, {"y": [1.0, 4.0]}) == 0.5
    assert deviation({"y": [0.0]}, {"y": [0.0]}) == 0
    assert deviation({"y": [float("nan")]}, {"y": [1.0]}) == float("inf")
    assert deviation({"y": [float("inf")]}, {"y": [1.0]}) == float("inf")
    assert deviation({"y": [1.0]}, {"y": [1.0, 2.0]}) == float("inf")
    assert deviation({"y": [float("nan"), 1.0]}, {"y": [float("nan"), 1.0]}) == 0
