"""List schedulers and MOSAIC, against published examples and brute force."""

from __future__ import annotations

import random
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hetsim.plan.validate import validate_plan
from hetsim.schedulers.list.cpop import CPOP, critical_path, downward_ranks
from hetsim.schedulers.list.heft import HEFT, upward_ranks
from hetsim.schedulers.list.heft_lookahead import HEFTLookahead
from hetsim.schedulers.list.peft import PEFT, optimistic_costs
from hetsim.schedulers.stages.mosaic import Mosaic
from hetsim.schedulers.units import Units
from tests.schedulers.fakes import (
    chain,
    make_graph,
    make_problem,
    make_soc,
    placement,
    random_problem,
)

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


# Arabnejad, Barbosa 2014, figure 1.
TIMES_2014 = {
    "t1": (22, 21, 36), "t2": (22, 18, 18), "t3": (32, 27, 43), "t4": (7, 10, 4),
    "t5": (29, 27, 35), "t6": (26, 17, 24), "t7": (14, 25, 30), "t8": (29, 23, 36),
    "t9": (15, 21, 8), "t10": (13, 16, 33),
}  # fmt: skip
COMM_2014 = {
    ("t1", "t2"): 17, ("t1", "t3"): 31, ("t1", "t4"): 29, ("t1", "t5"): 13, ("t1", "t6"): 7,
    ("t2", "t8"): 3, ("t2", "t9"): 30, ("t3", "t7"): 16, ("t4", "t8"): 11, ("t4", "t9"): 7,
    ("t5", "t9"): 57, ("t6", "t8"): 5, ("t7", "t10"): 9, ("t8", "t10"): 42, ("t9", "t10"): 7,
}  # fmt: skip


@pytest.mark.parametrize(
    ("scheduler", "times", "comm", "makespan"),
    [
        (HEFT(), TIMES_2002, COMM_2002, 80),
        (CPOP(), TIMES_2002, COMM_2002, 86),
        (HEFT(), TIMES_2014, COMM_2014, 133),
        (HEFTLookahead(), TIMES_2014, COMM_2014, 127),
        (PEFT(), TIMES_2014, COMM_2014, 122),
    ],
)
def test_makespans_of_the_papers(scheduler, times, comm, makespan):
    problem = task_graph(times, comm)
    plan = scheduler.plan(problem)
    validate_plan(plan, problem.graph, problem.soc)
    assert plan.predicted_s == pytest.approx(makespan)


@pytest.mark.parametrize("scheduler", [HEFT(), PEFT(), CPOP(), HEFTLookahead()])
@pytest.mark.parametrize(("times", "pu"), [((5, 1), "npu"), ((1, 5), "cpu"), ((2, 2), "cpu")])
def test_an_operator_alone_goes_where_it_ends_first(scheduler, times, pu):
    plan = scheduler.plan(make_problem(chain("Conv"), make_soc(), {"n0": times}))
    assert placement(plan) == {"n0": pu}


def test_downward_ranks_and_the_critical_path_of_the_cpop_paper():
    units = Units(task_graph(TIMES_2002, COMM_2002))
    down = downward_ranks(units)
    thirds = [0, 93, 75, 66, 72, 81, 187, 200, 191, 280]
    assert down == pytest.approx([third / 3 for third in thirds])
    priority = [a + b for a, b in zip(upward_ranks(units), down, strict=True)]
    assert critical_path(units, priority) == [0, 1, 8, 9]
    assert [priority[u] for u in (0, 1, 8, 9)] == pytest.approx([108] * 4)


def test_a_critical_path_begins_where_most_must_follow_and_of_equals_with_the_first():
    graph = make_graph({"a": [], "b": [], "c": ["a"], "d": ["b"], "e": ["b"]})
    times = {"a": [1, 1], "b": [2, 2], "c": [3, 3], "d": [1, 1], "e": [4, 4]}
    units = Units(make_problem(graph, make_soc(), times))

    def path(*priority):
        return critical_path(units, priority)

    assert path(4, 6, 4, 3, 6) == [1, 4]
    assert path(6, 6, 6, 3, 6) == [0, 2]
    assert path(4, 6, 4, 6, 6 + 1e-12) == [1, 3]  # as large, but for the order of additions
    assert path(4, 6, 4, 5, 5.5) == [1, 4]  # where none is, the largest


