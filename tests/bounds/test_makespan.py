"""Lower bounds: closed forms on small networks, and never above what any plan takes."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hetsim.bounds.makespan import lower_bounds
from hetsim.bounds.relaxation import Input, join
from hetsim.bounds.simulated import simulated_floors
from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.profile import INFEASIBLE
from hetsim.errors import PlanError
from hetsim.lower.lowering import Lowering
from hetsim.plan.build import Block, make_plan
from hetsim.sim.simulate import execute
from hetsim.soc.model import SoC
from hetsim.soc.schema import SoCSpec
from hetsim.workload.graph import Graph, Operator, Tensor
from tests.random_cases import random_costs, random_memories, random_network, random_plan
from tests.random_socs import random_soc

COSTS = AnalyticalModel()


def tensor(name: str, elements: int = 1000) -> Tensor:
    return Tensor(name, (1, elements), "float32")


def operator(name: str, kind: str, reads: list[str], ops: int = 1_000_000) -> Operator:
    return Operator(
        name=name, kind=kind, inputs=tuple(reads), outputs=(f"{name}.out",), element_ops=ops
    )


def network(operators: list[Operator], outputs: list[str]) -> Graph:
    names = {"in", *(t for op in operators for t in op.outputs)}
    made = [tensor(name) for name in sorted(names)]
    return Graph.create("small", operators, made, ["in"], outputs)


def two_units(**runtime: object) -> SoC:
    """A host of 1 Gop/s and an accelerator of 4 Gop/s whose format costs 1 us a tensor."""
    rate = {"float32": 1.0}
    cpu = {
        "kind": "cpu_cluster", "cores": 1, "path": ["dram"], "macs_per_cycle": rate,
        "operating_points": {"nominal": {"clock": "1 GHz"}}, "element_ops_per_cycle": rate,
        "efficiency": {"default": 1.0},
    }  # fmt: skip
    gpu = {
        "kind": "accelerator", "path": ["dram"], "macs_per_cycle": rate,
        "operating_points": {"nominal": {"clock": "4 GHz"}}, "element_ops_per_cycle": rate,
        "efficiency": {"default": 1.0}, "layout": "tiled", "crossing": {"relayout": "1 ns"},
        "operators": {"Relu": {}},
    }  # fmt: skip
    spec = {
        "hetsim": "soc/1", "name": "two", "pus": {"cpu": cpu, "gpu": gpu},
        "memory": {"dram": {"bandwidth": "1000 GB/s", "capacity": "1 GiB"}},
        "runtime": {"host": "cpu", "partition_call": "10 us", **runtime},
    }  # fmt: skip
    return SoC.from_spec(SoCSpec.model_validate(spec))


def test_a_chain_of_one_operator_is_bounded_by_its_best_unit() -> None:
    graph = network([operator("a", "Relu", ["in"])], ["a.out"])
    # 250 us on the accelerator, a call of 10 us, 1 us into its format and 1 us back.
    assert lower_bounds(graph, two_units(), COSTS)[0].seconds == pytest.approx(262e-6)


def test_a_join_pays_for_every_foreign_input() -> None:
    branches = [operator(f"b{i}", "Relu", ["in"], 10_000_000) for i in range(3)]
    add = operator("join", "Sum", [f"b{i}.out" for i in range(3)], 1000)
    graph = network([*branches, add], ["join.out"])
    # Three branches of 2.5 ms on the accelerator; the join on the host converts all three results.
    expected = 10e-6 + 1e-6 + 2500e-6 + 10e-6 + 3e-6 + 1e-6
    assert lower_bounds(graph, two_units(), COSTS)[0].seconds >= expected * (1 - 1e-9)


def test_the_join_itself_in_closed_form() -> None:
    near = Input(0, own=3.0, here=5.0, elsewhere=())
    far = Input(1, own=INFEASIBLE, here=INFEASIBLE, elsewhere=((4.0, 2.0),))
    # Either the crossing follows the local producer (5 + ...), or precedes it: 4 + 1 + 2 + 3.
    assert join([near, far], 0.0, 1.0, 0.0) == pytest.approx(min(5 + 1 + 2, 4 + 1 + 2 + 3))
    assert join([near], 0.0, 1.0, 0.0) == 5.0
    assert join([far], 0.0, 1.0, 0.5) == pytest.approx(4 + 1 + 2 + 0.5)
    assert join([], 0.25, 1.0, 0.0) == 0.25


def test_the_bound_of_a_chain_on_one_unit_is_its_simulation() -> None:
    ops = [operator("a", "Sum", ["in"]), operator("b", "Sum", ["a.out"])]
    graph, soc = network(ops, ["b.out"]), two_units()
    plan = make_plan(graph, soc, [Block((0, 1), 0)], scheduler="test")
    trace = execute(soc, Lowering(graph, soc, COSTS).program(plan), trace=False)
    assert max(b.seconds for b in lower_bounds(graph, soc, COSTS)) == pytest.approx(
        trace.makespan_s
    )


seeds = st.integers(0, 10**6)
SOME = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much]
)


# A memory that serves two transfers better than one: what a unit gets alone is not the most.
@pytest.mark.slow
@example(graph_seed=1, size=1, soc_seed=136, plan_seed=0, execution="dataflow", fidelity="tile")
@SOME
@given(seeds, st.integers(1, 16), seeds, seeds, st.sampled_from(("dataflow", "barrier")),
       st.sampled_from(("fluid", "tile")))  # fmt: skip
def test_no_plan_beats_the_bounds_of_its_fidelity(
    graph_seed: int, size: int, soc_seed: int, plan_seed: int, execution: str, fidelity: str
) -> None:  # fmt: skip
    graph = random_network(graph_seed, size)
    soc = random_soc(soc_seed, routes=soc_seed % 4 == 1)
    costs = random_costs(graph, soc, plan_seed) if plan_seed % 3 == 1 else COSTS
    bounds = lower_bounds(graph, soc, costs, fidelity, execution=execution)
    lowering = Lowering(graph, soc, costs)
    for seed in range(plan_seed, plan_seed + 5):  # bounds take longer than plans
        plan = random_memories(graph, soc, random_plan(graph, soc, seed), seed)
        try:
            program = lowering.program(plan)
        except PlanError:  # its tiles do not fit, or it was measured that it cannot run
            continue
        trace = execute(soc, program, execution=execution, fidelity=fidelity, trace=False)
        for bound in bounds:
            assert trace.makespan_s >= bound.seconds * (1 - 1e-12), bound.argument


@pytest.mark.slow
@SOME
@given(seeds, st.integers(1, 16), seeds)
def test_floors_of_a_kernels_operators_add_up_to_no_more_than_the_kernel(
    graph_seed: int, size: int, soc_seed: int
) -> None:
    graph = random_network(graph_seed, size)
    soc = random_soc(soc_seed)
    floors = simulated_floors(graph, soc, COSTS)
    lowering = Lowering(graph, soc, COSTS)
    for pu in soc.pus:
        try:
            launches = lowering.launches(pu, range(size))
        except Exception:
            continue
        for launch in launches:
            spent = launch.work.dispatch_s + sum(
                max(p.seconds, p.bytes / pu.bandwidth) + (pu.latency if p.bytes else 0.0)
                for p in launch.work.phases
            )
            for step in (*launch.before, *launch.after):
                spent += max(step.seconds, step.bytes / soc.host.bandwidth)
                spent += soc.host.latency if step.bytes else 0.0
            least = sum(floors.ops[graph.index[name]][pu.index].least for name in launch.operators)
            assert least <= spent * (1 + 1e-12)
