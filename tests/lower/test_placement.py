"""Tensors in memories: how long it takes, which bytes go where, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from hetsim.cost.analytical import AnalyticalModel
from hetsim.errors import InfeasibleError, PlanError
from hetsim.lower.lowering import Lowering
from hetsim.lower.program import Program
from hetsim.plan.files import dump_plan, parse_plan
from hetsim.plan.model import Partition, Plan
from hetsim.plan.validate import plan_problems
from hetsim.runs.case import Case
from hetsim.sim.simulate import execute
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph
from tests.lower.test_lowering import conv_relu
from tests.sim.samples import CLUSTER, ELEMENTS, MS, NPU, make_graph, make_soc

MB = 4 * ELEMENTS
MEMORY = {
    "dram": {"bandwidth": "1 GB/s", "capacity": "1 GiB"},
    "scratch": {"bandwidth": "0.5 GB/s", "capacity": "3 MB"},
}
WAY = {"routes": {"scratch": ["scratch"]}}


def ms(value: float) -> Any:
    return pytest.approx(value * MS, rel=1e-6)


def plan_of(
    graph: Graph, partitions: list[tuple[str, str]], memories: Mapping[str, str] | None = None
) -> Plan:
    parts = (Partition(f"p{i}", pu, tuple(o.split())) for i, (pu, o) in enumerate(partitions))
    return Plan(graph.name, tuple(parts), memories=memories or {})


def program(graph: Graph, soc: SoC, partitions: list[tuple[str, str]], **memories: str) -> Program:
    plan = plan_of(graph, partitions, memories)
    assert plan_problems(plan, graph, soc) == []
    return Lowering(graph, soc, AnalyticalModel()).program(plan)


def test_units_with_memories_of_their_own_do_not_disturb_each_other() -> None:
    memory = {name: {"bandwidth": "1 GB/s", "capacity": "1 GiB"} for name in ("dram", "other")}
    graph = make_graph(("a", ["x"], 0.0), ("b", ["y"], 0.0))
    both = {"cpu": {"routes": {"other": ["other"]}}, "big": CLUSTER | {"path": ["other"]}}
    soc = make_soc(both, memory=memory)
    plan = [("cpu", "a"), ("big", "b")]
    apart = execute(soc, program(graph, soc, plan))
    assert apart.makespan_s == ms(2)
    assert {name: use.bytes for name, use in apart.links.items()} == {
        "dram": 2 * MB,
        "other": 2 * MB,
    }
    # With all tensors in one of the memories each gets half of it.
    together = execute(soc, program(graph, soc, plan, x="other", a="other"))
    assert together.makespan_s == ms(4)
    assert together.links["other"].bytes == 4 * MB


@pytest.mark.parametrize(
    ("memories", "expected"),
    [
        ({}, 2.0),  # 2 MB at 1 GB/s
        ({"x": "scratch"}, 2.0),  # 1 MB at 0.5 GB/s beside 1 MB at 1 GB/s
        ({"x": "scratch", "a": "scratch"}, 4.0),
        ({"x": "dram"}, 2.0),
    ],
)
def test_bytes_go_where_their_tensor_lies(memories: dict[str, str], expected: float) -> None:
    soc = make_soc({"cpu": WAY}, memory=MEMORY)
    graph = make_graph(("a", ["x"], 0.0))
    trace = execute(soc, program(graph, soc, [("cpu", "a")], **memories))
    assert trace.makespan_s == ms(expected)
    far = sum(memory == "scratch" for memory in memories.values())
    assert trace.links["scratch"].bytes == far * MB
    assert trace.links["dram"].bytes == (2 - far) * MB
    assert [span.bytes for span in trace.spans] == [2 * MB]


def test_a_kernels_bytes_are_divided_by_the_sizes_of_its_tensors() -> None:
    soc = make_soc({"cpu": WAY}, memory=MEMORY)
    graph = make_graph(("a", ["x", "y"], 0.0))
    trace = execute(soc, program(graph, soc, [("cpu", "a")], x="scratch"))
    assert (trace.links["scratch"].bytes, trace.links["dram"].bytes) == (MB, 2 * MB)
    assert trace.makespan_s == ms(2)
    split = [(a.compute, a.transfer, a.sharing) for a in trace.activities]
    assert split == [(0.0, ms(2), 0.0)]


@pytest.mark.parametrize("unit", ["cpu", "npu"])
def test_weights_stay_at_the_end_of_the_units_path(unit: str) -> None:
    soc = make_soc({"cpu": WAY, "npu": NPU | WAY}, memory=MEMORY)
    graph = conv_relu()  # 4 KiB tensors, 16 KiB of weights
    trace = execute(
        soc, program(graph, soc, [("cpu", "r"), (unit, "c"), ("cpu", "q")], r="scratch")
    )
    assert trace.links["scratch"].bytes == pytest.approx(2 * 4096, abs=8)
    assert trace.links["dram"].bytes == pytest.approx(4 * 4096 + 4 * 64 * 64, abs=8)


def test_waiting_for_a_slower_memory_is_transfer_in_the_trace() -> None:
    soc = make_soc({"cpu": WAY}, memory=MEMORY)
    trace = execute(
        soc,
        program(make_graph(("a", ["x"], 0.0)), soc, [("cpu", "a")], x="scratch", a="scratch"),
    )
    assert [(a.transfer, a.sharing) for a in trace.activities] == [(ms(4), 0.0)]


def test_arithmetic_hides_traffic_to_either_memory() -> None:
    soc = make_soc({"cpu": WAY}, memory=MEMORY)
    graph = make_graph(("a", ["x"], 5.0))
    trace = execute(soc, program(graph, soc, [("cpu", "a")], x="scratch"))
    assert trace.makespan_s == ms(5)
    assert sum(a.compute for a in trace.activities) == ms(5)


@pytest.mark.parametrize("fidelity", ["fluid", "tile"])
def test_an_npu_reads_one_memory_and_writes_another(fidelity: str) -> None:
    soc = make_soc({"npu": NPU | WAY}, memory=MEMORY)
    graph = make_graph(("a", ["x"], 0.01))
    trace = execute(soc, program(graph, soc, [("npu", "a")], x="scratch"), fidelity=fidelity)
    assert (trace.links["scratch"].bytes, trace.links["dram"].bytes) == (MB, MB)
    assert trace.links["npu.dma"].bytes == 2 * MB
    # 1 MB at 0.5 GB/s is what it waits for; the last tile's store follows.
    assert 2 * MS <= trace.makespan_s <= 2.5 * MS


def test_the_host_converts_where_the_tensor_lies() -> None:
    npu = NPU | WAY | {"dtypes": {"int8": 1.0}, "precision": {"float32": "int8"}}
    npu |= {"crossing": {"quantise": "1 ns"}}
    soc = make_soc({"cpu": WAY, "npu": npu}, memory=MEMORY)
    graph = make_graph(("a", ["x"], 1.0))
    trace = execute(soc, program(graph, soc, [("npu", "a")], x="scratch"))
    steps = {span.name: span.end - span.start for span in trace.spans if span.kind == "convert"}
    # 1.25 MB each: x at 0.5 GB/s, a at 1 GB/s.
    assert steps == {"x": ms(2.5), "a": ms(1.25)}


def test_plans_keep_their_memories_in_files() -> None:
    graph = make_graph(("a", ["x"], 0.0))
    plan = plan_of(graph, [("cpu", "a")], {"x": "scratch"})
    assert parse_plan(dump_plan(plan)) == plan
    assert "memories" not in dump_plan(replace(plan, memories={}))


def test_every_misplaced_tensor_is_named() -> None:
    soc = make_soc({"cpu": WAY, "big": CLUSTER}, memory=MEMORY)
    graph = make_graph(("a", ["x"], 0.0), ("b", ["a"], 0.0))
    plan = plan_of(graph, [("cpu", "a"), ("big", "b")], {"a": "scratch", "q": "dram", "x": "sram"})
    problems = plan_problems(plan, graph, soc)
    assert [p for p in problems if "no tensor 'q'" in p]
    assert [p for p in problems if "'x' is put into 'sram'" in p]
    assert [p for p in problems if "'p1'" in p and "big cannot reach" in p]
    assert len(problems) == 3
    with pytest.raises(PlanError, match="big cannot reach memory 'scratch'"):
        Lowering(graph, soc, AnalyticalModel()).program(replace(plan, memories={"a": "scratch"}))


def test_tensors_must_fit_the_memory_they_are_put_into() -> None:
    soc = make_soc({"cpu": WAY}, memory=MEMORY)
    graph = make_graph(("a", ["x"], 0.0), ("b", ["a"], 0.0), ("c", ["b"], 0.0))
    plan = plan_of(graph, [("cpu", "a b c")], dict.fromkeys("xab", "scratch"))
    lowering = Lowering(graph, soc, AnalyticalModel())
    lowering.program(plan)
    with pytest.raises(InfeasibleError, match="'scratch' need"):
        lowering.program(replace(plan, memories=dict.fromkeys("xabc", "scratch")))


def test_the_judge_of_many_plans_counts_memories_as_well() -> None:
    soc = make_soc({"cpu": WAY}, memory=MEMORY)
    graph = make_graph(("a", ["x"], 0.0))
    case = Case(graph, soc)
    assert case.makespan(plan_of(graph, [("cpu", "a")])) == ms(2)
    both = {"x": "scratch", "a": "scratch"}
    assert case.makespan(plan_of(graph, [("cpu", "a")], both)) == ms(4)


@pytest.mark.parametrize("path", ["dram", "scratch"])
def test_what_the_host_does_between_kernels_goes_where_the_tensors_lie(path: str) -> None:
    graph = make_graph(("a", ["x"], 0.0), ("b", ["a"], 0.0))
    way = {} if path == "scratch" else WAY
    npu = NPU | way | {
        "path": [path], "dtypes": {"int8": 1.0}, "precision": {"float32": "int8"}, "layout": "own",
        "crossing": {"relayout": "1 ns", "relayout_at": "kernel"},
    }  # fmt: skip
    soc = make_soc({"cpu": WAY, "npu": npu}, memory=MEMORY)
    job = program(graph, soc, [("npu", "a b")], a="scratch").jobs[0]
    steps = [step for launch in job.launches for step in (*launch.before, *launch.after)]
    assert [(s.name, s.memory) for s in steps] == [
        ("x", ""), ("a", "scratch"), ("a", "scratch"), ("b", ""),
    ]  # fmt: skip
