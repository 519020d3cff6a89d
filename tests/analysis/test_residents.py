"""What lies in memory over time: closed forms, guards, and a count that asks at each moment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hetsim.analysis.overflow import overflow_notes
from hetsim.analysis.ran import Ran
from hetsim.analysis.residents import occupancy, peak_bytes, peaks, residents
from hetsim.errors import InfeasibleError
from hetsim.lower.program import Access, State
from hetsim.plan.model import Partition, Plan
from hetsim.runs.case import Case
from hetsim.runs.guards.memory import peak_bytes as guarded
from hetsim.sim.simulate import execute
from hetsim.soc.model import SoC
from hetsim.soc.schema import SoCSpec
from hetsim.workload.graph import Graph
from hetsim.workload.synthetic import random_graph
from tests.analysis.samples import SEEDS, ran
from tests.random_cases import random_memories, random_plan
from tests.random_socs import random_soc_file
from tests.sim.samples import ELEMENTS, NPU, make_graph, make_soc

MB = 4 * ELEMENTS
some = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])


def plan_of(graph: Graph, *parts: tuple[str, str], **memories: str) -> Plan:
    named = (Partition(f"p{i}", pu, tuple(ops.split())) for i, (pu, ops) in enumerate(parts))
    return Plan(graph.name, tuple(named), memories=memories)


def peak(run: Ran, memory: str = "dram") -> int:
    return peaks(residents(run))[memory].bytes


# -- closed forms


def test_a_chain_holds_what_one_operator_reads_and_writes_beside_its_ends() -> None:
    graph = make_graph(("a", ["x"], 1), ("b", ["a"], 1), ("c", ["b"], 1), ("d", ["c"], 1))
    run = ran(graph, make_soc(), plan_of(graph, ("cpu", "a b c d")))
    # Input and output are the application's; of a, b, c two are alive while b or c runs.
    assert peak(run) == (2 + 2) * MB
    found = peaks(residents(run))["dram"]
    assert found.at_s == pytest.approx(2e-3)  # when b begins: 1 MB in and 1 MB out take 2 ms
    assert found.kinds == {"inputs": MB, "outputs": MB, "activations": 2 * MB}


def test_a_residual_is_held_until_it_is_added() -> None:
    graph = make_graph(("a", ["x"], 1), ("b", ["a"], 1), ("c", ["b"], 1), ("d", ["c", "a"], 1))
    run = ran(graph, make_soc(), plan_of(graph, ("cpu", "a b c d")))
    assert peak(run) == (2 + 3) * MB  # a, b and c while c runs


def test_who_runs_side_by_side_is_held_side_by_side() -> None:
    graph = make_graph(
        ("a", ["x"], 1), ("b", ["a"], 9), ("c", ["b"], 1), ("d", ["a"], 9), ("e", ["d", "c"], 1)
    )
    soc = make_soc({"cpu": {"workers": [1, 1]}})
    alone = plan_of(graph, ("cpu.0", "a b c d e"))
    beside = plan_of(graph, ("cpu.0", "a"), ("cpu.0", "b c"), ("cpu.1", "d"), ("cpu.0", "e"))
    assert peak(ran(graph, soc, alone)) == (2 + 3) * MB  # a, c and d while d runs
    assert peak(ran(graph, soc, beside)) == (2 + 3) * MB  # a, b and d; c begins where b ended
    later = make_graph(
        ("a", ["x"], 1), ("b", ["a"], 2), ("c", ["b"], 9), ("d", ["a"], 9), ("e", ["d", "c"], 1)
    )
    assert peak(ran(later, soc, beside)) == (2 + 4) * MB  # and while c runs, a is still read


# -- copies, placement, on-chip memory, states


def test_what_is_converted_exists_twice_while_it_is_read() -> None:
    npu = NPU | {
        "dtypes": {"int8": 1.0}, "precision": {"float32": "int8"}, "sram": "64 KiB",
        "crossing": {"quantise": "1 ns"},
    }  # fmt: skip
    soc = make_soc({"npu": npu})
    graph = make_graph(("a", ["x"], 1), ("b", ["a"], 1), ("c", ["b"], 1))
    run = ran(graph, soc, plan_of(graph, ("cpu", "a"), ("npu", "b"), ("cpu", "c")))
    rows = residents(run)
    copies = {row.name: row for row in rows if row.kind == "copies"}
    assert {name: row.bytes for name, row in copies.items()} == {"a": MB // 4, "b": MB}
    owned = {row.name: row for row in rows if row.kind == "activations"}
    assert {name: row.bytes for name, row in owned.items() if name in "ab"} == {
        "a": MB, "b": MB // 4,
    }  # fmt: skip
    # a in float32 is read last by its conversion; what the NPU reads is there until it has.
    _, middle, _ = run.jobs
    ((_, converted),) = (step for step in middle.entry if step[0].kind == "convert")
    assert (owned["a"].end_s, copies["a"].start_s) == (converted[1], converted[0])
    assert copies["a"].end_s == middle.launches[-1].at[1]


def test_where_the_host_format_is_exchanged_the_maker_s_own_ends_with_its_conversion() -> None:
    npu = NPU | {
        "dtypes": {"int8": 1.0}, "precision": {"float32": "int8"}, "sram": "64 KiB",
        "crossing": {"quantise": "1 ns"},
    }  # fmt: skip
    soc = make_soc({"npu": npu}, exchange="host")
    graph = make_graph(("a", ["x"], 1), ("b", ["a"], 1), ("c", ["b"], 1))
    run = ran(graph, soc, plan_of(graph, ("cpu", "a"), ("npu", "b"), ("cpu", "c")))
    rows = {(row.name, row.kind): row for row in residents(run)}
    ((step, at),) = run.jobs[1].exit
    assert (step.name, rows["b", "activations"].end_s) == ("b", at[1])
    assert rows["b", "copies"].end_s == run.jobs[2].launches[-1].at[1]


def test_what_stays_on_chip_takes_no_memory() -> None:
    soc = make_soc({"npu": NPU})
    graph = make_graph(("a", ["x"], 1), ("b", ["a"], 1))
    run = ran(graph, soc, plan_of(graph, ("npu", "a b")))
    rows = residents(run)
    assert [row.memory for row in rows if row.name == "a" and row.kind == "activations"] == [
        "npu.sram"
    ]
    assert peak(run) == 2 * MB
    most = max(part.launch.work.on_chip_bytes for part in run.jobs[0].launches)
    assert peak(run, "npu.sram") == most


def test_states_are_held_throughout() -> None:
    graph = make_graph(("a", ["x"], 1))
    run = ran(graph, make_soc(), plan_of(graph, ("cpu", "a")))
    job = replace(run.program.jobs[0], states=(Access("cache", reads=True, writes=True),))
    program = replace(run.program, jobs=(job,), states=(State("cache", "dram", 5 * MB, MB),))
    with_state = replace(run, program=program, trace=execute(run.soc, program))
    assert peak(with_state) == 2 * MB + 6 * MB


def placed_on(capacity: str) -> tuple[Graph, SoC]:
    memory = {
        "dram": {"bandwidth": "1 GB/s", "capacity": "1 GiB"},
        "scratch": {"bandwidth": "0.5 GB/s", "capacity": capacity},
    }
    graph = make_graph(("a", ["x"], 1), ("b", ["a"], 1), ("c", ["b"], 1))
    return graph, make_soc({"cpu": {"routes": {"scratch": ["scratch"]}}}, memory=memory)


def test_what_lowering_lets_into_a_memory_never_overflows_it() -> None:
    graph, soc = placed_on("2 MB")
    run = ran(graph, soc, plan_of(graph, ("cpu", "a b c"), a="scratch", b="scratch"))
    assert peak(run, "scratch") == 2 * MB  # both while b runs: as much as it has
    assert peak(run) == 2 * MB
    graph, small = placed_on("1999999 B")
    with pytest.raises(InfeasibleError, match="scratch"):
        ran(graph, small, plan_of(graph, ("cpu", "a b c"), a="scratch", b="scratch"))


@pytest.mark.slow
@some
@given(SEEDS, st.integers(1, 20))
def test_in_file_order_on_the_host_it_is_what_the_guard_says(seed: int, size: int) -> None:
    graph = random_graph(seed, size)
    graph = replace(graph, unread=1000)  # rows that nobody reads
    parts = tuple(Partition(op.name, "cpu", (op.name,)) for op in graph.operators)
    rates: dict[str, Any] = {"macs_per_cycle": {"float32": 1.0}}
    run = ran(graph, make_soc({"cpu": rates}), Plan(graph.name, parts))
    assert peak_bytes(residents(run), ("dram",)) == guarded(graph)


# -- a count that looks at every moment anew


def alike_soc(seed: int) -> SoC:
    """Units that keep tensors as they are and in memory: nothing is copied, nothing on chip."""
    file = random_soc_file(seed, routes=True)
    file["pus"] = {n: u for n, u in file["pus"].items() if u["kind"] not in ("npu", "dsp")}
    for unit in file["pus"].values():
        unit["crossing"] = {}
        unit.pop("precision", None)
        unit.pop("layout", None)
        unit["path"] = [*(link for link in unit["path"] if link not in file["memory"]), "dram"]
    for link in file["links"].values():
        link.pop("backwards", None)
        link.pop("cache", None)
    file["runtime"].pop("input_copy", None)
    return SoC.from_spec(SoCSpec.model_validate(file))


def alive(run: Ran, memory: str, moment: float) -> int:
    """Bytes of the activations in ``memory``, asked tensor by tensor from the trace's spans."""
    graph = run.graph
    when: dict[str, list[float]] = {op.name: [] for op in graph.operators}
    passed: set[str] = set()  # inside a fused kernel
    for span in run.trace.spans:
        for name in span.operators:
            when[name] += [span.start, span.end]
            made = set(graph.operator(name).outputs)
            users = {graph.operators[i].name for t in made for i in graph.consumers[t]}
            if users and users <= set(span.operators) and not made & graph.output_set:
                passed |= made
    total = 0
    for tensor, producer in graph.producer.items():
        if tensor in passed or tensor in graph.output_set:
            continue
        touched = [producer, *graph.consumers[tensor]]
        times = [time for op in touched for time in when[graph.operators[op].name]]
        begins = min(when[graph.operators[producer].name], default=0.0)
        if run.plan.memories.get(tensor, "dram") == memory and begins <= moment < max(times):
            total += graph.tensors[tensor].nbytes
    return total


