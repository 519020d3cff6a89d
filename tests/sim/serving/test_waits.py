"""Who waits while whose task holds a unit: each second by hand, and against a slow count."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest

from hetsim.sim.serving.accounts import Waits


def task(stream: int, unit: int = 0) -> Any:
    return SimpleNamespace(stream=stream, job=SimpleNamespace(pu=unit), seen=())


def taken(waits: Waits, who: Any, ready: float, now: float) -> Any:
    """``who`` was ready at ``ready`` and its unit takes it ``now``."""
    waits.ready(who, ready)
    waits.take(who, now)
    return who


def test_nobody_waits_for_a_unit_that_is_free() -> None:
    waits = Waits(2, 1)
    first = taken(waits, task(0), 1.0, 1.0)
    waits.release(first, 3.0)
    second = taken(waits, task(1), 5.0, 5.0)
    waits.release(second, 6.0)
    assert waits.blocked_s == [[0.0, 0.0], [0.0, 0.0]]
    assert waits.ready_s == [0.0, 0.0]


def test_who_waits_counts_only_what_each_holder_had_since_then() -> None:
    waits = Waits(3, 1)
    first, second, third = task(0), task(1), task(2)
    taken(waits, first, 0.0, 0.0)
    waits.ready(second, 2.0)
    waits.ready(third, 3.0)
    waits.release(first, 7.0)
    waits.take(second, 7.0)
    assert waits.blocked_s == [[0, 0, 0], [5, 0, 0], [0, 0, 0]]
    waits.release(second, 11.0)
    waits.take(third, 12.0)  # a second for which nobody had it
    assert waits.blocked_s[2] == [4.0, 4.0, 0.0]
    assert waits.ready_s == [0.0, 5.0, 9.0]


def test_a_stream_waits_for_itself_behind_its_own_frames() -> None:
    waits = Waits(2, 1)
    waits.behind(1, 2.5)
    waits.behind(1, 0.5)
    assert waits.blocked_s == [[0.0, 0.0], [0.0, 3.0]]
    assert waits.ready_s == [0.0, 3.0]


def test_who_gives_up_has_waited_until_then() -> None:
    waits = Waits(2, 1)
    holder, other = taken(waits, task(0), 1.0, 1.0), task(1)
    waits.ready(other, 2.0)
    waits.give_up(other, 6.0)
    assert waits.blocked_s == [[0.0, 0.0], [4.0, 0.0]]
    assert waits.ready_s == [0.0, 4.0]
    waits.release(holder, 8.0)
    assert waits.ready_s == [0.0, 4.0]


def test_who_stands_aside_waits_until_it_goes_on() -> None:
    waits = Waits(3, 1)
    low = taken(waits, task(0), 0.0, 0.0)
    middle = taken(waits, task(1), 2.0, 3.0)
    high = taken(waits, task(2), 4.0, 4.0)
    waits.release(high, 6.0)
    waits.release(middle, 9.0)
    waits.release(low, 10.0)
    # From 3 on the first waits for the second's 1 + 3 seconds and the third's 2.
    assert waits.blocked_s == [[0, 4, 2], [1, 0, 2], [0, 0, 0]]
    assert waits.ready_s == [6.0, 3.0, 0.0]


def test_units_are_told_apart() -> None:
    waits = Waits(2, 2)
    mine, other = taken(waits, task(0, 0), 0.0, 0.0), taken(waits, task(1, 1), 0.0, 0.0)
    late = task(1, 0)
    waits.ready(late, 1.0)
    waits.release(other, 2.0)
    waits.release(mine, 4.0)
    waits.take(late, 4.0)
    assert waits.blocked_s == [[0.0, 0.0], [3.0, 0.0]]


@pytest.mark.parametrize("unit", [0, 1, 2])
def test_where_tasks_are_placed_they_have_waited_for_the_unit_they_get(unit: int) -> None:
    waits = Waits(4, 3, places=True)
    holders = [taken(waits, task(i, i), 1.0, 1.0) for i in range(3)]
    late = task(3, 0)
    waits.ready(late, 2.0)
    late.job.pu = unit  # the dispatcher has decided
    waits.release(holders[unit], 5.0 + unit)
    waits.take(late, 8.0)
    expected = [0.0] * 4
    expected[unit] = 3.0 + unit
    assert waits.blocked_s[3] == expected
    assert waits.ready_s[3] == 6.0


@pytest.mark.parametrize("places", [False, True])
def test_it_is_what_a_count_of_every_second_says(places: bool) -> None:
    """Ticks of a second; each unit is held by the first of a random queue."""
    draw = random.Random(5)
    waits = Waits(3, 2, places=places)
    blocked, ready = [[0.0] * 3 for _ in range(3)], [0.0] * 3
    queue: list[Any] = []
    holding: dict[int, tuple[Any, int]] = {}
    for now in range(400):
        for unit, (who, until) in list(holding.items()):
            if until == now:
                waits.release(who, float(now))
                del holding[unit]
        for _ in range(draw.choice((0, 0, 1, 1, 2))):
            queue.append(task(draw.randrange(3), draw.randrange(2)))
            waits.ready(queue[-1], float(now))
        for who in list(queue):
            unit = who.job.pu
            if unit not in holding and draw.random() < 0.8:  # else it is left to stand
                queue.remove(who)
                waits.take(who, float(now))
                holding[unit] = who, now + draw.randrange(1, 4)
        for who in queue:
            ready[who.stream] += 1
            if who.job.pu in holding:
                blocked[who.stream][holding[who.job.pu][0].stream] += 1
    for who in queue:
        waits.give_up(who, 400.0)
    assert waits.blocked_s == blocked
    assert waits.ready_s == ready
    assert sum(ready) > sum(map(sum, blocked)) > 100
