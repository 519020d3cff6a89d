"""From ONNX to graph: constants, shapes, views, names, order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from hetsim.workload.onnx.loader import load_onnx
from tests.workload.samples import (
    CONV,
    FLOAT,
    IMAGE,
    INT64,
    conv_bn,
    ints,
    kinds,
    model,
    node,
    weight,
)


@pytest.mark.slow
def test_views_disappear_and_consumers_name_the_root() -> None:
    nodes = [
        node("Relu", ["x"], "a"),
        node("Identity", ["a"], "b"),
        node("Flatten", ["b"], "c"),
        node("Reshape", ["c", "shape"], "d"),
        node("Unsqueeze", ["d", "axes"], "e"),
        node("Squeeze", ["e", "axes"], "f"),
        node("Dropout", ["f"], ["g", "mask"]),
        node("Cast", ["g"], "h", to=FLOAT),
        node("Sigmoid", ["h"], "y"),
    ]
    graph = load_onnx(model(nodes, IMAGE, ["y"], {"shape": ints(4, -1), "axes": ints(0)}))
    assert kinds(graph) == ["Relu", "Sigmoid"]
    assert graph.operators[1].inputs == ("a",)
    assert graph.tensors["a"].shape == (1, 8, 6, 6)
    assert graph.tensors["y"].shape == (4, 72)
    assert graph.parameters == 0


def test_an_output_that_is_a_view_names_the_root() -> None:
    nodes = [node("Relu", ["x"], "a"), node("Flatten", ["a"], "y"), node("Identity", ["y"], "z")]
    graph = load_onnx(model(nodes, IMAGE, ["y", "z"]))
    assert graph.outputs == ("a",)


def test_costs_use_the_shape_of_the_view() -> None:
    nodes = [
        node("Reshape", ["x", "shape"], "a"),
        node("MatMul", ["a", "w"], "y"),
    ]
    graph = load_onnx(model(nodes, IMAGE, ["y"], {"shape": ints(4, 72), "w": weight(72, 10)}))
    assert graph.operators[0].inputs == ("x",)
    assert graph.operators[0].macs == 4 * 72 * 10


@pytest.mark.parametrize(
    ("view", "constants", "expected"),
    [
        (node("Transpose", ["a"], "b", perm=[1, 0, 2, 3]), {}, True),
        (node("Transpose", ["a"], "b", perm=[0, 2, 3, 1]), {}, False),
        (node("Cast", ["a"], "b", to=TensorProto.FLOAT16), {}, False),
        (node("Concat", ["a"], "b", axis=1), {}, True),
        (node("Concat", ["a", "a"], "b", axis=1), {}, False),
        (node("Expand", ["a", "s"], "b"), {"s": ints(1, 8, 6, 6)}, True),
        (node("Expand", ["a", "s"], "b"), {"s": ints(2, 8, 6, 6)}, False),
        (node("Slice", ["a", "s", "e"], "b"), {"s": ints(0), "e": ints(9)}, True),
        (
            node("Slice", ["a", "s", "e", "d", "t"], "b"),
            {"s": ints(-1), "e": ints(-9), "d": ints(2), "t": ints(-1)},
            False,
        ),
        (node("Pad", ["a", "p"], "b"), {"p": ints(*[0] * 8)}, True),
        (node("Pad", ["a", "p"], "b"), {"p": ints(0, 0, 1, 0, 0, 0, -1, 0)}, False),
    ],
)
def test_other_operators_are_views_only_when_nothing_moves(
    view: object, constants: dict[str, np.ndarray], expected: bool
) -> None:
    graph = load_onnx(
        model([node("Relu", ["x"], "a"), view, node("Neg", ["b"], "y")], IMAGE, ["y"], constants)
    )
    assert (len(graph) == 2) is expected


def test_transpose_of_light_dimensions_after_a_reshape_keeps_its_cost() -> None:
    nodes = [
        node("Reshape", ["x", "s"], "a"),
        node("Transpose", ["a"], "b", perm=[0, 2, 1, 3, 4]),
        node("Reshape", ["b", "t"], "c"),
        node("Relu", ["c"], "y"),
    ]
    constants = {"s": ints(1, 2, 4, 6, 6), "t": ints(1, 8, 6, 6)}
    graph = load_onnx(model(nodes, IMAGE, ["y"], constants))
    assert kinds(graph) == ["Transpose", "Relu"]


def test_constant_subgraphs_become_weights_without_being_filled_in() -> None:
    nodes = [
        node("ConstantOfShape", ["dims"], "raw"),
        node("Transpose", ["raw"], "turned", perm=[1, 0]),
        node("Mul", ["turned", "factor"], "w"),
        node("MatMul", ["x", "w"], "y"),
    ]
    constants = {"dims": ints(200_000, 100_000), "factor": np.float32([2.0])}  # 80 GB if filled
    graph = load_onnx(model(nodes, {"x": [1, 100_000]}, ["y"], constants))
    assert kinds(graph) == ["MatMul"]
    assert graph.operators[0].weights == (("float32", 20_000_000_000),)
    assert graph.parameters == 20_000_000_000


def test_shared_weights_count_once_as_parameters() -> None:
    nodes = [
        node("Gather", ["table", "x"], "a"),
        node("Transpose", ["table"], "head", perm=[1, 0]),
        node("MatMul", ["a", "head"], "y"),
    ]
    graph = load_onnx(model(nodes, {"x": (INT64, [1, 5])}, ["y"], {"table": weight(50, 8)}))
    assert graph.parameters == 400
    assert graph.operators[1].weights == (("float32", 400),)


def test_running_statistics_are_not_parameters() -> None:
    names = ["s", "b", "m", "v"]
    nodes = [node("BatchNormalization", ["x", *names], "y")]
    graph = load_onnx(model(nodes, IMAGE, ["y"], {n: weight(8) for n in names}))
    assert graph.parameters == 16


def exporter_flatten(batch: str | int = 1) -> ModelProto:
    """x.view(x.size(0), -1) as exporters write it, with a Cast and some arithmetic on top."""
    nodes = [
        node("Relu", ["x"], "a"),
        node("Shape", ["a"], "s"),
        node("Gather", ["s", "zero"], "n", axis=0),
        node("Cast", ["n"], "n32", to=TensorProto.INT32),
        node("Cast", ["n32"], "n64", to=INT64),
        node("Mul", ["n64", "one"], "m"),
        node("Unsqueeze", ["m", "axes"], "u"),
        node("Slice", ["s", "start", "end"], "c"),
        node("Concat", ["u", "c", "rest"], "target", axis=0),
        node("Reshape", ["a", "target"], "r"),
        node("Neg", ["r"], "y"),
    ]
    constants = {
        "zero": np.int64(0), "one": np.int64(1), "axes": ints(0), "rest": ints(-1),
        "start": ints(1), "end": ints(2),
    }  # fmt: skip
    return model(nodes, {"x": [batch, 8, 6, 6]}, ["y"], constants)


def test_shape_arithmetic_is_resolved() -> None:
    graph = load_onnx(exporter_flatten())
    assert kinds(graph) == ["Relu", "Neg"]
    assert graph.tensors["y"].shape == (1, 8, 36)
    assert graph.parameters == 0


def test_shape_arithmetic_follows_input_shapes() -> None:
    graph = load_onnx(exporter_flatten("N"), input_shapes={"x": [5, 8, 6, 6]})
    assert graph.tensors["y"].shape == (5, 8, 36)


def test_operators_needed_only_for_a_shape_do_not_run() -> None:
    nodes = [
        node("Exp", ["x"], "big"),
        node("Shape", ["big"], "s"),
        node("Reshape", ["x", "s"], "r"),
        node("Relu", ["r"], "y"),
    ]
    assert kinds(load_onnx(model(nodes, IMAGE, ["y"]))) == ["Relu"]


def test_dead_operators_and_unused_inputs_are_left_out() -> None:
    nodes = [node("Relu", ["x"], "y"), node("Exp", ["x"], "dead"), node("Neg", ["dead"], "deader")]
    graph = load_onnx(model(nodes, {**IMAGE, "idle": [3]}, ["y"]))
    assert kinds(graph) == ["Relu"]
    assert graph.inputs == ("x",)
    assert "idle" in graph.notes[0]


def test_resize_by_computed_scales() -> None:
    nodes = [
        node("Shape", ["x"], "s"),
        node("Slice", ["s", "two", "four"], "hw"),
        node("Cast", ["hw"], "f", to=FLOAT),
        node("Mul", ["f", "factor"], "g"),
        node("Floor", ["g"], "h"),
        node("Cast", ["h"], "i", to=INT64),
        node("Slice", ["s", "zero", "two"], "nc"),
        node("Concat", ["nc", "i"], "sizes", axis=0),
        node("Resize", ["x", "", "", "sizes"], "y", mode="nearest"),
    ]
    constants = {"zero": ints(0), "two": ints(2), "four": ints(4), "factor": np.float32([2.5])}
    graph = load_onnx(model(nodes, IMAGE, ["y"], constants))
    assert graph.tensors["y"].shape == (1, 8, 15, 15)
    assert graph.operators[0].weights == ()


def test_constant_outputs_are_left_out_with_a_note() -> None:
    nodes = [node("Relu", ["x"], "y"), node("Shape", ["x"], "s")]
    graph = load_onnx(model(nodes, IMAGE, ["y", "s"]))
    assert graph.outputs == ("y",)
    assert any("'s'" in note or " s" in note for note in graph.notes)


def test_a_mask_that_an_exporter_expands_is_a_constant() -> None:
    """Broadcasting to a computed shape through Equal and Where, as torch writes expand()."""
    nodes = [
        node("Shape", ["x"], "s"),
        node("Slice", ["s", "zero", "two"], "bs"),
        node("ConstantOfShape", ["count"], "ones", value=helper.make_tensor("v", INT64, [1], [1])),
        node("Mul", ["ones", "minus"], "negative"),
        node("Equal", ["bs", "negative"], "free"),
        node("Where", ["free", "ones", "bs"], "target"),
        node("Expand", ["mask", "target"], "wide"),
        node("Add", ["x", "wide"], "y"),
    ]
    constants = {
        "zero": ints(0), "two": ints(2), "count": ints(2), "minus": np.int64(-1),
        "mask": weight(1, 8),
    }  # fmt: skip
    graph = load_onnx(model(nodes, {"x": ["batch", 8]}, ["y"], constants),
                      input_shapes={"x": [4, 8]})  # fmt: skip
    assert kinds(graph) == ["Add"]
    assert graph.operators[0].weights == (("float32", 32),)


@pytest.mark.parametrize(
    ("elem_type", "dtype"),
    [
        (TensorProto.FLOAT16, "float16"),
        (TensorProto.BFLOAT16, "bfloat16"),
        (TensorProto.DOUBLE, "float64"),
    ],
)
def test_low_and_high_precision(elem_type: int, dtype: str) -> None:
    proto = model([node("MatMul", ["x", "w"], "y")], {"x": (elem_type, [2, 8])}, ["y"])
    raw = helper.make_tensor("w", elem_type, [8, 4], [1.0] * 32)
    proto.graph.initializer.append(raw)
    graph = load_onnx(proto)
    assert graph.operators[0].dtype == dtype
    assert graph.operators[0].weights == ((dtype, 32),)
    assert graph.tensors["y"].dtype == dtype


@pytest.mark.parametrize(
    ("elem_type", "stored"),
    [
        (TensorProto.INT4, "int4"),
        (TensorProto.UINT4, "uint4"),
        (TensorProto.FLOAT8E4M3FN, "float8"),
    ],
)
def test_packed_weights_behind_dequantise(elem_type: int, stored: str) -> None:
    nodes = [node("DequantizeLinear", ["q", "s"], "w"), node("MatMul", ["x", "w"], "y")]
    proto = model(nodes, {"x": [2, 8]}, ["y"], {"s": np.float32(0.1)}, opset=21)
    proto.graph.initializer.append(helper.make_tensor("q", elem_type, [8, 4], [1] * 32))
    assert load_onnx(proto).operators[0].weights == ((stored, 32),)


def test_old_reshape_attribute() -> None:
    nodes = [node("Reshape", ["x"], "r", shape=[1, -1]), node("Relu", ["r"], "y")]
    graph = load_onnx(model(nodes, IMAGE, ["y"], opset=4))
    assert graph.tensors["y"].shape == (1, 288)


def test_old_operator_set_without_inference_functions() -> None:
    nodes = [
        node("Conv", ["x", "w"], "a", kernel_shape=[3, 3]),
        node("BatchNormalization", ["a", "s", "b", "m", "v"], "c", is_test=1),
        node("Dropout", ["c"], "d", is_test=1),
        node("Concat", ["d", "d"], "e", axis=1),
        node("Softmax", ["e"], "y"),
    ]
    constants = {"w": weight(4, 8, 3, 3), **{n: weight(4) for n in "sbmv"}}
    graph = load_onnx(model(nodes, IMAGE, ["y"], constants, opset=6))
    assert kinds(graph) == ["Conv", "Concat", "Softmax"]
    assert graph.tensors["y"].shape == (1, 8, 4, 4)


def test_nodes_out_of_order_are_sorted_stably() -> None:
    nodes = [
        node("Neg", ["b"], "c", name="third"),
        node("Relu", ["x"], "a", name="first"),
        node("Exp", ["a"], "b", name="second"),
        node("Abs", ["a"], "d", name="side"),
    ]
    graph = load_onnx(model(nodes, IMAGE, ["c", "d"]))
    assert [operator.name for operator in graph.operators] == ["first", "second", "third", "side"]


def test_names_are_made_unique_and_unnamed_nodes_get_kind_and_index() -> None:
    nodes = [
        node("Relu", ["x"], "a", name="same"),
        node("Relu", ["a"], "b", name="same"),
        node("Relu", ["b"], "c", name=""),
        node("Relu", ["c"], "d", name="same_1"),
        node("Relu", ["d"], "y", name="same"),
    ]
    graph = load_onnx(model(nodes, IMAGE, ["y"]))
    names = [operator.name for operator in graph.operators]
    assert names == ["same", "same_1", "Relu_2", "same_1_1", "same_2"]


def test_unused_second_results_are_dropped_and_repeats_read_once() -> None:
    nodes = [node("Mul", ["x", "x"], "a"), node("TopK", ["a", "k"], ["v", "i"])]
    graph = load_onnx(model(nodes, IMAGE, ["i"], {"k": ints(2)}))
    assert graph.operators[0].inputs == ("x",)
    assert graph.operators[1].outputs == ("i",)
    assert graph.tensors["i"].dtype == "int64"


def test_external_weights_may_be_missing(tmp_path: Path) -> None:
    proto = model([node("Conv", ["x", "w"], "y")], IMAGE, ["y"], {"w": weight(16, 8, 3, 3)})
    path = tmp_path / "net.onnx"
    onnx.save(proto, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    (tmp_path / "weights.bin").unlink()
    graph = load_onnx(path)
    assert graph.name == "net"
    assert graph.source == str(path)
    assert graph.operators[0].weight_elements == 16 * 8 * 9


def test_external_shapes_are_read_when_present(tmp_path: Path) -> None:
    nodes = [node("Reshape", ["x", "s"], "r"), node("Relu", ["r"], "y")]
    proto = model(nodes, IMAGE, ["y"], {"s": ints(2, -1)})
    path = tmp_path / "net.onnx"
    onnx.save(proto, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert load_onnx(path).tensors["y"].shape == (2, 144)


def test_model_functions_are_inlined() -> None:
    body = helper.make_function(
        "mine", "ConvRelu", ["a", "b"], ["c"],
        [helper.make_node("Conv", ["a", "b"], ["t"]), helper.make_node("Relu", ["t"], ["c"])],
        [helper.make_opsetid("", 17)],
    )  # fmt: skip
    proto = model(
        [node("ConvRelu", ["x", "w"], "y", domain="mine")], IMAGE, ["y"], CONV, domains={"mine": 1}
    )
    proto.functions.append(body)
    assert kinds(load_onnx(proto)) == ["Conv", "Relu"]


def test_unknown_operators_may_be_costed_by_their_bytes() -> None:
    nodes = [node("Strange", ["x", "w"], "a", domain="acme"), node("Relu", ["a"], "y")]
    proto = model(
        nodes, IMAGE, ["y"], {"w": weight(7)}, domains={"acme": 1}, value_info={"a": [1, 8, 6, 6]}
    )
    graph = load_onnx(proto, unknown_operators="bandwidth_bound")
    strange = graph.operators[0]
    assert (strange.kind, strange.macs, strange.element_ops) == ("Strange", 0, 0)
    assert strange.weights == (("float32", 7),)
    assert "acme.Strange (1)" in graph.notes[0]


def test_loading_does_not_change_the_model() -> None:
    proto = conv_bn()
    before = proto.SerializeToString()
    load_onnx(proto)
    assert proto.SerializeToString() == before


def test_the_sum_of_two_tensors_is_an_add_whatever_the_exporter_calls_it() -> None:
    from hetsim.workload.zoo import load_model

    kinds = {op.kind for op in load_model("resnet50").operators}
    assert "Add" in kinds
    assert "Sum" not in kinds


def test_an_operator_set_newer_than_known_is_read_with_a_note() -> None:
    proto = model([node("Relu", ["x"], "y")], {"x": [2, 3]}, ["y"], opset=17)
    assert load_onnx(proto).notes == ()
    proto.opset_import[0].version = 999
    graph = load_onnx(proto)
    assert [op.kind for op in graph.operators] == ["Relu"]
    assert "operator set 999 is newer than" in graph.notes[0]
