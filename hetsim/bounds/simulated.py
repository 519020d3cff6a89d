"""Floors of what the simulator executes: kernels and crossings on an idle SoC.

Contention, crowded cores and slowdown curves only ever add to these. What kernels take is found in
:mod:`hetsim.bounds.kernels`.
"""

from __future__ import annotations

from collections.abc import Sequence

from hetsim.bounds.floors import Floors, alike, divided
from hetsim.bounds.kernels import Kernels
from hetsim.bounds.resources import OfUnit, resources_of
from hetsim.bounds.tolls import Tolls
from hetsim.cost.chain import CostModel
from hetsim.cost.reach import Reach
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
    tolls = Tolls(graph, soc, transfers)
    kernels = {
        pu.index: _answers(graph, soc, costs, pu, fidelity, tolls, transfers)
        for pu, first in zip(soc.pus, alike(soc), strict=True)
        if first == pu.index
    }
    answers = [kernels[first] for first in alike(soc)]
    return Floors(
        ops=tuple(zip(*(a.ops for a in answers), strict=True)),
        toll=tolls.toll,
        handing=tolls.handing,
        call=float(soc.runtime.partition_call),
        leave=tuple(zip(*(a.leave for a in answers), strict=True)),
        awake=tuple(pu.spec.polls_host for pu in soc.pus),
        crowded=crowded,
        resources=resources_of(soc, answers, tolls, count_bytes=not costs.caches),
    )


def _answers(
    graph: Graph,
    soc: SoC,
    costs: CostModel,
    pu: PU,
    fidelity: str | None,
    tolls: Tolls,
    transfers: int,
) -> OfUnit:
    threads = len(soc.pus) - 1 if _crowded(soc) == pu.index else 0
    source = Kernels(graph, costs, pu, fidelity, threads, Reach.of(pu, transfers), tolls.around)
    return OfUnit(
        tuple(divided(graph, pu, source.kernel, source.tail)),
        tuple(source.leave()),
        tuple(divided(graph, pu, source.moved, lambda op: 0.0)),
        tuple(source.stored()),
        tuple(divided(graph, pu, source.busy, lambda op: 0.0)),
    )


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
    there are PUs. Each moves one thing at a time, or loads and stores tiles.
    """
    chains = 0
    extended: set[int] = set()
    for op in range(len(graph)):
        before = next((p for p in graph.predecessors[op] if p not in extended), None)
        if before is None:
            chains += 1
        else:
            extended.add(before)
    return min(chains, len(soc.pus)) * (1 if fidelity == "fluid" else 2)


def least_seconds(floors: Floors) -> Sequence[Sequence[float]]:
    """By operator and PU: the floor with the most convenient neighbour."""
    return [[least.least for least in row] for row in floors.ops]
