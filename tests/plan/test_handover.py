"""Plans written for runtimes and compilers: every node has its place, and files say so."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from hetsim.errors import HetsimError, PlanError, ResultsError, WorkloadError
from hetsim.plan.handover.assignment import assign, fingerprint, members
from hetsim.plan.handover.document import NAME, dump_assignment, load_assignment
from hetsim.plan.handover.registry import BUILT_IN, exporter_names, find_exporter
from hetsim.plan.handover.submodels import WEIGHTS, part_file
from hetsim.plan.handover.targets import Target, parse_targets, settle_targets
from hetsim.plan.model import Partition, Plan
from hetsim.soc.loader import load_soc
from hetsim.workload.onnx.runnable import load_runnable, make_runnable
from hetsim.workload.rewrite import Rewrite
from tests.installed import Install
from tests.installed import install as install
from tests.plan.handed import SOC, every_role, order, quantised, roles, stretches

BOTH = ["npu=OtherExecutionProvider"]


def assigned(every: int = 2):
    ready = roles()
    plan = stretches(ready, every)
    targets = {"cpu": Target("A"), "npu": Target("B")}
    return assign(plan, ready.graph, ready.model, targets, "json")


def test_every_node_of_the_file_has_a_role_and_those_that_run_a_part():
    nodes = {node.name: node for node in assigned().nodes}
    assert {name: node.role for name, node in nodes.items()} == {
        "conv": "operator", "norm": "absorbed", "Relu_2": "operator", "made": "constant",
        "turned": "constant", "twice": "operator", "twice_1": "operator", "dead": "unused",
        "shape": nodes["shape"].role, "first": nodes["first"].role, "boxed": nodes["boxed"].role,
        "target": nodes["target"].role, "view": "absorbed", "dense": "operator",
        "Softmax_14": "operator",
    }  # fmt: skip
    assert nodes["shape"].role in ("shape", "absorbed")
    assert nodes["norm"].operator == "conv"
    assert nodes["norm"].part == nodes["conv"].part
    assert nodes["view"].operator == "twice_1"
    assert nodes["dead"].part == -1
    assert all(node.part >= 0 for node in nodes.values() if node.role != "unused")


@pytest.mark.slow
def test_nothing_passes_back_and_everything_that_is_read_is_made_before():
    for name in ("googlenet", "shufflenet"):
        ready = load_runnable(name)
        for every in (1, 3, 10_000):
            plan = stretches(ready, every)
            targets = {"cpu": Target("A"), "npu": Target("B")}
            made = assign(plan, ready.graph, ready.model, targets, "json")
            known = set(made.inputs)
            for part in made.parts:
                assert set(part.inputs) <= known
                known.update(part.outputs)
            assert set(made.outputs) <= known
            inside = [node.name for part in members(made.nodes, len(made.parts)) for node in part]
            running = {n.name for n in made.nodes if n.part >= 0}
            assert running == set(inside)
            once = [name for name in inside if not {n.name: n for n in made.nodes}[name].copied]
            assert len(once) == len(set(once))


@pytest.mark.slow
def test_parts_one_after_the_other_compute_what_the_whole_model_computes(tmp_path):
    ready = roles()
    whole = ReferenceEvaluator(ready.model)
    x = np.random.default_rng(0).standard_normal((1, 3, 8, 8)).astype(np.float32)
    (expected,) = whole.run(None, {"x": x})
    for every in (1, 2, 100):
        ready = roles()
        made = find_exporter("onnxruntime").export(order(ready, stretches(ready, every), BOTH))
        place = tmp_path / str(every)
        place.mkdir()
        for name, content in made.files.items():
            (place / name).write_bytes(content.encode() if isinstance(content, str) else content)
        values = {"x": x}
        parts = load_assignment(place).parts
        for position, part in enumerate(parts):
            model = onnx.load(place / part_file(position))
            onnx.checker.check_model(model, full_check=True)
            assert [i.name for i in model.graph.input] == list(part.inputs)
            results = ReferenceEvaluator(model).run(
                list(part.outputs), {name: values[name] for name in part.inputs}
            )
            values |= dict(zip(part.outputs, results, strict=True))
        assert np.array_equal(values["y"], expected)


def test_integers_pass_between_parts_and_each_unfolds_them_itself():
    ready = make_runnable(quantised(), "quantised")
    plan = Plan("quantised", (
        Partition("p0", "npu", ("q_x", "first")), Partition("p1", "cpu", ("right", "dq_right")),
        Partition("p2", "npu", ("left", "dq_left", "end")),
    ))  # fmt: skip
    targets = {"cpu": Target("A"), "npu": Target("B")}
    made = assign(plan, ready.graph, ready.model, targets, "json")
    nodes = {node.name: node for node in made.nodes}
    assert nodes["dq_first"].role == "absorbed"
    inside = [{n.name for n in part} for part in members(made.nodes, 3)]
    assert [("dq_first" in names) for names in inside] == [False, True, True]
    assert [part.inputs for part in made.parts] == [("x",), ("first_q",), ("first_q", "right_f")]
    assert [part.outputs for part in made.parts] == [("first_q",), ("right_f",), ("y",)]


def test_what_two_parts_read_is_there_for_the_first_of_them(tmp_path):
    """The plan turns the file's order of two branches that read one view of the input around."""
    make = helper.make_node
    shape = numpy_helper.from_array(np.array([4, 2], np.int64), "shape")
    nodes = [
        make("Reshape", ["x", "shape"], ["r"], "view"), make("Relu", ["r"], ["a"], "one"),
        make("Sigmoid", ["r"], ["b"], "two"), make("Add", ["a", "b"], ["y"], "end"),
    ]  # fmt: skip
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, d) for n, d in (("x", [2, 4]), ("y", [4, 2])))  # noqa: E501  # fmt: skip
    model = helper.make_model(
        helper.make_graph(nodes, "turned", [x], [y], [shape]),
        opset_imports=[helper.make_opsetid("", 13)], ir_version=8,
    )  # fmt: skip
    ready = make_runnable(model, "turned")
    plan = Plan("turned", (Partition("p0", "npu", ("two",)), Partition("p1", "cpu", ("one", "end"))))  # noqa: E501  # fmt: skip
    made = assign(plan, ready.graph, ready.model, {"cpu": Target("A"), "npu": Target("B")}, "json")
    assert made.parts[0].inputs == ("x",)
    assert set(made.parts[0].outputs) == {"r", "b"}
    assert set(made.parts[1].inputs) == {"r", "b"}


