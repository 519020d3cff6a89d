"""TFLite's operators in ONNX's names, so that SoC files and cost rules need to know one language.

:data:`PLAIN` has the kinds that are one or more element-wise or moving operators on the same
operands, :data:`SHAPED` those whose operands or attributes are written in another way. What is in
neither keeps TFLite's name, and nobody models it.

Layout: convolutions and pools of TFLite run over N, H, W, C; here as everywhere they are told as
N, C, H, W (:mod:`hetsim.workload.tflite.layout`). The memory they take is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np

from hetsim.numeric import Array
from hetsim.workload.tflite.draft import Draft
from hetsim.workload.tflite.file import FileOperator


@dataclass(frozen=True)
class Made:
    """What an operator becomes: kinds in a chain, the first of which reads ``inputs``.

    ``inputs`` are names of values, '' where one is left out. ``attributes`` are the first one's.
    ``whole``: the activation function in the options is counted with the kind itself.
    """

    kinds: tuple[str, ...]
    inputs: tuple[str, ...]
    attributes: Mapping[str, object] = field(default_factory=dict)
    whole: bool = False


PLAIN: Mapping[str, tuple[str, ...]] = {
    "ABS": ("Abs",), "ADD": ("Add",), "ADD_N": ("Sum",), "BITWISE_XOR": ("BitwiseXor",),
    "CEIL": ("Ceil",), "COS": ("Cos",), "DEQUANTIZE": ("DequantizeLinear",), "DIV": ("Div",),
    "ELU": ("Elu",), "EQUAL": ("Equal",), "EXP": ("Exp",), "FLOOR": ("Floor",),
    "FLOOR_DIV": ("Div", "Floor"), "FLOOR_MOD": ("Mod",), "GELU": ("Gelu",),
    "GREATER": ("Greater",), "GREATER_EQUAL": ("GreaterOrEqual",), "HARD_SWISH": ("HardSwish",),
    "L2_NORMALIZATION": ("LpNormalization",), "LEAKY_RELU": ("LeakyRelu",), "LESS": ("Less",),
    "LESS_EQUAL": ("LessOrEqual",), "LOG": ("Log",), "LOGICAL_AND": ("And",),
    "LOGICAL_NOT": ("Not",), "LOGICAL_OR": ("Or",), "LOGISTIC": ("Sigmoid",), "MAXIMUM": ("Max",),
    "MINIMUM": ("Min",), "MUL": ("Mul",), "NEG": ("Neg",), "NON_MAX_SUPPRESSION_V4":
    ("NonMaxSuppression",), "NON_MAX_SUPPRESSION_V5": ("NonMaxSuppression",),
    "NOT_EQUAL": ("Equal", "Not"), "POW": ("Pow",), "PRELU": ("PRelu",),
    "QUANTIZE": ("QuantizeLinear",), "RELU": ("Relu",), "RIGHT_SHIFT": ("BitShift",),
    "ROUND": ("Round",), "RSQRT": ("Sqrt", "Reciprocal"), "SELECT": ("Where",),
    "SELECT_V2": ("Where",), "SIGN": ("Sign",), "SIN": ("Sin",), "SQRT": ("Sqrt",),
    "SQUARE": ("Mul",), "SQUARED_DIFFERENCE": ("Sub", "Mul"), "SUB": ("Sub",), "TANH": ("Tanh",),
    "UNIQUE": ("Unique",), "WHERE": ("NonZero",),
}  # fmt: skip
"""Kinds with the same operands. A chain's later links read what the one before made."""

PLAIN_SHAPES_APART = frozenset(
    {"NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5", "SELECT", "UNIQUE", "WHERE"}
)
"""Those of them whose results are not shaped by broadcasting."""

_CLIPS = {"RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0), "RELU_0_TO_1": (0.0, 1.0)}

FUSED: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "RELU": ("Relu", {}), "TANH": ("Tanh", {}), "SIGN_BIT": ("Sign", {}),
    **{kind: ("Clip", {"min": low, "max": high}) for kind, (low, high) in _CLIPS.items()},
}  # fmt: skip
"""Activation functions that stand inside an operator: kind and attributes of their own operator."""

