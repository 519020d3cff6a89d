"""List schedulers and MOSAIC, against published examples and brute force."""

from __future__ import annotations

import random
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scheduler_fakes import chain, make_graph, make_problem, make_soc, placement

from hetsim.plan.validate import validate_plan
from hetsim.schedulers.heft import HEFT, upward_ranks
from hetsim.schedulers.mosaic import Mosaic
from hetsim.schedulers.units import Units

# Topcuoglu, Hariri, Wu 2002, figure 2 and table 1.
TIMES_2002 = {
    "t1": (14, 16, 9), "t2": (13, 19, 18), "t3": (11, 13, 19), "t4": (13, 8, 17),
    "t5": (12, 13, 10), "t6": (13, 16, 9), "t7": (7, 15, 11), "t8": (5, 11, 14),
    "t9": (18, 12, 20), "t10": (21, 7, 16),
}  # fmt: skip
COMM_2002 = {
    ("t1", "t2"): 18, ("t1", "t3"): 12, ("t1", "t4"): 9, ("t1", "t5"): 11, ("t1", "t6"): 14,
    ("t2", "t8"): 19, ("t2", "t9"): 16, ("t3", "t7"): 23, ("t4", "t8"): 27, ("t4", "t9"): 23,
    ("t5", "t9"): 13, ("t6", "t8"): 15, ("t7", "t10"): 17, ("t8", "t10"): 11, ("t9", "t10"): 13,
}  # fmt: skip


def task_graph(times, comm):
    """Three processors, one tensor per edge."""
    edges = {task: [a for a, b in comm if b == task] for task in times}
    graph = make_graph(edges, one_tensor_per_edge=True)
    costs = {f"{a}.{b}": seconds for (a, b), seconds in comm.items()}
    return make_problem(graph, make_soc(npus=2), times, comm=costs)


def test_upward_ranks_of_the_heft_paper():
    ranks = upward_ranks(Units(task_graph(TIMES_2002, COMM_2002)))
    expected = [108, 77, 80, 80, 69, 63.333, 42.667, 35.667, 44.333, 14.667]
    assert ranks == pytest.approx(expected, abs=1e-3)


def test_heft_reproduces_the_makespan_of_its_paper():
    problem = task_graph(TIMES_2002, COMM_2002)
    plan = HEFT().plan(problem)
    validate_plan(plan, problem.graph, problem.soc)
    assert plan.predicted_s == pytest.approx(80)


def test_heft_fills_gaps():
    # On the CPU: a, then d has to wait for b from the NPU; c, placed later, fits in between.
    graph = make_graph({"a": [], "b": ["a"], "d": ["b"], "c": []}, {"b": "Add"})
    soc = make_soc(npu_operators={"Add": {}})
    times = {"a": [1, None], "b": [None, 4], "d": [8, None], "c": [2, None]}
    plan = HEFT().plan(make_problem(graph, soc, times))
    assert plan.predicted_s == pytest.approx(13)


def test_parallel_work_of_a_list_schedule_is_grouped_for_the_barrier_runtime():
    graph = make_graph({"s": [], "a": ["s"], "b": ["s"], "j": ["a", "b"]})
    times = {"s": [1, 1], "a": [4, 4], "b": [4, 4], "j": [1, 1]}
    plan = HEFT().plan(make_problem(graph, make_soc(), times))
    assert plan.predicted_s == pytest.approx(6)
    assert len(plan.parallel_groups) == 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6))
def test_mosaic_is_optimal_on_chains(seed, length):
    rng = random.Random(seed)
    graph = chain(*["Conv"] * length)
    soc = make_soc(npus=2)
    times = {f"n{i}": [rng.uniform(1, 9) for _ in range(3)] for i in range(length)}
    comm = {t: rng.uniform(0, 5) for t in graph.tensors}
    problem = make_problem(graph, soc, times, comm=comm, call=rng.uniform(0, 1))
    plan = Mosaic().plan(problem)

    def cost(pus):
        total, here = problem.profile.call(), 0
        for i, pu in enumerate(pus):
            if pu != here:
                total += comm["in" if i == 0 else f"n{i - 1}.out"]
                total += problem.profile.call() if i else 0.0
            total += times[f"n{i}"][pu]
            here = pu
        return total + (comm[f"n{length - 1}.out"] if here else 0.0)

    best = min(cost(pus) for pus in product(range(3), repeat=length))
    assert plan.predicted_s == pytest.approx(best)
    names = [pu.name for pu in soc.pus]
    chosen = [names.index(placement(plan)[f"n{i}"]) for i in range(length)]
    assert cost(chosen) == pytest.approx(best)


def test_units_keep_a_tail_with_the_only_head_it_can_run_behind():
    graph = chain("Conv", "Relu", "Softmax")
    soc = make_soc(npu_fuse=["Conv-Relu"])
    times = {"n0": [9, 1], "n1": [1, None], "n2": [1, None]}
    units = Units(make_problem(graph, soc, times, groups={(("n0", "n1"), 1): 1.0}))
    assert units.ops == ((0, 1), (2,))
    assert units.time == ((10.0, 1.0), (1.0, float("inf")))


def test_units_do_not_take_a_head_away_from_a_pu_that_cannot_run_the_tail():
    graph = chain("Conv", "Softmax")
    soc = make_soc(cpu_fuse=["Conv-Softmax"])
    times = {"n0": [9, 1], "n1": [1, None]}
    units = Units(make_problem(graph, soc, times, groups={(("n0", "n1"), 0): 9.0}))
    assert units.ops == ((0,), (1,))
