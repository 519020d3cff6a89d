"""The batch, which is the dimension that converters leave open.

An interpreter starts with the shapes of the file, in which open dimensions are 1. Another batch
scales the first dimension of every tensor that leaves it open; whether that is what the network
means shows in its views, whose elements must stay as many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

from hetsim.workload.onnx.inputs import is_extent
from hetsim.workload.onnx.ir import MAX_DIMENSION, nearest
from hetsim.workload.tflite.file import File, FileTensor
from hetsim.workload.tflite.kinds import VIEWS

BATCH = "batch"
"""What the open first dimension is called, for there is only that one."""


def open_inputs(file: File) -> dict[str, FileTensor]:
    """The inputs that leave their batch open, by name."""
    tensors = [file.tensors[i] for i in file.inputs if i >= 0]
    return {tensor.name: tensor for tensor in tensors if 0 in tensor.open_dims}


def shapes_of_batch(file: File, dims: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """The whole shapes that a batch given by its name means.

    Raises:
        WorkloadError: another dimension, a batch that the file fixes, no size.
    """
    for name, size in dims.items():
        if not is_extent(size) or size >= MAX_DIMENSION:
            raise file.error(f"dims: {name!r} is given {size!r}, but it must be a positive number")
        if name != BATCH or not open_inputs(file):
            raise file.error(
                f"dims names {name!r}, which is no open dimension of its inputs",
                hint="a TFLite file leaves no dimension open but the batch",
            )
    if BATCH not in dims:
        return {}
    batch = int(dims[BATCH])
    return {name: (batch, *tensor.shape[1:]) for name, tensor in open_inputs(file).items()}


def bind(file: File, given: Mapping[str, Sequence[int]]) -> File:
    """``file`` with the batch of the shapes that a user states; a note tells what stays open.

    Raises:
        WorkloadError: an unknown input, a shape that the file contradicts, a dimension other than
            the batch, a network that does not follow its batch.
    """
    inputs = {file.tensors[i].name: file.tensors[i] for i in file.inputs if i >= 0}
    for name in given:
        if name not in inputs:
            hint = nearest(name, inputs) or f"its inputs are: {', '.join(inputs) or 'none'}"
            raise file.error(f"input_shapes names {name!r}, which is not an input", hint=hint)
    factors = {_factor(file, inputs[name], shape) for name, shape in given.items()}
    if len(factors) > 1:
        raise file.error("input_shapes: the inputs are given different batches")
    bound = set(given)
    left = [
        f"{name} {_shown(t)}" for name, t in inputs.items() if t.open_dims and name not in bound
    ]
    if left:
        file.notes.append(
            f"dimensions that the file leaves open are 1, as an interpreter starts with them:"
            f" {', '.join(left)}"
        )
    [factor] = factors or {1}
    return _scaled(file, factor) if factor != 1 else file


def _shown(tensor: FileTensor) -> str:
    dims = ["?" if i in tensor.open_dims else str(d) for i, d in enumerate(tensor.shape)]
    return f"[{', '.join(dims)}]"


def _factor(file: File, tensor: FileTensor, shape: Sequence[int]) -> int:
    """By how much the batch that a user states is larger than the file's."""
    whole = all(is_extent(d) and d < MAX_DIMENSION for d in shape)
    if not whole:
        raise file.error(
            f"input_shapes: {tensor.name!r} is given {list(shape)}, but every dimension must be a"
            " positive whole number"
        )
    if tuple(shape) == tensor.shape:
        return 1
    rest_fits = len(shape) == len(tensor.shape) and tuple(shape[1:]) == tensor.shape[1:]
    if not rest_fits or 0 not in tensor.open_dims or shape[0] % max(tensor.shape[0], 1):
        raise file.error(
            f"input_shapes: {tensor.name!r} is given {list(shape)}, but the file has"
            f" {_shown(tensor)}",
            hint="only an open batch (the first dimension) can be stated; convert the model with"
            " the other shape",
        )
    return int(shape[0]) // tensor.shape[0]


def _scaled(file: File, factor: int) -> File:
    tensors = tuple(
        replace(t, shape=(t.shape[0] * factor, *t.shape[1:])) if 0 in t.open_dims else t
        for t in file.tensors
    )
    for op in file.operators:
        if op.kind not in VIEWS or min(op.inputs[0], op.outputs[0]) < 0:
            continue
        before, after = tensors[op.inputs[0]], tensors[op.outputs[0]]
        if prod(before.shape) != prod(after.shape):
            raise file.error(
                f"operator {op.name!r} would make {list(after.shape)} of {list(before.shape)}: the"
                " network does not follow its batch",
                hint="convert the model with the batch that is wanted",
            )
    return replace(file, tensors=tensors)
