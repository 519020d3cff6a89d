"""Floors of what the simulator executes: kernels and crossings on an idle SoC.

Contention, crowded cores and slowdown curves only ever add to these. Where the work of a kernel
depends on the rest of its partition in ways too many to enumerate (tensors kept in a managed
memory, weights fetched early), the cost model's own floor takes its place. Of a cache it is only
known that it may hold what the kernel just before wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hetsim.bounds.floors import NOTHING, Chain, Floors, Least, alike, divided
from hetsim.cost.analytical.traffic import tensor_bytes
from hetsim.cost.chain import CostModel
from hetsim.cost.crossing import Crossings
from hetsim.cost.profile import INFEASIBLE
from hetsim.cost.work import NOWHERE, Kernel, Residency, Step, Work
from hetsim.errors import InfeasibleError
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
    by_class: dict[int, list[Least]] = {}
    for pu, first in zip(soc.pus, alike(soc), strict=True):
        if first == pu.index:
            reach = _reach(pu, transfers)
            source = _Kernels(graph, soc, costs, fidelity, crowded == pu.index, reach, tolls)
            by_class[first] = divided(graph, pu, source.kernel, source.tail)
    columns = [by_class[first] for first in alike(soc)]
    return Floors(
        ops=tuple(zip(*columns, strict=True)),
        toll=tolls.toll,
        handing=tolls.handing,
        call=float(soc.runtime.partition_call),
        leave=tuple(pu.spec.completion_latency for pu in soc.pus),
        awake=tuple(pu.spec.polls_host for pu in soc.pus),
        crowded=crowded,
    )


def _crowded(soc: SoC) -> int | None:
    """The PU that is the whole host cluster, if other PUs can put threads there beside it."""
    host = soc.host
    if len(soc.pus) < 2 or host.cores < host.spec.thread_cores:
        return None
    return host.index


def _drag(seconds: float, span: float, cores: int, most: int) -> float:
    """Least loss for each second beside one more thread, with at most ``most`` of them.

    The work needs ``seconds`` of its cores and ``span`` seconds of the memory path at least. With
    m more threads than cores it keeps cores / (cores + m) of its speed, as far as that binds.
    """
    if seconds <= 0.0:
        return 0.0
    reserve = max(span, seconds) / seconds
    losses = (max(0.0, 1.0 - cores / (cores + m) * reserve) / m for m in range(1, most + 1))
    return min(losses, default=0.0)


class _Reach(NamedTuple):
    """Bounds on how a PU moves bytes wherever they lie: all its ways at once, or the worst one.

    B/s for the two widths, seconds of latency for the two distances. The widest is what the links
    carry at best: a memory may serve several transfers better than one alone.
    """

    widest: float
    narrowest: float
    nearest: float
    farthest: float


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


def _reach(pu: PU, transfers: int) -> _Reach:
    latencies = [way.latency for way in pu.ways]
    return _Reach(
        sum(way.most[min(transfers, len(way.most)) - 1] for way in pu.ways),
        min(way.bandwidth for way in pu.ways),
        min(latencies),
        max(latencies),
    )


class _Kernels:
    """Answers for :func:`hetsim.bounds.floors.divided`."""

    def __init__(
        self,
        graph: Graph,
        soc: SoC,
        costs: CostModel,
        fidelity: str | None,
        crowded: bool,
        reach: _Reach,
        tolls: _Tolls,
    ) -> None:
        self._graph = graph
        self._costs = costs
        self._fidelity = fidelity
        self._reach = reach
        self._tolls = tolls
        self._threads = len(soc.pus) - 1 if crowded else 0

    def tail(self, op: int, pu: PU) -> float:
        seconds = self._costs.floor(self._graph, op, pu)
        return seconds if seconds is not None and seconds < INFEASIBLE else 0.0

    def kernel(self, chain: Chain, pu: PU) -> Least | None:
        graph = self._graph
        kernel = Kernel.of(graph, tuple(graph.operators[i] for i in chain))
        around = self._tolls.around(kernel, pu)
        work = self._work(kernel, pu, NOWHERE)
        if pu.spec.managed_memory or pu.spec.prefetches:
            # What the kernel needs when tensors stay on chip is not known here; it may even fit
            # the buffers only then.
            floors = [self._costs.floor(graph, i, pu) for i in chain]
            if work is None and (floors[0] is None or floors[0] == INFEASIBLE):
                return None
            return Least(around + sum(s for s in floors if s is not None and s < INFEASIBLE))
        if work is None:
            return None
        beside = []
        for producer, warm in self._warm(kernel, pu).items():
            easier = self._work(kernel, pu, Residency(inputs=warm))
            if easier is not None:
                beside.append((producer, around + self._seconds(easier, pu)))
        reach = self._reach
        delay = work.dispatch_s + sum(reach.farthest for p in work.phases if p.bytes)
        drags = [
            _drag(p.seconds, p.bytes / reach.narrowest, pu.cores, self._threads)
            for p in work.phases
            if p.seconds > 0.0 or p.bytes
        ]
        seconds = around + self._seconds(work, pu)
        return Least(seconds, tuple(beside), delay, min(drags, default=0.0))

    def _work(self, kernel: Kernel, pu: PU, residency: Residency) -> Work | None:
        try:
            return self._costs.work(self._graph, kernel, pu, residency)
        except InfeasibleError:
            return None

    def _warm(self, kernel: Kernel, pu: PU) -> dict[int, frozenset[str]]:
        """For each producer, its tensors that a cache may still hold when the kernel starts."""
        graph, room = self._graph, pu.spec.cache
        found: dict[int, list[str]] = {}
        for tensor in kernel.inputs:
            if tensor in graph.producer and room and tensor_bytes(graph, tensor, pu) <= room:
                found.setdefault(graph.producer[tensor], []).append(tensor)
        return {producer: frozenset(tensors) for producer, tensors in found.items()}

    def _seconds(self, work: Work, pu: PU) -> float:
        reach = self._reach
        fluid = work.dispatch_s + sum(
            max(p.seconds, p.bytes / reach.widest) + (reach.nearest if p.bytes else 0.0)
            for p in work.phases
        )
        if not work.tiles or self._fidelity == "fluid":
            return fluid
        tiled = _tiled_seconds(work, pu, reach)
        return tiled if self._fidelity == "tile" else min(fluid, tiled)


def _tiled_seconds(work: Work, pu: PU, reach: _Reach) -> float:
    """Load of the first tile, all arithmetic, store of the last one; or all bytes in a row."""

    def moving(amount: int) -> float:
        return pu.spec.transfer_setup + reach.nearest + amount / reach.widest if amount else 0.0

    compute = sum(run.count * run.compute_s for run in work.tiles)
    if work.overlapped:
        moved = sum(run.count * (run.load_bytes + run.store_bytes) for run in work.tiles)
        ends = moving(work.tiles[0].load_bytes) + moving(work.tiles[-1].store_bytes)
        return work.dispatch_s + max(ends + compute, moved / reach.widest)
    transfers = sum(
        run.count * (moving(run.load_bytes) + moving(run.store_bytes)) for run in work.tiles
    )
    return work.dispatch_s + compute + transfers


class _Tolls:
    """Host work at crossings, alone on an idle SoC."""

    def __init__(self, graph: Graph, soc: SoC, transfers: int) -> None:
        self._reach = _reach(soc.host, transfers)
        self._crossings = Crossings(graph, soc)
        self._known: dict[tuple[str, int | None, int | None], Least] = {}
        self._cores = soc.host.spec.thread_cores

    def toll(self, tensor: str, source: int | None, target: int | None) -> Least:
        key = (tensor, source, target)
        found = self._known.get(key)
        if found is None:
            crossings = self._crossings
            if target is None:
                assert source is not None, "the application reads what a unit made"
                steps = crossings.leaving(tensor, source, output=True)
            else:
                entering = crossings.entering(tensor, source, target)
                steps = (*crossings.copying(tensor), *entering)
            found = self._known[key] = self._measure(steps)
        return found

    def handing(self, tensor: str, source: int) -> Least:
        if not self._crossings.by_host:
            return NOTHING
        return self._measure(self._crossings.leaving(tensor, source, output=False))

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
            drags.append(_drag(step.seconds, step.bytes / reach.narrowest, self._cores, 1))
        return Least(seconds, (), delay, min(drags))


def least_seconds(floors: Floors) -> Sequence[Sequence[float]]:
    """By operator and PU: the floor with the most convenient neighbour."""
    return [[least.least for least in row] for row in floors.ops]