@pytest.mark.slow
@some
@given(SEEDS, st.integers(1, 16), SEEDS, SEEDS, st.sampled_from(("dataflow", "barrier")))
def test_at_every_moment_it_is_what_a_count_finds(
    graph_seed: int, size: int, soc_seed: int, plan_seed: int, execution: str
) -> None:
    graph, soc = random_graph(graph_seed, size), alike_soc(soc_seed)
    plan = random_memories(graph, soc, random_plan(graph, soc, plan_seed), plan_seed)
    run = ran(graph, soc, plan, execution)
    rows = [row for row in residents(run) if row.kind == "activations"]
    for memory in ("dram", "far"):
        times, values = occupancy(row for row in rows if row.memory == memory)
        for i, time in enumerate(times[:-1]):
            middle = (time + times[i + 1]) / 2
            assert alive(run, memory, middle) == values[i]
        assert peaks(rows).get(memory) is None or peaks(rows)[memory].bytes == max(values)


# -- the metric


def test_what_does_not_fit_at_once_is_told() -> None:
    memory = {"dram": {"bandwidth": "1 GB/s", "capacity": "5 MB"}}
    graph = make_graph(("a", ["x"], 9), ("b", ["x"], 9), ("c", ["x"], 9), ("d", ["a", "b", "c"], 1))
    soc = make_soc({"cpu": {"workers": [1, 1, 1]}}, memory=memory)
    plan = plan_of(graph, ("cpu.0", "a"), ("cpu.1", "b"), ("cpu.2", "c"), ("cpu.0", "d"))
    run = Case(graph, soc).evaluate("wide", plan)
    assert run.metrics["peak_memory_bytes"] == 5 * MB
    assert overflow_notes([run], soc) == []
    tight = make_soc(
        {"cpu": {"workers": [1, 1, 1]}},
        memory={"dram": {"bandwidth": "1 GB/s", "capacity": "4.5 MB"}},
    )
    (note,) = overflow_notes([Case(graph, tight).evaluate("wide", plan)], tight)
    assert note.startswith("by hand / wide: dram would hold 4.768 MiB at once, and has 4.292 MiB")
