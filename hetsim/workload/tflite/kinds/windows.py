"""Pools, reductions and what else runs along axes."""

from __future__ import annotations

from hetsim.numeric import Array
from hetsim.workload.tflite.draft import Draft
from hetsim.workload.tflite.file import FileOperator
from hetsim.workload.tflite.kinds.products import pads
from hetsim.workload.tflite.kinds.registry import Made, shaped

_POOLS = {"AVERAGE_POOL_2D": "AveragePool", "MAX_POOL_2D": "MaxPool", "L2_POOL_2D": "LpPool"}


@shaped(*_POOLS)
def _pool(op: FileOperator, draft: Draft) -> Made:
    kernel = (op.options.FilterHeight(), op.options.FilterWidth())
    strides = (op.options.StrideH(), op.options.StrideW())
    attributes = {
        "kernel_shape": kernel, "strides": strides,
        "pads": pads(draft, op.inputs[0], op, kernel, strides),
    }  # fmt: skip
    return Made((_POOLS[op.kind],), (draft.image(op.inputs[0]),), attributes)


_REDUCTIONS = {
    "MEAN": "ReduceMean", "SUM": "ReduceSum", "REDUCE_MAX": "ReduceMax",
    "REDUCE_MIN": "ReduceMin", "REDUCE_PROD": "ReduceProd", "REDUCE_ANY": "ReduceMax",
    "REDUCE_ALL": "ReduceMin",
}  # fmt: skip


@shaped(*_REDUCTIONS)
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


@shaped(*_ALONG)
def _along(op: FileOperator, draft: Draft) -> Made:
    axes = draft.data(op, 1)
    attributes = {} if axes is None else {"axis": _axes(draft, op.inputs[0], axes)[0]}
    return Made((_ALONG[op.kind],), draft.names(op.inputs[:1]), attributes)


def _axes(draft: Draft, tensor: int, axes: Array) -> tuple[int, ...]:
    return tuple(draft.axis(tensor, int(axis)) for axis in axes.reshape(-1).tolist())


@shaped("SOFTMAX", "LOG_SOFTMAX")
def _softmax(op: FileOperator, draft: Draft) -> Made:
    kind = "Softmax" if op.kind == "SOFTMAX" else "LogSoftmax"
    return Made(
        (kind,), draft.names(op.inputs[:1]), {"axis": draft.axis(op.inputs[0], -1)}
    )  # fmt: skip


@shaped("TOPK_V2")
def _top(op: FileOperator, draft: Draft) -> Made:
    return Made(("TopK",), draft.names(op.inputs), {"axis": -1})


@shaped("LOCAL_RESPONSE_NORMALIZATION")
def _response(op: FileOperator, draft: Draft) -> Made:
    size = 2 * op.options.Radius() + 1
    return Made(("LRN",), (draft.image(op.inputs[0]),), {"size": size})
