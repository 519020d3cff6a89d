"""IOS against brute force, cut units against their definition, DUET's correction step."""

from __future__ import annotations

import random
from functools import cache
from itertools import combinations, permutations, product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hetsim.errors import SchedulerError
from hetsim.plan.validate import validate_plan
from hetsim.schedulers.cuts import blocks_between_cuts, cut_units
from hetsim.schedulers.list.heft import HEFT
from hetsim.schedulers.list.timeline import Schedule
from hetsim.schedulers.stages.duet import Duet
from hetsim.schedulers.stages.iops import IOPS
from hetsim.schedulers.stages.ios import IOS
from hetsim.schedulers.stages.stages import assignments
from hetsim.schedulers.units import Units
from tests.schedulers.fakes import make_graph, make_problem, make_soc, placement, random_problem


def small_problem(rng, size, execution="dataflow"):
    """Free transfers and calls, so that a stage's latency does not depend on earlier stages."""
    edges = {
        f"n{i}": [f"n{p}" for p in sorted(rng.sample(range(i), rng.randint(0, min(i, 2))))]
        for i in range(size)
    }
    times = {f"n{i}": [rng.randint(1, 9), rng.choice([None, 1, 2, 5])] for i in range(size)}
    return make_problem(make_graph(edges), make_soc(), times, execution=execution)


def best_stages(problem, r, s):
    """Least sum of stage latencies, by trying every sequence of stages."""
    graph, profile = problem.graph, problem.profile

    def components(ops):
        left, found = set(ops), []
        while left:
            group, todo = set(), [min(left)]
            while todo:
                op = todo.pop()
                if op in left:
                    left.discard(op)
                    group.add(op)
                    todo += [*graph.predecessors[op], *graph.successors[op]]
            found.append(sorted(group))
        return found

    def latency(groups):
        times = [[profile.chain_time(g, p) for p in (0, 1)] for g in groups]
        return min(
            max(sum(t[p] for t, w in zip(times, where, strict=True) if w == p) for p in (0, 1))
            for where in product((0, 1), repeat=len(times))
        )

    @cache
    def finish(done):
        left = [op for op in range(len(graph)) if op not in done]
        best = 0.0 if not left else float("inf")
        for size in range(1, len(left) + 1):
            for stage in combinations(left, size):
                after = done | set(stage)
                if any(p not in after for op in stage for p in graph.predecessors[op]):
                    continue
                groups = components(stage)
                if len(groups) <= s and all(len(g) <= r for g in groups):
                    best = min(best, latency(groups) + finish(frozenset(after)))
        return best

    return finish(frozenset())


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 3), st.integers(1, 3))
def test_ios_finds_the_best_sequence_of_stages(seed, size, r, s):
    problem = small_problem(random.Random(seed), size)
    plan = IOS(r=r, s=s).plan(problem)
    validate_plan(plan, problem.graph, problem.soc)
    # Sections end at cut units, so brute force may join a stage across a cut: groups of a chain
    # over it cost the same as two stages, because nothing else can run beside them.
    assert plan.predicted_s == pytest.approx(best_stages(problem, r, s))


def test_a_stage_becomes_a_parallel_group():
    graph = make_graph({"s": [], "a": ["s"], "b": ["s"], "j": ["a", "b"]})
    times = {"s": [1, 9], "a": [4, 4], "b": [4, 5], "j": [1, 9]}
    plan = IOS().plan(make_problem(graph, make_soc(), times))
    assert [(p.pu, p.operators) for p in plan.partitions] == [
        ("cpu", ("s",)), ("cpu", ("b",)), ("npu", ("a",)), ("cpu", ("j",)),
    ]  # fmt: skip
    assert plan.parallel_groups == (("p1", "p2"),)
    assert plan.predicted_s == pytest.approx(6)


def test_threads_make_small_stages_not_worth_it():
    graph = make_graph({"s": [], "a": ["s"], "b": ["s"], "j": ["a", "b"]})
    times = {name: [1, 1] for name in "sabj"}
    soc = make_soc(runtime={"thread_create": "1 s", "thread_join": "1 s"})
    plan = IOS().plan(make_problem(graph, soc, times, execution="barrier"))
    assert plan.parallel_groups == ()
    assert plan.predicted_s == pytest.approx(4)


def test_wide_sections_are_halved_when_they_take_too_long():
    edges = {"s": [], **{f"b{i}": ["s"] for i in range(24)}, "j": [f"b{i}" for i in range(24)]}
    times = {name: [1, 1] for name in edges}
    plan = IOS(max_transitions=200).plan(make_problem(make_graph(edges), make_soc(), times))
    assert 14 <= plan.predicted_s <= 26


