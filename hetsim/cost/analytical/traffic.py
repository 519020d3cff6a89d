"""Bytes a kernel must move, in the data types in which its PU stores tensors."""

from __future__ import annotations

from collections.abc import Iterable

from hetsim.cost.analytical.weights import stored_bytes
from hetsim.cost.work import Kernel
from hetsim.soc.model import PU
from hetsim.workload.graph import Graph, stored_size


def tensor_bytes(graph: Graph, name: str, pu: PU) -> int:
    """Size of a tensor as ``pu`` stores it."""
    return stored_size(stored_elements(graph, name, pu), pu.stored_dtype(graph.tensors[name].dtype))


def stored_elements(graph: Graph, name: str, pu: PU) -> int:
    """Elements of a tensor as ``pu`` stores it, those that fill its channels up included."""
    tensor, block = graph.tensors[name], pu.spec.channel_block
    if block == 1:
        return tensor.elements
    return tensor.blocked(1 if name in graph.feature_maps else -1, block)


def total_bytes(graph: Graph, names: Iterable[str], pu: PU) -> int:
    """Size of several tensors as ``pu`` stores them."""
    return sum(tensor_bytes(graph, name, pu) for name in names)


def weight_bytes(kernel: Kernel, pu: PU) -> int:
    """Constants the kernel reads, as ``pu`` stores them."""
    return sum(stored_bytes(op, pu) for op in kernel.operators)
