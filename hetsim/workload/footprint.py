"""What a network takes in memory, by itself: its weights, and the activations alive at once."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from hetsim.workload.graph import DTYPE_BYTES, Graph


def weight_bytes(graph: Graph) -> Mapping[str, int]:
    """Bytes of the constants that operators read, by data type; for each operator that reads."""
    found: Counter[str] = Counter()
    for op in graph.operators:
        for dtype, count in op.weights:
            found[dtype] += math.ceil(count * DTYPE_BYTES[dtype])
    return dict(found)


def live_bytes(graph: Graph) -> list[int]:
    """For each operator, the bytes of the activations that are alive while it runs.

    Operators run in the order of the graph, which is the file's where that is topological. An
    activation, in the network's own data type, lives from its producer to its last reader;
    network inputs and outputs live throughout, and nothing is computed in place. O(V + E).
    """
    pinned = {*graph.inputs, *graph.outputs}
    live = sum(graph.tensors[t].nbytes for t in pinned)
    last = {t: readers[-1] for t, readers in graph.consumers.items() if readers}
    dying: dict[int, list[str]] = {}
    for tensor, reader in last.items():
        dying.setdefault(reader, []).append(tensor)
    alive = []
    for i, op in enumerate(graph.operators):
        live += sum(graph.tensors[t].nbytes for t in op.outputs if t not in pinned)
        alive.append(live)
        dead = [*dying.get(i, ()), *(t for t in op.outputs if t not in last)]
        live -= sum(graph.tensors[t].nbytes for t in dead if t not in pinned)
    return alive
