"""State that passes from one inference to the next: order, bytes, room."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hetsim.errors import InfeasibleError, PlanError
from hetsim.lower.program import Access, Program, State
from hetsim.sim.simulate import execute
from hetsim.sim.source import Inference, Listed
from hetsim.sim.task import Task
from hetsim.soc.model import SoC
from tests.sim.samples import (
    CLUSTER,
    ELEMENTS,
    FAST,
    MS,
    NPU,
    Loop,
    counting,
    lower,
    make_graph,
    make_soc,
)

MB = 4 * ELEMENTS
BOTH = Access("kv", reads=True, writes=True)


def keeping(program: Program, state: State, *accesses: tuple[int, Access]) -> Program:
    """``program`` with a state that jobs, by position, access."""
    jobs = list(program.jobs)
    for position, access in accesses:
        jobs[position] = replace(jobs[position], states=(*jobs[position].states, access))
    return replace(program, jobs=tuple(jobs), states=(*program.states, state))


def ms(*values: float) -> Any:
    return pytest.approx([value * MS for value in values], rel=1e-6)


def decoder(soc: SoC, grow: int = MB // 2, size: int = MB) -> Program:
    """One kernel that moves 2 MB of tensors, reads a cache of ``size`` B and adds ``grow`` B."""
    program = lower(make_graph(("a", ["x"], 0.0)), soc, [("cpu", "a")])
    return keeping(program, State("kv", "dram", size, grow), (0, BOTH))


@pytest.mark.parametrize("execution", ["dataflow", "barrier"])
def test_a_growing_cache_is_read_whole_and_appended_to(execution: str) -> None:
    soc = make_soc()  # 1 GB/s: a MB takes a millisecond
    program = decoder(soc)
    trace = execute(soc, Loop(Inference(program), count=3), execution=execution)
    # 2 MB of tensors, 1 + n / 2 MB read, half a MB written.
    assert trace.finished == ms(3.5, 3.5 + 4.0, 3.5 + 4.0 + 4.5)
    assert trace.links["dram"].bytes == pytest.approx(12 * MB)
    assert trace.state_peak_bytes == {"dram": MB + 3 * (MB // 2)}
    assert [s.bytes / MB for s in trace.spans] == [3.5, 4.0, 4.5]


def test_a_state_that_does_not_grow_is_written_whole() -> None:
    soc = make_soc()
    trace = execute(soc, Listed([Inference(decoder(soc, grow=0))] * 2))
    assert trace.finished == ms(4.0, 8.0)
    assert trace.state_peak_bytes == {"dram": MB}


def pipeline(soc: SoC) -> Program:
    """a (4 ms) on cpu, then b (1 ms) on big."""
    graph = make_graph(("a", ["x"], 4.0), ("b", ["a"], 1.0))
    return lower(graph, soc, [("cpu", "a"), ("big", "b")])


def test_a_reader_waits_for_the_writer_of_the_inference_before() -> None:
    soc = make_soc({"big": CLUSTER}, memory=FAST)
    program = pipeline(soc)
    state = State("h", "dram", 8)
    work = [Inference(program), Inference(program)]
    assert execute(soc, work).finished == ms(5, 9)  # the second's a runs beside the first's b
    written_late = keeping(
        program, state, (0, Access("h", reads=True)), (1, Access("h", writes=True))
    )
    assert execute(soc, [Inference(written_late)] * 2).finished == ms(5, 10)
    # Other streams have a state of their own.
    streams = [Inference(written_late, stream=0), Inference(written_late, stream=1)]
    assert execute(soc, streams).finished == ms(5, 9)


def test_a_writer_waits_for_the_readers_of_the_inference_before() -> None:
    soc = make_soc({"big": CLUSTER}, memory=FAST)
    late = keeping(
        pipeline(soc),
        State("h", "dram", 8),
        (0, Access("h", writes=True)),
        (1, Access("h", reads=True)),
    )
    assert execute(soc, [Inference(late)] * 2).finished == ms(5, 10)


def test_a_writer_waits_for_all_who_have_only_read_since_the_last_one() -> None:
    soc = make_soc({"big": CLUSTER, "more": CLUSTER}, memory=FAST)
    state = State("h", "dram", 8)

    def one(unit: str, took: float, **access: bool) -> Inference:
        program = lower(make_graph(("a", ["x"], took)), soc, [(unit, "a")])
        return Inference(keeping(program, state, (0, Access("h", **access))))

    slow, quick = one("big", 6.0, reads=True), one("more", 1.0, reads=True)
    writer = one("cpu", 1.0, writes=True)
    # Readers do not wait for one another; who reads after the writer waits for it alone.
    assert execute(soc, [slow, quick, writer, quick]).finished == ms(6, 1, 7, 8)
    late = replace(writer, arrival=2 * MS)  # by then one of them has ended
    assert execute(soc, [slow, quick, late]).finished == ms(6, 1, 7)


def test_a_state_may_lie_in_another_memory_than_the_tensors() -> None:
    memory = {
        "dram": {"bandwidth": "1 GB/s", "capacity": "1 GiB"},
        "scratch": {"bandwidth": "0.5 GB/s", "capacity": "1 GiB"},
    }
    soc = make_soc({"cpu": {"routes": {"scratch": ["scratch"]}}}, memory=memory)
    program = lower(make_graph(("a", ["x"], 0.0)), soc, [("cpu", "a")])
    far = keeping(program, State("kv", "scratch", 2 * MB), (0, Access("kv", reads=True)))
    trace = execute(soc, far)
    # 2 MB at 1 GB/s beside 2 MB at 0.5 GB/s.
    assert trace.finished == ms(4)
    assert (trace.links["dram"].bytes, trace.links["scratch"].bytes) == (2 * MB, 2 * MB)
    assert trace.state_peak_bytes == {"scratch": 2 * MB}
    assert sum(a.transfer for a in trace.activities) == pytest.approx(4 * MS)


@pytest.mark.parametrize("fidelity", ["fluid", "tile"])
def test_an_npu_moves_state_at_either_grain(fidelity: str) -> None:
    soc = make_soc({"npu": NPU})
    program = lower(make_graph(("a", ["x"], 0.01)), soc, [("npu", "a")])
    kept = keeping(program, State("kv", "dram", 3 * MB, MB), (0, BOTH))
    trace = execute(soc, kept, fidelity=fidelity)
    assert trace.links["dram"].bytes == 6 * MB
    assert trace.makespan_s == pytest.approx(6 * MS, rel=0.01)


def test_a_memory_that_a_state_outgrows_is_said() -> None:
    memory = {"dram": {"bandwidth": "1 GB/s", "capacity": "2 MB"}}
    soc = make_soc(memory=memory)
    program = decoder(soc)
    execute(soc, [Inference(program)] * 2)
    with pytest.raises(InfeasibleError, match="'dram' has grown to 2500000 B"):
        execute(soc, [Inference(program)] * 3)


def test_a_unit_that_cannot_reach_the_state_is_named() -> None:
    memory = FAST | {"scratch": {"bandwidth": "1 GB/s", "capacity": "1 GiB"}}
    soc = make_soc(memory=memory)
    program = lower(make_graph(("a", ["x"], 0.0)), soc, [("cpu", "a")])
    far = keeping(program, State("kv", "scratch", MB), (0, BOTH))
    with pytest.raises(PlanError, match="cpu cannot reach memory 'scratch'"):
        execute(soc, far)


@pytest.mark.parametrize(
    ("accesses", "message"),
    [
        ([(0, Access("cache", reads=True))], "undeclared"),
        ([(0, Access("kv", 1, reads=True))], "launch 1, and has 1"),
        ([(0, BOTH), (1, BOTH)], "more than once"),
    ],
)
def test_faulty_declarations_are_refused(accesses: Any, message: str) -> None:
    soc = make_soc({"big": CLUSTER})
    with pytest.raises(PlanError, match=message):
        keeping(pipeline(soc), State("kv", "dram", MB), *accesses)


def test_tasks_that_passed_their_state_on_leave_memory() -> None:
    soc = make_soc()
    found: list[int] = []
    source = Loop(Inference(decoder(soc, 1, 1)), clients=2, count=20)
    with counting(Task) as tasks:
        execute(soc, source, trace=False, sink=lambda _: found.append(tasks()))
    assert len(found) == 20
    assert 0 < max(found) <= 4
