"""What every scheduler owes: a valid plan for any problem, always the same one, a prediction."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hetsim.errors import SchedulerError
from hetsim.schedulers.registry import create, scheduler_names
from hetsim.testing.scheduler import SHAPES, SchedulerKit, posed
from tests.schedulers.fakes import make_graph, make_problem, make_soc, placement, random_problem

TUNED = {
    "boundary_cost": True, "profit_test": True, "joint": True, "lpt_by": "time", "pack": True,
    "merge_levels": "all", "longest_group": 3, "switch_penalty_us": 1.0,
}  # fmt: skip
QUICK: dict[str, dict[str, object]] = {
    "ios": {"max_transitions": 200},
    "iops": {"max_nodes": 100},
    "exact": {"effort": 0.02, "evaluations": 15},
    "partition_tuner_tuned": {"evaluations": 50},
    "delegate_tuned": {"evaluations": 60},
}
FEW: dict[str, object] = {"problems": 3, "simulated": ["zcu102-2vta"]}
"""Hypothesis poses other problems to the same check, below."""

CONCESSIONS: dict[str, dict[str, object]] = {
    "best_single_pu": {"may_refuse": True},
    "profile_greedy": {"may_refuse": True},
    "npu_only": {"needs": ["npu"]},
}
CASES = [(name, QUICK.get(name, {})) for name in scheduler_names()] + [("partition_tuner", TUNED)]
KITS = {
    f"{name}{'-tuned' if parameters is TUNED else ''}": SchedulerKit.of(
        name=name, parameters=parameters, **{**FEW, **CONCESSIONS.get(name, {})}
    )
    for name, parameters in CASES
}


EACH = [pytest.param(kit, marks=pytest.mark.slow) if kit == "exact" else kit for kit in KITS]
"""The solver takes as long as all others together."""


@pytest.mark.slow
@pytest.mark.parametrize("kit", EACH)
@pytest.mark.parametrize("test", SchedulerKit.checks())
def test_kit(kit, test):
    getattr(KITS[kit](), test)()


@pytest.mark.slow
@pytest.mark.parametrize("kit", EACH)
def test_plans_are_valid_repeatable_and_predicted(kit):
    # One problem costs the solver as much as a hundred cost a list scheduler.
    @settings(max_examples=12 if kit == "exact" else 40, deadline=None)
    @given(st.integers(0, 10**6), st.integers(1, 25), st.sampled_from(SHAPES))
    def plans_are(seed, size, shape):
        KITS[kit]().check_plan(posed(seed, size, shape))

    plans_are()


FORK = {"s": [], "a": ["s"], "b": ["s"], "j": ["a", "b"]}


def test_best_single_pu_is_the_fastest_that_can_run_everything():
    graph = make_graph(FORK)
    soc = make_soc(npus=2)
    times = {"s": [5, 1, 2], "a": [5, 1, 2], "b": [5, None, 2], "j": [5, 1, 2]}
    plan = create("best_single_pu").plan(make_problem(graph, soc, times, default_comm=1.5))
    assert set(placement(plan).values()) == {"npu1"}
    assert plan.predicted_s == pytest.approx(8 + 3)  # input in, output back
    assert plan.details == {"candidates_us": {"cpu": 20e6, "npu1": 11e6}}


def test_best_single_pu_says_when_there_is_none():
    graph = make_graph({"a": [], "b": ["a"]})
    with pytest.raises(SchedulerError, match="no single processing unit"):
        create("best_single_pu").plan(
            make_problem(graph, make_soc(), {"a": [None, 1], "b": [1, None]})
        )


def test_best_single_pu_tries_only_the_units_it_is_given():
    graph = make_graph({"a": [], "b": ["a"]})
    problem = make_problem(graph, make_soc(npus=2), {"a": [5, 1, 2], "b": [5, None, 2]})
    plan = create("best_single_pu", {"among": ["cpu"]}).plan(problem)
    assert set(placement(plan).values()) == {"cpu"}
    with pytest.raises(SchedulerError, match=r"can run all of .* \(npu0 tried\)"):
        create("best_single_pu", {"among": ["npu0"]}).plan(problem)
    with pytest.raises(SchedulerError, match="no unit 'npu7'"):
        create("best_single_pu", {"among": ["npu7"]}).plan(problem)
    with pytest.raises(SchedulerError, match="must be a list"):
        create("best_single_pu", {"among": "cpu"})


def test_static_schedulers_ignore_times():
    graph = make_graph(FORK, {"s": "Relu", "j": "Concat"})
    times = {"s": [1, None], "a": [1, 99], "b": [1, 99], "j": [1, None]}
    problem = make_problem(graph, make_soc(), times)
    expected = {"s": "cpu", "a": "npu", "b": "npu", "j": "cpu"}
    assert placement(create("type_based").plan(problem)) == expected
    assert placement(create("npu_only").plan(problem)) == expected
    assert set(placement(create("cpu_only").plan(problem)).values()) == {"cpu"}


def test_only_type_based_uses_accelerators():
    graph = make_graph(FORK, {"s": "Relu"})
    times = {"s": [1, None, 1], "a": [1, 1, 1], "b": [1, 1, 1], "j": [1, 1, 1]}
    problem = make_problem(graph, make_soc(gpus=1), times)
    assert placement(create("type_based").plan(problem))["s"] == "gpu"
    assert placement(create("npu_only").plan(problem))["s"] == "cpu"


def test_cpu_only_takes_the_fastest_unit():
    graph = make_graph(FORK)
    times = {op: [5, 2, 1] for op in FORK}
    problem = make_problem(graph, make_soc(cpus=(1, 3)), times)
    assert set(placement(create("cpu_only").plan(problem)).values()) == {"cpu.1"}


def test_profile_greedy_counts_the_transfer_once_and_knows_no_groups():
    # conv: 9 against 1 + 2; relu alone only on the CPU although the NPU could fuse it.
    graph = make_graph({"c": [], "r": ["c"], "d": ["r"]}, {"r": "Relu"})
    soc = make_soc(npu_fuse=["Conv-Relu"])
    times = {"c": [9, 1], "r": [1, None], "d": [4, 1]}
    transfers = {"c": [0, 2], "r": [0, 2], "d": [0, 2]}
    copies = {"c": 2, "r": 2, "d": 2}
    groups = {(("c", "r"), 1): 1.0}
    problem = make_problem(graph, soc, times, transfers=transfers, copies=copies, groups=groups)
    # d: 4 against 1 + 2 + the change's 2.
    assert placement(create("profile_greedy").plan(problem)) == {"c": "npu", "r": "cpu", "d": "cpu"}


def test_list_schedulers_ask_the_profile_in_proportion_to_the_graph():
    counts = {}
    for size in (100, 200):
        rng = random.Random(1)
        problem = random_problem(rng, size)
        create("heft").plan(problem)
        counts[size] = problem.profile.asked
    assert counts[200] < 3 * counts[100]
