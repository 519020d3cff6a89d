"""Quantised networks become operators that compute in integers, however the file spells it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from onnx import ModelProto, numpy_helper

from hetsim.workload.graph import Graph, Operator
from hetsim.workload.onnx.loader import load_onnx
from tests.workload.samples import FLOAT, UINT8, model, node, weight

SCALES: dict[str, np.ndarray] = {
    "s": np.float32(0.1), "s2": np.float32(0.2), "z": np.int8(0), "u": np.uint8(3),
    "z16": np.int16(0),
    "w": weight(4, 3, 3, 3, kind=np.int8), "w2": weight(4, 4, 1, 1, kind=np.int8),
    "b": weight(4, kind=np.int32), "k": weight(4, 3, kind=np.int8), "fw": weight(4, 3, 3, 3),
    "ws": weight(4),
}  # fmt: skip


def q(source: str, result: str, scale: str = "s", zero: str = "z") -> Any:
    return node("QuantizeLinear", [source, scale, zero], result)


def dq(source: str, result: str, scale: str = "s", zero: str = "z", **attributes: Any) -> Any:
    return node("DequantizeLinear", [source, scale, zero], result, **attributes)


def load(nodes: Sequence[Any], outputs: Sequence[str], **inputs: Any) -> Graph:
    proto = model(nodes, inputs or {"x": [1, 3, 8, 8]}, outputs, SCALES)
    used = {t for n in nodes for t in n.input}
    for tensor in [t for t in proto.graph.initializer if t.name not in used]:
        proto.graph.initializer.remove(tensor)
    return load_onnx(proto)


def kinds(graph: Graph) -> list[str]:
    return [f"{op.kind}.{op.dtype}" for op in graph.operators]


def conv(x: str, y: str, w: str = "dw", *more: str) -> Any:
    return node("Conv", [x, w, *more], y)


WEIGHT = [node("DequantizeLinear", ["w", "ws"], "dw", axis=0)]
ENTRY = [q("x", "xq"), dq("xq", "xd")]


def test_a_convolution_between_dequantise_and_quantise_computes_in_integers() -> None:
    graph = load(
        [
            *ENTRY,
            *WEIGHT,
            dq("b", "bd", zero=""),
            conv("xd", "y", "dw", "bd"),
            q("y", "yq"),
            dq("yq", "o"),
        ],
        ["o"],
    )
    assert kinds(graph) == [
        "QuantizeLinear.float32", "Conv.int8", "DequantizeLinear.float32"
    ]  # fmt: skip
    op = graph.operators[1]
    assert op.macs == 36 * 4 * 27
    assert op.element_ops == 0
    assert dict(op.weights) == {"int8": 108, "int32": 4}
    assert [graph.tensors[t].dtype for t in (*op.inputs, *op.outputs)] == ["int8", "int8"]
    assert graph.notes == (
        "quantised: 1 operators compute in int8; 1 DequantizeLinear, 1 QuantizeLinear stay as"
        " conversions",
    )


def test_every_node_of_the_file_is_somewhere() -> None:
    nodes = [*ENTRY, *WEIGHT, conv("xd", "y"), node("Relu", ["y"], "r"), q("r", "rq"),
             node("Identity", ["rq"], "same"), dq("same", "o")]  # fmt: skip
    graph = load(nodes, ["o"])
    named = {op.name for op in graph.operators}
    assert {n.name for n in nodes} == named | graph.absorbed.keys()
    assert graph.absorbed == {
        "xd_op": "y_op", "dw_op": "y_op", "rq_op": "r_op", "same_op": "r_op",
    }  # fmt: skip


def test_an_activation_may_stand_before_the_quantise() -> None:
    graph = load(
        [*ENTRY, *WEIGHT, conv("xd", "y"), node("Relu", ["y"], "r"), q("r", "rq"), dq("rq", "o")],
        ["o"],
    )
    assert kinds(graph)[1:3] == ["Conv.int8", "Relu.int8"]
    assert {graph.tensors[t].dtype for t in ("y", "rq")} == {"int8"}


def test_what_is_not_quantised_stays_float() -> None:
    # The convolution's result goes on as floats, so runtimes leave it in floats.
    graph = load([*ENTRY, *WEIGHT, conv("xd", "y"), node("Softmax", ["y"], "o")], ["o"])
    assert kinds(graph) == [
        "QuantizeLinear.float32", "DequantizeLinear.float32", "Conv.float32", "Softmax.float32"
    ]  # fmt: skip
    assert graph.operators[2].weights == (("int8", 108),)  # which are small in memory all the same
    # Float weights make float products, whatever is around them.
    graph = load([*ENTRY, conv("xd", "y", "fw"), q("y", "yq"), dq("yq", "o")], ["o"])
    assert "Conv.float32" in kinds(graph)
    assert Counter(kinds(graph))["QuantizeLinear.float32"] == 2


def test_a_product_of_matrices_may_end_in_floats() -> None:
    graph = load(
        [q("x", "xq"), dq("xq", "xd"), dq("k", "kd"), node("MatMul", ["xd", "kd"], "o")],
        ["o"], x=[5, 4],
    )  # fmt: skip
    assert kinds(graph) == ["QuantizeLinear.float32", "MatMul.int8"]
    assert graph.tensors["o"].dtype == "float32"


def test_residual_sums_and_shared_dequantise() -> None:
    graph = load(
        [*ENTRY, *WEIGHT, conv("xd", "a"), q("a", "aq"), dq("aq", "ad"),
         dq("w2", "dw2"), conv("ad", "c", "dw2"), q("c", "cq"), dq("cq", "cd"),
         node("Add", ["ad", "cd"], "s_"), q("s_", "sq", "s2"), dq("sq", "sd", "s2"),
         node("LRN", ["ad"], "l", size=3), node("Mul", ["sd", "l"], "o")],
        ["o"],
    )  # fmt: skip
    found = {op.name: op for op in graph.operators}
    assert {op.dtype for op in found.values() if op.kind in ("Conv", "Add")} == {"int8"}
    # The LRN, which has no integer kernel, still wants floats of what the others read as integers.
    assert found["l_op"].inputs == ("ad",)
    assert found["ad_op"].inputs == found["c_op"].inputs == (found["a_op"].outputs[0],)
    assert found["o_op"].dtype == "float32"


def test_views_and_movements_keep_integers() -> None:
    graph = load(
        [*ENTRY, node("Flatten", ["xd"], "f"), node("Transpose", ["f"], "t", perm=[1, 0]),
         q("t", "tq"), dq("tq", "td"), node("Flatten", ["td"], "v"), q("v", "vq"), dq("vq", "o")],
        ["o"], x=[2, 3, 4, 4],
    )  # fmt: skip
    assert kinds(graph) == ["QuantizeLinear.float32", "Transpose.int8", "DequantizeLinear.float32"]
    assert graph.tensors["tq"].shape == (48, 2)


def test_another_scale_is_a_step_of_its_own() -> None:
    same = [*ENTRY, q("xd", "yq"), dq("yq", "o")]
    assert kinds(load(same, ["o"])) == ["QuantizeLinear.float32", "DequantizeLinear.float32"]
    other = [*ENTRY, q("xd", "yq", "s2"), dq("yq", "o", "s2")]
    assert kinds(load(other, ["o"])) == [
        "QuantizeLinear.float32", "QuantizeLinear.int8", "DequantizeLinear.float32"
    ]  # fmt: skip


def test_sixteen_bits_and_four() -> None:
    nodes = [q("x", "xq", zero="z16"), dq("xq", "xd", zero="z16"), *WEIGHT, conv("xd", "y"),
             q("y", "yq", zero="z16"), dq("yq", "o", zero="z16")]  # fmt: skip
    graph = load_onnx(_with_opset(load_proto(nodes, ["o"]), 21))
    assert kinds(graph)[1] == "Conv.int16"
    assert graph.operators[1].weights == (("int8", 108),)
    four = load_proto([*ENTRY, *WEIGHT, conv("xd", "y"), q("y", "yq"), dq("yq", "o")], ["o"])
    for tensor in four.graph.initializer:
        if tensor.name == "w":
            narrow = numpy_helper.to_array(tensor).astype(ml_dtypes.int4)
            tensor.CopyFrom(numpy_helper.from_array(narrow, "w"))
    op = load_onnx(_with_opset(four, 21)).operators[1]
    assert (op.dtype, op.weights) == ("int8", (("int4", 108),))


def load_proto(nodes: Sequence[Any], outputs: Sequence[str]) -> ModelProto:
    used = {t for n in nodes for t in n.input}
    constants = {name: array for name, array in SCALES.items() if name in used}
    return model(nodes, {"x": [1, 3, 8, 8]}, outputs, constants)


def _with_opset(proto: ModelProto, version: int) -> ModelProto:
    proto.opset_import[0].version = version
    proto.ir_version = 10
    return proto


def only(proto: ModelProto, kind: str) -> Operator:
    return next(op for op in load_onnx(proto).operators if op.kind == kind)


def test_qoperator_says_the_same_as_qdq() -> None:
    constants = {name: SCALES[name] for name in ("s", "z", "w", "ws", "b")}
    zeros = {"wz": weight(4, kind=np.int8) * 0}
    proto = model(
        [q("x", "xq"), node("QLinearConv", ["xq", "s", "z", "w", "ws", "wz", "s", "z", "b"], "yq"),
         dq("yq", "o")],
        {"x": [1, 3, 8, 8]}, ["o"], constants | zeros,
    )  # fmt: skip
    folded = load(
        [
            *ENTRY,
            *WEIGHT,
            dq("b", "bd", zero=""),
            conv("xd", "y", "dw", "bd"),
            q("y", "yq"),
            dq("yq", "o"),
        ],
        ["o"],
    )
    graph = load_onnx(proto)
    assert kinds(graph) == kinds(folded)
    one, other = graph.operators[1], folded.operators[1]
    assert (one.macs, one.element_ops, one.nest, dict(one.weights)) == (
        other.macs, other.element_ops, other.nest, dict(other.weights)
    )  # fmt: skip
    assert graph.parameters == folded.parameters == 112


def test_the_sign_of_an_integer_is_no_other_type() -> None:
    proto = model(
        [node("QLinearMatMul", ["a", "s", "u", "k", "s", "z", "s", "u"], "y")],
        {"a": (UINT8, [5, 4])}, ["y"], {n: SCALES[n] for n in ("s", "u", "z", "k")},
    )  # fmt: skip
    op = load_onnx(proto).operators[0]
    assert (op.kind, op.dtype, op.macs, op.weights) == ("MatMul", "int8", 60, (("int8", 12),))


def test_dynamic_quantisation_is_one_product() -> None:
    graph = load_onnx(
        model(
            [node("DynamicQuantizeLinear", ["x"], ["xq", "xs", "xz"]),
             node("MatMulInteger", ["xq", "k", "xz", "z"], "acc"),
             node("Cast", ["acc"], "f", to=FLOAT), node("Mul", ["xs", "s"], "both"),
             node("Mul", ["f", "both"], "y"), node("Add", ["y", "bias"], "o")],
            {"x": [5, 4]}, ["o"],
            {"k": SCALES["k"], "z": SCALES["z"], "s": SCALES["s"], "bias": weight(3)},
        )
    )  # fmt: skip
    assert kinds(graph) == ["DynamicQuantizeLinear.float32", "MatMul.int8", "Add.float32"]
    product = graph.operators[1]
    assert (product.inputs, product.outputs, product.macs) == (("xq",), ("y",), 60)
    assert graph.tensors["y"].dtype == "float32"
    assert graph.absorbed == {"f_op": "acc_op", "both_op": "acc_op", "y_op": "acc_op"}


def test_the_fused_dynamic_product_begins_with_its_conversion() -> None:
    proto = model(
        [node("DynamicQuantizeMatMul", ["x", "k", "s"], "y", domain="com.microsoft")],
        {"x": [5, 4]}, ["y"], {"k": SCALES["k"], "s": SCALES["s"]},
        domains={"com.microsoft": 1}, value_info={"y": [5, 3]},
    )  # fmt: skip
    graph = load_onnx(proto)
    assert kinds(graph) == ["DynamicQuantizeLinear.float32", "MatMul.int8"]
    assert graph.operators[1].macs == 60


@pytest.mark.parametrize("kind", ["QLinearConv", "MatMulInteger"])
def test_socs_name_the_plain_kinds(tmp_path, kind: str) -> None:
    from hetsim.errors import ConfigError
    from hetsim.library import shipped
    from hetsim.soc.loader import load_soc

    text = shipped("socs")["edge-mcu"].read_text(encoding="utf-8")
    path = tmp_path / "soc.yaml"
    path.write_text(text.replace("      Gemm: {}\n", f"      Gemm: {{}}\n      {kind}: {{}}\n"))
    with pytest.raises(ConfigError, match=f"networks' {kind} is read as (Conv|MatMul)"):
        load_soc(path)