VIEWS = frozenset({"RESHAPE", "SQUEEZE", "EXPAND_DIMS"})
"""Kinds that never move anything."""

CONTROL_FLOW = frozenset({"IF", "WHILE", "CALL", "CALL_ONCE", "STABLEHLO_WHILE"})

Shaper = Callable[[FileOperator, Draft], Made | None]
SHAPED: dict[str, Shaper] = {}
"""Kinds that have a function of their own below."""


def _shaped(*kinds: str) -> Callable[[Shaper], Shaper]:
    def register(function: Shaper) -> Shaper:
        SHAPED.update(dict.fromkeys(kinds, function))
        return function

    return register


def translate(op: FileOperator, draft: Draft) -> Made | None:
    """The operators that ``op`` becomes; ``None`` for a kind that nobody models."""
    if op.custom:
        return None
    if op.kind == "ADD_N" and len(op.inputs) == 2:  # one name for one thing
        return Made(("Add",), draft.names(op.inputs))
    if op.kind in PLAIN:
        _check_broadcast(op, draft)
        return Made(PLAIN[op.kind], draft.names(op.inputs))
    shaper = SHAPED.get(op.kind)
    return shaper(op, draft) if shaper is not None else None


def _check_broadcast(op: FileOperator, draft: Draft) -> None:
    """Shapes are the file's word, so a damaged one must not become work that nobody does."""
    if op.kind in PLAIN_SHAPES_APART or len(op.outputs) != 1:
        return
    shapes = [draft.shape(i) for i in op.inputs]
    if np.broadcast_shapes(*shapes) != draft.shape(op.outputs[0]):
        shown = ", ".join(map(str, shapes))
        raise ValueError(f"{shown} do not make {draft.shape(op.outputs[0])}")


def is_view(op: FileOperator, draft: Draft) -> bool:
    """Whether the operator's result is its first input under another shape, byte by byte.

    Decided in the file's own layout, which is what memory has.
    """
    if op.custom or not op.inputs or op.inputs[0] < 0 or len(op.outputs) != 1:
        return False
    if op.kind in VIEWS:
        return True
    shape, result = draft.shape(op.inputs[0]), draft.shape(op.outputs[0])
    same = shape == result
    if op.kind == "TRANSPOSE":
        perm = draft.data(op, 1)
        if perm is None:
            return False
        moved = [d for d in perm.reshape(-1).tolist() if shape[d] != 1]
        return moved == sorted(moved)
    if op.kind in ("PAD", "PADV2", "MIRROR_PAD"):  # pads of +1 and -1 do not exist here
        return same
    if op.kind == "STRIDED_SLICE":
        steps = draft.data(op, 3)
        return same and steps is not None and bool((steps > 0).all())
    if op.kind == "CAST":
        return draft.elem_type(op.inputs[0]) == draft.elem_type(op.outputs[0])
    if op.kind in ("CONCATENATION", "PACK"):
        return len(op.inputs) == 1
    return same and op.kind in ("SLICE", "TILE", "BROADCAST_TO")


# -- products -------------------------------------------------------------------------------------


@_shaped("CONV_2D")
def _convolution(op: FileOperator, draft: Draft) -> Made:
    """Weights stand as O, H, W, I; grouped when the data has more channels than I."""
    out, height, width, depth = draft.shape(op.inputs[1])
    group = draft.shape(op.inputs[0])[3] // depth
    return _conv(op, draft, (out, depth, height, width), group)


@_shaped("DEPTHWISE_CONV_2D")
def _depthwise(op: FileOperator, draft: Draft) -> Made:
    """Weights stand as 1, H, W, O with O a multiple of the data's channels."""
    _, height, width, out = draft.shape(op.inputs[1])
    return _conv(op, draft, (out, 1, height, width), draft.shape(op.inputs[0])[3])


