"""Whether a network fits a SoC's memory."""

from __future__ import annotations

import math

from hetsim.errors import InfeasibleError
from hetsim.soc.model import SoC
from hetsim.units import format_quantity
from hetsim.workload.graph import DTYPE_BYTES, Graph


def peak_bytes(graph: Graph) -> int:
    """Weights plus the most activation bytes alive at once, running in file order.

    In the network's own data types: the model as it is loaded. An activation lives from its
    producer to its last reader; network inputs and outputs live throughout.
    """
    weights = sum(
        math.ceil(count * DTYPE_BYTES[dtype])
        for op in graph.operators
        for dtype, count in op.weights
    )
    pinned = {*graph.inputs, *graph.outputs}
    live = sum(graph.tensors[t].nbytes for t in pinned)
    peak = live
    last = {t: readers[-1] for t, readers in graph.consumers.items() if readers}
    dying: dict[int, list[str]] = {}
    for tensor, reader in last.items():
        dying.setdefault(reader, []).append(tensor)
    for i, op in enumerate(graph.operators):
        live += sum(graph.tensors[t].nbytes for t in op.outputs if t not in pinned)
        peak = max(peak, live)
        dead = [*dying.get(i, ()), *(t for t in op.outputs if t not in last)]
        live -= sum(graph.tensors[t].nbytes for t in dead if t not in pinned)
    read = sum(op.weight_elements for op in graph.operators)
    unread = max(graph.parameters - read, 0)  # rows of tables that one inference does not touch
    return weights + peak + math.ceil(unread * DTYPE_BYTES["float32"])


def check_capacity(graph: Graph, soc: SoC) -> None:
    """Raises ``InfeasibleError`` when the network needs more memory than the SoC's units reach.

    What a plan puts into a single memory is checked when it is lowered.
    """
    need = peak_bytes(graph)
    reached = dict.fromkeys(way.memory for pu in soc.pus for way in pu.ways)
    have = sum(soc.spec.memory[name].capacity for name in reached)
    if need > have:
        raise InfeasibleError(
            f"network {graph.name!r} needs {format_quantity(need, 'size')} of memory, and"
            f" {soc.name!r} has {format_quantity(have, 'size')}",
            hint=f"raise memory capacity by {format_quantity(need - have, 'size')},"
            " or choose a smaller network",
        )