@pytest.mark.parametrize(
    ("scheduler", "parameter", "least"),
    [(IOS, "r", 1), (IOS, "s", 1), (IOS, "max_transitions", 1), (IOPS, "max_nodes", 1),
     (Duet, "max_evaluations", 0)],
)  # fmt: skip
def test_impossible_parameters_are_refused(scheduler, parameter, least):
    assert getattr(scheduler(**{parameter: least}), parameter) == least
    with pytest.raises(SchedulerError, match=parameter):
        scheduler(**{parameter: least - 1})


def test_groups_are_assigned_for_the_earliest_end():
    offers = list(assignments([[3, 4], [3, 4], [9, 1]]))
    assert offers[0] == ((0, 1, 1), 5)
    assert len(offers) == 8
    assert [seconds for _, seconds in offers] == sorted(seconds for _, seconds in offers)
    many = [[2.0, 2.0, 2.0]] * 9
    assert next(assignments(many))[1] == 6


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 20), st.integers(1, 3))
def test_cut_units_are_comparable_to_all_others(seed, size, width):
    rng = random.Random(seed)
    edges = {
        f"n{i}": [f"n{p}" for p in rng.sample(range(i), rng.randint(0, min(i, width)))]
        for i in range(size)
    }
    times = {name: [1, 1] for name in edges}
    units = Units(make_problem(make_graph(edges), make_soc(), times))
    below = [set() for _ in range(size)]
    for u in reversed(range(size)):
        for v in units.succs[u]:
            below[u] |= {v} | below[v]
    expected = [
        u for u in range(size)
        if all(v in below[u] or u in below[v] for v in range(size) if v != u)
    ]  # fmt: skip
    assert cut_units(units) == expected
    assert [u for block in blocks_between_cuts(units) for u in block] == list(range(size))


def test_duet_stops_at_its_budget():
    problem = random_problem(random.Random(3), 30, npus=3)
    found = [Duet(max_evaluations=n).plan(problem).predicted_s for n in (0, 5, 50, 2000)]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1]


def test_duet_balances_parallel_subgraphs():
    edges = {"s": [], "a": ["s"], "b": ["s"], "c": ["s"], "j": ["a", "b", "c"]}
    times = {"s": [1, 1], "a": [6, 5], "b": [3, 3], "c": [2, 2], "j": [1, 1]}
    plan = Duet().plan(make_problem(make_graph(edges), make_soc(), times))
    assert placement(plan)["a"] == "npu"
    assert placement(plan)["b"] == placement(plan)["c"] == "cpu"
    assert plan.predicted_s == pytest.approx(7)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 15))
def test_duets_correction_never_makes_it_worse(seed, size):
    problem = random_problem(random.Random(seed), size, npus=2)
    before = Duet(max_evaluations=0).plan(problem).predicted_s
    assert Duet().plan(problem).predicted_s <= before


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 4))
@example(831, 4)  # an operator that is best run late, on a PU that is idle at first
def test_iops_is_optimal_on_a_single_block(seed, size):
    """Two operators that nothing joins keep the network in one block; all orders are tried."""
    rng = random.Random(seed)
    edges = {
        f"n{i}": [f"n{p}" for p in sorted(rng.sample(range(i), rng.randint(0, min(i, 2))))]
        for i in range(size)
    } | {"lone": []}
    times = {name: [rng.randint(1, 9), rng.choice([None, 1, 2, 5])] for name in edges}
    problem = make_problem(make_graph(edges), make_soc(), times, default_comm=rng.uniform(0, 3))
    units = Units(problem)
    assert len(blocks_between_cuts(units)) == 1
    best = float("inf")
    for order in permutations(range(len(units))):
        position = {u: i for i, u in enumerate(order)}
        if any(position[p] > position[u] for u in order for p in units.preds[u]):
            continue
        for where in product(units.pus, repeat=len(units)):
            schedule = Schedule(units)
            for u in order:
                start, end = schedule.earliest(u, where[u])
                if end == float("inf"):
                    break
                schedule.place(u, where[u], start)
            else:
                best = min(best, schedule.makespan())
    plan = IOPS(max_nodes=100_000).plan(problem)
    validate_plan(plan, problem.graph, problem.soc)
    assert plan.predicted_s == pytest.approx(best)
    assert plan.details["blocks_searched_to_the_end"] == 1
    assert IOPS(max_nodes=1).plan(problem).predicted_s <= HEFT().plan(problem).predicted_s


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", [IOS(max_transitions=100), IOPS(max_nodes=10)])
def test_networks_without_cuts_are_not_too_deep(scheduler):
    edges = {f"{lane}{i}": [f"{lane}{i - 1}"] if i else [] for i in range(400) for lane in "abc"}
    times = {name: [2, 2] for name in edges}
    problem = make_problem(make_graph(edges), make_soc(npus=0, cpus=(1, 1)), times)
    assert scheduler.plan(problem).predicted_s >= 1200
