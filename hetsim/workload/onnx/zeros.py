"""Patterns of zeros in the weights that a file holds: along which axes they are 2:4 sparse.

A few rows tell of almost every matrix that it is dense, so looking costs next to nothing; only one
that may follow the pattern is read whole. Weights in side files, which may be larger than memory,
are not looked at; a scenario can state what they are (:mod:`hetsim.workload.weights`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, numpy_helper

from hetsim.workload.costing import Call
from hetsim.workload.onnx.ir import Value
from hetsim.workload.weights import PATTERNS

NAME, PATTERN = next(iter(PATTERNS.items()))

FEWEST_KEPT = 0.25
"""Share of weights that must not be zero: a file whose weights were cleared is not a sparse one."""

CORNER = 4
"""Places along each other axis that are looked at first."""


def sparse_axes(tensor: TensorProto) -> tuple[int, ...]:
    """Axes of a constant along which every four neighbours have at most two that are not zero."""
    dims = tuple(tensor.dims)
    able = [axis for axis, size in enumerate(dims) if size and size % PATTERN.of == 0]
    external = tensor.data_location == TensorProto.EXTERNAL
    if len(dims) < 2 or not able or external or tensor.data_type == TensorProto.STRING:
        return ()
    try:
        values = numpy_helper.to_array(tensor)
    except Exception:  # stripped weights: only the size is known
        return ()
    return tuple(axis for axis in able if _follows(values, axis))


def _follows(values: Any, axis: int) -> bool:
    corner = tuple(slice(None) if a == axis else slice(CORNER) for a in range(values.ndim))
    if not _at_most_kept(values[corner], axis):
        return False
    whole = values != 0
    return bool(_at_most_kept(values, axis) and whole.mean() >= FEWEST_KEPT)


def _at_most_kept(values: Any, axis: int) -> bool:
    last = np.moveaxis(values != 0, axis, -1)
    fours = last.reshape(*last.shape[:-1], -1, PATTERN.of)
    return bool((fours.sum(axis=-1) <= PATTERN.kept).all())


def moved(axes: tuple[int, ...], order: object, rank: int) -> tuple[int, ...]:
    """``axes`` after a Transpose by ``order``; without one, dimensions are reversed."""
    new = list(order) if isinstance(order, tuple) else list(range(rank))[::-1]
    return tuple(sorted(new.index(axis) for axis in axes))


def sparsity_of(call: Call) -> str:
    """The pattern along the input channels of a product's weights; nothing where there is none."""
    for position, value in enumerate(call.inputs[:2]):
        if value is not None and value.constant and value.sparse_axes:
            return NAME if _channel_axis(call, position, value) in value.sparse_axes else ""
    return ""


def _channel_axis(call: Call, position: int, weight: Value) -> int:
    if call.kind == "Gemm":
        turned = call.integer("transB" if position else "transA", 0)
        return position ^ 1 ^ turned
    if call.kind == "MatMul":
        return weight.rank - 2 if position else weight.rank - 1
    return {"Conv": 1, "ConvTranspose": 0}.get(call.kind, -1)
