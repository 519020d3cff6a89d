"""Which operators only rename memory."""

from __future__ import annotations

from hetsim.workload.tflite.draft import Draft
from hetsim.workload.tflite.file import FileOperator

VIEWS = frozenset({"RESHAPE", "SQUEEZE", "EXPAND_DIMS"})
"""Kinds that never move anything."""


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
