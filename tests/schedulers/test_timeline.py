"""Gaps in the schedule of list schedulers, against busy stretches kept one by one."""

from __future__ import annotations

import random

import pytest

from hetsim.schedulers.list.timeline import Schedule
from hetsim.schedulers.units import Units
from tests.schedulers.fakes import make_graph, make_problem, make_soc

SIZE = 12


class Waiting(Schedule):
    """Inputs are on the CPU at ``since``."""

    since = 0.0

    def ready(self, u: int, pu: int) -> float:
        return max(self.since, super().ready(u, pu))


def schedule_of(seconds: list[int]) -> Waiting:
    """Units that take ``seconds`` on the CPU, or one and three each way on the NPU."""
    graph = make_graph({f"n{i}": [] for i in range(len(seconds))})
    times = {f"n{i}": [float(s), 1.0] for i, s in enumerate(seconds)}
    return Waiting(Units(make_problem(graph, make_soc(), times, default_comm=3.0)))


def test_gaps_stay_open_until_they_are_filled() -> None:
    schedule = schedule_of([2, 2, 2, 4, 5, 1])
    schedule.place(0, 0, 10.0)
    schedule.place(1, 0, 0.0)
    assert schedule.earliest(2, 0) == (2.0, 4.0)
    schedule.place(2, 0, 2.0)
    # From 4 to 10 there is room for 4 and then for 2, not for 5.
    assert schedule.earliest(3, 0) == (4.0, 8.0)
    schedule.place(3, 0, 4.0)
    assert schedule.earliest(4, 0) == (12.0, 17.0)
    assert schedule.earliest(5, 0) == (8.0, 9.0)
    schedule.unplace()
    assert schedule.earliest(4, 0) == (4.0, 9.0)
    assert schedule.makespan() == 12.0
    # The other unit is idle; its results are back on the host when it has ended for 3.
    schedule.place(4, 1, 9.0)
    assert schedule.earliest(5, 1) == (3.0, 4.0)
    assert schedule.makespan() == 13.0


@pytest.mark.parametrize("seed", range(10))
def test_the_first_gap_that_is_long_enough_is_offered(seed: int) -> None:
    draw = random.Random(seed)
    seconds = [draw.randint(1, 4) for _ in range(SIZE)]
    schedule = schedule_of(seconds)
    busy: list[set[int]] = []
    """The whole seconds that each of ``schedule.placed`` takes."""

    def free(begin: int, length: int) -> bool:
        return not any(taken.intersection(range(begin, begin + length)) for taken in busy)

    for _ in range(60):
        left = [u for u in range(SIZE) if u not in schedule.placed]
        for u in left:
            since = draw.randrange(50)
            schedule.since = float(since)
            begin = next(t for t in range(since, 199) if free(t, seconds[u]))
            assert schedule.earliest(u, 0) == (begin, begin + seconds[u])
        if busy and (not left or draw.random() < 0.3):
            schedule.unplace()
            busy.pop()
        else:
            u = draw.choice(left)
            begin = draw.choice([t for t in range(60) if free(t, seconds[u])][:9])
            schedule.place(u, 0, float(begin))
            busy.append(set(range(begin, begin + seconds[u])))
        ends = [max(taken) + 1 for taken in busy]
        assert schedule.makespan() == max(ends, default=0)
