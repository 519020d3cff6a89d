"""Where the time went, in situations where it is plain."""

from __future__ import annotations

from typing import Any

import pytest

from hetsim.analysis.attribution import attribute, attribute_pus, critical_path
from hetsim.sim.simulate import execute
from hetsim.sim.trace import Activity, TaskRow, Trace
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph
from tests.sim.samples import CLUSTER, FAST, MS, NPU, lower, make_graph, make_soc


def parts(graph: Graph, soc: SoC, *plan: Any, execution: str = "dataflow") -> dict[str, float]:
    """The parts that are not zero, in milliseconds."""
    program = lower(graph, soc, *plan)
    found = attribute(program, execute(soc, program, execution=execution))
    return {name: pytest.approx(s / MS) for name, s in found.items() if s > 1e-12}


def test_arithmetic_that_hides_its_transfers_is_compute() -> None:
    graph = make_graph(("a", ["x"], 5.0))
    assert parts(graph, make_soc(), [("cpu", "a")]) == {"compute": 5.0}


def test_what_an_idle_bus_takes_beyond_arithmetic_is_unavoidable() -> None:
    graph = make_graph(("a", ["x"], 0.5))
    found = parts(graph, make_soc(), [("cpu", "a")])
    assert found == {"compute": 0.5, "unavoidable_transfer": 1.5}


def test_what_others_take_is_contention() -> None:
    graph = make_graph(("a", ["x"], 0.0), ("b", ["y"], 0.0))
    found = parts(graph, make_soc({"big": CLUSTER}), [("cpu", "a"), ("big", "b")])
    assert found == {"unavoidable_transfer": 2.0, "bus_contention": 2.0}


def test_engines_slower_than_the_bus_are_dma() -> None:
    npu = NPU | {"dma": {"bandwidth": "0.5 GB/s"}}
    graph = make_graph(("a", ["x"], 0.0))
    found = parts(graph, make_soc({"npu": npu}), [("npu", "a")])
    assert found == {"unavoidable_transfer": 2.0, "dma_wait": 2.0}


def test_calls_dispatches_and_conversions_are_crossing() -> None:
    int8 = {"dtypes": {"int8": 1.0}, "precision": {"float32": "int8"}, "dispatch": "1 ms"}
    npu = NPU | int8 | {"crossing": {"quantise": "4 ns"}, "interrupt_latency": "0.5 ms"}
    soc = make_soc({"npu": npu}, memory=FAST, partition_call="2 ms")
    found = parts(make_graph(("a", ["x"], 3.0)), soc, [("npu", "a")])
    assert found == {"compute": 3.0, "dispatch_and_crossing": 2 + 1 + 1 + 0.5 + 1}


def test_threads_beyond_the_cores_are_core_sharing() -> None:
    soc = make_soc({"npu": NPU | {"host_wait": "poll"}}, memory=FAST)
    graph = make_graph(("a", ["x"], 4.0), ("b", ["y"], 2.0))
    found = parts(graph, soc, [("cpu", "a"), ("npu", "b")])
    assert found == {"compute": 4.0, "core_sharing": 0.4}


def test_forks_and_joins_are_barrier_wait() -> None:
    soc = make_soc(
        {"cpu": {"workers": [1, 1]}}, memory=FAST, thread_create="1 ms", thread_join="0.5 ms"
    )
    graph = make_graph(("a", ["x"], 10.0), ("b", ["y"], 10.0), ("c", ["a", "b"], 3.0))
    plan = [("cpu.0", "a"), ("cpu.1", "b"), ("cpu.0", "c")]
    found = parts(graph, soc, plan, [("p0", "p1")], execution="barrier")
    # Two forks before b starts, two joins after it has ended.
    assert found == {"compute": 13.0, "barrier_wait": 3.0}


