"""Every operator family against numbers worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hetsim.errors import WorkloadError
from hetsim.workload.costing import RULES
from hetsim.workload.costing.elementwise import DIV, EXP, LOG, POW, SQRT, WEIGHTS
from hetsim.workload.graph import Operator
from hetsim.workload.onnx.loader import load_onnx
from tests.workload.samples import INT8, INT64, ints, model, node, weight


def cost(
    kind: str,
    shapes: dict[str, Any],
    constants: dict[str, np.ndarray] | None = None,
    *,
    order: list[str] | None = None,
    outputs: int = 1,
    opset: int = 17,
    domain: str = "",
    value_info: dict[str, list[int]] | None = None,
    **attributes: Any,
) -> Operator:
    """The single operator of a model with activations ``shapes`` and ``constants``."""
    names = order if order is not None else [*shapes, *(constants or {})]
    results = [f"y{i}" for i in range(outputs)]
    if domain:
        attributes["domain"] = domain
    proto = model(
        [node(kind, names, results, **attributes)], shapes, results[:1], constants, opset=opset,
        domains={domain: 1} if domain else None, value_info=value_info,
    )  # fmt: skip
    return load_onnx(proto).operators[0]


# -- convolutions ---------------------------------------------------------------------------------


def test_convolution() -> None:
    op = cost(
        "Conv", {"x": [2, 8, 10, 12]}, {"w": weight(16, 8, 3, 5), "b": weight(16)},
        strides=[2, 1], pads=[1, 2, 1, 2],
    )  # fmt: skip
    assert op.nest is not None
    assert (op.nest.batch, op.nest.groups, op.nest.out_h, op.nest.out_w) == (2, 1, 5, 12)
    assert (op.nest.in_c, op.nest.out_c, op.nest.k_h, op.nest.k_w) == (8, 16, 3, 5)
    assert (op.nest.stride_h, op.nest.stride_w, op.nest.in_h, op.nest.in_w) == (2, 1, 10, 12)
    assert op.macs == op.nest.macs == 2 * 16 * 5 * 12 * 8 * 3 * 5
    assert op.element_ops == 0
    assert op.weights == (("float32", 16 * 8 * 3 * 5 + 16),)
    assert op.variant == ""
    assert op.dtype == "float32"


@pytest.mark.parametrize(
    ("channels", "shape", "group", "variant"),
    [
        (8, (8, 1, 3, 3), 8, "depthwise"),
        (8, (16, 1, 3, 3), 8, "depthwise"),
        (8, (8, 4, 3, 3), 2, "grouped"),
        (8, (8, 8, 1, 1), 1, "pointwise"),
        (3, (8, 3, 3, 3), 1, "stem"),
        (4, (8, 4, 1, 1), 1, "stem"),
        (8, (8, 8, 1, 3), 1, ""),
    ],
)
def test_convolution_variants(
    channels: int, shape: tuple[int, ...], group: int, variant: str
) -> None:
    op = cost("Conv", {"x": [1, channels, 9, 9]}, {"w": weight(*shape)}, group=group)
    assert op.variant == variant
    extent = (9 - shape[2] + 1) * (9 - shape[3] + 1)
    assert op.macs == extent * shape[0] * shape[1] * shape[2] * shape[3]


def test_convolution_in_one_and_three_dimensions() -> None:
    line = cost("Conv", {"x": [1, 8, 20]}, {"w": weight(4, 8, 3)})
    assert line.macs == 18 * 4 * 8 * 3
    assert line.nest is not None
    assert (line.nest.out_h, line.nest.out_w) == (1, 18)
    volume = cost("Conv", {"x": [1, 8, 6, 7, 8]}, {"w": weight(4, 8, 3, 3, 3)})
    assert volume.macs == 4 * 5 * 6 * 4 * 8 * 27


def test_transposed_convolution_works_at_its_input_positions() -> None:
    op = cost(
        "ConvTranspose", {"x": [1, 8, 5, 5]}, {"w": weight(8, 4, 2, 2)}, strides=[2, 2]
    )  # fmt: skip
    assert op.macs == 25 * 8 * 4 * 4
    assert op.nest is not None
    assert op.nest.macs == op.macs


def test_deformable_convolution_samples_every_tap() -> None:
    shapes = {"x": [1, 8, 6, 6], "o": [1, 18, 4, 4]}
    op = cost("DeformConv", shapes, {"w": weight(4, 8, 3, 3)}, order=["x", "w", "o"], opset=19)
    assert op.macs == 16 * 4 * 8 * 9
    assert op.element_ops == 8 * 16 * 9 * 8


def test_dilation_is_kept() -> None:
    op = cost("Conv", {"x": [1, 8, 9, 9]}, {"w": weight(8, 8, 3, 3)}, dilations=[2, 3])
    assert op.nest is not None
    assert (op.nest.dilation_h, op.nest.dilation_w) == (2, 3)
    assert (op.nest.out_h, op.nest.out_w) == (5, 3)


# -- matrix products ------------------------------------------------------------------------------


@pytest.mark.parametrize("transposed", [0, 1])
def test_gemm(transposed: int) -> None:
    shape = (30, 20) if transposed else (20, 30)
    op = cost("Gemm", {"x": [5, 20]}, {"w": weight(*shape), "c": weight(30)}, transB=transposed)
    assert op.macs == 5 * 20 * 30
    assert op.element_ops == 0
    assert op.weight_elements == 630
    assert op.nest is not None
    assert not op.nest.weights_are_activations


def test_gemm_with_an_activation_to_add() -> None:
    op = cost("Gemm", {"x": [5, 20], "c": [5, 30]}, {"w": weight(20, 30)}, order=["x", "w", "c"])
    assert op.element_ops == 150
    assert op.inputs == ("x", "c")


def test_matmul_of_activations_is_batched() -> None:
    op = cost("MatMul", {"a": [2, 12, 7, 64], "b": [2, 12, 64, 9]})
    assert op.nest is not None
    assert (op.nest.groups, op.nest.out_w, op.nest.in_c, op.nest.out_c) == (24, 7, 64, 9)
    assert op.macs == 24 * 7 * 64 * 9
    assert op.nest.weights_are_activations


def test_matmul_with_one_weight_is_a_single_product() -> None:
    op = cost("MatMul", {"a": [2, 7, 64]}, {"w": weight(64, 9)})
    assert op.nest is not None
    assert (op.nest.groups, op.nest.out_h, op.nest.out_w) == (1, 2, 7)
    assert op.macs == 2 * 7 * 64 * 9
    assert op.weights == (("float32", 576),)


def test_matmul_with_the_weight_on_the_left_is_read_transposed() -> None:
    op = cost("MatMul", {"b": [64, 9]}, {"w": weight(7, 64)}, order=["w", "b"])
    assert op.nest is not None
    assert (op.nest.out_w, op.nest.out_c, op.nest.in_c) == (9, 7, 64)
    assert not op.nest.weights_are_activations


shapes_for_matmul = st.tuples(
    st.lists(st.integers(1, 3), max_size=3), st.lists(st.booleans(), min_size=3, max_size=3),
    st.integers(1, 5), st.integers(1, 5), st.integers(1, 5),
)  # fmt: skip


@pytest.mark.slow
@given(shapes_for_matmul)
def test_matmul_macs_equal_result_elements_times_reduction(drawn: Any) -> None:
    batch, ones, m, k, n = drawn
    left = [1 if one else d for d, one in zip(batch, ones, strict=False)] + [m, k]
    op = cost("MatMul", {"a": left, "b": [*batch, k, n]})
    assert op.macs == int(np.prod(batch, dtype=int)) * m * k * n
    assert op.nest is not None
    assert op.nest.macs == op.macs


@pytest.mark.parametrize(
    ("equation", "shapes", "macs"),
    [
        ("bhid,bhjd->bhij", ([2, 4, 5, 8], [2, 4, 6, 8]), 2 * 4 * 5 * 6 * 8),
        ("ij,jk->ik", ([3, 4], [4, 5]), 60),
        ("...ij,...jk->...ik", ([2, 3, 4], [2, 4, 5]), 120),
        ("i,j->ij", ([3], [5]), 15),
        ("ij,jk", ([3, 4], [4, 5]), 60),
        ("ij,jk,kl->il", ([2, 3], [3, 4], [4, 5]), 2 * 3 * 4 + 2 * 4 * 5),
    ],
)
def test_einsum(equation: str, shapes: tuple[list[int], ...], macs: int) -> None:
    named = {f"x{i}": shape for i, shape in enumerate(shapes)}
    op = cost("Einsum", named, equation=equation)
    assert op.macs == macs
    if op.nest is not None:
        assert op.nest.macs == macs


def test_einsum_that_only_sums() -> None:
    op = cost("Einsum", {"x": [3, 4]}, equation="ij->i")
    assert (op.macs, op.element_ops) == (0, 12)


# -- element-wise ---------------------------------------------------------------------------------

X = {"x": [2, 3, 4]}
UNARY = [
    "Relu", "LeakyRelu", "Elu", "Selu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Erf",
    "Softplus", "Softsign", "Abs", "Neg", "Sqrt", "Exp", "Log", "Reciprocal", "Floor", "Ceil",
    "Round", "Sign", "Sin", "Cos",
]  # fmt: skip


@pytest.mark.parametrize("kind", UNARY)
def test_unary(kind: str) -> None:
    assert cost(kind, X).element_ops == 24 * WEIGHTS[kind]
    assert WEIGHTS[kind] >= 1


@pytest.mark.parametrize(("kind", "opset"), [("Gelu", 20), ("Mish", 18), ("Swish", 24)])
def test_later_activations(kind: str, opset: int) -> None:
    assert cost(kind, X, opset=opset).element_ops == 24 * WEIGHTS[kind]


def test_some_weights_by_hand() -> None:
    assert cost("Relu", X).element_ops == 24
    assert cost("Sigmoid", X).element_ops == 24 * (1 + EXP + 1 + DIV)
    assert cost("Clip", X, {"lo": np.float32(0), "hi": np.float32(6)}).element_ops == 48
    assert cost("Clip", X, {"lo": np.float32(0), "hi": np.float32(6)}).weights == ()


@pytest.mark.parametrize("kind", ["Add", "Sub", "Mul", "Div", "Equal", "Greater", "Less"])
def test_binary_broadcasts(kind: str) -> None:
    op = cost(kind, {"a": [2, 1, 4], "b": [3, 1]})
    assert op.element_ops == 24 * WEIGHTS[kind]
    assert op.dtype == "float32"
    assert op.inputs == ("a", "b")


def test_binary_with_a_constant_reads_it_as_weight() -> None:
    op = cost("Add", {"x": [2, 3, 4]}, {"b": weight(4)})
    assert (op.inputs, op.weights, op.element_ops) == (("x",), (("float32", 4),), 24)


def test_power_of_two_is_a_multiplication() -> None:
    assert cost("Pow", X, {"e": np.float32(2)}).element_ops == 24
    assert cost("Pow", X, {"e": np.float32(0.5)}).element_ops == 24 * SQRT
    assert cost("Pow", X, {"e": np.float32(1.7)}).element_ops == 24 * POW


def test_variadic_and_logic() -> None:
    three = {"a": [2, 3], "b": [2, 3], "c": [2, 3]}
    assert cost("Sum", three).element_ops == 12
    assert cost("Max", three).element_ops == 12
    assert cost("Mean", three).element_ops == 18
    where = cost("Where", {"c": (9, [2, 3]), "a": [2, 3], "b": [2, 3]})
    assert (where.element_ops, where.dtype) == (6, "float32")
    assert cost("Not", {"x": (9, [2, 3])}).element_ops == 6
    assert cost("And", {"x": (9, [2, 3]), "y": (9, [2, 3])}).element_ops == 6
    assert cost("Cast", X, to=10).element_ops == 24
    assert cost("PRelu", {"x": [1, 3, 4]}, {"s": weight(3, 1)}).element_ops == 24
    assert cost("Mod", {"x": (INT64, [5]), "y": (INT64, [5])}).element_ops == 5 * (DIV + 2)


# -- pooling, normalisation, reductions -----------------------------------------------------------


def test_pooling() -> None:
    image = {"x": [1, 8, 9, 9]}
    assert cost("MaxPool", image, kernel_shape=[3, 3], strides=[2, 2]).element_ops == 8 * 16 * 9
    assert cost("AveragePool", image, kernel_shape=[3, 3]).element_ops == 8 * 49 * 10
    assert cost("GlobalAveragePool", image).element_ops == 8 * 81 + 8
    assert cost("GlobalMaxPool", image).element_ops == 8 * 81
    assert cost("LpPool", image, kernel_shape=[2, 2]).element_ops == 8 * 64 * (8 + SQRT)


def test_normalisations() -> None:
    image, per_channel = {"x": [1, 8, 9, 9]}, weight(8)
    assert cost("LRN", image, size=5).element_ops == 648 * (1 + 5 + 2 + POW + DIV)
    batch = cost("BatchNormalization", image, dict.fromkeys("sbmv", per_channel))
    assert batch.element_ops == 1296
    assert batch.weight_elements == 32
    assert cost(
        "InstanceNormalization", image, {"s": per_channel, "b": per_channel}
    ).element_ops == (7 * 648)
    rows = {"x": [2, 5, 16]}
    layer = cost("LayerNormalization", rows, {"s": weight(16), "b": weight(16)})
    assert (layer.element_ops, layer.weight_elements) == (7 * 160, 32)
    group = cost(
        "GroupNormalization", image, {"s": weight(8), "b": weight(8)}, opset=21, num_groups=2
    )
    assert group.element_ops == 7 * 648
    assert cost("RMSNormalization", rows, {"s": weight(16)}, opset=23).element_ops == 4 * 160
    assert cost("Softmax", rows, axis=-1).element_ops == 160 * (EXP + 4)
    assert cost("LogSoftmax", rows, axis=-1).element_ops == 160 * (EXP + 4) + LOG


def test_reductions() -> None:
    rows = {"x": [2, 5, 16]}
    assert cost("ReduceMean", rows, axes=[-1]).element_ops == 170
    assert cost("ReduceMean", rows, {"a": ints(1)}, opset=18).element_ops == 160 + 32
    assert cost("ReduceSum", rows, {"a": ints(2)}).element_ops == 160
    assert cost("ReduceL2", rows, axes=[2]).element_ops == 320 + 10 * SQRT
    assert cost("ArgMax", rows, axis=2).element_ops == 160
    assert cost("CumSum", rows, {"a": np.int64(1)}).element_ops == 160
    top = cost("TopK", rows, {"k": ints(3)}, outputs=2)
    assert top.element_ops == 160 * 2
    assert top.outputs == ("y0",)


# -- movement -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "constants", "attributes"),
    [
        ("Transpose", {}, {"perm": [0, 2, 1]}),
        ("Slice", {"s": ints(0), "e": ints(1), "a": ints(2)}, {}),
        ("Pad", {"p": ints(0, 0, 1, 0, 0, 1)}, {}),
        ("Tile", {"r": ints(1, 1, 2)}, {}),
        ("Expand", {"s": ints(3, 2, 5, 16)}, {}),
    ],
)
def test_movement_has_no_arithmetic(kind: str, constants: Any, attributes: Any) -> None:
    op = cost(kind, {"x": [2, 5, 16]}, constants, **attributes)
    assert (op.macs, op.element_ops, op.weights) == (0, 0, ())
    assert op.inputs == ("x",)


def test_joining_splitting_and_blocks() -> None:
    pair = {"a": [1, 2, 4, 4], "b": [1, 6, 4, 4]}
    assert cost("Concat", pair, axis=1).element_ops == 0
    both = model([node("Split", ["x"], ["p", "q"], axis=1)], {"x": [1, 8, 4]}, ["p", "q"], opset=13)
    graph = load_onnx(both)
    assert graph.operators[0].outputs == ("p", "q")
    assert graph.tensors["p"].shape == (1, 4, 4)
    assert cost("DepthToSpace", {"x": [1, 8, 4, 4]}, blocksize=2).element_ops == 0
    assert cost("SpaceToDepth", {"x": [1, 8, 4, 4]}, blocksize=2).element_ops == 0


def test_embedding_reads_only_the_rows_it_picks() -> None:
    op = cost("Gather", {"i": (INT64, [1, 7])}, {"t": weight(1000, 64)}, order=["t", "i"])
    assert op.weights == (("float32", 7 * 64),)
    assert op.inputs == ("i",)
    assert op.dtype == "float32"


def test_embedding_parameters_count_the_whole_table() -> None:
    proto = model(
        [node("Gather", ["t", "i"], "y")], {"i": (INT64, [1, 7])}, ["y"], {"t": weight(1000, 64)}
    )
    graph = load_onnx(proto)
    assert graph.parameters == 64000
    assert graph.unread == (1000 - 7) * 64


def test_scatter() -> None:
    named = {"x": [8, 4], "u": [2, 4]}
    indices = {"i": np.array([[0], [3]], dtype=np.int64)}
    plain = cost("ScatterND", named, indices, order=["x", "i", "u"])
    added = cost("ScatterND", named, indices, order=["x", "i", "u"], reduction="add")
    assert (plain.element_ops, added.element_ops) == (0, 8)


@pytest.mark.parametrize(("mode", "ops"), [("nearest", 0), ("linear", 8), ("cubic", 32)])
def test_resize(mode: str, ops: int) -> None:
    scales = np.array([1, 1, 2, 2], dtype=np.float32)
    op = cost(
        "Resize", {"x": [1, 3, 4, 4]}, {"s": scales}, order=["x", "", "s"], mode=mode
    )  # fmt: skip
    assert op.element_ops == ops * 3 * 64
    assert op.weights == ()


def test_upsample_of_old_operator_sets() -> None:
    scales = np.array([1, 1, 2, 2], dtype=np.float32)
    op = cost("Upsample", {"x": [1, 3, 4, 4]}, {"s": scales}, opset=9, mode="nearest")
    assert (op.element_ops, op.weights) == (0, ())


# -- quantised ------------------------------------------------------------------------------------

SCALE, ZERO_I8, ZERO_U8 = np.float32(0.1), np.int8(0), np.uint8(0)


def test_conversions() -> None:
    quantise = cost("QuantizeLinear", {"x": [10]}, {"s": SCALE, "z": ZERO_I8})
    assert quantise.element_ops == 10 * 4
    assert cost("DequantizeLinear", {"x": (INT8, [10])}, {"s": SCALE}).element_ops == 20
    assert cost("DynamicQuantizeLinear", {"x": [10]}, outputs=3).element_ops == 10 * 6


def test_weights_behind_dequantise_stay_small() -> None:
    nodes = [
        node("DequantizeLinear", ["q", "s"], "w"),
        node("Conv", ["x", "w"], "y"),
    ]
    constants = {"q": weight(4, 8, 3, 3, kind=np.int8), "s": SCALE}
    graph = load_onnx(model(nodes, {"x": [1, 8, 6, 6]}, ["y"], constants))
    assert graph.operators[0].weights == (("int8", 288),)
    assert graph.parameters == 288


# -- sequences and attention ----------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "gates"), [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
def test_recurrent(kind: str, gates: int) -> None:
    steps, batch, features, hidden = 7, 2, 5, 6
    weights = {"w": weight(1, gates * hidden, features), "r": weight(1, gates * hidden, hidden)}
    op = cost(kind, {"x": [steps, batch, features]}, weights, hidden_size=hidden)
    assert op.macs == steps * batch * gates * hidden * (features + hidden)
    assert op.nest is not None
    assert op.nest.macs == op.macs
    assert op.element_ops > 0


def test_bidirectional_lstm() -> None:
    weights = {"w": weight(2, 24, 5), "r": weight(2, 24, 6)}
    op = cost("LSTM", {"x": [7, 2, 5]}, weights, hidden_size=6, direction="bidirectional")
    assert op.macs == 2 * 7 * 2 * 24 * 11


def test_attention() -> None:
    op = cost("Attention", {c: [2, 12, 10, 64] for c in "qkv"}, opset=23)
    assert op.macs == 2 * 12 * 10 * 10 * 64 * 2
    assert op.element_ops == 2 * 12 * 100 * (EXP + 5)


def test_contributed_attention() -> None:
    shapes = {c: [2, 10, 768] for c in "qkv"}
    op = cost(
        "MultiHeadAttention", shapes, domain="com.microsoft", num_heads=12,
        value_info={"y0": [2, 10, 768]},
    )  # fmt: skip
    assert op.macs == 2 * 10 * 10 * 768 * 2
    fused = cost(
        "Attention", {"x": [2, 10, 768]}, {"w": weight(768, 2304), "b": weight(2304)},
        domain="com.microsoft", num_heads=12, value_info={"y0": [2, 10, 768]},
    )  # fmt: skip
    assert fused.macs == 2 * 10 * 768 * 2304 + 2 * 10 * 10 * 768 * 2


def test_every_rule_names_only_sensible_inputs() -> None:
    for kind, rule in RULES.items():
        assert rule.typed_by in ("input", "output"), kind
        assert all(position >= 0 for position in rule.control | rule.statistics), kind


def test_malformed_operands_are_named() -> None:
    with pytest.raises(WorkloadError, match="y0_op"):
        cost(
            "LSTM", {"x": [7, 2, 5]}, {"w": weight(1, 20, 5), "r": weight(1, 24, 6)}, hidden_size=6
        )


@pytest.mark.parametrize("kind", ["Gemm", "MatMul"])
@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("right", [True, False])
def test_only_a_product_of_two_activations_has_no_weights(
    kind: str, left: bool, right: bool
) -> None:
    if left and right:
        return  # folded: nothing is left to cost
    shapes = {"a": [4, 6], "b": [6, 8]}
    constant = {name: c for name, c in (("a", left), ("b", right)) if c}
    op = cost(
        kind, {n: s for n, s in shapes.items() if n not in constant},
        {n: weight(*shapes[n]) for n in constant}, order=["a", "b"],
    )  # fmt: skip
    assert op.nest is not None
    assert op.nest.weights_are_activations == (not constant)
    assert op.macs == 4 * 6 * 8


def test_gemm_reads_its_left_side_transposed() -> None:
    op = cost("Gemm", {"x": [20, 5]}, {"w": weight(20, 30)}, transA=1)
    assert op.nest is not None
    assert (op.nest.out_w, op.nest.in_c, op.nest.out_c, op.nest.in_w) == (5, 20, 30, 5)