def _conv(op: FileOperator, draft: Draft, weight: tuple[int, ...], group: int) -> Made:
    data, weights = op.inputs[0], op.inputs[1]
    strides = (op.options.StrideH(), op.options.StrideW())
    dilations = (op.options.DilationHFactor(), op.options.DilationWFactor())
    kernel = weight[2:]
    if draft.shape(op.outputs[0])[3] != weight[0]:
        raise ValueError(f"{weight[0]} filters make {list(draft.shape(op.outputs[0]))}")
    attributes = {
        "kernel_shape": kernel, "strides": strides, "dilations": dilations, "group": group,
        "pads": _pads(draft, data, op, kernel, strides, dilations),
    }  # fmt: skip
    inputs = (draft.image(data), draft.seen_as(weights, weight), *draft.names(op.inputs[2:3]))
    return Made(("Conv",), inputs, attributes)


@_shaped("TRANSPOSE_CONV")
def _transposed(op: FileOperator, draft: Draft) -> Made:
    """Reads the target's shape, weights as O, H, W, I, and the data."""
    out, height, width, depth = draft.shape(op.inputs[1])
    strides = (op.options.StrideH(), op.options.StrideW())
    inputs = (
        draft.image(op.inputs[2]),
        draft.seen_as(op.inputs[1], (depth, out, height, width)),
        *draft.names(op.inputs[3:4]),
    )
    return Made(
        ("ConvTranspose",), inputs,
        {"kernel_shape": (height, width), "strides": strides, "group": 1},
    )  # fmt: skip


