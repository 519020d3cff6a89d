"""Which operators of a partition run as one kernel.

A PU lists chains of operator kinds it can fuse (``Conv-Relu``, ``Conv-Add-Relu``). A chain matches
where each operator's only result has one reader, the next operator of the chain, inside the same
partition, and is not an output of the network. Matching is greedy: operators in order, longest
chain first. The kernel takes the place of its *last* operator: everything it reads is ready by
then, and nobody outside reads its inner results.
"""

from __future__ import annotations

from collections.abc import Sequence

from hetsim.workload.graph import Graph

Patterns = Sequence[tuple[str, ...]]


def match(graph: Graph, start: int, patterns: Patterns) -> tuple[int, ...]:
    """The longest chain from operator ``start`` that one of ``patterns`` allows.

    ``patterns`` must be sorted longest first. Returns operator positions; only ``start`` when
    nothing matches.
    """
    kind = graph.operators[start].kind
    for pattern in patterns:
        if pattern[0] == kind:
            chain = _follow(graph, start, pattern)
            if chain:
                return chain
    return (start,)


def _follow(graph: Graph, start: int, pattern: tuple[str, ...]) -> tuple[int, ...]:
    chain = [start]
    for kind in pattern[1:]:
        following = sole_reader(graph, chain[-1])
        if following is None or graph.operators[following].kind != kind:
            return ()
        chain.append(following)
    return tuple(chain)


def sole_reader(graph: Graph, op: int) -> int | None:
    """The one operator that reads ``op``'s one result, or ``None`` if there is not exactly one."""
    outputs = graph.operators[op].outputs
    if len(outputs) != 1 or outputs[0] in graph.output_set:
        return None
    readers = graph.consumers[outputs[0]]
    return readers[0] if len(readers) == 1 else None


def is_fusable(graph: Graph, ops: Sequence[int], patterns: Patterns) -> bool:
    """Whether exactly the chain ``ops`` may run as one kernel."""
    if len(ops) < 2:
        return False
    kinds = tuple(graph.operators[i].kind for i in ops)
    return kinds in patterns and _follow(graph, ops[0], kinds) == tuple(ops)


def fuse(graph: Graph, ops: Sequence[int], patterns: Patterns) -> list[tuple[int, ...]]:
    """Splits the partition ``ops`` (positions, in execution order) into kernels, in order."""
    members = set(ops)
    taken: set[int] = set()
    kernel_at: dict[int, tuple[int, ...]] = {}
    for op in ops:
        if op in taken:
            continue
        chain = match(graph, op, patterns)
        while len(chain) > 1 and any(i not in members or i in taken for i in chain):
            shorter = [p for p in patterns if len(p) < len(chain)]
            chain = match(graph, op, shorter)
        taken.update(chain)
        kernel_at[chain[-1]] = chain
    return [kernel_at[op] for op in ops if op in kernel_at]