def test_workers_share_the_target_of_their_cluster():
    soc = load_soc("zcu102-vta", {"pus.cpu.workers": "[1, 1]"})
    workers = [pu.name for pu in soc.pus if pu.name.startswith("cpu.")]
    assert len(workers) > 1
    plan = Plan("roles", tuple(Partition(f"p{i}", pu, ("conv",)) for i, pu in enumerate(workers)))
    found = settle_targets(plan, soc, parse_targets(["cpu=X"]), {}, ())
    assert found == {pu: Target("X") for pu in workers}
    found = settle_targets(plan, soc, parse_targets(["cpu=X", f"{workers[1]}=Y"]), {}, ())
    assert found[workers[1]] == Target("Y")
    assert len({Target("X", {"device": "NPU"}), Target("X", {"device": "NPU"})}) == 1


def test_weights_are_written_once_and_models_point_at_them(tmp_path):
    ready = roles()
    before = {t.name: numpy_helper.to_array(t) for t in ready.model.graph.initializer}
    made = find_exporter("onnxruntime").export(order(ready, stretches(ready, 2), BOTH))
    for name, content in made.files.items():
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    assert sum(len(c) for n, c in made.files.items() if n != WEIGHTS) < 20_000
    after = {t.name: numpy_helper.to_array(t) for t in onnx.load(tmp_path / "model.onnx").graph.initializer}  # noqa: E501  # fmt: skip
    model = onnx.load(tmp_path / "model.onnx", load_external_data=False)
    places = [{e.key: e.value for e in t.external_data} for t in model.graph.initializer]
    # w0 has 8·3·5·5 floats, 2,400 bytes; w1, of 512·5, begins at the next multiple of 64.
    assert [place for place in places if place] == [
        {"location": WEIGHTS, "offset": "0", "length": "2400"},
        {"location": WEIGHTS, "offset": "2432", "length": "10240"},
    ]
    assert len(made.files[WEIGHTS]) == 2432 + 10240
    assert all(np.array_equal(after[name], value) for name, value in before.items())