def test_the_critical_path_is_followed_across_units() -> None:
    soc = make_soc({"big": CLUSTER}, memory=FAST)
    graph = make_graph(("a", ["x"], 5.0), ("b", ["a"], 2.0), ("c", ["y"], 1.0))
    plan = [("cpu", "a"), ("big", "c"), ("big", "b")]
    assert parts(graph, soc, plan) == {"compute": 7.0}
    program = lower(graph, soc, plan)
    trace = execute(soc, program)
    units = attribute_pus(trace, [pu.name for pu in soc.pus], "dependency_wait")
    told = {n: {k: v / MS for k, v in p.items() if v > 1e-12} for n, p in units.items()}
    assert told["cpu"] == pytest.approx({"compute": 5.0, "idle": 2.0})
    assert told["big"] == pytest.approx({"compute": 3.0, "dependency_wait": 4.0})


def ends_at(moment: float, *rows: TaskRow, last: TaskRow, needs: list[set[int]]) -> list[int]:
    """Positions on the critical path of tasks of which ``rows`` end when ``last`` starts."""
    trace = Trace(last.end, {}, {}, tasks=[*rows, last])
    path = critical_path(needs, trace)
    assert [step.end for step in path if step.kind == "task"] == [moment, last.end]
    return [step.position for step in path]


def test_what_let_a_task_start_is_its_input_else_its_unit_else_whatever_ended_then() -> None:
    rows = [TaskRow(0, i, i, 0.0, 1.0) for i in range(3)]
    last = TaskRow(0, 3, 1, 1.0, 2.0)
    nothing: list[set[int]] = [set(), set(), set()]
    assert ends_at(1.0, *rows, last=last, needs=[*nothing, {2}]) == [2, 3]
    assert ends_at(1.0, *rows, last=last, needs=[*nothing, set()]) == [1, 3]
    elsewhere = TaskRow(0, 3, 7, 1.0, 2.0)
    assert ends_at(1.0, *rows, last=elsewhere, needs=[*nothing, set()]) == [0, 3]
    # The same position of another inference is no input.
    other = [TaskRow(1, 2, 2, 0.0, 1.0), TaskRow(0, 1, 1, 0.0, 1.0)]
    assert ends_at(1.0, *other, last=last, needs=[*nothing, {2}]) == [1, 3]


def test_a_task_without_a_cause_waited_for_an_arrival() -> None:
    trace = Trace(3.0, {}, {}, tasks=[TaskRow(0, 0, 0, 0.0, 1.0), TaskRow(1, 0, 0, 2.0, 3.0)])
    path = critical_path([set()], trace)
    assert [(s.kind, s.inference, s.start, s.end) for s in path] == [
        ("task", 0, 0.0, 1.0), ("wait", -1, 1.0, 2.0), ("task", 1, 2.0, 3.0),
    ]  # fmt: skip
    assert critical_path([set()], Trace(0.0, {}, {})) == ()


def test_every_kind_of_time_is_booked_once() -> None:
    """Six kinds and a remainder: powers of two, so that each sum tells its parts."""
    stretch = Activity(0, 0, 0.0, 64.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
    trace = Trace(64.0, {}, {}, tasks=[TaskRow(0, 0, 0, 0.0, 64.0)], activities=[stretch])
    (parts,) = attribute_pus(trace, ["only"], "barrier_wait").values()
    told = [parts[p] for p in (
        "compute", "bus_contention", "unavoidable_transfer", "dma_wait", "dispatch_and_crossing",
        "core_sharing",
    )]  # fmt: skip
    assert told[:5] == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert told[5] == 32.0 + 1.0  # what is left over goes to the largest
    assert sum(parts.values()) == 64.0


def test_a_task_that_takes_no_time_is_not_its_own_cause() -> None:
    rows = [TaskRow(0, 0, 0, 0.0, 1.0), TaskRow(0, 1, 1, 1.0, 1.0), TaskRow(0, 2, 0, 1.0, 2.0)]
    path = critical_path([set(), set(), {1}], Trace(2.0, {}, {}, tasks=rows))
    assert [step.position for step in path] == [0, 1, 2]
