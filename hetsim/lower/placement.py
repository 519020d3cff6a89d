"""Which memory each byte of a kernel goes to.

A tensor lies where the plan says, else at the end of the path of whoever touches it. Weights stay
there. A kernel's bytes are divided among memories in proportion to its tensors' sizes: what is read
again because tiles do not fit is not told apart by tensor. Transfers to several memories run side
by side. A unit whose work was cut for the speed of its own path (an NPU's tiles) keeps that cut:
another memory can hold it up, but not hurry it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace

from hetsim.cost.analytical.traffic import tensor_bytes, weight_bytes
from hetsim.cost.work import Kernel, Residency, Traffic, Work
from hetsim.errors import InfeasibleError
from hetsim.lower.program import Touched
from hetsim.soc.model import PU, SoC
from hetsim.units import format_quantity
from hetsim.workload.graph import Graph

Memories = Mapping[str, str]
"""The memory of each tensor that the plan has put somewhere."""


class _Shares:
    """How bytes are divided among memories other than a unit's own."""

    def __init__(
        self, graph: Graph, pu: PU, tensors: Iterable[str], memories: Memories, rest: int = 0
    ) -> None:
        self._total = rest
        self._far: dict[str, int] = {}
        for tensor in tensors:
            size = tensor_bytes(graph, tensor, pu)
            self._total += size
            memory = memories.get(tensor, pu.memory)
            if memory != pu.memory:
                self._far[memory] = self._far.get(memory, 0) + size

    def of(self, amount: int) -> dict[str, int]:
        """What goes elsewhere of ``amount`` bytes, whole bytes; the rest stays at home."""
        return {memory: amount * size // self._total for memory, size in self._far.items()}


def placed(
    graph: Graph, kernel: Kernel, work: Work, kept: Residency, pu: PU, memories: Memories
) -> Work:
    """``work`` with its bytes divided among memories.

    Totals stay exact. The fluid and the tiles may differ by less than a byte per tile and memory.
    """
    reads = [t for t in kernel.inputs if t not in kept.inputs]
    writes = [t for t in kernel.outputs if t not in kept.outputs]
    loads = _Shares(graph, pu, reads, memories, weight_bytes(kernel, pu))
    stores = _Shares(graph, pu, writes, memories)

    def far(load: int, store: int) -> tuple[int, int, tuple[Traffic, ...]]:
        """What stays at home, and what goes elsewhere."""
        loaded, stored = loads.of(load), stores.of(store)
        elsewhere = tuple(
            Traffic(memory, loaded.get(memory, 0), stored.get(memory, 0))
            for memory in dict.fromkeys((*loaded, *stored))
        )
        return load - sum(loaded.values()), store - sum(stored.values()), elsewhere

    phases = []
    for phase in work.phases:
        load, store, elsewhere = far(phase.load_bytes, phase.store_bytes)
        phases.append(replace(phase, load_bytes=load, store_bytes=store, elsewhere=elsewhere))
    tiles = []
    for run in work.tiles:
        load, store, elsewhere = far(run.load_bytes, run.store_bytes)
        tiles.append(replace(run, load_bytes=load, store_bytes=store, elsewhere=elsewhere))
    return replace(work, phases=tuple(phases), tiles=tuple(tiles))


def touched(graph: Graph, kernel: Kernel, kept: Residency, pu: PU, memories: Memories) -> Touched:
    """What ``kernel`` moves to and from the memory at the end of the path of ``pu``."""

    def here(tensors: Iterable[str], resident: Container[str]) -> Iterator[tuple[str, int]]:
        for tensor in tensors:
            if tensor not in resident and memories.get(tensor, pu.memory) == pu.memory:
                yield tensor, tensor_bytes(graph, tensor, pu)

    weights = weight_bytes(kernel, pu)
    return Touched(
        graph.name,
        tuple(here(kernel.inputs, kept.inputs)),
        ((f"{graph.name}: {kernel.name}", weights),) if weights else (),
        tuple(here(kernel.outputs, kept.outputs)),
    )


def check_room(graph: Graph, soc: SoC, memories: Memories, home: Mapping[str, int]) -> None:
    """Raises ``InfeasibleError`` when tensors put into a memory do not fit it.

    Each has a place of its own there. ``home`` gives the PU that makes a tensor, in whose data
    type it lies; the network's inputs lie in the host's.
    """
    taken: dict[str, int] = {}
    for tensor, memory in memories.items():
        maker = soc.pus[home[tensor]] if tensor in home else soc.host
        taken[memory] = taken.get(memory, 0) + tensor_bytes(graph, tensor, maker)
    for memory, need in taken.items():
        have = soc.spec.memory[memory].capacity
        if need > have:
            raise InfeasibleError(
                f"tensors put into memory {memory!r} need {format_quantity(need, 'size')}, and it"
                f" has {format_quantity(have, 'size')}",
                hint=f"put {format_quantity(need - have, 'size')} elsewhere, or raise its capacity",
            )