def test_onnx_runtime_is_told_each_nodes_provider_by_its_full_name(tmp_path):
    ready = roles()
    mapped = ["npu=OtherExecutionProvider:device=NPU,level=3"]
    made = find_exporter("onnxruntime").export(order(ready, stretches(ready, 2), mapped))
    assert made.notes == ()  # each provider stands for one unit
    assert made.files["session.json"].startswith('{\n "providers": [\n')
    session = json.loads(made.files["session.json"])
    assert session["providers"] == [
        ["OtherExecutionProvider", {"device": "NPU", "level": "3"}], ["CPUExecutionProvider", {}],
    ]  # fmt: skip
    assert session["session_options"]["session.layer_assignment_settings"] == (
        "CPUExecutionProvider(=cpu); OtherExecutionProvider(=npu)"
    )
    model = onnx.load_from_string(made.files["model.onnx"])
    told = {n.name: [(e.key, e.value) for e in n.metadata_props] for n in model.graph.node}
    assert told["conv"] == told["norm"] == [("layer_ann", "cpu")]
    assert told["twice"] == [("layer_ann", "npu")]
    assert told["dead"] == []


def test_what_is_one_file_needs_no_directory():
    several = {name: find_exporter(name).directory for name in BUILT_IN}
    assert several == {"json": False, "onnxruntime": True, "openvino": True, "nest-c": False}


def test_units_that_one_provider_stands_for_are_told():
    ready = roles()
    plan = stretches(ready, 2)
    made = find_exporter("onnxruntime").export(order(ready, plan, ["npu=CPUExecutionProvider"]))
    assert made.notes == (
        "cpu, npu are all CPUExecutionProvider: one session cannot tell them apart, the parts can",
    )


def test_openvino_is_told_the_device_of_every_tensors_maker():
    model = every_role()
    model.graph.node[-1].input[0] = model.graph.node[-2].output[0] = "größe"
    ready = make_runnable(model, "roles")
    made = find_exporter("openvino").export(order(ready, stretches(ready, 2), ["npu=CPU2"]))
    assert made.files["affinity.json"].startswith('{\n "device": "HETERO:CPU,CPU2",\n "tensors": {')
    assert '"größe": "CPU"' in made.files["affinity.json"]
    told = json.loads(made.files["affinity.json"])
    assert told["device"] == "HETERO:CPU,CPU2"
    assert told["tensors"]["a"] == told["tensors"]["b"] == "CPU"  # Conv and what is folded into it
    assert told["tensors"]["d"] == "CPU2"
    assert "k" not in told["tensors"]
    assert len(made.files[WEIGHTS]) == 2432 + 10240  # beside the model, as for any runtime
    make = helper.make_node("Relu", ["x"], ["y"], "only")
    info = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [2]) for n in "xy"]
    light = make_runnable(
        helper.make_model(helper.make_graph([make], "light", info[:1], info[1:])), "light"
    )
    made = find_exporter("openvino").export(order(light, stretches(light, 1)))
    assert sorted(made.files) == ["affinity.json", NAME, "model.onnx"]


def test_json_keeps_the_units_names_and_is_read_back_as_it_was(tmp_path):
    ready = make_runnable(every_role(), "rôles")
    plan = stretches(ready, 3)
    made = find_exporter("json").export(order(ready, plan))
    assert made.files[NAME].startswith('{\n "hetsim": "assignment/1",\n "model": "rôles",\n')
    (tmp_path / NAME).write_text(made.files[NAME], encoding="utf-8")
    found = load_assignment(tmp_path)
    assert {pu: target.name for pu, target in found.targets.items()} == {"cpu": "cpu", "npu": "npu"}
    assert dump_assignment(found) == made.files[NAME]
    assert found.fingerprint == fingerprint(ready.model)
    operators = {n.name: found.parts[n.part].pu for n in found.nodes if n.role == "operator"}
    assert operators == {name: p.pu for p in plan.partitions for name in p.operators}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d.update(hetsim="assignment/2"), "assignment/1"),
        (lambda d: d["nodes"][0].update(part=3), "nodes.0.part: there are 3 parts"),
        (lambda d: d["nodes"][0].update(part=-2), "nodes.0.part"),
        (lambda d: d["targets"]["npu"].update(name=""), "targets.npu.name"),
        (lambda d: d.update(parts=[], nodes=[]), "parts"),
        (lambda d: d["parts"][0].update(pu="gpu"), "parts.0.pu: 'gpu'"),
        (lambda d: d["nodes"][0].pop("kind"), "nodes.0.kind"),
        (lambda d: d.update(more=1), "more"),
    ],
)
def test_a_damaged_assignment_is_refused(tmp_path, change, told):
    data = json.loads(dump_assignment(assigned()))
    change(data)
    (tmp_path / NAME).write_text(json.dumps(data))
    with pytest.raises(ResultsError, match=told):
        load_assignment(tmp_path)


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_plans_that_rewrite_the_network_are_refused(name):
    ready = roles()
    plan = replace(stretches(ready, 2), rewrites=(Rewrite("pad", ("conv",), (), (5, 5)),))
    mapped = [] if name == "json" else ["npu=CPU"]
    with pytest.raises(PlanError, match="rewrites the network"):
        find_exporter(name).export(order(ready, plan, mapped))


