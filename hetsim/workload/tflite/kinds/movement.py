"""Kinds that move data; most of their operands only steer."""

from __future__ import annotations

from hetsim.workload.tflite.draft import Draft
from hetsim.workload.tflite.file import FileOperator
from hetsim.workload.tflite.kinds.registry import Made, shaped

_MOVES = {
    "TRANSPOSE": "Transpose", "SLICE": "Slice", "STRIDED_SLICE": "Slice", "REVERSE_V2": "Slice",
    "PAD": "Pad", "PADV2": "Pad", "MIRROR_PAD": "Pad", "TILE": "Tile", "BROADCAST_TO": "Expand",
    "SPACE_TO_DEPTH": "SpaceToDepth", "DEPTH_TO_SPACE": "DepthToSpace",
    "SPACE_TO_BATCH_ND": "SpaceToDepth", "BATCH_TO_SPACE_ND": "DepthToSpace", "UNPACK": "Split",
    "SPLIT_V": "Split", "REVERSE_SEQUENCE": "ReverseSequence", "CAST": "Cast",
}  # fmt: skip
"""Kinds of which only the first operand is data; the others steer. Batches count as depth."""


@shaped(*_MOVES)
def _move(op: FileOperator, draft: Draft) -> Made:
    return Made((_MOVES[op.kind],), draft.names(op.inputs[:1]))


@shaped("SPLIT")
def _split(op: FileOperator, draft: Draft) -> Made:
    return Made(("Split",), draft.names(op.inputs[1:]))


@shaped("CONCATENATION")
def _concatenate(op: FileOperator, draft: Draft) -> Made:
    axis = draft.axis(op.outputs[0], op.options.Axis())
    return Made(("Concat",), draft.names(op.inputs), {"axis": axis})


@shaped("PACK")
def _pack(op: FileOperator, draft: Draft) -> Made:
    return Made(("Concat",), draft.names(op.inputs))


_RESIZES = {"RESIZE_BILINEAR": "linear", "RESIZE_NEAREST_NEIGHBOR": "nearest"}


@shaped(*_RESIZES)
def _resize(op: FileOperator, draft: Draft) -> Made:
    return Made(("Resize",), (draft.image(op.inputs[0]),), {"mode": _RESIZES[op.kind]})


@shaped("GATHER", "GATHER_ND")
def _gather(op: FileOperator, draft: Draft) -> Made:
    kind = "Gather" if op.kind == "GATHER" else "GatherND"
    return Made((kind,), draft.names(op.inputs[:2]))


@shaped("EMBEDDING_LOOKUP")
def _look_up(op: FileOperator, draft: Draft) -> Made:
    return Made(("Gather",), draft.names(op.inputs[1::-1]))


@shaped("SCATTER_ND")
def _scatter(op: FileOperator, draft: Draft) -> Made:
    """Indices, updates and a shape, of which ONNX's wants the shape's zeros as data."""
    indices, updates = draft.names(op.inputs[:2])
    return Made(("ScatterND",), ("", indices, updates))


@shaped("ONE_HOT")
def _one_hot(op: FileOperator, draft: Draft) -> Made:
    return Made(("OneHot",), draft.names(op.inputs[:1]))


@shaped("FILL")
def _fill(op: FileOperator, draft: Draft) -> Made:
    return Made(("ConstantOfShape",), draft.names(op.inputs[:1]))
