"""Programs that ran, for the tests of what is read from them."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from hetsim.analysis.ran import Ran
from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.chain import CostModel
from hetsim.errors import PlanError
from hetsim.lower.lowering import Lowering
from hetsim.plan.model import Plan
from hetsim.sim.runtimes.registry import find_runtime
from hetsim.sim.simulate import execute
from hetsim.soc.model import SoC
from hetsim.soc.schema import SoCSpec
from hetsim.workload.graph import Graph
from hetsim.workload.synthetic import random_graph
from tests.random_cases import random_memories, random_plan
from tests.random_socs import random_soc_file

SEEDS = st.integers(0, 10**6)


def ran(
    graph: Graph, soc: SoC, plan: Plan, execution: str = "dataflow", fidelity: str = "fluid",
    costs: CostModel | None = None,
) -> Ran:  # fmt: skip
    """``plan``, run once; no case if a tile fits no buffer, or the host not reaches a memory."""
    try:
        program = Lowering(graph, soc, costs or AnalyticalModel()).program(plan)
    except PlanError as error:
        excuses = ("larger than the on-chip buffers", "cannot reach memory")
        assume(not any(excuse in str(error) for excuse in excuses))
        raise
    trace = execute(soc, program, execution=execution, fidelity=fidelity)
    return Ran(graph, soc, plan, program, trace, find_runtime(execution), fidelity == "tile")


def powered_file(seed: int, *, routes: bool) -> dict[str, Any]:
    """A random SoC that states power, and what bytes cost."""
    draw = random.Random(seed)
    file = random_soc_file(seed, routes=routes)
    for unit in file["pus"].values():
        point = unit["operating_points"]["nominal"]
        point |= {"active_power": f"{draw.uniform(0.1, 3):.3f} W"}
        point |= {"idle_power": f"{draw.uniform(0, 0.2):.3f} W"}
    for memory in file["memory"].values():
        memory["energy_per_byte"] = f"{draw.uniform(1, 300):.2f} pJ"
    return file


def random_ran(
    graph_seed: int, operators: int, soc_seed: int, plan_seed: int, execution: str, fidelity: str,
    routes: bool,
) -> Ran:  # fmt: skip
    """A random plan of a random network on a random SoC; with ``routes``, tensors lie anywhere."""
    graph = random_graph(graph_seed, operators, spatial=(1, 5, 14)[graph_seed % 3])
    soc = SoC.from_spec(SoCSpec.model_validate(powered_file(soc_seed, routes=routes)))
    plan = random_plan(graph, soc, plan_seed)
    if routes:
        plan = random_memories(graph, soc, plan, plan_seed)
    return ran(graph, soc, plan, execution, fidelity)


runs = st.builds(
    random_ran, SEEDS, st.integers(1, 24), SEEDS, SEEDS,
    st.sampled_from(("dataflow", "barrier")), st.sampled_from(("fluid", "tile")), st.booleans(),
)  # fmt: skip
"""Random runs."""
