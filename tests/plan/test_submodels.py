"""Models that runtimes read: weights beside them, a model for each part, units on their nodes."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from hetsim.errors import PlanError
from hetsim.plan.handover.assignment import AssignedNode, Assignment, Part, assign
from hetsim.plan.handover.onnxruntime import annotate, annotation, session_options
from hetsim.plan.handover.submodels import WEIGHTS, cut, move_weights, part_file
from hetsim.plan.handover.targets import Target
from hetsim.workload.onnx.runnable import write_types
from tests.plan.handed import roles, stretches

SHAPES = ["Shape", "Gather", "Unsqueeze", "Concat"]


def holding(*tensors: TensorProto) -> onnx.ModelProto:
    """A model with nothing but weights."""
    return helper.make_model(helper.make_graph([], "weights", [], [], tensors))


def places(model: onnx.ModelProto) -> dict[str, dict[str, str]]:
    """Where each tensor lies outside of the model; empty for those inside."""
    return {t.name: {e.key: e.value for e in t.external_data} for t in model.graph.initializer}


def test_what_is_larger_than_a_kibibyte_moves_to_the_next_multiple_of_64():
    small, first, second = (np.arange(n, dtype=np.uint8) for n in (1024, 1025, 2000))
    model = holding(
        numpy_helper.from_array(small, "small"),
        numpy_helper.from_array(first, "first"),
        numpy_helper.from_array(second, "second"),
    )
    moved = move_weights(model)
    assert places(model) == {
        "small": {},
        "first": {"location": WEIGHTS, "offset": "0", "length": "1025"},
        "second": {"location": WEIGHTS, "offset": "1088", "length": "2000"},  # 17·64
    }
    assert moved == first.tobytes() + bytes(1088 - 1025) + second.tobytes()
    inside, *outside = model.graph.initializer
    assert inside.raw_data == small.tobytes()
    assert [(t.raw_data, t.data_location) for t in outside] == [(b"", TensorProto.EXTERNAL)] * 2


def test_weights_written_as_numbers_move_as_bytes_and_texts_stay(tmp_path):
    """ONNX has fields of numbers beside its field of bytes, and only bytes can lie elsewhere."""
    numbers = helper.make_tensor("numbers", TensorProto.FLOAT, [300], [0.5] * 300)
    texts = helper.make_tensor("texts", TensorProto.STRING, [2], [b"a" * 2000, b"b"])
    assert not numbers.HasField("raw_data")
    model = holding(texts, numbers)
    (tmp_path / WEIGHTS).write_bytes(move_weights(model))
    assert places(model) == {
        "texts": {},
        "numbers": {"location": WEIGHTS, "offset": "0", "length": "1200"},
    }
    assert list(model.graph.initializer[0].string_data) == [b"a" * 2000, b"b"]
    read = numpy_helper.to_array(model.graph.initializer[1], str(tmp_path))
    assert (read.dtype, read.tolist()) == (np.float32, [0.5] * 300)


def test_a_part_reads_as_its_model_does():
    """Version, operator sets and producer are the whole model's; the name tells the part."""
    ready = roles()
    model = ready.model
    model.producer_name = "maker"
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 2))
    write_types(model)
    made = assign(stretches(ready, 3), ready.graph, model, {}, "json")
    parts = cut(model, made)
    assert [part.graph.name for part in parts] == ["roles/p0", "roles/p1"]
    for part in parts:
        assert (part.ir_version, part.producer_name) == (model.ir_version, "maker")
        assert {o.domain: o.version for o in part.opset_import} == {"": 13, "ai.onnx.ml": 2}
    first, second = parts
    # Relu, then Mul by the constant made of two nodes; Add, the view, Gemm and Softmax behind them.
    assert [n.op_type for n in first.graph.node] == [
        "Conv", "BatchNormalization", "Relu", "Constant", "Neg", "Mul", *SHAPES,
    ]  # fmt: skip
    assert [n.op_type for n in second.graph.node] == ["Add", "Reshape", "Gemm", "Softmax"]
    assert [t.name for t in second.graph.initializer] == ["w1"]
    assert [o.name for o in second.graph.output] == ["y"]
    assert part_file(0) == "part-000.onnx"


def test_sparse_weights_go_with_the_part_that_reads_them():
    make = helper.make_node
    nodes = [make("Add", ["x", "s"], ["a"], "first"), make("Relu", ["a"], ["y"], "second")]
    values = numpy_helper.from_array(np.ones(1, np.float32), "s")
    sparse = helper.make_sparse_tensor(values, numpy_helper.from_array(np.array([2])), [4])
    tensors = [helper.make_tensor_value_info(t, TensorProto.FLOAT, [4]) for t in "xay"]
    model = helper.make_model(
        helper.make_graph(nodes, "sparse", tensors[:1], tensors[2:], sparse_initializer=[sparse],
                          value_info=tensors[1:2])
    )  # fmt: skip
    assigned = tuple(
        AssignedNode(n.name, n.op_type, "operator", i, n.name, tuple(n.input), tuple(n.output))
        for i, n in enumerate(nodes)
    )
    parts = (Part("p0", "cpu", ("x",), ("a",)), Part("p1", "cpu", ("a",), ("y",)))
    first, second = cut(
        model, Assignment("sparse", "json", "", "", {}, parts, assigned, ("x",), ("y",))
    )
    assert [t.values.name for t in first.graph.sparse_initializer] == ["s"]
    assert not second.graph.sparse_initializer


def test_a_tensor_of_unknown_type_cannot_pass_between_parts():
    ready = roles()
    made = assign(stretches(ready, 3), ready.graph, ready.model, {}, "json")
    del ready.model.graph.value_info[:]
    with pytest.raises(PlanError, match=r"partition 'p0' cannot be cut out: .* tensor 'c'"):
        cut(ready.model, made)


def test_nodes_carry_their_unit_and_keep_what_others_wrote():
    ready = roles()
    conv, dead = ready.model.graph.node[0], ready.model.graph.node[7]
    for node, key, value in (
        (conv, "layer_ann", "old"), (conv, "author", "me"), (dead, "layer_ann", "old"),
    ):  # fmt: skip
        entry = node.metadata_props.add()
        entry.key, entry.value = key, value
    annotate(ready.model, assign(stretches(ready, 3), ready.graph, ready.model, {}, "json"))
    told = {n.name: [(e.key, e.value) for e in n.metadata_props] for n in ready.model.graph.node}
    assert told["conv"] == [("author", "me"), ("layer_ann", "cpu")]
    assert told["dead"] == []  # it runs nowhere
    assert told["dense"] == [("layer_ann", "npu")]


def test_providers_stand_by_preference_and_the_cpu_is_the_last_resort():
    ready = roles()
    plan = stretches(ready, 3)

    def told(**targets: Target):
        return session_options(assign(plan, ready.graph, ready.model, targets, "json"))

    cpu = Target("CPUExecutionProvider", {"threads": "2"})
    session = told(cpu=cpu, npu=Target("A"), gpu=Target("A", {"late": "1"}))
    assert session["providers"] == [["A", {}], ["CPUExecutionProvider", {"threads": "2"}]]
    assert session["session_options"] == {
        "session.layer_assignment_settings": "CPUExecutionProvider(=cpu); A(=npu, =gpu)",
        "session.record_ep_graph_assignment_info": "1",
    }
    without = told(npu=Target("A"), gpu=Target("B"))
    assert [name for name, _ in without["providers"]] == ["A", "B", "CPUExecutionProvider"]
    assert "CPU" not in without["session_options"]["session.layer_assignment_settings"]
    assert annotation("cpu.0/a b") == "cpu.0_a_b"
