"""PartitionTuner's recurrence and its parallel groups, on examples worked out by hand.

The fake profile's times are seconds, so penalties in the parameters are large.
"""

from __future__ import annotations

import pytest

import hetsim
from hetsim.errors import SchedulerError
from hetsim.plan.validate import validate_plan
from hetsim.runs.case import Case
from hetsim.schedulers.partition_tuner import parallel_branches
from hetsim.schedulers.partition_tuner.scheduler import PartitionTuner
from hetsim.schedulers.simple.profile_greedy import ProfileGreedy
from hetsim.schedulers.simple.type_based import TypeBased
from tests.schedulers.fakes import chain, make_graph, make_problem, make_soc, placement

SECOND = 1e6
SOC = make_soc()
FREE = PartitionTuner(switch_penalty_us=0)


def planned(scheduler, problem):
    plan = scheduler.plan(problem)
    validate_plan(plan, problem.graph, problem.soc)
    return plan


def recurrence(plan):
    return plan.details["recurrence_us"] * 1e-6


@pytest.mark.parametrize(
    ("transfer", "cost"),
    [
        # P_npu = 1 + 2 each, the crossing of 2 in it; the second saves T: of 0.5, or of 2.
        ("memcpy", 3 + 3 - 0.5),
        ("crossing", 3 + 3 - 2),
    ],
)
def test_staying_on_a_pu_saves_the_transfer(transfer, cost):
    problem = make_problem(
        chain("Conv", "Conv"), SOC, {"n0": [10, 1], "n1": [10, 1]},
        transfers={"n0": [0, 2], "n1": [0, 2]}, copies={"n0": 0.5, "n1": 0.5},
    )  # fmt: skip
    plan = planned(PartitionTuner(switch_penalty_us=0, transfer=transfer), problem)
    assert [(p.pu, p.operators) for p in plan.partitions] == [("npu", ("n0", "n1"))]
    assert recurrence(plan) == pytest.approx(cost)


def test_a_copy_is_saved_on_every_pu_and_a_crossing_only_where_there_is_one():
    # On the CPU, 5 + 5 with nothing to convert; a copy of 2 is credited there just the same.
    problem = make_problem(
        chain("Conv", "Conv"), SOC, {"n0": [5, 9], "n1": [5, 9]}, copies={"n0": 2, "n1": 2}
    )
    assert recurrence(planned(FREE, problem)) == pytest.approx(8.0)
    crossing = PartitionTuner(switch_penalty_us=0, transfer="crossing")
    assert recurrence(planned(crossing, problem)) == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("penalty", "where", "cost"),
    [
        # npu, cpu, npu: 3 + (1 + 2*2 + S) + (3 + 2*2 + S) = 15 + 2S; all on the CPU: 21 - 2*2.
        (0.5, ["npu", "cpu", "npu"], 16.0),
        (2, ["cpu", "cpu", "cpu"], 17.0),
    ],
)
def test_a_change_of_pu_costs_two_transfers_and_the_penalty(penalty, where, cost):
    problem = make_problem(
        chain("Conv", "Softmax", "Conv"), SOC, {"n0": [10, 1], "n1": [1, None], "n2": [10, 1]},
        transfers={"n0": [0, 2], "n1": [0, 2], "n2": [0, 2]}, default_comm=2,
    )  # fmt: skip
    plan = planned(PartitionTuner(switch_penalty_us=penalty * SECOND), problem)
    assert [placement(plan)[f"n{i}"] for i in range(3)] == where
    assert recurrence(plan) == pytest.approx(cost)


def test_a_tail_that_runs_only_fused_follows_its_head():
    # F = 1 + T(n0) = 3, minus T(n1) = 2.
    problem = make_problem(
        chain("Conv", "Relu"), make_soc(npu_fuse=["Conv-Relu"]), {"n0": [10, 1], "n1": [1, None]},
        groups={(("n0", "n1"), 1): 1.0}, transfers={"n0": [0, 2], "n1": [0, 2]}, default_comm=2,
    )  # fmt: skip
    plan = planned(FREE, problem)
    assert [(p.pu, p.operators) for p in plan.partitions] == [("npu", ("n0", "n1"))]
    assert recurrence(plan) == pytest.approx(1.0)


