"""Floors of what the simulator executes: kernels and crossings on an idle SoC.

Contention, crowded cores and slowdown curves only ever add to these. What kernels take is found in
:mod:`hetsim.bounds.kernels`.
"""

from __future__ import annotations

from collections.abc import Sequence

from hetsim.bounds.floors import NOTHING, Floors, Least, Moved, Shared, alike, divided
from hetsim.bounds.kernels import Kernels, drag
from hetsim.cost.chain import CostModel
from hetsim.cost.crossing import Crossings
from hetsim.cost.reach import Reach
from hetsim.cost.work import Kernel, Step
from hetsim.soc.model import PU, SoC
from hetsim.workload.graph import Graph


def simulated_floors(
    graph: Graph, soc: SoC, costs: CostModel, fidelity: str | None = None
) -> Floors:
    """Floors below which no simulation goes, at ``fidelity`` or (``None``) at either.

    O(V + E) questions to the cost model for each kind of PU.
    """
    crowded = _crowded(soc)
    transfers = _transfers(graph, soc, fidelity)
    tolls = _Tolls(graph, soc, transfers)
    by_class: dict[int, tuple[list[Least], list[float], list[Least], list[float]]] = {}
    for pu, first in zip(soc.pus, alike(soc), strict=True):
        if first == pu.index:
            threads = len(soc.pus) - 1 if crowded == pu.index else 0
            reach = Reach.of(pu, transfers)
            source = Kernels(graph, costs, pu, fidelity, threads, reach, tolls.around)
            by_class[first] = (
                divided(graph, pu, source.kernel, source.tail),
                source.leave(),
                divided(graph, pu, source.moved, lambda op: 0.0),
                source.stored(),
            )
    seconds, leave, moved, stored = (
        tuple(zip(*columns, strict=True))
        for columns in zip(*(by_class[first] for first in alike(soc)), strict=True)
    )
    return Floors(
        ops=seconds,
        toll=tolls.toll,
        handing=tolls.handing,
        call=float(soc.runtime.partition_call),
        leave=leave,
        awake=tuple(pu.spec.polls_host for pu in soc.pus),
        crowded=crowded,
        moved=None
        if costs.caches  # a measurement may show that caches served what should cross the memory
        else Moved(moved, stored, tolls.bytes, tolls.handed_bytes, _shared(soc)),
    )


def _shared(soc: SoC) -> tuple[Shared, ...]:
    """Links that several units cannot avoid, or one unit and the host; of like ones the slowest."""
    found: dict[tuple[frozenset[int], bool], float] = {}
    for link in soc.links.values():
        units = frozenset(
            pu.index for pu in soc.pus if all(link.name in way.links for way in pu.ways)
        )
        host = soc.host.index in units
        if len(units) > 1:
            slow = 1.0 / max(link.bandwidth)
            found[units, host] = max(found.get((units, host), 0.0), slow)
    return tuple(Shared(seconds, units, host) for (units, host), seconds in found.items())


def _crowded(soc: SoC) -> int | None:
    """The PU that is the whole host cluster, if other PUs can put threads there beside it."""
    host = soc.host
    if len(soc.pus) < 2 or host.cores < host.spec.thread_cores:
        return None
    return host.index


def _transfers(graph: Graph, soc: SoC, fidelity: str | None) -> int:
    """How many transfers can be under way at most.

    Partitions that are carried out at the same time do not wait for one another, so operators of
    theirs are independent: no more than chains are needed to cover the network (Dilworth), nor than
    there are PUs. Each moves one thing at a time, or loads and stores tiles, for each of its ways.
    """
    chains = 0
    extended: set[int] = set()
    for op in range(len(graph)):
        before = next((p for p in graph.predecessors[op] if p not in extended), None)
        if before is None:
            chains += 1
        else:
            extended.add(before)
    at_once = max((len(pu.ways) for pu in soc.pus), default=1)
    return max(1, min(chains, len(soc.pus))) * at_once * (1 if fidelity == "fluid" else 2)


class _Tolls:
    """Host work at crossings, alone on an idle SoC."""

    def __init__(self, graph: Graph, soc: SoC, transfers: int) -> None:
        self._reach = Reach.of(soc.host, transfers)
        self._crossings = Crossings(graph, soc)
        self._known: dict[tuple[str, int | None, int | None], Least] = {}
        self._cores = soc.host.spec.thread_cores

    def toll(self, tensor: str, source: int | None, target: int | None) -> Least:
        key = (tensor, source, target)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._measure(self._steps(*key))
        return found

    def bytes(self, tensor: str, source: int | None, target: int | None) -> float:
        return float(sum(step.bytes for step in self._steps(tensor, source, target)))

    def _steps(self, tensor: str, source: int | None, target: int | None) -> Sequence[Step]:
        crossings = self._crossings
        if target is None:
            assert source is not None, "the application reads what a unit made"
            return crossings.leaving(tensor, source, output=True)
        return (*crossings.copying(tensor), *crossings.entering(tensor, source, target))

    def handing(self, tensor: str, source: int) -> Least:
        return self._measure(self._handing_steps(tensor, source))

    def handed_bytes(self, tensor: str, source: int) -> float:
        return float(sum(step.bytes for step in self._handing_steps(tensor, source)))

    def _handing_steps(self, tensor: str, source: int) -> Sequence[Step]:
        if not self._crossings.by_host:
            return ()
        return self._crossings.leaving(tensor, source, output=False)

    def around(self, kernel: Kernel, pu: PU) -> float:
        """Seconds of host work before and after ``kernel``."""
        before, after = self._crossings.around(kernel.inputs, kernel.outputs, pu)
        return self._measure((*before, *after)).alone

    def _measure(self, steps: Sequence[Step]) -> Least:
        if not steps:
            return NOTHING
        reach = self._reach
        seconds = delay = 0.0
        drags: list[float] = []
        for step in steps:
            seconds += max(step.seconds, step.bytes / reach.widest)
            if step.bytes:
                seconds += reach.nearest
                delay += reach.farthest
            drags.append(drag(step.seconds, step.bytes / reach.narrowest, self._cores, 1))
        return Least(seconds, (), delay, min(drags))


def least_seconds(floors: Floors) -> Sequence[Sequence[float]]:
    """By operator and PU: the floor with the most convenient neighbour."""
    return [[least.least for least in row] for row in floors.ops]
