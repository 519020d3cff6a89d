"""What a dispatcher knows of who is there: the work that waits, and nothing of what has left."""

from __future__ import annotations

import random
from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from hetsim.lower.program import Program
from hetsim.sim.dispatchers.placing import Live
from hetsim.sim.dispatchers.planned import Line
from hetsim.sim.dispatchers.registry import create_dispatcher
from hetsim.sim.expected import Expected
from hetsim.sim.simulate import execute
from hetsim.sim.source import Inference
from hetsim.sim.task import Task, tasks_of
from hetsim.soc.model import SoC
from tests.sim.dispatchers.test_placing import independent, open_program, random_graph, soc_of
from tests.sim.samples import MS

BUSY = (0.0, 0.002, 0.0, 0.001)
"""Until when each unit runs what it has begun, seconds."""


@pytest.fixture(scope="module")
def soc() -> SoC:
    return soc_of(1, 2, 3)


@pytest.fixture(scope="module")
def program(soc: SoC) -> Program:
    return open_program(random_graph(3, 6), soc)


def begun(name: str, soc: SoC, **parameters: object):
    """A dispatcher whose units are busy as stated, and that runs nothing by itself."""
    made = create_dispatcher(name, parameters)
    made.begin(
        SimpleNamespace(units=4, now=0.0, expected=Expected(soc), free_at=BUSY.__getitem__)  # type: ignore[arg-type]  # what placing looks at
    )
    return made


def assert_backlog(made, waiting: Sequence[Task]) -> None:
    """A unit is available when it is free and has done what waits there."""
    for unit, free in enumerate(BUSY):
        there = sum(made.expected.job(task.job) for task in waiting if task.job.pu == unit)
        assert made.available(unit) == pytest.approx(free + there, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("name", ["met", "eft", "heft"])
@pytest.mark.parametrize("order", ["fifo", "priority", "edf"])
def test_a_unit_is_available_after_all_that_waits_for_it(
    name: str, order: str, soc: SoC, program: Program
) -> None:
    # Inferences come, are taken, end and are given up in an order by chance.
    drawn, made = random.Random(f"{name} {order}"), begun(name, soc, order=order)
    fresh: dict[int, list[Task]] = {}  # none of it has been taken
    waiting: list[Task] = []
    running: list[Task] = []
    given_up = 0
    for number in range(30):
        tasks = fresh[number] = tasks_of(program, number)
        made.add(tasks, Inference(program, priority=number % 3, deadline=drawn.random()))
        waiting += [task for task in tasks if not task.blockers]
        assert_backlog(made, waiting)
        for _ in range(drawn.randint(0, 8)):
            task = made.next(drawn.randint(1, 3))
            if task is not None:
                waiting.remove(task)
                running.append(task)
                fresh.pop(task.inference, None)
            assert_backlog(made, waiting)
        drawn.shuffle(running)
        for task in running[2:]:
            woken = list(made.finished(task))
            ready = [reader for reader in task.readers if not reader.blockers]
            assert woken == [reader.job.pu for reader in ready] or name == "heft"
            assert sorted(woken) == sorted(reader.job.pu for reader in ready)
            waiting += ready
            assert_backlog(made, waiting)
        del running[2:]
        if fresh and drawn.random() < 0.3:
            number, tasks = fresh.popitem()
            assert made.withdraw(tasks) == ()
            waiting = [task for task in waiting if task.inference != number]
            given_up += 1
            assert_backlog(made, waiting)
    assert given_up > 1
    for unit in range(4):
        while made.next(unit) is not None:
            pass
        assert made.available(unit) == BUSY[unit]  # to the bit: sums do not drift


def test_what_was_given_up_keeps_nobody_away_from_the_fast_unit() -> None:
    # 4 ms take 4, 2 or 1.33 on the three units: the third waits behind two on the fastest.
    soc = soc_of(1, 2, 3)
    program = open_program(independent(4), soc)
    made = begun("eft", soc)
    made.view.free_at = lambda unit: 0.0
    inferences = [tasks_of(program, number) for number in range(3)]
    for tasks in inferences[:2]:
        made.add(tasks, Inference(program))
    assert [tasks[0].job.pu for tasks in inferences[:2]] == [3, 2]
    made.withdraw(inferences[0])
    made.add(inferences[2], Inference(program))
    assert inferences[2][0].job.pu == 3
    assert made.next(3) is inferences[2][0]
    assert made.next(3) is None


def test_what_was_given_up_leaves_its_free_unit_to_the_next() -> None:
    program = open_program(independent(4), soc_of(1))
    made = begun("etf", soc_of(1))
    made.view.running = lambda unit: None
    first, second, third = (tasks_of(program, number) for number in range(3))
    assert made.add(first, Inference(program)) == [1]  # the unit is its own now
    for tasks in (second, third):
        assert made.add(tasks, Inference(program)) == []
    assert made.withdraw(second) == []  # it waited in the pool
    assert made.withdraw(first) == [1]
    assert made.next(1) is third[0]
    assert made.next(1) is None


@pytest.mark.parametrize(
    "name", ["fifo", "priority", "edf", "least_laxity", "slots", "met", "eft", "etf", "heft"]
)
def test_nothing_is_kept_of_an_inference_that_has_ended(
    name: str, soc: SoC, program: Program
) -> None:
    # A long run would grow with what has passed.
    made = create_dispatcher(name)
    most = 0

    def open_ones() -> int:
        held = [v for room in vars(made).values() if isinstance(room, dict) for v in room.values()]
        return sum(isinstance(each, Live | Line) for each in held)

    finished = made.finished

    def counted(task: Task):
        nonlocal most
        woken = list(finished(task))
        most = max(most, open_ones())
        return woken

    made.finished = counted  # type: ignore[method-assign]  # a look after each end
    execute(soc, [Inference(program, i * MS) for i in range(4)], dispatcher=made, trace=False)
    assert most > 0
    assert open_ones() == 0
