"""Tables of simulated kernels: each operator alone on an idle PU, at both fidelities.

Such a table is to the learned model what measurements of a device are: it learns the fine
simulation from it, and stands in for it where millions of kernels are to be judged.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.learned.workloads import operator_rows, row_key
from hetsim.errors import ConfigError, InfeasibleError
from hetsim.learn.tables.table import Measurements
from hetsim.lower.lowering import Lowering
from hetsim.lower.program import Job, Program
from hetsim.progress import Progress
from hetsim.sim.simulate import execute
from hetsim.soc.model import PU, SoC
from hetsim.workload.graph import Graph, Operator


@dataclass(frozen=True)
class KernelTable:
    """Simulated kernels as a table, and what simulating them took.

    ``table`` has the ``tile`` times as its target (seconds, without the PU's completion latency),
    the ``fluid`` times in the column ``physical``, lower bounds in ``floor``, and networks as its
    families. ``refused`` counts operators that the PU cannot run. ``tile_s`` and ``fluid_s`` are
    processor seconds spent simulating, lowering not included.
    """

    table: Measurements
    refused: int
    tile_s: float
    fluid_s: float


def simulate_kernels(
    graphs: Sequence[Graph], soc: SoC, pu: PU, progress: Progress | None = None
) -> KernelTable:
    """Simulates every distinct operator with a loop nest of each network alone on ``pu``.

    Products of two activations are left out, as they are by the learned model. Costs are the
    analytical ones, whatever profiles the SoC names.

    Raises:
        ConfigError: the PU can run none of them.
    """
    operators: list[Operator] = []
    families: list[str] = []
    fine: list[float] = []
    coarse: list[float] = []
    floors: list[float] = []
    refused, spent = 0, {"tile": 0.0, "fluid": 0.0}
    costs = AnalyticalModel()
    for done, graph in enumerate(graphs):
        if progress:
            progress(f"simulating {graph.name}", done, len(graphs))
        lowering = Lowering(graph, soc, costs)
        seen = set()
        for index, op in enumerate(graph.operators):
            if op.nest is None or op.nest.weights_are_activations:
                continue
            key = row_key(op, pu)
            if key in seen:
                continue
            seen.add(key)
            try:
                launches = lowering.launches(pu, (index,))
            except InfeasibleError:
                refused += 1
                continue
            program = Program(graph.name, (Job("alone", pu.index, (), (), launches),), ((0,),))
            times = {}
            for fidelity in spent:
                begun = time.process_time()
                trace = execute(soc, program, trace=False, fidelity=fidelity)
                spent[fidelity] += time.process_time() - begun
                times[fidelity] = trace.makespan_s - pu.spec.completion_latency
            operators.append(op)
            families.append(graph.name)
            fine.append(times["tile"])
            coarse.append(times["fluid"])
            floors.append(costs.floor(graph, index, pu) or 0.0)
    if not operators:
        raise ConfigError(f"{pu.name} can run no convolution or matrix product of these networks")
    table = operator_rows(
        operators, pu, seconds=fine, physical=coarse, floor=floors, family=families
    )
    return KernelTable(table, refused, spent["tile"], spent["fluid"])
