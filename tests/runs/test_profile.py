"""Profiles say what simulations of one-partition plans say, whoever asked first."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.chain import CostChain
from hetsim.cost.fusion import is_fusable
from hetsim.cost.measured.keys import operator_key
from hetsim.cost.measured.source import measured_model
from hetsim.cost.measured.table import Entry, ProfileTable
from hetsim.cost.profile import INFEASIBLE
from hetsim.errors import PlanError
from hetsim.lower.lowering import Lowering
from hetsim.plan.model import Partition, Plan
from hetsim.runs.case import Case
from hetsim.runs.profile.exports import profile_rows
from hetsim.runs.profile.simulated import SimulatedProfile
from hetsim.sim.simulate import execute
from hetsim.soc.loader import load_soc
from hetsim.soc.model import PU, SoC
from hetsim.soc.schema import SoCSpec
from hetsim.workload.graph import Graph, Operator, Tensor
from hetsim.workload.synthetic import random_graph
from hetsim.workload.zoo import load_model
from tests.random_socs import random_soc, random_soc_file

SEEDS = st.integers(0, 10**6)
some = settings(max_examples=20, deadline=None)


def only(graph: Graph, ops: tuple[int, ...]) -> Graph:
    """The network that consists of these operators and nothing else."""
    chosen = [graph.operators[i] for i in ops]
    made = [t for op in chosen for t in op.outputs]
    read = [t for op in chosen for t in op.inputs if t not in made]
    wanted = [
        t for t in made if t in graph.output_set or any(i not in ops for i in graph.consumers[t])
    ]
    names = dict.fromkeys([*read, *made])
    return Graph.create(
        graph.name, chosen, [graph.tensors[t] for t in names], dict.fromkeys(read),
        wanted or made[-1:],
    )  # fmt: skip


def uncopied(soc: SoC) -> SoC:
    """The same whose runtime copies no inputs: that is timed apart."""
    runtime = soc.spec.runtime.model_copy(update={"input_copy": None})
    return SoC.from_spec(soc.spec.model_copy(update={"runtime": runtime}))


def simulated(graph: Graph, soc: SoC, pu: PU) -> float:
    """One partition."""
    plan = Plan(graph.name, (Partition("all", pu.name, tuple(o.name for o in graph.operators)),))
    try:
        program = Lowering(graph, soc, AnalyticalModel()).program(plan)
    except PlanError:
        return INFEASIBLE
    return execute(soc, program).makespan_s


@pytest.mark.slow
@some
@given(SEEDS, SEEDS)
def test_operator_and_group_times_are_those_of_one_partition_plans(a: int, b: int) -> None:
    graph, soc = random_graph(a, 12, spatial=7), random_soc(b)
    profile = SimulatedProfile(Lowering(graph, soc, AnalyticalModel()))
    soc = uncopied(soc)
    for pu in soc.pus:
        for op in range(len(graph)):
            assert profile.time(op, pu.index) == simulated(only(graph, (op,)), soc, pu)
            for after in graph.successors[op]:
                pair = (op, after)
                told = profile.group_time(pair, pu.index)
                if is_fusable(graph, pair, pu.spec.fuse_patterns):
                    assert told == simulated(only(graph, pair), soc, pu)
                else:
                    assert told == INFEASIBLE


@pytest.mark.slow
@some
@given(SEEDS, SEEDS)
def test_answers_do_not_depend_on_what_was_asked_before(a: int, b: int) -> None:
    """What is simulated is so afresh; what is remembered is what that would give."""
    graph, soc = random_graph(a, 14, spatial=3), random_soc(b)
    lowering = Lowering(graph, soc, AnalyticalModel())
    shared = SimulatedProfile(lowering)
    for pu in (p.index for p in soc.pus):
        for op in range(len(graph)):
            chains = [(op, i) for i in graph.successors[op]]
            chains += [(*c, i) for c in chains for i in graph.successors[c[-1]]]
            for chain in chains:
                before = shared.simulations
                told = shared.chain_time(chain, pu)
                if shared.simulations == before:
                    assert told == SimulatedProfile(lowering).chain_time(chain, pu)
                before = shared.simulations
                told = shared.group_time(chain, pu)
                if shared.simulations == before:
                    assert told == SimulatedProfile(lowering).group_time(chain, pu)


@pytest.mark.slow
@some
@given(SEEDS, SEEDS)
def test_transfers_are_a_share_of_the_operators_time(a: int, b: int) -> None:
    graph, soc = random_graph(a, 12, spatial=5), random_soc(b)
    # What the host hands over lies in a system cache: then a kernel alone takes longer.
    assume(not any(link.cache for link in soc.spec.links.values()))
    profile = SimulatedProfile(Lowering(graph, soc, AnalyticalModel()))
    for pu in (p.index for p in soc.pus):
        for op in range(len(graph)):
            time = profile.time(op, pu)
            if time < INFEASIBLE:
                spent = profile.call() + profile.transfer(op, pu)
                assert spent <= time * (1 + 1e-9)
                assert profile.chain_time((op,), pu) <= (time - spent) * (1 + 1e-9) + 1e-15


def test_a_cut_costs_less_on_the_same_unit_whichever_is_asked_for_first() -> None:
    spec = random_soc_file(0)
    for link in spec["links"].values():
        link.pop("cache", None)  # it may be for units that go now
    spec["pus"] = {"cpu": spec["pus"]["cpu"] | {"cores": 2, "workers": [1, 1]}}
    spec["pus"]["cpu"]["crossing"] = {"refetch": "1 GB/s", "handover": "40 us"}
    spec["runtime"] = {"host": "cpu"}
    soc = SoC.from_spec(SoCSpec.model_validate(spec))
    graph = random_graph(0, 6, spatial=5)
    tensor = graph.tensors[graph.operators[0].outputs[0]]
    for order in ((0, 1), (1, 0)):
        profile = SimulatedProfile(Lowering(graph, soc, AnalyticalModel()))
        found = {pu: sum(profile.handover(tensor.name, 0, pu)) for pu in order}
        assert found[0] == pytest.approx(tensor.nbytes / 1e9)
        assert found[1] == pytest.approx(tensor.nbytes / 1e9 + 40e-6)
        # What the application hands in is none of that.
        assert profile.transfer(0, 0) == profile.transfer(0, 1) == 0.0


def conv(name: str, reads: str) -> Operator:
    return Operator(name, "Conv", (reads,), (name,), element_ops=1000)


def test_a_residual_that_reads_the_same_tensor_twice_is_not_one_that_reads_two() -> None:
    # c1 + x reads x once; c2 + y reads two tensors of the same shape.
    tensors = [Tensor(name, (1, 1000)) for name in ("x", "y", "c1", "s1", "c2", "s2")]
    graph = Graph.create(
        "residuals",
        [
            conv("c1", "x"),
            Operator("s1", "Add", ("c1", "x"), ("s1",), element_ops=1000),
            conv("c2", "x"),
            Operator("s2", "Add", ("c2", "y"), ("s2",), element_ops=1000),
        ],
        tensors,
        ["x", "y"],
        ["s1", "s2"],
    )
    soc = twins()
    profile = SimulatedProfile(Lowering(graph, soc, AnalyticalModel()))
    once, twice = profile.group_time((0, 1), 0), profile.group_time((2, 3), 0)
    # 4 bytes an element at 1 GB/s: x, s1 (8 kB) against x, y, s2 (12 kB).
    assert once == pytest.approx(8e-6)
    assert twice == pytest.approx(12e-6)


def test_a_cluster_like_the_hosts_is_not_the_host() -> None:
    graph = Graph.create(
        "one", [conv("a", "x")], [Tensor(t, (1, 1000)) for t in ("x", "a")], ["x"], ["a"]
    )
    profile = SimulatedProfile(Lowering(graph, twins(), AnalyticalModel()))
    # Both clusters copy what crosses: in and out, at 0.5 GB/s for each of the two sides.
    assert profile.time(0, 0) == pytest.approx(8e-6)
    assert profile.time(0, 1) == pytest.approx(8e-6 + 4 * 8e-6)


def twins() -> SoC:
    cluster = {
        "kind": "cpu_cluster",
        "cores": 1,
        "path": ["dram"],
        "operating_points": {"nominal": {"clock": "1000 GHz"}},
        "macs_per_cycle": {"float32": 1000.0},
        "element_ops_per_cycle": {"float32": 1000.0},
        "efficiency": {"default": 1.0},
        "fuse": ["Conv-Add"],
        "crossing": {"copy": "0.5 GB/s"},
    }
    return SoC.from_spec(
        SoCSpec.model_validate(
            {
                "hetsim": "soc/1",
                "name": "twins",
                "memory": {"dram": {"bandwidth": "1 GB/s", "capacity": "1 GiB"}},
                "pus": {"one": cluster, "two": cluster},
                "runtime": {"host": "one"},
            }
        )
    )


@pytest.mark.slow
def test_the_copy_that_was_measured_on_the_host_is_the_transfer_of_every_unit():
    """T(n) is one number per operator, and it is read from the profile of the host."""
    graph, soc = load_model("squeezenet"), load_soc("zcu102-vta")
    op = next(i for i, o in enumerate(graph.operators) if o.kind == "Conv")
    key = operator_key(graph, graph.operators[op])
    tables = {
        cluster: ProfileTable.of(
            [Entry(key, None, transfer_s=seconds)], name="t", device="d", source="s", scope="kernel"
        )
        for cluster, seconds in (("cpu", 4e-4), ("npu", 9.0))
    }
    base = AnalyticalModel()
    case = Case(graph, soc, CostChain([measured_model(soc, tables, base), base]))
    assert SimulatedProfile(case.lowering).copy(op) == 4e-4
    rows = [row for row in profile_rows(case.lowering) if row.key == key]
    assert {row.transfer_s for row in rows} == {4e-4}
