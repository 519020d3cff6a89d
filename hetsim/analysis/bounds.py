"""Lower bounds on the makespan of one inference, valid for every plan and under any contention.

Three arguments, each a relaxation of what the simulator executes:

* *path*: along every path of the network each operator takes at least its floor on some PU, and
  where the PU changes, or data enters or leaves, the host at least converts the tensor and calls
  the partition. Dynamic programming over (operator, PU).
* *area*: the floors, spread over the PUs as if operators could be divided at will (a linear
  program).
* *bytes*: weights, network inputs and outputs cross a memory at least once, in the smallest form
  any PU stores them in.
"""

from __future__ import annotations

import math

from hetsim.analysis.result import Bound
from hetsim.cost.base import CostModel
from hetsim.cost.profile import INFEASIBLE
from hetsim.lower.crossing import Crossings
from hetsim.soc.model import SoC
from hetsim.workload.graph import DTYPE_BYTES, Graph

Floors = list[list[float]]


def lower_bounds(graph: Graph, soc: SoC, costs: CostModel) -> tuple[Bound, ...]:
    """All bounds, seconds. Cost: O((V + E) · PUs²) and one linear program."""
    floors = operator_floors(graph, soc, costs)
    bounds = (
        Bound(path_bound(graph, soc, floors), "longest path of fastest operators"),
        Bound(area_bound(floors), "operators divided over all PUs"),
    )
    if costs.caches:  # a measurement may show that caches served what should cross the memory
        return bounds
    memory = Bound(bytes_bound(graph, soc, floors), "weights and network tensors through memory")
    return (*bounds, memory)


def operator_floors(graph: Graph, soc: SoC, costs: CostModel) -> Floors:
    """Least seconds of each operator on each PU; infinite where it cannot run."""
    table = []
    for op in range(len(graph)):
        row = [costs.floor(graph, op, pu) for pu in soc.pus]
        table.append([INFEASIBLE if seconds is None else seconds for seconds in row])
    return table


def path_bound(graph: Graph, soc: SoC, floors: Floors) -> float:
    """The *path* argument."""
    crossings = Crossings(graph, soc)
    units = range(len(soc.pus))
    call = soc.runtime.partition_call

    def crossing(tensor: str, source: int | None, target: int | None) -> float:
        return sum(step.seconds for step in crossings.steps(tensor, source, target))

    ready: dict[str, list[float]] = {}  # by tensor: earliest it can be in each PU's hands
    for tensor in graph.inputs:
        ready[tensor] = [call + crossing(tensor, None, pu) for pu in units]
    bound = 0.0
    for i, op in enumerate(graph.operators):
        done = [
            max((ready[t][pu] for t in op.inputs), default=call) + floors[i][pu] for pu in units
        ]
        for tensor in op.outputs:
            if tensor in graph.output_set:
                bound = max(bound, min(done[p] + crossing(tensor, p, None) for p in units))
            if graph.consumers[tensor]:
                ready[tensor] = [
                    min(done[p] + (0.0 if p == q else call + crossing(tensor, p, q)) for p in units)
                    for q in units
                ]
        bound = max(bound, min(done))
    return bound


def area_bound(floors: Floors) -> float:
    """The *area* argument: the least T with sum over operators of share · floor <= T on each PU."""
    import numpy as np
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    where = [
        (op, pu, seconds)
        for op, row in enumerate(floors)
        for pu, seconds in enumerate(row)
        if math.isfinite(seconds)
    ]
    if not where:
        return 0.0
    ops, pus, seconds = (np.array(column) for column in zip(*where, strict=True))
    scale = max(float(seconds.max()), 1e-30)
    count, units = len(where), len(floors[0])
    columns = np.arange(count)
    used = csr_array((seconds / scale, (pus, columns)), shape=(units, count + 1)).tolil()
    used[:, count] = -1.0
    once = csr_array((np.ones(count), (ops, columns)), shape=(len(floors), count + 1))
    goal = np.zeros(count + 1)
    goal[count] = 1.0
    solution = linprog(
        goal, A_ub=used.tocsr(), b_ub=np.zeros(units), A_eq=once, b_eq=np.ones(len(floors)),
        method="highs",
    )  # fmt: skip
    # The solver is exact to its tolerance only; a bound must not exceed the truth.
    return float(solution.fun) * scale * (1 - 1e-7) if solution.success else 0.0


def bytes_bound(graph: Graph, soc: SoC, floors: Floors) -> float:
    """The *bytes* argument."""

    def least(elements: int, dtype: str, op: int) -> int:
        able = [pu for pu in soc.pus if math.isfinite(floors[op][pu.index])]
        return min(
            (math.ceil(elements * DTYPE_BYTES[pu.stored_dtype(dtype)]) for pu in able), default=0
        )

    total = 0
    for i, op in enumerate(graph.operators):
        total += sum(least(count, dtype, i) for dtype, count in op.weights)
    for name in graph.inputs:
        if graph.consumers[name]:
            tensor = graph.tensors[name]
            total += min(least(tensor.elements, tensor.dtype, i) for i in graph.consumers[name])
    for name in graph.output_set & graph.producer.keys():
        tensor = graph.tensors[name]
        total += least(tensor.elements, tensor.dtype, graph.producer[name])
    return total / sum(max(soc.links[name].bandwidth) for name in soc.spec.memory)
