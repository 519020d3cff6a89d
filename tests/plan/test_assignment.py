"""Where each node of a file goes, and what passes between partitions, in small models."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from hetsim.plan.handover.assignment import Assignment, Part, assign, fingerprint, members
from hetsim.plan.handover.targets import Target
from hetsim.plan.model import Partition, Plan
from hetsim.workload.onnx.runnable import make_runnable
from tests.plan.handed import every_role, roles, stretches

TARGETS = {"cpu": Target("A"), "npu": Target("B")}


def model_of(
    nodes: Sequence[NodeProto], outputs: Sequence[str], *tensors: TensorProto
) -> ModelProto:
    """A model of one input ``x`` of four floats."""
    ends = [helper.make_tensor_value_info(t, TensorProto.FLOAT, [4]) for t in ("x", *outputs)]
    graph = helper.make_graph(nodes, "small", ends[:1], ends[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def assigned(model: ModelProto, *partitions: str) -> Assignment:
    """Partitions as "op op", in turn on the CPU and the NPU."""
    ready = make_runnable(model, "small")
    plan = Plan("small", tuple(Partition(f"p{i}", ("cpu", "npu")[i % 2], tuple(ops.split()))
                               for i, ops in enumerate(partitions)))  # fmt: skip
    return assign(plan, ready.graph, ready.model, TARGETS, "json")


def test_what_passes_between_partitions_is_what_one_makes_and_another_reads():
    """The view in p1 takes a shape, which p0 computes: it makes what it is the shape of."""
    ready = roles()
    made = assign(stretches(ready, 3), ready.graph, ready.model, TARGETS, "json")
    assert made.parts == (
        Part("p0", "cpu", ("x",), ("c", "d", "target")),
        Part("p1", "npu", ("d", "c", "target"), ("y",)),
    )
    assert (made.inputs, made.outputs) == (("x",), ("y",))
    nodes = {node.name: node for node in made.nodes}
    assert made.target_of(nodes["view"]) == Target("B")
    assert made.target_of(nodes["dead"]) is None
    early = ("made", "turned", "shape", "first", "target")
    assert [nodes[name].part for name in early] == [0] * 5
    assert [n.name for n in made.nodes if n.copied] == ["made", "turned"]
    assert (nodes["conv"].dtype, nodes["norm"].dtype, nodes["dead"].dtype) == ("float32",) * 2 + (
        "",
    )
    assert (nodes["dead"].inputs, nodes["dead"].outputs) == (("d",), ("nowhere",))


def test_the_order_of_a_file_is_kept_and_need_not_be_that_of_a_run():
    ready = roles()
    plan = stretches(ready, 2)
    straight = assign(plan, ready.graph, ready.model, TARGETS, "json")
    turned = ModelProto()
    turned.CopyFrom(ready.model)
    nodes = list(reversed(turned.graph.node))
    del turned.graph.node[:]
    turned.graph.node.extend(nodes)
    found = assign(plan, ready.graph, turned, TARGETS, "json")
    assert found.nodes == straight.nodes[::-1]
    assert [(set(p.inputs), set(p.outputs)) for p in found.parts] == [
        (set(p.inputs), set(p.outputs)) for p in straight.parts
    ]
    assert found.fingerprint != straight.fingerprint


def test_a_constant_is_in_every_part_that_reads_it_and_in_no_other():
    make = helper.make_node
    two = numpy_helper.from_array(np.full(4, 2, np.float32))
    model = model_of(
        [make("Constant", [], ["k"], "k", value=two), make("Neg", ["k"], ["m"], "m"),
         make("Add", ["x", "m"], ["a"], "a"), make("Relu", ["a"], ["b"], "b"),
         make("Mul", ["b", "m"], ["y"], "c"), make("Sub", ["y", "k"], ["z"], "d")],
        ["z"],
    )  # fmt: skip
    made = assigned(model, "a", "b", "c", "d")
    inside = [[node.name for node in part] for part in members(made.nodes, 4)]
    assert inside == [["k", "m", "a"], ["b"], ["k", "m", "c"], ["k", "d"]]
    assert [(p.inputs, p.outputs) for p in made.parts] == [
        (("x",), ("a",)), (("a",), ("b",)), (("b",), ("y",)), (("y",), ("z",)),
    ]  # fmt: skip
    assert [n.part for n in made.nodes if n.role == "constant"] == [0, 0]  # where the first is read


def test_a_shape_that_nothing_reads_is_in_the_first_part():
    """And one that stands behind an operator is where that is."""
    make = helper.make_node
    nodes = [make("Relu", ["x"], ["a"], "a"), make("Tanh", ["a"], ["b"], "b"),
             make("Shape", ["x"], ["s"], "early"), make("Shape", ["b"], ["t"], "late")]  # fmt: skip
    model = model_of(nodes, ["b"])
    shapes = [helper.make_tensor_value_info(t, TensorProto.INT64, [1]) for t in ("s", "t")]
    model.graph.output.extend(shapes)
    made = assigned(model, "a", "b")
    assert [(n.role, n.part) for n in made.nodes[2:]] == [("shape", 0), ("absorbed", 1)]
    assert [p.outputs for p in made.parts] == [("a", "s"), ("b", "t")]


def test_a_result_of_the_network_leaves_its_part_though_others_read_it_too():
    make = helper.make_node
    nodes = [make("Relu", ["x"], ["a"], "a"), make("Tanh", ["a"], ["b"], "b"),
             make("Sigmoid", ["x"], ["c"], "c")]  # fmt: skip
    made = assigned(model_of(nodes, ["c", "a", "b"]), "a b", "c")
    assert made.outputs == ("a", "b", "c")  # as they are made
    assert made.parts == (Part("p0", "cpu", ("x",), ("a", "b")), Part("p1", "npu", ("x",), ("c",)))


def test_the_fingerprint_is_of_names_kinds_and_tensors_in_file_order():
    make = helper.make_node
    model = model_of(
        [
            make("Clip", ["x", "", "most"], ["a"], "n"),
            make("Own", ["a"], ["y"], "o", domain="mine"),
        ],
        ["y"],
    )
    text = b"n\0\0Clip\0x\0\0most\0->\0a\n" + b"o\0mine\0Own\0a\0->\0y\n"
    assert fingerprint(model) == hashlib.sha256(text).hexdigest()
    assert fingerprint(every_role()) != fingerprint(model)
