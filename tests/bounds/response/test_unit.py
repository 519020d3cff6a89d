"""Worst response times on one unit: by hand, and beside an implementation verified by PROSA."""

from __future__ import annotations

import random

import pytest

from hetsim.bounds.response.curves import ENDLESS, TICKS, Curve, down, periodic, up
from hetsim.bounds.response.unit import Task, response


def every(period: int, jitter: int = 0) -> Curve:
    return Curve(periodic(period / TICKS), jitter)


def task(period: int, *pieces: int, priority: int = 0, jitter: int = 0) -> Task:
    """A task that is interrupted between its pieces only."""
    return Task.of(every(period, jitter), pieces, priority)


def preemptive(period: int, cost: int, priority: int = 0) -> Task:
    return Task(every(period), cost, 0, 0, priority)


def bounds(*tasks: Task) -> list[int | None]:
    return [response(t, [o for o in tasks if o is not t]) for t in tasks]


def test_curves_count_arrivals_at_both_ends_of_a_closed_interval() -> None:
    curve = every(10)
    assert [curve.within(t) for t in (0, 9, 10, 19, 20)] == [1, 1, 2, 2, 3]
    assert [curve.before(t) for t in (0, 1, 10, 11, 21)] == [0, 1, 1, 2, 3]
    late = every(10, jitter=25)  # three may come at once, the next five later
    assert [late.within(t) for t in (0, 4, 5, 15)] == [3, 3, 4, 5]
    assert Curve(lambda _: 0.0).within(3) >= ENDLESS
    burst = Curve(lambda n: (n // 4) * 1e-3)  # four at once each millisecond
    assert [burst.within(up(t)) for t in (0.0, 0.9e-3, 1e-3, 2e-3)] == [4, 4, 8, 12]
    assert burst.within(up(1e-3) - 1) == 4


def test_ticks_round_to_the_safe_side_and_ignore_noise() -> None:
    assert up(0.1 + 0.2) == down(0.1 + 0.2) == 300_000_000_000
    assert (up(1.5e-12), down(1.5e-12)) == (2, 1)


def test_preemptive_tasks_as_in_the_textbook() -> None:
    """Joseph & Pandya's recurrence; the third task's window is full at 100 %."""
    found = bounds(preemptive(40, 20, 3), preemptive(50, 10, 2), preemptive(80, 5, 1))
    assert found == [20, 30, 35]
    assert bounds(preemptive(10, 5, 1), preemptive(10, 5)) == [5, 10]


def test_deadlines_beyond_periods_look_at_every_job_of_the_window() -> None:
    """Lehoczky's example: the first job of the second task takes 114, its third 118."""
    assert bounds(preemptive(70, 26, 1), preemptive(100, 62)) == [26, 118]


def test_the_second_job_without_preemption_may_be_the_worst() -> None:
    """Davis et al. (2007), section 3.1, in tenths: the third message takes 3.5 and not 3.0."""
    a, b, c = task(25, 10, priority=2), task(35, 10, priority=1), task(35, 10)
    assert bounds(a, b, c) == [20, 30, 35]


def test_whoever_is_less_urgent_blocks_for_its_longest_piece_once() -> None:
    urgent, long = task(100, 5, priority=1), task(1000, 7, 30, 3)
    assert bounds(urgent, long) == [35, 45]
    assert bounds(urgent, task(1000, 40)) == [45, 45]


def test_nobody_interrupts_the_last_piece() -> None:
    urgent = task(20, 5, priority=1)
    assert response(task(1000, 12, 12), [urgent]) == 5 + 12 + 12  # begins its last at 17
    assert response(task(1000, 15, 9), [urgent]) == 5 + 15 + 5 + 9  # at 20: who comes then is first
    assert response(task(1000, 23, 1), [urgent]) == 5 + 23 + 5 + 1


def test_equals_are_served_as_they_come() -> None:
    one, two = task(100, 10), task(15, 2)
    assert bounds(one, two) == [12, 12]
    assert response(one, [two], in_turn=False) == 12
    assert response(task(100, 14, 10), [two]) == 26
    assert response(task(100, 14, 10), [two], in_turn=False) == 28


def test_what_may_last_for_ever_has_no_bound() -> None:
    assert bounds(task(10, 11)) == [None]
    endless = Task.of(Curve(lambda _: 0.0), (1,))
    assert bounds(task(10, 1), endless) == [None, None]
    assert bounds(task(10, 1, priority=1), endless) == [2, None]
    full = task(10, 5, priority=1), task(10, 5), task(10**6, 1, priority=-1)
    assert bounds(*full) == [10, None, None]  # one tick of blocking is never caught up with


@pytest.mark.slow
def test_the_verified_analysis_says_the_same() -> None:
    """Fixed priorities with every model of preemption, and FIFO: equal to the tick.

    There, whoever blocks has begun a tick before; here it may begin at the same moment. Hence the
    blocking pieces are a tick shorter here.
    """
    pytest.importorskip("response_time_analysis", reason="the reference is not installed")
    from response_time_analysis import model
    from response_time_analysis.analysis import fifo, fp

    draw = random.Random(15)
    compared = 0
    for case in range(120):
        mode = ("preemptive", "limited", "floating", "whole")[case % 4]
        count = draw.randint(1, 5)
        shares = [draw.random() for _ in range(count)]
        load = draw.choice((0.3, 0.6, 0.9)) / sum(shares)
        ours, theirs = [], []
        for share in shares:
            period = int(10 ** draw.uniform(3, 5))
            cost = max(1, int(period * share * load))
            jitter = draw.choice((0, 0, int(2 * period * draw.random())))
            longest = draw.randint(1, cost)
            last = draw.randint(1, longest)
            wcet = model.WCET(cost)
            execution, longest, last = {
                "preemptive": (model.FullyPreemptive(wcet), 1, 0),
                "limited": (model.LimitedPreemptive(wcet, longest, last), longest, last),
                "floating": (model.FloatingNonPreemptive(wcet, longest), longest, 0),
                "whole": (model.FullyNonPreemptive(wcet), cost, cost),
            }[mode]
            priority = draw.randint(0, 3)
            ours.append(Task(every(period, jitter), cost, longest - 1, last, priority))
            arrivals = model.PeriodicWithJitter(period, jitter)
            theirs.append(model.Task(arrivals, execution, priority=model.Priority(priority)))
        everybody = model.TaskSet(tuple(theirs))
        for i, mine in enumerate(ours):
            found = response(mine, ours[:i] + ours[i + 1 :], in_turn=False)
            said = fp.rta(everybody, theirs[i], model.IdealProcessor(), horizon=10**7)
            assert found == said.response_time_bound is not None
            compared += 1
        if mode == "preemptive":
            equal = [Task(t.curve, t.cost, 0, 0) for t in ours]
            said = fifo.rta(everybody, model.IdealProcessor(), horizon=10**7)
            assert max(b or 0 for b in bounds(*equal)) == said.response_time_bound
    assert compared > 300
