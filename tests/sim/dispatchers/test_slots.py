"""Time slots: one inference at a time, in turns, each as fast as if it were alone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hetsim.sim.dispatchers.registry import create_dispatcher
from hetsim.sim.simulate import execute
from hetsim.sim.source import Inference
from hetsim.sim.task import tasks_of
from tests.sim.dispatchers.test_contract import case


def ends(work, soc, **parameters):
    return execute(soc, work, trace=False, dispatcher=create_dispatcher("slots", parameters))


@pytest.fixture(scope="module")
def alone():
    soc, program = case()
    return soc, program, execute(soc, program, trace=False).makespan_s


def test_each_takes_as_long_as_alone_and_streams_take_turns(alone):
    soc, program, once = alone
    work = [Inference(program, stream=i // 3) for i in range(9)]
    found = ends(work, soc)
    assert found.makespan_s == pytest.approx(9 * once, rel=1e-9)
    order = sorted(range(9), key=found.finished.__getitem__)
    assert [i // 3 for i in order] == [0, 1, 2] * 3
    assert sorted(found.finished) == pytest.approx([once * (i + 1) for i in range(9)], rel=1e-9)


def test_a_slot_is_kept_until_its_time_is_over_or_nothing_waits(alone):
    soc, program, once = alone
    work = [Inference(program, stream=i // 3) for i in range(6)]
    order = sorted(range(6), key=ends(work, soc, slot_s=1.5 * once).finished.__getitem__)
    assert [i // 3 for i in order] == [0, 0, 1, 1, 0, 1]
    order = sorted(range(6), key=ends(work, soc, slot_s=9 * once).finished.__getitem__)
    assert [i // 3 for i in order] == [0, 0, 0, 1, 1, 1]


def test_nobody_waits_for_a_stream_with_nothing_to_do(alone):
    soc, program, once = alone
    work = [Inference(program, stream=0), Inference(program, 5 * once, stream=1)]
    found = ends(work, soc, slot_s=1.0)
    assert found.finished == pytest.approx([once, 6 * once], rel=1e-9)


def test_whose_turn_is_given_up_makes_room_for_the_next(alone):
    soc, program, _ = alone
    made = create_dispatcher("slots")
    made.begin(SimpleNamespace(units=len(soc.pus), now=0.0))
    work = [tasks_of(program, number, stream=number) for number in range(4)]
    for number, tasks in enumerate(work):
        made.add(tasks, Inference(program, stream=number))
    assert list(made.withdraw(work[1])) == []  # it was not its turn
    cpu, npu = work[2][0].job.pu, work[2][2].job.pu
    assert sorted(made.withdraw(work[0])) == sorted((cpu, npu))
    assert [made.next(cpu), made.next(npu)] == [work[2][0], work[2][2]]
    assert made.next(cpu) is None  # the fourth's turn has not come


def test_a_network_of_one_partition_gives_its_turn_up_too(alone):
    soc, program, _ = alone
    made = create_dispatcher("slots")
    made.begin(SimpleNamespace(units=len(soc.pus), now=0.0))
    first, second = (tasks_of(program, number, stream=number)[:1] for number in range(2))
    unit = first[0].job.pu
    assert list(made.add(first, Inference(program, stream=0))) == [unit]
    assert list(made.add(second, Inference(program, stream=1))) == []
    assert list(made.withdraw(first)) == [unit]
    assert made.next(unit) is second[0]
