"""Convolutions and matrix products: weights in ONNX's order, padding in rows and columns."""

from __future__ import annotations

from math import prod

from hetsim.workload.tflite.draft import Draft
from hetsim.workload.tflite.file import FileOperator
from hetsim.workload.tflite.kinds.registry import Made, shaped


@shaped("CONV_2D")
def _convolution(op: FileOperator, draft: Draft) -> Made:
    """Weights stand as O, H, W, I; grouped when the data has more channels than I."""
    out, height, width, depth = draft.shape(op.inputs[1])
    group = draft.shape(op.inputs[0])[3] // depth
    return _conv(op, draft, (out, depth, height, width), group)


@shaped("DEPTHWISE_CONV_2D")
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
        "pads": pads(draft, data, op, kernel, strides, dilations),
    }  # fmt: skip
    inputs = (draft.image(data), draft.seen_as(weights, weight), *draft.names(op.inputs[2:3]))
    return Made(("Conv",), inputs, attributes)


@shaped("TRANSPOSE_CONV")
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


def pads(
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


@shaped("FULLY_CONNECTED")
def _connected(op: FileOperator, draft: Draft) -> Made:
    """Weights stand as O, I; the data's elements are rows of I whatever its shape."""
    out, depth = draft.shape(op.inputs[1])
    rows = prod(draft.shape(op.inputs[0])) // depth
    if rows * out != prod(draft.shape(op.outputs[0])):
        raise ValueError(f"{rows} rows of {out} are not {list(draft.shape(op.outputs[0]))}")
    data = draft.seen_as(op.inputs[0], (rows, depth))
    return Made(("Gemm",), (data, *draft.names(op.inputs[1:3])), {"transB": 1})


@shaped("BATCH_MATMUL")
def _products(op: FileOperator, draft: Draft) -> Made:
    operands = []
    for tensor, turned in zip(op.inputs[:2], (op.options.AdjX(), op.options.AdjY()), strict=True):
        *batch, rows, columns = draft.shape(tensor)
        shape = (*batch, columns, rows) if turned else (*batch, rows, columns)
        operands.append(draft.seen_as(tensor, shape))
    return Made(("MatMul",), tuple(operands))


@shaped("UNIDIRECTIONAL_SEQUENCE_LSTM")
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