def test_a_group_that_is_slower_than_its_parts_is_not_used():
    problem = make_problem(
        chain("Conv", "Add"),
        make_soc(npu_operators={"Conv": {}, "Add": {}}, npu_fuse=["Conv-Add"]),
        {"n0": [9, 1], "n1": [9, 1]},
        groups={(("n0", "n1"), 1): 5.0},
    )
    assert recurrence(planned(FREE, problem)) == pytest.approx(2.0)


def test_longest_group_lets_chains_of_three_count():
    problem = make_problem(
        chain("Conv", "Add", "Relu"),
        make_soc(npu_fuse=["Conv-Add-Relu"]),
        {"n0": [4, 1], "n1": [4, None], "n2": [4, None]},
        groups={(("n0", "n1", "n2"), 1): 1.5},
    )
    pairs = planned(FREE, problem)
    assert placement(pairs) == {"n0": "npu", "n1": "cpu", "n2": "cpu"}
    triples = planned(PartitionTuner(switch_penalty_us=0, longest_group=3), problem)
    assert set(placement(triples).values()) == {"npu"}
    assert recurrence(triples) == pytest.approx(1.5)


FORK = {"s": [], "a": ["s"], "b": ["s"], "j": ["a", "b"]}


def test_one_cpu_and_one_npu_branch_run_in_parallel():
    graph = make_graph(FORK, {"s": "Relu", "a": "Relu", "j": "Concat"})
    times = {"s": [1, None], "a": [4, None], "b": [9, 3], "j": [1, None]}
    plan = planned(FREE, make_problem(graph, SOC, times))
    assert [(p.pu, p.operators) for p in plan.partitions] == [
        ("cpu", ("s",)), ("cpu", ("a",)), ("npu", ("b",)), ("cpu", ("j",)),
    ]  # fmt: skip
    assert plan.parallel_groups == (("p1", "p2"),)
    assert recurrence(plan) == pytest.approx(1 + 4 + 1)


def test_branches_on_the_same_pu_are_concatenated():
    graph = make_graph(FORK)
    times = {name: [9, 1] for name in FORK}
    problem = make_problem(graph, SOC, times)
    found = {}
    for merge in ("none", "single", "all"):
        plan = planned(PartitionTuner(switch_penalty_us=0, merge_levels=merge), problem)
        assert plan.parallel_groups == ()
        found[merge] = [p.operators for p in plan.partitions]
    assert found == {
        "none": [("s",), ("a", "b"), ("j",)],
        # The line of several branches begins anew; a single branch goes on with it.
        "single": [("s",), ("a", "b", "j")],
        "all": [("s", "a", "b", "j")],
    }
    # The static baseline is cut in the same places.
    ends = {"branches": found["single"], "none": found["all"]}
    for cut, partitions in ends.items():
        plan = planned(TypeBased(cut=cut), problem)
        assert [p.operators for p in plan.partitions] == partitions
        plan = planned(ProfileGreedy(cut=cut), problem)
        assert [p.operators for p in plan.partitions] == partitions


def test_a_set_runs_in_parallel_only_with_at_most_one_branch_on_each_pu():
    graph = make_graph({"s": [], **{x: ["s"] for x in "abc"}, "j": list("abc")}, {"c": "Relu"})
    times = {"s": [9, 1], "a": [9, 3], "b": [9, 3], "c": [3, None], "j": [9, 1]}
    problem = make_problem(graph, SOC, times)
    assert planned(FREE, problem).parallel_groups == ()
    free = planned(PartitionTuner(switch_penalty_us=0, parallel_sets="free"), problem)
    assert len(free.parallel_groups) == 1
    # A branch that needs both is no member: it runs in line behind the two others.
    mixed = {"s": [], "a": ["s"], "c": ["s"], "m": ["s"], "n": ["m"], "j": ["a", "c", "n"]}
    graph = make_graph(mixed, {"c": "Relu", "n": "Relu"})
    times = {"s": [9, 1], "a": [9, 3], "c": [3, None], "m": [9, 1], "n": [1, None], "j": [9, 1]}
    plan = planned(FREE, make_problem(graph, SOC, times))
    parts = {p.name: p.operators for p in plan.partitions}
    assert [[parts[name] for name in group] for group in plan.parallel_groups] == [[("c",), ("a",)]]


