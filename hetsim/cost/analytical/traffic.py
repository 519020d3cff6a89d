"""Bytes a kernel must move, in the data types in which its PU stores tensors."""

from __future__ import annotations

import math
from collections.abc import Iterable

from hetsim.cost.work import Kernel
from hetsim.soc.model import PU
from hetsim.workload.graph import DTYPE_BYTES, Graph


def tensor_bytes(graph: Graph, name: str, pu: PU) -> int:
    """Size of a tensor as ``pu`` stores it."""
    tensor = graph.tensors[name]
    return tensor.bytes_as(pu.stored_dtype(tensor.dtype))


def total_bytes(graph: Graph, names: Iterable[str], pu: PU) -> int:
    """Size of several tensors as ``pu`` stores them."""
    return sum(tensor_bytes(graph, name, pu) for name in names)


def weight_bytes(kernel: Kernel, pu: PU) -> int:
    """Constants the kernel reads, as ``pu`` stores them."""
    return sum(
        math.ceil(count * DTYPE_BYTES[pu.stored_dtype(dtype)])
        for op in kernel.operators
        for dtype, count in op.weights
    )
