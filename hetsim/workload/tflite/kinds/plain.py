"""Kinds with the same operands as ONNX's, and activation functions inside operators."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hetsim.workload.tflite.draft import Draft
from hetsim.workload.tflite.file import FileOperator
from hetsim.workload.tflite.kinds.registry import Made, shaped

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

_SHAPED_APART = frozenset(
    {"NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5", "SELECT", "UNIQUE", "WHERE"}
)
"""Those of them whose results are not shaped by broadcasting."""

_CLIPS = {"RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0), "RELU_0_TO_1": (0.0, 1.0)}

FUSED: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "RELU": ("Relu", {}), "TANH": ("Tanh", {}), "SIGN_BIT": ("Sign", {}),
    **{kind: ("Clip", {"min": low, "max": high}) for kind, (low, high) in _CLIPS.items()},
}  # fmt: skip
"""Activation functions that stand inside an operator: kind and attributes of their own operator."""


def _plain(op: FileOperator, draft: Draft) -> Made:
    _check_broadcast(op, draft)
    two = op.kind == "ADD_N" and len(op.inputs) == 2  # one name for one thing
    return Made(("Add",) if two else PLAIN[op.kind], draft.names(op.inputs))


shaped(*PLAIN)(_plain)


def _check_broadcast(op: FileOperator, draft: Draft) -> None:
    """Shapes are the file's word, so a damaged one must not become work that nobody does."""
    if op.kind in _SHAPED_APART or len(op.outputs) != 1:
        return
    shapes = [draft.shape(i) for i in op.inputs]
    if np.broadcast_shapes(*shapes) != draft.shape(op.outputs[0]):
        shown = ", ".join(map(str, shapes))
        raise ValueError(f"{shown} do not make {draft.shape(op.outputs[0])}")


@shaped(*_CLIPS)
def _clip(op: FileOperator, draft: Draft) -> Made:
    kind, attributes = FUSED[op.kind]
    return Made((kind,), draft.names(op.inputs), attributes)
