"""Parallel branches chosen jointly: longest first, and the search of sets too large to try."""

from __future__ import annotations

import random
from itertools import product

import pytest

from hetsim.plan.validate import validate_plan
from hetsim.schedulers.partition_tuner import parallel_branches
from hetsim.schedulers.partition_tuner.scheduler import PartitionTuner
from tests.schedulers.fakes import make_graph, make_problem, make_soc, placement

SOC = make_soc()


def fork_of(names):
    return {"s": [], **{x: ["s"] for x in names}, "j": list(names)}


def planned(times, **parameters):
    """The plan of branches with ``times`` [cpu, npu] between s and j, which take 1 on the NPU."""
    graph = make_graph(fork_of(times), {x: "Relu" for x, (_, npu) in times.items() if npu is None})
    all_times = {"s": [9, 1], "j": [9, 1], **times}
    scheduler = PartitionTuner(switch_penalty_us=0, joint=True, parallel_sets="free", **parameters)
    problem = make_problem(graph, SOC, all_times)
    plan = scheduler.plan(problem)
    validate_plan(plan, graph, SOC)
    return plan


def seconds(plan):
    return plan.details["recurrence_us"] * 1e-6


def test_rounds_pair_the_longest_with_the_longest():
    """By hand: max(9, 9) + max(1, 1), not max(1, 9) + max(9, 1)."""
    plan = planned({"a": [1, 99], "b": [9, 99], "c": [99, 9], "d": [99, 1]})
    parts = {p.name: p.operators for p in plan.partitions}
    rounds = [{op for name in group for op in parts[name]} for group in plan.parallel_groups]
    assert rounds == [{"b", "c"}, {"a", "d"}]
    assert seconds(plan) == pytest.approx(1 + 9 + 1 + 1)


def test_many_branches_are_balanced_one_move_at_a_time():
    """Eight branches of 6 on the CPU and 5 on the NPU: 3 · 8 ways, of which four and four is best.

    6561 assignments are too many to try. All on the NPU take 40; max(4 · 6, 4 · 5) is the least.
    """
    plan = planned({x: [6, 5] for x in "abcdefgh"}, pack=True)
    assert parallel_branches._EXHAUSTIVE < 3**8
    assert seconds(plan) == pytest.approx(1 + 24 + 1)
    assert sorted(placement(plan)[x] for x in "abcdefgh") == ["cpu"] * 4 + ["npu"] * 4


@pytest.mark.parametrize(
    ("pack", "local", "best"),
    [
        # a and c on the NPU take 9, b and d on the CPU 5; no single change is better. Two are: c
        # and d on the NPU take 8, a and b on the CPU 7.
        (True, 9, 8),
        # In rounds of two: max(6, 3) of c and b, max(3, 2) of a and d.
        (False, 9, 9),
    ],
)
def test_the_local_search_ends_where_no_single_change_helps(monkeypatch, pack, local, best):
    times = {"a": [4, 3], "b": [3, 4], "c": [7, 6], "d": [2, 2]}
    assert seconds(planned(times, pack=pack)) == pytest.approx(1 + best + 1)
    monkeypatch.setattr(parallel_branches, "_EXHAUSTIVE", 0)
    assert seconds(planned(times, pack=pack)) == pytest.approx(1 + local + 1)


def test_a_branch_on_one_unit_is_where_the_search_begins(monkeypatch):
    """Nothing to gain: the CPU is hopeless, so everything stays on the NPU, in line."""
    monkeypatch.setattr(parallel_branches, "_EXHAUSTIVE", 0)
    plan = planned({x: [99, 2] for x in "abc"}, pack=True)
    assert plan.parallel_groups == ()
    assert seconds(plan) == pytest.approx(1 + 6 + 1)


@pytest.mark.parametrize("seed", range(20))
def test_the_local_search_stops_nowhere_else(monkeypatch, seed):
    """Costs at random: what is found is better than its start and than each single change of it."""
    monkeypatch.setattr(parallel_branches, "_EXHAUSTIVE", 0)
    draw = random.Random(seed)
    sizes = (3, 3, 3)
    costs = {choice: draw.random() for choice in product(*map(range, sizes))}
    found = tuple(parallel_branches._search(sizes, (1, 1, 1), costs.__getitem__))
    near = [
        (*found[:i], option, *found[i + 1 :]) for i, size in enumerate(sizes)
        for option in range(size)
    ]  # fmt: skip
    assert costs[found] == min(costs[choice] for choice in near)
    assert costs[found] <= costs[1, 1, 1]