def test_with_several_npus_what_is_whole_on_them_runs_in_parallel():
    fork = {"s": [], **{x: ["s"] for x in "abc"}, "j": list("abc")}
    graph = make_graph(fork, {"c": "Relu"}, weights={"a": 2, "b": 1})
    times = {"s": [9, 1, 1], "a": [9, 3, 3], "b": [9, 3, 3], "c": [3, None, None], "j": [9, 1, 1]}
    plan = planned(FREE, make_problem(graph, make_soc(npus=2), times))
    parts = {p.name: (p.pu, *p.operators) for p in plan.partitions}
    groups = [[parts[name] for name in group] for group in plan.parallel_groups]
    assert groups == [[("npu0", "a"), ("npu1", "b")]]
    assert ("cpu", "c") in parts.values()


def test_joint_choice_takes_a_slower_pu_to_avoid_waiting():
    graph = make_graph(FORK)
    times = {"s": [1, 1], "a": [6, 5], "b": [6, 5], "j": [1, 1]}
    alone = planned(FREE, make_problem(graph, SOC, times))
    assert recurrence(alone) == pytest.approx(12.0)
    joint = planned(PartitionTuner(switch_penalty_us=0, joint=True),
                    make_problem(graph, SOC, times))  # fmt: skip
    assert recurrence(joint) == pytest.approx(8.0)
    assert {placement(joint)["a"], placement(joint)["b"]} == {"cpu", "npu"}
    assert len(joint.parallel_groups) == 1


WIDE = {"s": [], **{x: ["s"] for x in "abcd"}, "j": list("abcd")}


@pytest.mark.parametrize(
    ("by", "sets", "rounds"),
    [
        # bytes 40, 30, 20, 10: npu0 gets a then d, npu1 gets b then c
        ("bytes", "free", [{"a": "npu0", "b": "npu1"}, {"d": "npu0", "c": "npu1"}]),
        # times 1, 2, 3, 9: npu0 gets d alone, npu1 gets c, b, a
        ("time", "free", [{"d": "npu0", "c": "npu1"}]),
        # Strict sets are one round of everything.
        ("bytes", "strict", [{"ad": "npu0", "bc": "npu1"}]),
        ("time", "strict", [{"d": "npu0", "cba": "npu1"}]),
    ],
)
def test_branches_are_spread_over_npus_longest_first(by, sets, rounds):
    graph = make_graph(WIDE, weights={"a": 40, "b": 30, "c": 20, "d": 10})
    soc = make_soc(npus=2)
    times = {"s": [9, 1, 1], "a": [99, 1, 1], "b": [99, 2, 2], "c": [99, 3, 3], "d": [99, 9, 9],
             "j": [9, 1, 1]}  # fmt: skip
    scheduler = PartitionTuner(switch_penalty_us=0, lpt_by=by, parallel_sets=sets)
    plan = planned(scheduler, make_problem(graph, soc, times))
    parts = {p.name: p for p in plan.partitions}
    found = [{"".join(parts[n].operators): parts[n].pu for n in g} for g in plan.parallel_groups]
    assert found == rounds


def test_packing_makes_one_partition_per_pu():
    graph = make_graph(WIDE, weights={"a": 40, "b": 30, "c": 20, "d": 10})
    times = {x: [99, 2, 2] for x in "abcd"} | {"s": [9, 1, 1], "j": [9, 1, 1]}
    plan = planned(
        PartitionTuner(switch_penalty_us=0, pack=True, parallel_sets="free"),
        make_problem(graph, make_soc(npus=2), times),
    )
    assert [p.operators for p in plan.partitions] == [("s",), ("a", "d"), ("b", "c"), ("j",)]
    assert plan.parallel_groups == (("p1", "p2"),)
    assert recurrence(plan) == pytest.approx(1 + 4 + 1)


