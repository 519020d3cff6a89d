"""The runtimes of dataflow: who takes what when, what thinking costs, and who is left over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pytest

from hetsim.errors import DispatcherError, PlanError
from hetsim.sim.dispatchers.fifo import Fifo
from hetsim.sim.machine import Machine
from hetsim.sim.runtimes.barrier import Barrier
from hetsim.sim.runtimes.base import Runtime, wait_for
from hetsim.sim.runtimes.dataflow import Dataflow, Preemptive
from hetsim.sim.simulate import execute
from hetsim.sim.source import Completion, Inference, Listed, Source
from hetsim.sim.task import Task, tasks_of
from hetsim.sim.trace import RUNTIME, Trace
from tests.sim.samples import CLUSTER, FAST, MS, lower, make_graph, make_soc

SOC = make_soc({"cpu": {"cores": 1}, "big": CLUSTER}, memory=FAST)
FORK = make_graph(("a", ["x"], 2.0), ("b", ["a"], 3.0), ("c", ["x"], 4.0))


def runs(trace: Trace) -> list[tuple[int, int, int, float, float]]:
    """(inference, position, unit, start, end) of each task in ms, as they ended."""
    return [
        (row.inference, row.position, row.pu, round(row.start / MS, 6), round(row.end / MS, 6))
        for row in trace.tasks
    ]


def test_units_take_turns_by_plan_order_and_a_reader_waits_for_what_it_reads() -> None:
    program = lower(FORK, SOC, [("cpu", "a"), ("big", "b"), ("cpu", "c")])
    assert runs(execute(SOC, program)) == [(0, 0, 0, 0, 2), (0, 1, 1, 2, 5), (0, 2, 0, 2, 6)]


def test_the_more_urgent_goes_first_and_then_the_one_that_came_first() -> None:
    one = lower(make_graph(("a", ["x"], 2.0)), SOC, [("big", "a")])
    come = [
        Inference(one, t * MS, priority) for t, priority in ((0, 0), (0.5, 0), (1, 0), (1.5, 1))
    ]
    assert [row[0] for row in runs(execute(SOC, come))] == [0, 3, 1, 2]


def test_an_urgent_one_goes_between_two_launches_only_where_it_may() -> None:
    long = lower(make_graph(("a", ["x"], 2.0), ("b", ["a"], 2.0)), SOC, [("big", "a b")])
    short = lower(make_graph(("a", ["x"], 1.0)), SOC, [("big", "a")])
    come = [Inference(long), Inference(short, 1 * MS, priority=1), Inference(short, 1.5 * MS)]
    assert [row[3:] for row in runs(execute(SOC, come))] == [(0, 4), (4, 5), (5, 6)]
    assert runs(execute(SOC, come, execution="preemptive")) == [
        (1, 0, 1, 2, 3), (0, 0, 1, 0, 5), (2, 0, 1, 5, 6)
    ]  # fmt: skip


class Thinks(Fifo):
    """Thinks so many milliseconds about each inference, and remembers when it knew."""

    def __init__(self, *ms: float) -> None:
        super().__init__()
        self.ms, self.knew = list(ms), list[float]()

    def add(self, tasks: Sequence[Task], inference: Inference) -> Iterable[int]:
        self.view.think(self.ms.pop(0) * MS, lambda: self.knew.append(self.view.now / MS))
        return super().add(tasks, inference)


def test_thinking_is_a_thread_of_the_host_and_belongs_to_no_inference() -> None:
    program = lower(make_graph(("a", ["x"], 4.0)), SOC, [("big", "a")])
    thinks = Thinks(1.0, 2.0, 0.0)
    trace = execute(SOC, [Inference(program)] * 3, dispatcher=thinks)
    assert thinks.knew == pytest.approx([0.0, 1.0, 3.0])  # the third knew at once
    spans = [span for span in trace.spans if span.name == "decide"]
    assert [(s.lane, s.kind, s.inference, s.partition) for s in spans] == [
        ("cpu", "call", -1, "decide")
    ] * 2
    assert [t / MS for s in spans for t in (s.start, s.end)] == pytest.approx([0, 1, 1, 3])
    nobodys = [a for a in trace.activities if a.inference < 0]
    assert {a.position for a in nobodys} == {RUNTIME}
    assert len(trace.tasks) == 3
    # The one core of the host is shared with what runs there.
    there = lower(make_graph(("a", ["x"], 4.0)), SOC, [("cpu", "a")])
    trace = execute(SOC, there, dispatcher=Thinks(1.0))
    assert trace.makespan_s == pytest.approx(5 * MS)


def test_what_follows_an_end_comes_then_or_when_it_is_due() -> None:
    one = lower(make_graph(("a", ["x"], 1.0)), SOC, [("big", "a")])

    class Then(Source):
        def arrivals(self) -> Iterator[Inference]:
            return iter([Inference(one)])

        def ended(self, completion: Completion) -> Iterable[Inference]:
            if completion.number:
                return ()
            return [Inference(one, completion.finish), Inference(one, 5 * MS)]

    done: list[Completion] = []
    execute(SOC, Then(), sink=done.append)
    assert [(d.number, d.start / MS, d.finish / MS, d.latency / MS) for d in done] == [
        pytest.approx(row) for row in ((0, 0, 1, 1), (1, 1, 2, 1), (2, 5, 6, 1))
    ]


def test_a_wait_never_overshoots() -> None:
    assert wait_for(1.0, 3.5) == 2.5
    assert wait_for(2.0, 2.0) == 0.0
    for now, then in ((0.1, 0.3), (0.3, 0.9), (1e-3, 7.1e-3), (2.3e-3, 8.9e-3)):
        moment, waits = now, 0
        while moment < then:
            moment += wait_for(moment, then)
            waits += 1
        assert moment == then
        assert waits <= 2


def test_tasks_know_who_reads_them_and_wait_for_whom_they_read() -> None:
    program = lower(FORK, SOC, [("cpu", "a"), ("big", "b"), ("cpu", "c")])
    tasks = tasks_of(program, 7, 2, 3)
    first, second, third = tasks
    assert [task.blockers for task in tasks] == [0, 1, 0]
    assert (first.readers, second.readers, third.readers) == ([second], [], [])
    for position, task in enumerate(tasks):
        assert (task.position, task.inference, task.priority, task.stream) == (position, 7, 2, 3)
        assert not any((task.begun, task.done, task.withdrawn, task.launched))
        assert task.launches is task.job.launches
    first.place(third.job)
    assert (first.job, first.launches) == (third.job, third.job.launches)
    plain = [*tasks_of(program, 0), Task(program.jobs[0], RUNTIME, -1)]
    assert [(task.priority, task.stream) for task in plain] == [(0, 0)] * 4


def test_what_runtimes_promise() -> None:
    """Searches and proofs go by it: who forks, who keeps to the plan's order, what is separable."""
    said = [(r.forks, r.in_order, r.separable) for r in (Dataflow, Preemptive, Barrier, Runtime)]
    assert said == [(False, True, True)] * 2 + [(True, False, True), (False, False, False)]


class Forgets(Fifo):
    """Never hands out what is of unit 1."""

    def next(self, unit: int) -> Task | None:
        return None if unit else super().next(unit)


def test_who_is_left_over_is_counted_and_the_first_is_named() -> None:
    wide = make_graph(("a", ["x"], 1.0), ("b", ["y"], 1.0), ("c", ["z"], 1.0), ("d", ["b"], 1.0))
    plan = [("cpu", "a"), ("big", "b"), ("big", "c"), ("cpu", "d")]
    with pytest.raises(DispatcherError, match=r"'Forgets' has left 2 .* 'p1' of inference 0"):
        execute(SOC, lower(wide, SOC, plan), dispatcher=Forgets())
    runtime = Dataflow(Machine(SOC), Listed([]), lambda _: None)
    assert isinstance(runtime.stuck(), PlanError)
    assert "circle" in str(runtime.stuck())