def test_a_plan_of_another_version_of_the_model_names_the_nodes():
    ready = roles()
    plan = stretches(ready, 2)
    model = every_role()
    model.graph.node[0].name = "convolution"
    other = replace(ready, model=make_runnable(model, "roles").model)
    with pytest.raises(PlanError, match=r"1 operators of the plan are no nodes of the file: conv"):
        find_exporter("json").export(order(other, plan))


def test_shapes_that_would_have_to_pass_back_are_an_error():
    """The Reshape of the first partition takes its shape from what the second one computes."""
    make = helper.make_node
    nodes = [
        make("Relu", ["x"], ["a"], "early"),
        make("Sigmoid", ["x"], ["b"], "late"),
        make("Shape", ["b"], ["s"], "shape"),
        make("Expand", ["a", "s"], ["c"], "expand"),
        make("Tanh", ["c"], ["y"], "end"),
    ]
    info = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [2, 4]) for n in ("x", "b", "y")]
    model = helper.make_model(
        helper.make_graph(nodes, "back", info[:1], info[1:]),
        opset_imports=[helper.make_opsetid("", 13)], ir_version=8,
    )  # fmt: skip
    ready = make_runnable(model, "back")
    plan = Plan("back", (Partition("p0", "npu", ("early", "end")), Partition("p1", "cpu", ("late",))))  # noqa: E501  # fmt: skip
    with pytest.raises(PlanError, match=r"(?s)'p0' reads .* which partition 'p1' behind it"):
        find_exporter("json").export(order(ready, plan))


@pytest.mark.slow
def test_weights_that_are_nowhere_are_an_error_for_a_file_and_a_note_for_the_zoo(tmp_path):
    model = every_role()
    weights = next(t for t in model.graph.initializer if t.name == "w0")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    entry = weights.external_data.add()
    entry.key, entry.value = "location", "gone.bin"
    onnx.save(model, tmp_path / "m.onnx")
    ready = load_runnable(tmp_path / "m.onnx")
    with pytest.raises(WorkloadError, match=r"the weights of 1 tensors are not beside it: w0"):
        find_exporter("json").export(order(ready, stretches(ready, 2)))
    zoo = load_runnable("squeezenet")
    made = find_exporter("json").export(order(zoo, stretches(zoo, 9)))
    assert made.notes == ("weights are random: squeezenet comes without them",)


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["npu"], "'npu' is no pair"),
        (["=X"], "no pair"),
        (["npu=X:level"], "'level' is no option"),
        (["npu=X", "npu=Y"], "mapped twice"),
        (["nqu=X"], "(?s)'nqu' is no PU of zcu102-vta.*npu"),
        ([], r"(?s)nothing says what the runtime calls npu \(a npu\).*--map npu=NAME.*CPU, GPU"),
    ],
)
def test_a_wrong_mapping_says_what_would_be_right(texts, told):
    plan = stretches(roles(), 2)
    with pytest.raises(HetsimError, match=told):
        settle_targets(plan, SOC, parse_targets(texts), {"cpu": "CPU"}, ("CPU", "GPU"))


FOREIGN = """
from hetsim.plan.handover.base import Export, Exporter, assignment_of

class Lines(Exporter):
    summary = "a line for each node"
    roles = {"cpu": "host"}

    def export(self, order):
        made = assignment_of(order, self, "lines")
        names = [made.target_of(node).name for node in made.nodes if node.part >= 0]
        return Export({"n.txt": ",".join(names)})
"""


def test_an_installed_package_adds_an_exporter_and_takes_no_name_in_use(install: Install):
    ready = roles()
    point = {"hetsim.plan_exporters": {"lines": "foreign:Lines"}}
    install(FOREIGN, point)
    made = find_exporter("lines").export(order(ready, stretches(ready, 9), ["npu=x"]))
    assert set(made.files["n.txt"].split(",")) == {"host"}
    assert "lines" in exporter_names()


def test_a_name_in_use_is_refused(install: Install):
    install(FOREIGN, {"hetsim.plan_exporters": {"json": "foreign:Lines"}})
    with pytest.raises(HetsimError, match="'json' of 'foreign:Lines' takes a name"):
        find_exporter("json")
