"""Lower bounds on the makespan of one inference, valid for every plan and under any contention.

Three arguments, each a relaxation of what the simulator executes:

* *windows*: between two operators that everything else comes before or after, nothing overlaps
  what is outside, so the network's time is a sum. Each window takes what its longest path takes,
  crossings included (:mod:`hetsim.bounds.relaxation`), and what a linear program over the PUs of
  its operators says (:mod:`hetsim.bounds.program`), for the best PUs of the operators at its ends.
* *area*: the floors, spread over the PUs as if operators could be divided at will (a linear
  program).
* *bytes*: weights, network inputs and outputs cross a memory at least once, in the smallest form
  any PU stores them in; at best all memories that a PU can reach carry them side by side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from hetsim.bounds.bound import Bound
from hetsim.bounds.floors import Floors
from hetsim.bounds.narrowing import narrowed
from hetsim.bounds.rows import Rows
from hetsim.bounds.running import Forking
from hetsim.bounds.simulated import least_seconds, simulated_floors
from hetsim.cost.analytical.weights import stored_bytes
from hetsim.cost.chain import CostModel
from hetsim.sim.runtimes.registry import find_runtime
from hetsim.soc.model import SoC
from hetsim.workload.graph import DTYPE_BYTES, Graph

Table = Sequence[Sequence[float]]


def lower_bounds(
    graph: Graph,
    soc: SoC,
    costs: CostModel,
    fidelity: str | None = None,
    floors: Floors | None = None,
    execution: str | None = None,
) -> tuple[Bound, ...]:
    """All bounds, seconds. Cost: O((V + E) · PUs²) and linear programs of stated total size.

    They hold for simulations at ``fidelity``, or (``None``) at either, under the runtime
    ``execution``, or (``None``) under any. ``floors``, if they are known already, are those of
    :func:`~hetsim.bounds.simulated.simulated_floors`.

    Raises:
        ConfigError: no such runtime.
    """
    floors = floors or simulated_floors(graph, soc, costs, fidelity)
    forks = execution is not None and find_runtime(execution).forks
    spent = soc.runtime.thread_create, soc.runtime.thread_join
    forking = Forking(*map(float, spent)) if forks else None
    table = least_seconds(floors)
    seconds, lacks = narrowed(graph, floors, forking)
    bounds = (
        Bound(seconds, f"windows between operators that cut the network; {lacks}"),
        Bound(area_bound(table), "operators divided over all PUs"),
    )
    if costs.caches:  # a measurement may show that caches served what should cross the memory
        return bounds
    memory = Bound(bytes_bound(graph, soc, table), "weights and network tensors through memory")
    return (*bounds, memory)


def area_bound(floors: Table) -> float:
    """The *area* argument: the least T with sum over operators of share · floor <= T on each PU."""
    finite = [seconds for row in floors for seconds in row if math.isfinite(seconds)]
    if not finite:
        return 0.0
    scale = max(*finite, 1e-30)
    units = len(floors[0])
    rows = Rows()
    most = rows.variable(high=float(len(floors)), goal=1.0)
    loads: list[dict[int, float]] = [{most: -1.0} for _ in range(units)]
    for row in floors:
        shares = {}
        for load, seconds in zip(loads, row, strict=True):
            if math.isfinite(seconds):
                share = rows.variable()
                shares[share] = 1.0
                load[share] = seconds / scale
        rows.exactly(shares, 1.0)
    for load in loads:
        rows.at_most(load)
    prices = rows.solve({}).prices
    weights = [0.0] * units if prices is None else prices[-units:].tolist()
    return max(_proven_area(floors, weights), _proven_area(floors, [1.0] * units))


def _proven_area(floors: Table, weights: Sequence[float]) -> float:
    """The bound that weights of the PUs prove, free of a solver's tolerances.

    Whatever they are, the weighted mean of the PUs' loads is at most the largest load, and each
    operator adds at least its cheapest weighted floor to it. The program's dual has the best ones.
    """
    total = math.fsum(max(weight, 0.0) for weight in weights)
    if total <= 0.0:
        return 0.0
    least = (
        min(
            max(weight, 0.0) * seconds
            for weight, seconds in zip(weights, row, strict=True)
            if math.isfinite(seconds)
        )
        for row in floors
        if math.isfinite(min(row))
    )
    return math.fsum(least) / total * (1 - 1e-12)


def bytes_bound(graph: Graph, soc: SoC, floors: Table) -> float:
    """The *bytes* argument."""

    def least(elements: int, dtype: str, op: int) -> int:
        able = [pu for pu in soc.pus if math.isfinite(floors[op][pu.index])]
        return min(
            (math.ceil(elements * DTYPE_BYTES[pu.stored_dtype(dtype)]) for pu in able), default=0
        )

    total = 0
    for i, op in enumerate(graph.operators):
        able = [pu for pu in soc.pus if math.isfinite(floors[i][pu.index])]
        total += min((stored_bytes(op, pu) for pu in able), default=0)
    for name in graph.inputs:
        if graph.consumers[name]:
            tensor = graph.tensors[name]
            total += min(least(tensor.elements, tensor.dtype, i) for i in graph.consumers[name])
    for name in graph.output_set & graph.producer.keys():
        tensor = graph.tensors[name]
        total += least(tensor.elements, tensor.dtype, graph.producer[name])
    used = dict.fromkeys(way.memory for pu in soc.pus for way in pu.ways)
    return total / sum(max(soc.links[name].bandwidth) for name in used)
