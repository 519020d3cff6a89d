"""Partitions on other units than those of their plan: as if a plan had put them there."""

from __future__ import annotations

import pytest

from hetsim.cost.analytical import AnalyticalModel
from hetsim.errors import InfeasibleError, PlanError
from hetsim.lower.choices import PlanChoices
from hetsim.lower.lowering import Lowering, groups_of
from hetsim.plan.model import Partition, Plan
from hetsim.soc.model import SoC
from tests.lower.test_lowering import conv_relu
from tests.sim.samples import CLUSTER, FAST, NPU, make_graph, make_soc

INT8 = {"dtypes": {"int8": 1.0}, "precision": {"float32": "int8"}, "layout": "own"}
GRAPH = make_graph(("a", ["x"], 1), ("b", ["a"], 1), ("c", ["a", "b"], 1))


def soc_of() -> SoC:
    npu = NPU | INT8 | {"crossing": {"quantise": "4 ns"}}
    return make_soc({"big": CLUSTER | {"fuse": ["Relu-Relu"]}, "npu": npu}, memory=FAST)


def planned(*where: str, **memories: str) -> Plan:
    parts = [Partition(name, unit, (name,)) for name, unit in zip("abc", where, strict=True)]
    return Plan(GRAPH.name, tuple(parts), memories=memories)


def choices(soc: SoC, plan: Plan) -> PlanChoices:
    return PlanChoices(Lowering(GRAPH, soc, AnalyticalModel()), plan)


def test_a_job_elsewhere_is_that_of_a_plan_which_puts_it_there() -> None:
    soc = soc_of()
    found = choices(soc, planned("cpu", "cpu", "cpu"))
    names = [pu.name for pu in soc.pus]
    assert names == ["cpu", "big", "npu"]
    for first in range(3):
        for second in range(3):
            for third in range(3):
                plan = planned(names[first], names[second], names[third])
                jobs = Lowering(GRAPH, soc, AnalyticalModel()).program(plan).jobs
                assert found.job(0, first, []) == jobs[0]
                assert found.job(1, second, [first]) == jobs[1]
                assert found.job(2, third, [first, second]) == jobs[2]


def test_its_program_is_the_plans_and_knows_the_choices() -> None:
    plan = planned("cpu", "npu", "big")
    found = choices(soc_of(), plan)
    assert found.program == Lowering(GRAPH, soc_of(), AnalyticalModel()).program(plan)
    assert found.program.choices is found
    assert found.job(1, 2, [0]) is found.job(1, 2, [0])
    assert found.job(1, 2, [0]) is not found.job(1, 2, [2])
    assert [step.name for step in found.job(1, 2, [0]).entry] == ["a"]
    assert found.job(1, 2, [2]).entry == ()  # made where it is read


def test_only_units_that_can_run_a_partition_are_told() -> None:
    array = {"rows": 32, "columns": 32, "dataflow": "weight_stationary"}
    soc = make_soc({"npu": NPU | {"sram": "4 KiB", "array": array}, "big": CLUSTER})
    graph = conv_relu()  # of which the convolution's smallest tile does not fit
    plan = Plan(graph.name, tuple(Partition(n, "big", (n,)) for n in "rcq"))
    found = PlanChoices(Lowering(graph, soc, AnalyticalModel()), plan)
    assert [found.units(position) for position in range(3)] == [(0, 1, 2), (0, 2), (0, 1, 2)]
    assert found.units(1) is found.units(1)
    with pytest.raises(InfeasibleError, match="larger"):
        found.job(1, 1, [2])


def test_a_memory_that_a_unit_cannot_reach_leaves_it_out() -> None:
    memory = FAST | {"scratch": FAST["dram"]}
    near = {"routes": {"scratch": ["scratch"]}}
    soc = make_soc({"cpu": near, "big": CLUSTER, "npu": NPU | near}, memory=memory)
    found = choices(soc, planned("cpu", "cpu", "cpu", b="scratch"))
    assert [found.units(position) for position in range(3)] == [(0, 1, 2), (0, 2), (0, 2)]
    with pytest.raises(PlanError, match="scratch"):
        found.job(1, 1, [0])
    (launch,) = found.job(1, 2, [0]).launches
    assert launch.work.moves["scratch"].store_bytes == 10**6


@pytest.mark.parametrize(("fuse", "kernels"), [(True, [("a", "b")]), (False, [("a",), ("b",)])])
def test_a_partition_that_is_not_to_be_fused_is_not_fused_elsewhere(
    fuse: bool, kernels: list[tuple[str, ...]]
) -> None:
    chain = make_graph(("a", ["x"], 1), ("b", ["a"], 1))
    plan = Plan(chain.name, (Partition("p", "cpu", ("a", "b"), fuse=fuse),))
    job = PlanChoices(Lowering(chain, soc_of(), AnalyticalModel()), plan).job(0, 1, [])
    assert [launch.operators for launch in job.launches] == kernels


def test_groups_are_told_by_position_where_their_first_member_stands() -> None:
    parts = tuple(Partition(f"p{i}", "cpu", (f"o{i}",)) for i in range(6))
    for groups, expected in (
        ((), ((0,), (1,), (2,), (3,), (4,), (5,))),
        ((("p1", "p2"),), ((0,), (1, 2), (3,), (4,), (5,))),
        ((("p4", "p3"), ("p2", "p0")), ((0, 2), (1,), (3, 4), (5,))),
        ((("p5", "p0"),), ((0, 5), (1,), (2,), (3,), (4,))),
    ):
        assert groups_of(Plan("g", parts, groups)) == expected
