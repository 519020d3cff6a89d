"""Which tensors stay on chip from one kernel of a partition to a later one.

A PU with a software-managed memory keeps a tensor from its producer to its last reader in the
partition while such tensors together take at most half of it (the rest is for tiles). A CPU's cache
serves what the kernel just before wrote, when it fits; what it writes still goes to memory.
Nothing stays across a partition's boundary: there the data is handed over in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hetsim.cost.analytical.traffic import tensor_bytes
from hetsim.cost.work import NOWHERE, Kernel, Residency
from hetsim.soc.model import PU
from hetsim.workload.graph import Graph

RESIDENT_SHARE = 0.5
"""Share of a managed on-chip memory that tensors may occupy between kernels."""


def residencies(graph: Graph, kernels: Sequence[Kernel], pu: PU) -> list[Residency]:
    """The residency of each kernel of a partition, in order."""
    if not (pu.managed_memory or pu.spec.cache):  # the answer would be the same, but slower
        return [NOWHERE] * len(kernels)
    if pu.managed_memory:
        return _managed(graph, kernels, pu, pu.managed_memory * RESIDENT_SHARE)
    return _cached(graph, kernels, pu, pu.spec.cache)


def _cached(graph: Graph, kernels: Sequence[Kernel], pu: PU, cache: float) -> list[Residency]:
    result = [NOWHERE]
    for before, kernel in pairwise(kernels):
        sizes = {t: tensor_bytes(graph, t, pu) for t in kernel.inputs if t in before.outputs}
        warm = {t: size for t, size in sizes.items() if size <= cache}
        held = sum(warm.values())
        result.append(Residency(frozenset(warm), held_bytes=held) if warm else NOWHERE)
    return result


def _managed(graph: Graph, kernels: Sequence[Kernel], pu: PU, room: float) -> list[Residency]:
    last_read: dict[str, int] = {}
    for i, kernel in enumerate(kernels):
        for tensor in kernel.inputs:
            last_read[tensor] = i
    members = {graph.index[op.name] for kernel in kernels for op in kernel.operators}
    live: dict[str, int] = {}
    unsaved: set[str] = set()
    result = []
    for i, kernel in enumerate(kernels):
        held = frozenset(t for t in kernel.inputs if t in live)
        reserved = there = sum(live.values())
        lost = sum(size for tensor, size in live.items() if tensor in unsaved)
        kept: list[str] = []
        inner: list[str] = []
        for tensor in kernel.outputs:
            size = tensor_bytes(graph, tensor, pu)
            if last_read.get(tensor, i) > i and reserved + size <= room:
                kept.append(tensor)
                live[tensor] = size
                reserved += size
                readers = graph.consumers[tensor]
                if tensor not in graph.output_set and members.issuperset(readers):
                    inner.append(tensor)
        result.append(Residency(held, frozenset(inner), reserved, there, lost))
        unsaved.update(inner)
        for tensor in [t for t in live if last_read[t] <= i]:
            del live[tensor]
    return result
