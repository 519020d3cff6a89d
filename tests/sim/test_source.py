"""Sources of inferences: what arrives when, what reacts to an end, and what stays in memory."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from hetsim.lower.program import Program
from hetsim.sim.simulate import execute
from hetsim.sim.source import Completion, Inference, Listed, Source
from hetsim.sim.task import Task
from hetsim.soc.model import SoC
from tests.sim.samples import FAST, MS, Loop, counting, lower, make_graph, make_soc

RUNTIMES = ("dataflow", "preemptive", "barrier")


def one_unit() -> tuple[SoC, Program, Program]:
    """A CPU, a network of 4 ms in two partitions, and one of 1 ms."""
    soc = make_soc(memory=FAST)
    long = lower(
        make_graph(("a", ["x"], 2.0), ("b", ["a"], 2.0)), soc, [("cpu", "a"), ("cpu", "b")]
    )
    return soc, long, lower(make_graph(("c", ["y"], 1.0)), soc, [("cpu", "c")])


def ends(soc: SoC, source: Source, **options: Any) -> list[tuple[int, Any, Any, Any]]:
    """(stream, arrival, start, finish) of each inference in ms, in order of their ends."""
    done: list[Completion] = []
    trace = execute(soc, source, sink=done.append, **options)
    assert trace.finished == trace.arrived == []  # they went to the sink
    assert trace.makespan_s == max(c.finish for c in done)
    return [
        (c.inference.stream, *(round(t / MS, 6) for t in (c.inference.arrival, c.start, c.finish)))
        for c in done
    ]


@pytest.mark.parametrize("execution", RUNTIMES)
def test_a_list_is_the_simplest_source_and_keeps_its_numbers(execution: str) -> None:
    soc, long, short = one_unit()
    stream = [Inference(short, 0.003), Inference(long), Inference(short, 0.010)]
    listed = execute(soc, stream, execution=execution)
    assert listed.arrived == [0.003, 0.0, 0.010]
    assert listed.finished == pytest.approx([0.005, 0.004, 0.011])
    assert execute(soc, Listed(stream), execution=execution) == listed
    assert [row.inference for row in listed.tasks] == [1, 1, 0, 2]
    nothing = execute(soc, Listed([]), execution=execution)
    assert (nothing.makespan_s, nothing.finished) == (0.0, [])


@pytest.mark.parametrize("execution", RUNTIMES)
def test_in_a_closed_loop_the_next_inference_comes_when_one_has_ended(execution: str) -> None:
    soc, _, short = one_unit()
    found = ends(soc, Loop(Inference(short), think=0.5 * MS, count=3), execution=execution)
    assert found == [(0, 0, 0, 1), (0, 1.5, 1.5, 2.5), (0, 3.0, 3.0, 4.0)]
    # Two clients keep the unit busy: each waits for the other.
    found = ends(soc, Loop(Inference(short), clients=2, count=4), execution=execution)
    assert found == [(0, 0, 0, 1), (0, 0, 1, 2), (0, 1, 2, 3), (0, 2, 3, 4)]


@pytest.mark.parametrize("execution", RUNTIMES)
def test_another_network_can_be_triggered_by_an_end(execution: str) -> None:
    soc, long, short = one_unit()

    class Camera(Source):
        def arrivals(self) -> Iterator[Inference]:
            return (Inference(long, t) for t in (0.0, 0.020))

        def ended(self, completion: Completion) -> Iterator[Inference]:
            if completion.inference.stream == 0:
                yield Inference(short, completion.finish + 2 * MS, stream=1)

    found = ends(soc, Camera(), execution=execution)
    assert found == [(0, 0, 0, 4), (1, 6, 6, 7), (0, 20, 20, 24), (1, 26, 26, 27)]


def test_an_arrival_is_asked_for_only_after_the_one_before() -> None:
    soc, _, short = one_unit()
    log: list[str] = []

    class Eager(Source):
        def arrivals(self) -> Iterator[Inference]:
            for i in range(3):
                log.append(f"arrival {i}")
                yield Inference(short, 2 * MS * i)

    for execution in RUNTIMES:
        log.clear()
        execute(soc, Eager(), execution=execution, sink=lambda c: log.append(f"end {c.number}"))
        asked = [log.index(f"arrival {i}") for i in range(3)]
        assert asked[2] > log.index("end 0")
        assert asked == sorted(asked)


def test_several_programs_share_the_machine() -> None:
    soc, long, short = one_unit()
    both = [Inference(long, stream=0), Inference(short, 1 * MS, stream=1)]
    # FIFO by arrival: the short one waits for all partitions of the long one.
    assert ends(soc, Listed(both)) == [(0, 0, 0, 4), (1, 1, 4, 5)]
    both[1] = Inference(short, 1 * MS, 1, stream=1)
    assert ends(soc, Listed(both)) == [(1, 1, 2, 3), (0, 0, 0, 5)]


@pytest.mark.slow
@pytest.mark.parametrize("execution", RUNTIMES)
def test_what_has_ended_leaves_memory(execution: str) -> None:
    soc, _, short = one_unit()
    most = count = 0

    def note(done: Completion) -> None:
        nonlocal most, count
        count += 1
        if count % 100 == 0:
            most = max(most, held())

    source = Loop(Inference(short), clients=3, count=600)
    with counting(Task, Completion) as held:
        execute(soc, source, execution=execution, trace=False, sink=note)
    assert count == 600
    assert 0 < most <= 8  # three clients' tasks and the completion of the moment


def test_an_inference_begins_at_its_arrival_to_the_last_bit() -> None:
    soc, _, short = one_unit()
    draw = random.Random(1)
    pairs = [sorted((draw.uniform(0.001, 0.003), draw.uniform(0.006, 0.01))) for _ in range(400)]
    off = [(x + (y - x)) - y for x, y in pairs]
    seen = {min(off): pairs[off.index(min(off))], max(off): pairs[off.index(max(off))]}
    assert min(seen) < 0.0 < max(seen)  # a delay that is added falls short of one, and overshoots
    for moments in seen.values():
        done: list[Completion] = []
        execute(soc, [Inference(short, t) for t in moments], sink=done.append)
        assert [d.start for d in done] == moments


def test_an_inference_comes_at_once_and_is_in_no_hurry_unless_told() -> None:
    _, _, short = one_unit()
    assert Inference(short) == Inference(short, 0.0, 0, 0, float("inf"), None)