def test_profit_test_counts_threads():
    runtime = {"thread_create": "1 s", "thread_join": "1 s"}
    soc = make_soc(runtime=runtime)
    graph = make_graph(FORK, {"a": "Relu"})
    times = {"s": [9, 1], "a": [3, None], "b": [9, 3], "j": [9, 1]}
    problem = make_problem(graph, soc, times)
    # Forking two members costs 4 and saves 3.
    assert len(planned(FREE, problem).parallel_groups) == 1
    careful = planned(PartitionTuner(switch_penalty_us=0, profit_test=True), problem)
    assert careful.parallel_groups == ()
    barrier = make_problem(graph, soc, times, execution="barrier")
    assert recurrence(planned(FREE, barrier)) == pytest.approx(1 + 3 + 4 + 1)


def test_boundary_cost_keeps_a_branch_where_its_input_is():
    # b would be 1 faster on the NPU, but its input comes from the CPU: 2 T + S = 4.
    graph = make_graph(FORK, {"s": "Relu", "a": "Relu", "j": "Relu"})
    times = {"s": [1, None], "a": [3, None], "b": [3, 0], "j": [1, None]}
    transfers = {"b": [0, 2], "s": [0, 0], "a": [0, 0]}
    problem = make_problem(graph, SOC, times, transfers=transfers, copies={"b": 2})
    assert placement(planned(FREE, problem))["b"] == "npu"
    aware = planned(PartitionTuner(switch_penalty_us=0, boundary_cost=True), problem)
    assert placement(aware)["b"] == "cpu"


def test_an_operator_nobody_runs_is_named():
    problem = make_problem(chain("Conv", "Softmax"), SOC, {"n0": [1, 1], "n1": [None, None]})
    with pytest.raises(SchedulerError, match="Softmax 'n1'"):
        FREE.plan(problem)


@pytest.mark.parametrize("parameters", [{"switch_penalty_us": -1}, {"longest_group": 0}])
def test_impossible_parameters_are_refused(parameters):
    with pytest.raises(SchedulerError):
        PartitionTuner(**parameters)


@pytest.mark.parametrize("execution", ["barrier", "dataflow"])
def test_what_it_predicts_is_the_profile_s_estimate_of_the_finished_plan(execution):
    """The recurrence's sum is no time; the estimate is one, exact where nothing contends."""
    case = Case(hetsim.load_model("squeezenet"), hetsim.load_soc("zcu102-vta"), execution=execution)
    plan = case.plan(PartitionTuner(switch_penalty_us=0))
    makespan = case.makespan(plan)
    assert plan.predicted_s == pytest.approx(makespan, rel=0.001)
    assert recurrence(plan) != pytest.approx(makespan, rel=0.03)


@pytest.mark.slow
def test_several_npus_share_the_branches_of_a_real_network():
    case = Case(hetsim.load_model("googlenet"), hetsim.load_soc("zcu102-4vta"), execution="barrier")
    plan = case.plan(PartitionTuner())
    pus = {part.name: part.pu for part in plan.partitions}
    beside = [{pus[name] for name in group} for group in plan.parallel_groups]
    # An Inception block has three branches for NPUs and one for the CPU.
    assert {"npu0", "npu1", "npu2"} in beside
    free = case.plan(PartitionTuner(parallel_sets="free"))
    pus = {part.name: part.pu for part in free.partitions}
    assert {"cpu", "npu0", "npu1", "npu2"} in [{pus[n] for n in g} for g in free.parallel_groups]
    one = Case(case.graph, hetsim.load_soc("zcu102-vta"), execution="barrier")
    assert case.makespan(plan) < one.makespan(one.plan(PartitionTuner()))


def test_boundary_cost_credits_what_stays_where_its_input_is():
    """All on the NPU: s begins for free, each branch and the join save their transfer of 2."""
    graph = make_graph({"s": [], "a": ["s"], "b": ["s"], "j": ["a", "b"]})
    times = {x: [99, 5] for x in "sabj"}
    problem = make_problem(graph, SOC, times, copies=dict.fromkeys("sabj", 2))
    options = {"switch_penalty_us": 0, "merge_levels": "none"}
    assert recurrence(planned(PartitionTuner(**options), problem)) == pytest.approx(4 * 5)
    aware = planned(PartitionTuner(**options, boundary_cost=True), problem)
    assert recurrence(aware) == pytest.approx(4 * 5 - 3 * 2)


