"""What the engine asks of any dispatcher, what it refuses, and the time that deciding takes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hetsim.errors import DispatcherError
from hetsim.lower.program import Program
from hetsim.sim.dispatch import Dispatcher, unblocked
from hetsim.sim.dispatchers.fifo import Fifo
from hetsim.sim.dispatchers.priority import Priority
from hetsim.sim.dispatchers.registry import (
    create_dispatcher,
    describe,
    dispatcher_names,
    find_dispatcher,
)
from hetsim.sim.simulate import execute
from hetsim.sim.source import Inference
from hetsim.sim.task import tasks_of
from hetsim.soc.model import SoC
from tests.sim.samples import FAST, MS, NPU, lower, make_graph, make_soc


def case(one: str = "cpu") -> tuple[SoC, Program]:
    """Two chains of two partitions, on ``one`` and on the NPU, and one that joins them."""
    soc = make_soc({"npu": NPU, "other": NPU}, memory=FAST)
    graph = make_graph(
        ("a", ["x"], 1.0), ("b", ["a"], 1.0), ("c", ["x"], 2.0), ("d", ["c"], 1.0),
        ("e", ["b", "d"], 1.0),
    )  # fmt: skip
    units = [(one, "a"), (one, "b"), ("npu", "c"), ("npu", "d"), (one, "e")]
    return soc, lower(graph, soc, units)


def test_every_built_in_one_has_a_complete_row() -> None:
    for name in dispatcher_names():
        row = describe(find_dispatcher(name), name, "built in")
        assert find_dispatcher(name).name == name
        assert all(len(text) > 3 for text in (row.optimises, row.ignores, row.source))


class Loses(Fifo):
    def next(self, unit):
        task = super().next(unit)
        return super().next(unit) if task is not None and task.job.name == "p1" else task


class Twice(Fifo):
    def next(self, unit):
        return self.last.setdefault(unit, super().next(unit))

    def begin(self, view):
        super().begin(view)
        self.last = {}


class Eager(Fifo):
    def add(self, tasks, inference):
        self.mine = list(tasks)
        return super().add(tasks, inference)

    def next(self, unit):
        return next((t for t in self.mine if t.job.pu == unit and not t.begun), None)


class Elsewhere(Fifo):
    def next(self, unit):
        return super().next(1 - unit)


class Idle(Fifo):
    def next(self, unit):
        return None


class Raises(Fifo):
    def finished(self, task):
        return [{}[task.job.name]]


class Leaves(Fifo):
    def next(self, unit):
        raise SystemExit(3)


class Answers(Priority):
    """A wrong kind of answer to one question: ``wrong``."""

    def __init__(self, method, answer):
        super().__init__(preemptive=True)
        self.wrong = {method: answer}

    def program(self, inference):
        return self.wrong.get("program", inference.program)

    def add(self, tasks, inference):
        return self.wrong.get("add", super().add(tasks, inference))

    def next(self, unit):
        return self.wrong.get("next", super().next(unit))

    def urgent(self, task):
        return self.wrong.get("urgent")

    def finished(self, task):
        return self.wrong.get("finished", super().finished(task))


@pytest.mark.parametrize(
    ("method", "answer", "expected"),
    [
        ("program", None, "a program"),
        ("add", [99], "positions of units"),
        ("add", ["npu"], "positions of units"),
        ("next", 7, "a task or None"),
        ("urgent", "p0", "a task or None"),
        ("finished", None, "positions of units"),
    ],
)
def test_an_answer_of_the_wrong_kind_is_told(method: str, answer: object, expected: str) -> None:
    soc = make_soc({"npu": NPU}, memory=FAST)
    graph = make_graph(("a", ["x"], 1.0), ("b", ["a"], 1.0), ("c", ["b"], 1.0))
    program = lower(graph, soc, [("npu", "a b"), ("npu", "c")])
    with pytest.raises(DispatcherError) as caught:
        execute(soc, program, dispatcher=Answers(method, answer))
    said = f"dispatcher 'Answers': {method}() returned {answer!r}, expected {expected}"
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("cls", "words"),
    [
        (Loses, ["'Loses' has left 1 partitions that could run", "'p1' of inference 0"]),
        (Twice, ["'Twice' gave", "that has begun before"]),
        (Eager, ["'Eager' gave cpu partition 'p4'", "still waits for 1"]),
        (Elsewhere, ["'Elsewhere' gave cpu partition 'p2'", "that runs on npu"]),
        (Idle, ["'Idle' has left 2 partitions that could run", "'p0'"]),
        (Raises, ["'Raises' raised KeyError: 'p0'", "test_contract.py:"]),
        (Leaves, ["'Leaves' raised SystemExit: 3", "test_contract.py:"]),
    ],
)
def test_a_faulty_dispatcher_is_told_and_nothing_hangs(cls: type[Fifo], words: list[str]) -> None:
    soc, program = case()
    with pytest.raises(DispatcherError) as caught:
        execute(soc, program, dispatcher=cls())
    for word in words:
        assert word in str(caught.value)


def test_a_subclass_has_to_say_itself_that_worst_cases_can_be_proven() -> None:
    assert Fifo.fixed == "arrival"
    assert (Idle.fixed, Idle.name) == (None, "Idle")


class Plain(Dispatcher):
    """What has to be written, and no more."""

    def add(self, tasks, inference):
        self.ready = [task for task in tasks if not task.blockers]
        return {task.job.pu for task in self.ready}

    def next(self, unit):
        mine = [task for task in self.ready if task.job.pu == unit]
        if not mine:
            return None
        self.ready.remove(mine[0])
        return mine[0]

    def finished(self, task):
        came = unblocked(task)
        self.ready += came
        return {reader.job.pu for reader in came}


def test_who_says_nothing_more_places_plans_and_preempts_nothing_and_costs_nothing() -> None:
    assert (Plain.name, Plain.fixed, Plain.places, Plain.replans) == ("Plain", None, False, False)
    assert (Plain.grain, Plain.preempts, Plain.overhead_s) == ("plan", False, 0.0)
    assert Plain.planner is None
    assert describe(Plain, "plain", "here").ignores == "not stated"
    soc, program = case()
    plain = Plain()
    assert execute(soc, program, dispatcher=plain) == execute(soc, program)
    (task,) = tasks_of(replace(program, jobs=program.jobs[:1], groups=((0,),)), 0)
    assert plain.urgent(task) is None
    assert list(plain.withdraw([task])) == []


def test_deciding_takes_a_thread_of_the_host_before_each_partition() -> None:
    soc, program = case("other")  # so that the host's cores do nothing else
    free = execute(soc, program, dispatcher=create_dispatcher("fifo"))
    assert free == execute(soc, program)  # no decision, no difference
    trace = execute(soc, program, dispatcher=create_dispatcher("fifo", overhead_s=0.5 * MS))
    deciding = [t / MS for s in trace.spans if s.name == "decide" for t in (s.start, s.end)]
    # One thread decides, so a waits for the decision on c, which is of the unit that stands first:
    # c 0.5-2.5, a 1-2, b 2.5-3.5, d 3-4, e 4.5-5.5.
    assert deciding == pytest.approx([0.0, 0.5, 0.5, 1.0, 2.0, 2.5, 2.5, 3.0, 4.0, 4.5])
    assert free.makespan_s == pytest.approx(4 * MS)
    assert trace.makespan_s == pytest.approx(5.5 * MS)


def test_the_view_knows_what_runs_and_when_it_should_end() -> None:
    soc, program = case()
    seen = []

    class Looks(Fifo):
        def add(self, tasks, inference):
            view = self.view
            now = [view.running(u) and view.running(u).job.name for u in range(2)]
            seen.append((now, [view.free_at(u) / MS for u in range(2)]))
            return super().add(tasks, inference)

    execute(soc, [Inference(program), Inference(program, 1.5 * MS)], dispatcher=Looks())
    assert seen[0] == ([None, None], [0.0, 0.0])
    assert seen[1] == (["p1", "p2"], [pytest.approx(2.0), pytest.approx(2.0)])
