"""Shapes and work of operators that ONNX's inference does not know, against numbers by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from hetsim.errors import WorkloadError
from hetsim.workload.costing import PLAIN, RULES
from hetsim.workload.graph import Graph
from hetsim.workload.onnx.loader import load_onnx
from hetsim.workload.onnx.plain import REWRITES
from hetsim.workload.onnx.shaping import SHAPES
from tests.workload.samples import INT8, INT64, UINT8, model, node, weight

SCALE, ZERO = np.float32(0.1), np.int8(0)


def load(
    kind: str,
    shapes: dict[str, Any],
    constants: dict[str, np.ndarray] | None = None,
    *,
    order: list[str] | None = None,
    outputs: int = 1,
    domain: str = "com.microsoft",
    **attributes: Any,
) -> Graph:
    """A model of one contributed operator whose results are all read."""
    names = order if order is not None else [*shapes, *(constants or {})]
    results = [f"y{i}" for i in range(outputs)]
    proto = model(
        [node(kind, names, results, domain=domain, **attributes)], shapes, results, constants,
        domains={domain: 1} if domain else None,
    )  # fmt: skip
    return load_onnx(proto)


def shapes(graph: Graph) -> list[tuple[int, ...]]:
    return [graph.tensors[t].shape for t in graph.outputs]


def quantised(*values: int) -> np.ndarray:
    return np.ones(values, dtype=np.int8)


@pytest.mark.parametrize(
    ("kind", "inputs", "constants", "attributes", "expected", "macs"),
    [
        ("FusedConv", {"x": [1, 8, 9, 9]}, {"w": weight(16, 8, 3, 3)},
         {"strides": [2, 2], "activation": "Relu"}, (1, 16, 4, 4), 16 * 16 * 8 * 9),
        ("NhwcFusedConv", {"x": [1, 9, 9, 8]}, {"w": weight(16, 8, 3, 3)},
         {"strides": [2, 2], "activation": "Relu"}, (1, 4, 4, 16), 16 * 16 * 8 * 9),
        ("FusedGemm", {"x": [5, 7]}, {"w": weight(6, 7), "b": weight(6)},
         {"transB": 1, "activation": "Relu"}, (5, 6), 5 * 6 * 7),
        ("FusedMatMul", {"a": [2, 3, 5, 7], "b": [2, 3, 4, 7]}, {}, {"transB": 1},
         (2, 3, 5, 4), 6 * 5 * 7 * 4),
        ("FusedMatMul", {"a": [5, 2, 7], "b": [2, 7, 4]}, {}, {"transBatchA": 1},
         (2, 5, 4), 2 * 5 * 7 * 4),
        ("MatMulNBits", {"x": [2, 5, 64]}, {"w": np.ones((48, 2, 16), np.uint8),
         "s": weight(96)}, {"K": 64, "N": 48, "bits": 4, "block_size": 32}, (2, 5, 48),
         10 * 64 * 48),
        ("QLinearConv", {"x": (INT8, [1, 9, 9, 8])},
         {"xs": SCALE, "xz": ZERO, "w": quantised(16, 8, 3, 3), "ws": SCALE, "wz": ZERO,
          "ys": SCALE, "yz": ZERO}, {"channels_last": 1}, (1, 7, 7, 16), 49 * 16 * 8 * 9),
        ("QGemm", {"x": (INT8, [5, 7])},
         {"xs": SCALE, "xz": ZERO, "w": quantised(7, 6), "ws": SCALE, "wz": ZERO}, {},
         (5, 6), 5 * 6 * 7),
        ("DynamicQuantizeMatMul", {"x": [5, 7]}, {"w": quantised(7, 6), "ws": SCALE}, {},
         (5, 6), 5 * 6 * 7),
        ("MatMulIntegerToFloat", {"x": (UINT8, [5, 7])},
         {"w": quantised(7, 6), "xs": SCALE, "ws": SCALE}, {}, (5, 6), 5 * 6 * 7),
        ("Attention", {"x": [2, 10, 32]}, {"w": weight(32, 96), "b": weight(96)}, {"num_heads": 4},
         (2, 10, 32), 2 * 10 * 32 * 96 + 2 * 2 * 10 * 10 * 32),
        ("MultiHeadAttention", {"q": [2, 10, 32], "k": [2, 6, 32], "v": [2, 6, 16]}, {},
         {"num_heads": 4}, (2, 10, 16), 2 * 10 * 6 * (32 + 16)),
        ("MultiHeadAttention", {"q": [2, 10, 4, 3, 8]}, {}, {"num_heads": 4}, (2, 10, 32),
         2 * 4 * 10 * 10 * 16),
    ],
)  # fmt: skip
def test_products(
    kind: str, inputs: dict[str, Any], constants: dict[str, Any], attributes: dict[str, Any],
    expected: tuple[int, ...], macs: int,
) -> None:  # fmt: skip
    graph = load(kind, inputs, constants, **attributes)
    assert shapes(graph) == [expected]
    assert graph.macs == macs


@pytest.mark.parametrize(
    ("kind", "inputs", "constants", "attributes", "expected"),
    [
        ("QLinearAdd", {"a": (INT8, [2, 1, 4])},
         {"as": SCALE, "az": ZERO, "b": quantised(3, 1), "bs": SCALE, "bz": ZERO, "ys": SCALE,
          "yz": ZERO}, {}, (2, 3, 4)),
        ("QLinearSigmoid", {"x": (UINT8, [2, 3])}, {"s": SCALE}, {}, (2, 3)),
        ("QLinearAveragePool", {"x": (INT8, [1, 4, 6, 6])},
         {"xs": SCALE, "xz": ZERO, "ys": SCALE, "yz": ZERO},
         {"kernel_shape": [2, 2], "strides": [2, 2]}, (1, 4, 3, 3)),
        ("QLinearGlobalAveragePool", {"x": (INT8, [1, 6, 6, 4])},
         {"xs": SCALE, "xz": ZERO, "ys": SCALE, "yz": ZERO}, {"channels_last": 1}, (1, 1, 1, 4)),
        ("QLinearReduceMean", {"x": (INT8, [2, 5, 7])},
         {"xs": SCALE, "xz": ZERO, "ys": SCALE, "yz": ZERO}, {"axes": [1], "keepdims": 0}, (2, 7)),
        ("NhwcMaxPool", {"x": (INT8, [1, 6, 6, 4])}, {},
         {"kernel_shape": [2, 2], "strides": [2, 2]}, (1, 3, 3, 4)),
        ("Gelu", {"x": [2, 3]}, {}, {}, (2, 3)),
        ("GatherBlockQuantized", {"i": (INT64, [2, 3])},
         {"t": np.ones((50, 8), np.uint8), "s": weight(50, 1)},
         {"gather_axis": 0, "quantize_axis": 1, "bits": 4}, (2, 3, 16)),
    ],
)  # fmt: skip
def test_element_wise_and_movement(
    kind: str, inputs: dict[str, Any], constants: dict[str, Any], attributes: dict[str, Any],
    expected: tuple[int, ...],
) -> None:  # fmt: skip
    order = ["t", "i", "s"] if kind == "GatherBlockQuantized" else None
    assert shapes(load(kind, inputs, constants, order=order, **attributes)) == [expected]


def test_concatenation_of_quantised_tensors() -> None:
    inputs = {"a": (INT8, [1, 3, 4]), "b": (INT8, [1, 5, 4])}
    constants = {"s": SCALE, "z": ZERO}
    order = ["s", "z", "a", "s", "z", "b", "s", "z"]
    graph = load("QLinearConcat", inputs, constants, order=order, axis=1)
    assert shapes(graph) == [(1, 8, 4)]


def test_attention_with_grouped_keys_and_a_cache() -> None:
    """Eight query heads share two key heads; forty keys are cached, three are new."""
    inputs = {"q": [1, 3, 64], "k": [1, 3, 16], "v": [1, 3, 16], "pk": [1, 2, 40, 8],
              "pv": [1, 2, 40, 8], "n": (TensorProto.INT32, [1])}  # fmt: skip
    graph = load(
        "GroupQueryAttention", inputs, {"t": np.int32(43)}, outputs=3, num_heads=8, kv_num_heads=2
    )
    assert shapes(graph) == [(1, 3, 64), (1, 2, 43, 8), (1, 2, 43, 8)]
    assert graph.macs == 8 * 3 * 43 * (8 + 8)


def test_the_same_network_written_by_two_tools_is_the_same_operators() -> None:
    """A Conv, the residual, a Relu, a bias and a GELU: plainly, and as ONNX Runtime fuses them."""
    constants = {"w": weight(8, 8, 3, 3), "b": weight(8), "w2": weight(6, 16), "b2": weight(16)}
    image = {"x": [1, 8, 6, 6], "z": [1, 8, 6, 6]}
    plain = [
        node("Conv", ["x", "w", "b"], "c", pads=[1, 1, 1, 1]),
        node("Add", ["c", "z"], "s"),
        node("Relu", ["s"], "r"),
        node("MatMul", ["r", "w2"], "m"),
        node("Add", ["m", "b2"], "p"),
        node("Gelu", ["p"], "y"),
    ]
    fused = [
        node("FusedConv", ["x", "w", "b", "z"], "r", pads=[1, 1, 1, 1], activation="Relu",
             domain="com.microsoft"),
        node("MatMul", ["r", "w2"], "m"),
        node("BiasGelu", ["m", "b2"], "y", domain="com.microsoft"),
    ]  # fmt: skip
    one = load_onnx(model(plain, image, ["y"], constants, opset=20))
    two = load_onnx(model(fused, image, ["y"], constants, opset=20, domains={"com.microsoft": 1}))
    assert [(o.kind, o.macs, o.element_ops, o.weights) for o in one.operators] == [
        (o.kind, o.macs, o.element_ops, o.weights) for o in two.operators
    ]
    assert one.parameters == two.parameters


def test_the_sum_that_a_skip_normalisation_hands_on() -> None:
    graph = load_onnx(
        model(
            [node("SkipLayerNormalization", ["x", "s", "g", "b", "bias"], ["y", "", "", "t"],
                  domain="com.microsoft")],
            {"x": [2, 10, 8], "s": [2, 10, 8]}, ["y", "t"],
            {"g": weight(8), "b": weight(8), "bias": weight(8)}, domains={"com.microsoft": 1},
        )
    )  # fmt: skip
    assert [op.kind for op in graph.operators] == ["Add", "Add", "LayerNormalization"]
    assert shapes(graph) == [(2, 10, 8), (2, 10, 8)]
    assert sum(op.element_ops for op in graph.operators) == (1 + 1 + 7) * 160


def test_embedding_reads_the_rows_that_it_picks() -> None:
    tables = {"word": weight(1000, 8), "place": weight(64, 8), "g": weight(8), "b": weight(8)}
    graph = load(
        "EmbedLayerNormalization", {"ids": (TensorProto.INT32, [2, 10])}, tables,
        order=["ids", "", "word", "place", "", "g", "b"],
    )  # fmt: skip
    assert shapes(graph) == [(2, 10, 8)]
    assert dict(graph.operators[0].weights)["float32"] == 160
    assert graph.parameters == 1064 * 8 + 16


def test_weights_in_four_bits_are_read_as_half_bytes_and_published_whole() -> None:
    graph = load(
        "MatMulNBits", {"x": [1, 64]}, {"w": np.ones((48, 2, 16), np.uint8), "s": weight(96)},
        K=64, N=48, bits=4, block_size=32,
    )  # fmt: skip
    assert dict(graph.operators[0].weights) == {"uint4": 64 * 48, "float32": 96}
    assert graph.parameters == 64 * 48 + 96


def test_a_dynamically_quantised_lstm_counts_as_the_lstm_it_is() -> None:
    plain = load_onnx(
        model(
            [node("LSTM", ["x", "w", "r"], ["y"], hidden_size=6)], {"x": [7, 2, 5]}, ["y"],
            {"w": weight(1, 24, 5), "r": weight(1, 24, 6)},
        )
    )  # fmt: skip
    order = ["x", "w", "r", "", "", "", "", "", "ws", "wz", "rs", "rz"]
    scales = {"ws": SCALE, "wz": ZERO, "rs": SCALE, "rz": ZERO}
    dynamic = load(
        "DynamicQuantizeLSTM", {"x": [7, 2, 5]},
        {"w": quantised(1, 5, 24), "r": quantised(1, 6, 24), **scales}, order=order, hidden_size=6,
    )  # fmt: skip
    assert dynamic.macs == plain.macs == 7 * 2 * 24 * 11
    assert shapes(dynamic) == shapes(plain)
    assert dict(dynamic.operators[0].weights)["int8"] >= 24 * 11


def test_channels_in_blocks_are_those_of_the_weights_that_read_them() -> None:
    """ONNX Runtime pads 12 channels to 16 where its blocks are of 16, and computes with them."""
    domain = {"com.microsoft.nchwc": 1}
    nodes = [
        node("ReorderInput", ["x"], "a", domain="com.microsoft.nchwc"),
        node("Conv", ["a", "w"], "b", domain="com.microsoft.nchwc", activation="Relu"),
        node("ReorderOutput", ["b"], "y", domain="com.microsoft.nchwc", channels=20),
    ]
    proto = model(nodes, {"x": [1, 12, 5, 5]}, ["y"], {"w": weight(32, 16, 1, 1)}, domains=domain)
    graph = load_onnx(proto)
    assert [op.kind for op in graph.operators] == ["ReorderInput", "Conv", "Relu", "ReorderOutput"]
    assert shapes(graph) == [(1, 20, 5, 5)]
    assert graph.macs == 25 * 16 * 32


def test_a_spectrum_has_one_side_unless_the_file_says_otherwise() -> None:
    """ONNX's inference takes both sides when the attribute is left out; the specification, one."""
    constants = {"step": np.int64(160), "window": weight(400)}
    for sides, bins in (({}, 201), ({"onesided": 1}, 201), ({"onesided": 0}, 400)):
        proto = model(
            [node("STFT", ["x", "step", "window"], "y", **sides)], {"x": [1, 16000, 1]}, ["y"],
            constants,
        )  # fmt: skip
        graph = load_onnx(proto)
        assert shapes(graph) == [(1, 1 + (16000 - 400) // 160, bins, 2)]
        assert graph.operators[0].element_ops > 98 * 400


def test_a_forest_costs_its_depths_and_reads_what_it_visits() -> None:
    """One tree of two comparisons in a row, one that is a single leaf; four rows."""
    attributes = {
        "nodes_treeids": [0, 0, 0, 0, 0, 1], "nodes_nodeids": [0, 1, 2, 3, 4, 0],
        "nodes_modes": ["BRANCH_LEQ", "BRANCH_LEQ", "LEAF", "LEAF", "LEAF", "LEAF"],
        "nodes_truenodeids": [1, 3, 0, 0, 0, 0], "nodes_falsenodeids": [2, 4, 0, 0, 0, 0],
        "nodes_featureids": [0, 1, 0, 0, 0, 0], "nodes_values": [0.5, 0.5, 0.0, 0.0, 0.0, 0.0],
        "target_treeids": [0, 0, 0, 1], "target_nodeids": [2, 3, 4, 0], "target_ids": [0, 0, 0, 0],
        "target_weights": [1.0, 2.0, 3.0, 4.0], "n_targets": 1,
    }  # fmt: skip
    graph = load("TreeEnsembleRegressor", {"x": [4, 2]}, domain="ai.onnx.ml", **attributes)
    assert shapes(graph) == [(4, 1)]
    assert graph.operators[0].element_ops == 4 * (2 * (2 + 0) + 2)
    assert graph.parameters == 6 + 4
    broken = {**attributes, "nodes_truenodeids": [9, 3, 0, 0, 0, 0]}
    with pytest.raises(WorkloadError, match="cannot be understood"):
        load("TreeEnsembleRegressor", {"x": [4, 2]}, domain="ai.onnx.ml", **broken)


def test_a_contributed_operator_that_does_not_fit_names_itself() -> None:
    with pytest.raises(WorkloadError, match=r"'y0_op' \(FusedMatMul\) does not fit"):
        load("FusedMatMul", {"a": [2, 3], "b": [4, 5]})
    with pytest.raises(WorkloadError, match=r"\(Attention\)"):
        load("Attention", {"x": [2, 3]}, {"w": weight(3, 9)}, num_heads=1)


def test_every_kind_that_is_listed_has_a_shape_and_a_count() -> None:
    counted = RULES.keys() | PLAIN.keys() | REWRITES.keys()
    shaped = {kind.rpartition(".")[2] for kind in SHAPES}
    assert shaped <= counted
    listed = {kind.rpartition(".")[2] for kind in counted}
    standard = {schema.name for schema in onnx.defs.get_all_schemas()}
    assert listed <= shaped | standard