@pytest.mark.parametrize(
    ("scheduler", "end"),
    [(HEFT(), 3), (CPOP(), 3), (HEFTLookahead(), 3), (PEFT(), 4)],  # PEFT ranks by what follows
)
def test_of_several_that_are_ready_the_longest_comes_first(scheduler, end):
    """Three on two units alike: 3 here, 2 and 1 there; as they stand it is 1 and 3 here."""
    graph = make_graph({"a": [], "b": [], "c": []})
    times = {"a": (1, 1), "b": (2, 2), "c": (3, 3)}
    assert scheduler.plan(make_problem(graph, make_soc(), times)).predicted_s == end


def test_optimistic_costs_of_the_peft_paper():
    table = optimistic_costs(Units(task_graph(TIMES_2014, COMM_2014)))
    assert table[0] == [64, 68, 86]
    assert table[9] == [0, 0, 0]


def test_a_critical_path_stays_where_most_of_it_can_run_before_where_it_is_quick():
    graph = chain("Conv", "Softmax", "Conv")
    times = {"n0": [4, 1], "n1": [4, None], "n2": [4, 1]}
    plan = CPOP().plan(make_problem(graph, make_soc(), times))
    assert set(placement(plan).values()) == {"cpu"}
    # Where both run all of it, the quicker has it; where neither does, the rest goes elsewhere.
    plan = CPOP().plan(make_problem(graph, make_soc(), times | {"n1": [4, 5]}))
    assert set(placement(plan).values()) == {"npu"}
    plan = CPOP().plan(make_problem(graph, make_soc(), times | {"n0": [None, 1]}))
    assert placement(plan) == {"n0": "npu", "n1": "cpu", "n2": "npu"}


def test_lookahead_places_a_unit_where_its_followers_end_first():
    """a ends sooner on the CPU, at 2; from there b and c come to the NPU at 7 and end at 9."""
    graph = make_graph({"a": [], "b": ["a"], "c": ["a"]})
    times = {"a": [2, 3], "b": [9, 1], "c": [9, 1]}
    problem = make_problem(graph, make_soc(), times, comm={"a.out": 5})
    assert HEFT().plan(problem).predicted_s == 9
    plan = HEFTLookahead().plan(problem)
    assert plan.predicted_s == 3 + 1 + 1
    assert set(placement(plan).values()) == {"npu"}
    # With 6 there, it stays: on the NPU b and c would end at 7 and 8, on the CPU at 3 and 4.
    times = {"a": [2, 6], "b": [1, 1], "c": [1, 1]}
    plan = HEFTLookahead().plan(make_problem(graph, make_soc(), times, comm={"a.out": 5}))
    assert (set(placement(plan).values()), plan.predicted_s) == ({"cpu"}, 4)
    # Who is followed by nobody goes where it ends first, of equals to the first.
    alone = make_problem(make_graph({"a": []}), make_soc(npus=2), {"a": [4, 3, 3]})
    assert placement(HEFTLookahead().plan(alone)) == {"a": "npu0"}


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


@pytest.mark.slow
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


@pytest.mark.parametrize("scheduler", [HEFT(), PEFT(), CPOP(), HEFTLookahead()])
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 20))
def test_the_predicted_makespan_is_that_of_a_schedule_without_overlaps(scheduler, seed, size):
    """Recomputes each list schedule's times from its plan alone; gaps can only have shrunk."""
    problem = random_problem(random.Random(seed), size, npus=2)
    plan = scheduler.plan(problem)
    units = Units(problem)
    pu_of = {op: problem.soc.by_name[p.pu].index for p in plan.partitions for op in p.operators}
    pus = [pu_of[problem.graph.operators[unit[0]].name] for unit in units.ops]
    position = {op: i for i, op in enumerate(o for p in plan.partitions for o in p.operators)}
    order = sorted(
        range(len(units)), key=lambda u: position[problem.graph.operators[units.ops[u][-1]].name]
    )
    end: dict[int, float] = {}
    free = [0.0] * len(units.pus)
    makespan = 0.0
    for u in order:
        arrivals = [end[v] + units.comm(v, u, pus[v], pus[u]) for v in units.preds[u]]
        start = max([free[pus[u]], units.entry(u, pus[u]), *arrivals])
        end[u] = free[pus[u]] = start + units.time[u][pus[u]]
        makespan = max(makespan, end[u] + units.exit(u, pus[u]))
    assert makespan <= plan.predicted_s * (1 + 1e-12)
