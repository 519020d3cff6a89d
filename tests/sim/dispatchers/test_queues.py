"""Queues of what is ready: ranks, ties, bounds, and what is taken out again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hetsim.sim.dispatchers.queues import Queues


def task(inference: int, position: int = 0, unit: int = 0) -> Any:
    return SimpleNamespace(
        inference=inference, position=position, job=SimpleNamespace(pu=unit)
    )  # what queues look at


def test_the_smallest_rank_goes_first_then_who_arrived_first_then_plan_order() -> None:
    queues = Queues(2)
    late, early = task(2), task(1)
    second, first = task(3, 5), task(3, 4)
    for each, rank in ((late, (2.0, 1)), (second, (2.0, 0)), (first, (2.0, 0)), (early, (1.0, 9))):
        queues.push(each, rank)
    elsewhere = task(4, unit=1)
    queues.push(elsewhere, (0.0, 0))
    assert (queues.waiting(0), queues.waiting(1)) == (4, 1)
    assert [queues.pop(0) for _ in range(5)] == [early, first, second, late, None]
    assert (queues.waiting(0), queues.pop(1), queues.pop(1)) == (0, elsewhere, None)


def test_only_what_ranks_strictly_before_is_handed_out() -> None:
    queues, one = Queues(1), task(0)
    assert queues.pop(0, (9.0, 9)) is None
    queues.push(one, (1.0, 2))
    assert [queues.pop(0, bound) for bound in ((0.5, 7), (1.0, 1), (1.0, 2))] == [None] * 3
    assert queues.pop(0, (1.0, 3)) is one


def test_who_is_forgotten_leaves_the_others_in_their_order() -> None:
    queues = Queues(2)
    tasks = [task(i % 3, i) for i in range(9)]
    for each in tasks:
        queues.push(each, (float(10 - each.position), 0))
    other = task(1, unit=1)
    queues.push(other, (0.0, 0))
    queues.forget(1, [0])
    assert queues.waiting(0) == 6
    left = [queues.pop(0) for _ in range(6)]
    assert left == [tasks[i] for i in (8, 6, 5, 3, 2, 0)]
    assert queues.pop(1) is other  # of that unit nobody spoke


def test_where_the_first_is_forgotten_the_next_is_found() -> None:
    queues = Queues(1)
    tasks = {rank: task(int(rank == 0), rank) for rank in (0, 5, 1, 6, 7, 2, 3)}
    for rank, each in tasks.items():
        queues.push(each, (float(rank), 0))
    queues.forget(1, [0])
    assert [queues.pop(0) for _ in range(6)] == [tasks[rank] for rank in (1, 2, 3, 5, 6, 7)]
