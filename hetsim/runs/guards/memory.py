"""Whether a network fits a SoC's memory."""

from __future__ import annotations

import math

from hetsim.errors import InfeasibleError
from hetsim.soc.model import SoC
from hetsim.units import format_quantity
from hetsim.workload.footprint import live_bytes, weight_bytes
from hetsim.workload.graph import DTYPE_BYTES, Graph


def peak_bytes(graph: Graph) -> int:
    """Weights plus the most activation bytes alive at once, running in file order.

    In the network's own data types: the model as it is loaded.
    """
    known = sum(weight_bytes(graph).values()) + max(live_bytes(graph))
    return known + math.ceil(graph.unread * DTYPE_BYTES["float32"])


def capacity_bytes(soc: SoC) -> float:
    """What all memories that the SoC's units reach hold together."""
    reached = dict.fromkeys(way.memory for pu in soc.pus for way in pu.ways)
    return sum(soc.spec.memory[name].capacity for name in reached)


def check_capacity(graph: Graph, soc: SoC) -> None:
    """Raises ``InfeasibleError`` when the network needs more memory than the SoC's units reach.

    What a plan puts into a single memory is checked when it is lowered.
    """
    need = peak_bytes(graph)
    have = capacity_bytes(soc)
    if need > have:
        raise InfeasibleError(
            f"network {graph.name!r} needs {format_quantity(need, 'size')} of memory, and"
            f" {soc.name!r} has {format_quantity(have, 'size')}",
            hint=f"raise memory capacity by {format_quantity(need - have, 'size')},"
            " or choose a smaller network",
        )