@pytest.mark.parametrize(("penalty", "where"), [(0.5, "npu"), (1.5, "cpu")])
def test_boundary_cost_counts_both_transfers_and_the_penalty(penalty, where):
    """b takes 8 - 1 on the CPU, where its input is; coming to the NPU 2 · 1 + S, and 4 there."""
    graph = make_graph(FORK, {"s": "Relu", "a": "Relu", "j": "Relu"})
    times = {"s": [1, None], "a": [3, None], "b": [8, 4], "j": [1, None]}
    problem = make_problem(graph, SOC, times, copies={"b": 1})
    scheduler = PartitionTuner(switch_penalty_us=penalty * SECOND, boundary_cost=True)
    assert placement(planned(scheduler, problem))["b"] == where


def test_details_count_what_there_is_and_what_became_of_it():
    """s; a beside b; t; c beside d; u: of the two sets only the first fits two units at once."""
    edges = {"s": [], "a": ["s"], "b": ["s"], "t": ["a", "b"], "c": ["t"], "d": ["t"],
             "u": ["c", "d"]}  # fmt: skip
    times = {x: [9, 1] for x in "stcdu"} | {"a": [4, 9], "b": [9, 3]}
    plan = planned(FREE, make_problem(make_graph(edges), SOC, times))
    details = dict(plan.details)
    assert details.pop("recurrence_us") == pytest.approx((1 + 4 + 1 + 2 + 1) * SECOND)
    assert details == {"branches": 7, "levels": 5, "parallel_sets": 2, "parallel_rounds": 1}


def test_large_sets_are_searched_from_the_choice_of_each_branch(monkeypatch):
    """a is best on the CPU, b on the NPU, c on both in turn."""
    edges = {"s": [], "a": ["s"], "b": ["s"], "m": ["s"], "n": ["m"], "j": ["a", "b", "n"]}
    graph = make_graph(edges, {"n": "Relu"})
    times = {"s": [9, 1], "a": [3, 9], "b": [9, 3], "m": [8, 1], "n": [1, 5], "j": [9, 1]}
    problem = make_problem(graph, SOC, times)
    starts = []

    def search(sizes, start, seconds):
        starts.append((list(sizes), list(start)))
        return list(start)

    monkeypatch.setattr(parallel_branches, "_search", search)
    options = {"switch_penalty_us": 0, "parallel_sets": "free"}
    joint = planned(PartitionTuner(joint=True, **options), problem)
    # The best of all, then the CPU alone, then the NPU alone.
    assert starts == [([3, 3, 3], [1, 2, 0])]
    assert joint.partitions == planned(PartitionTuner(**options), problem).partitions


def test_branches_go_to_another_npu_only_if_they_take_as_long_there():
    graph = make_graph(FORK, weights={"a": 2, "b": 1})
    for other, groups in ((3, 1), (4, 0)):
        times = {"s": [9, 1, 1], "a": [9, 3, other], "b": [9, 3, other], "j": [9, 1, 1]}
        plan = planned(FREE, make_problem(graph, make_soc(npus=2), times))
        assert len(plan.parallel_groups) == groups
        assert recurrence(plan) == pytest.approx(1 + (3 if groups else 6) + 1)


@pytest.mark.parametrize(("join", "groups"), [("0.70 s", 1), ("0.75 s", 0)])
def test_a_round_that_saves_what_its_threads_cost_does_not_pay(join, groups):
    """Two members of 3 s save 3; each thread costs 0.75 and what it takes to join."""
    soc = make_soc(runtime={"thread_create": "0.75 s", "thread_join": join})
    times = {"s": [9, 1], "a": [3, None], "b": [9, 3], "j": [9, 1]}
    problem = make_problem(make_graph(FORK, {"a": "Relu"}), soc, times)
    plan = planned(PartitionTuner(switch_penalty_us=0, profit_test=True), problem)
    assert len(plan.parallel_groups) == groups