def _pads(
    draft: Draft, data: int, op: FileOperator, kernel: tuple[int, ...], strides: tuple[int, ...],
    dilations: tuple[int, ...] = (1, 1),
) -> tuple[int, ...]:  # fmt: skip
    """Top, left, bottom, right. SAME pads the odd row at the end (``kernels/padding.h``).

    Raises:
        ValueError: the result's height or width is another than these make.
    """
    batch, *sizes, _ = draft.shape(data)
    made_batch, *made, _ = draft.shape(op.outputs[0])
    valid = draft.constant_of("Padding", op.options.Padding()) == "VALID"
    wanted = [
        (size - (k - 1) * dilation - 1) // stride + 1 if valid else -(-size // stride)
        for size, k, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True)
    ]
    if made != wanted or batch != made_batch:
        raise ValueError(f"it would make {[batch, *wanted]}, the file says {[made_batch, *made]}")
    if valid:
        return 0, 0, 0, 0
    totals = [
        max(0, (out - 1) * stride + (k - 1) * dilation + 1 - size)
        for out, stride, k, dilation, size in zip(
            made, strides, kernel, dilations, sizes, strict=True
        )
    ]
    before = [total // 2 for total in totals]
    return *before, *(t - b for t, b in zip(totals, before, strict=True))


@_shaped("FULLY_CONNECTED")
def _connected(op: FileOperator, draft: Draft) -> Made:
    """Weights stand as O, I; the data's elements are rows of I whatever its shape."""
    out, depth = draft.shape(op.inputs[1])
    rows = prod(draft.shape(op.inputs[0])) // depth
    if rows * out != prod(draft.shape(op.outputs[0])):
        raise ValueError(f"{rows} rows of {out} are not {list(draft.shape(op.outputs[0]))}")
    data = draft.seen_as(op.inputs[0], (rows, depth))
    return Made(("Gemm",), (data, *draft.names(op.inputs[1:3])), {"transB": 1})


@_shaped("BATCH_MATMUL")
def _products(op: FileOperator, draft: Draft) -> Made:
    operands = []
    for tensor, turned in zip(op.inputs[:2], (op.options.AdjX(), op.options.AdjY()), strict=True):
        *batch, rows, columns = draft.shape(tensor)
        shape = (*batch, columns, rows) if turned else (*batch, rows, columns)
        operands.append(draft.seen_as(tensor, shape))
    return Made(("MatMul",), tuple(operands))


@_shaped("UNIDIRECTIONAL_SEQUENCE_LSTM")
def _lstm(op: FileOperator, draft: Draft) -> Made | None:
    """Four gates' weights apart (1-4 of the input, 5-8 of the state) become ONNX's two tensors.

    Without all of them (coupled gates), or with a projection, peepholes or normalisation, it is
    another layer than ONNX's and keeps its name.
    """
    given = (*op.inputs, *[-1] * (24 - len(op.inputs)))
    if min(given[1:9]) < 0 or max(given[9:12]) >= 0 or max((*given[16:18], *given[20:24])) >= 0:
        return None
    hidden, features = draft.shape(given[4])
    weights = tuple(
        draft.joined(given[first:first + 4], (1, 4 * hidden, width))
        for first, width in ((1, features), (5, hidden))
    )  # fmt: skip
    bias = draft.joined(given[12:16], (1, 4 * hidden)) if min(given[12:16]) >= 0 else ""
    layout = 0 if op.options is not None and op.options.TimeMajor() else 1
    return Made(
        ("LSTM",), (draft.name(given[0]), *weights, bias),
        {"hidden_size": hidden, "layout": layout}, whole=True,
    )  # fmt: skip


# -- windows and axes -----------------------------------------------------------------------------

_POOLS = {"AVERAGE_POOL_2D": "AveragePool", "MAX_POOL_2D": "MaxPool", "L2_POOL_2D": "LpPool"}


@_shaped(*_POOLS)
def _pool(op: FileOperator, draft: Draft) -> Made:
    kernel = (op.options.FilterHeight(), op.options.FilterWidth())
    strides = (op.options.StrideH(), op.options.StrideW())
    attributes = {
        "kernel_shape": kernel, "strides": strides,
        "pads": _pads(draft, op.inputs[0], op, kernel, strides),
    }  # fmt: skip
    return Made((_POOLS[op.kind],), (draft.image(op.inputs[0]),), attributes)


_REDUCTIONS = {
    "MEAN": "ReduceMean", "SUM": "ReduceSum", "REDUCE_MAX": "ReduceMax",
    "REDUCE_MIN": "ReduceMin", "REDUCE_PROD": "ReduceProd", "REDUCE_ANY": "ReduceMax",
    "REDUCE_ALL": "ReduceMin",
}  # fmt: skip


@_shaped(*_REDUCTIONS)
def _reduce(op: FileOperator, draft: Draft) -> Made:
    """A mean over height and width is what ONNX calls GlobalAveragePool."""
    if op.kind == "MEAN" and draft.pools_globally(op):
        return Made(("GlobalAveragePool",), (draft.image(op.inputs[0]),))
    attributes: dict[str, object] = {"keepdims": int(op.options.KeepDims())}
    axes = draft.data(op, 1)
    if axes is not None:
        attributes["axes"] = _axes(draft, op.inputs[0], axes)
    return Made((_REDUCTIONS[op.kind],), draft.names(op.inputs[:1]), attributes)


_ALONG = {"ARG_MAX": "ArgMax", "ARG_MIN": "ArgMin", "CUMSUM": "CumSum"}


@_shaped(*_ALONG)
def _along(op: FileOperator, draft: Draft) -> Made:
    axes = draft.data(op, 1)
    attributes = {} if axes is None else {"axis": _axes(draft, op.inputs[0], axes)[0]}
    return Made((_ALONG[op.kind],), draft.names(op.inputs[:1]), attributes)


def _axes(draft: Draft, tensor: int, axes: Array) -> tuple[int, ...]:
    return tuple(draft.axis(tensor, int(axis)) for axis in axes.reshape(-1).tolist())


@_shaped("SOFTMAX", "LOG_SOFTMAX")
def _softmax(op: FileOperator, draft: Draft) -> Made:
    kind = "Softmax" if op.kind == "SOFTMAX" else "LogSoftmax"
    return Made(
        (kind,), draft.names(op.inputs[:1]), {"axis": draft.axis(op.inputs[0], -1)}
    )  # fmt: skip


@_shaped("TOPK_V2")
def _top(op: FileOperator, draft: Draft) -> Made:
    return Made(("TopK",), draft.names(op.inputs), {"axis": -1})


@_shaped("LOCAL_RESPONSE_NORMALIZATION")
def _response(op: FileOperator, draft: Draft) -> Made:
    size = 2 * op.options.Radius() + 1
    return Made(("LRN",), (draft.image(op.inputs[0]),), {"size": size})


# -- movement -------------------------------------------------------------------------------------

_MOVES = {
    "TRANSPOSE": "Transpose", "SLICE": "Slice", "STRIDED_SLICE": "Slice", "REVERSE_V2": "Slice",
    "PAD": "Pad", "PADV2": "Pad", "MIRROR_PAD": "Pad", "TILE": "Tile", "BROADCAST_TO": "Expand",
    "SPACE_TO_DEPTH": "SpaceToDepth", "DEPTH_TO_SPACE": "DepthToSpace",
    "SPACE_TO_BATCH_ND": "SpaceToDepth", "BATCH_TO_SPACE_ND": "DepthToSpace", "UNPACK": "Split",
    "SPLIT_V": "Split", "REVERSE_SEQUENCE": "ReverseSequence", "CAST": "Cast",
}  # fmt: skip
"""Kinds of which only the first operand is data; the others steer. Batches count as depth."""


@_shaped(*_MOVES)
def _move(op: FileOperator, draft: Draft) -> Made:
    return Made((_MOVES[op.kind],), draft.names(op.inputs[:1]))


@_shaped("SPLIT")
def _split(op: FileOperator, draft: Draft) -> Made:
    return Made(("Split",), draft.names(op.inputs[1:]))


@_shaped("CONCATENATION")
def _concatenate(op: FileOperator, draft: Draft) -> Made:
    axis = draft.axis(op.outputs[0], op.options.Axis())
    return Made(("Concat",), draft.names(op.inputs), {"axis": axis})


@_shaped("PACK")
def _pack(op: FileOperator, draft: Draft) -> Made:
    return Made(("Concat",), draft.names(op.inputs))


_RESIZES = {"RESIZE_BILINEAR": "linear", "RESIZE_NEAREST_NEIGHBOR": "nearest"}


@_shaped(*_RESIZES)
def _resize(op: FileOperator, draft: Draft) -> Made:
    return Made(("Resize",), (draft.image(op.inputs[0]),), {"mode": _RESIZES[op.kind]})


@_shaped("GATHER", "GATHER_ND")
def _gather(op: FileOperator, draft: Draft) -> Made:
    kind = "Gather" if op.kind == "GATHER" else "GatherND"
    return Made((kind,), draft.names(op.inputs[:2]))


@_shaped("EMBEDDING_LOOKUP")
def _look_up(op: FileOperator, draft: Draft) -> Made:
    return Made(("Gather",), draft.names(op.inputs[1::-1]))


@_shaped("SCATTER_ND")
def _scatter(op: FileOperator, draft: Draft) -> Made:
    """Indices, updates and a shape, of which ONNX's wants the shape's zeros as data."""
    indices, updates = draft.names(op.inputs[:2])
    return Made(("ScatterND",), ("", indices, updates))


@_shaped("ONE_HOT")
def _one_hot(op: FileOperator, draft: Draft) -> Made:
    return Made(("OneHot",), draft.names(op.inputs[:1]))


@_shaped("FILL")
def _fill(op: FileOperator, draft: Draft) -> Made:
    return Made(("ConstantOfShape",), draft.names(op.inputs[:1]))


@_shaped(*_CLIPS)
def _clip(op: FileOperator, draft: Draft) -> Made:
    kind, attributes = FUSED[op.kind]
    return Made((kind,), draft.names(op.inputs), attributes)
