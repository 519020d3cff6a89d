"""Static schedulers and controls on problems whose answers can be read off."""

from __future__ import annotations

import pytest

from hetsim.errors import SchedulerError
from hetsim.schedulers.registry import create
from hetsim.schedulers.simple.preference import assign, most_capable_first
from hetsim.schedulers.stages.stages import StageLatency
from hetsim.schedulers.units import Units
from tests.schedulers.fakes import chain, make_graph, make_problem, make_soc, placement
from tests.sim.samples import CLUSTER, NPU
from tests.sim.samples import make_soc as soc_of


def times(graph, *row):
    return {op.name: row for op in graph.operators}


def test_round_robin_takes_turns_from_the_first_unit_on():
    graph = chain(*["Conv"] * 7)
    problem = make_problem(graph, make_soc(npus=2), times(graph, 1.0, 1.0, 1.0))
    placed = placement(create("round_robin").plan(problem))
    names = [pu.name for pu in problem.soc.pus]
    assert list(placed.values()) == [*names, *names, names[0]]


def test_a_turn_passes_over_units_that_cannot():
    graph = chain(*["Conv"] * 6)
    can = times(graph, 1.0, 1.0, 1.0) | {"n1": (1.0, None, 1.0), "n3": (None, 1.0, 1.0)}
    problem = make_problem(graph, make_soc(npus=2), can)
    names = [pu.name for pu in problem.soc.pus]
    # The second unit cannot do n1, the first cannot do n3; the turn goes on behind who did.
    wanted = [0, 2, 0, 1, 2, 0]
    assert list(placement(create("round_robin").plan(problem)).values()) == [
        names[i] for i in wanted
    ]


def test_random_places_are_those_of_the_seed_and_only_where_work_can_run():
    graph = chain(*["Conv"] * 12)
    can = times(graph, 1.0, None, 1.0)
    plans = [
        placement(create("random").plan(make_problem(graph, make_soc(npus=2), can, seed=seed)))
        for seed in (1, 1, 2)
    ]
    assert plans[0] == plans[1] != plans[2]
    assert set(plans[0].values()) == {"cpu", "npu1"}


GPU = {
    "kind": "accelerator",
    "path": ["dram"],
    "operating_points": {"nominal": {"clock": "1 GHz"}},
    "macs_per_cycle": {"float32": 1.0},
    "element_ops_per_cycle": {"float32": 1.0},
    "efficiency": {"default": 1.0},
}


def test_types_go_to_the_npu_first_then_to_others_then_to_the_host_then_to_other_cpus():
    soc = soc_of({"late": CLUSTER, "gpu": GPU, "npu": NPU}, host="late")
    assert [pu.name for pu in soc.pus] == ["cpu", "late", "gpu", "npu"]
    graph = chain(*["Conv"] * 4)
    can = {"n0": (1.0,) * 4, "n1": (1.0, 1.0, 1.0, None), "n2": (1.0, 1.0, None, None),
           "n3": (1.0, None, None, None)}  # fmt: skip
    placed = placement(create("type_based").plan(make_problem(graph, soc, can)))
    assert placed == {"n0": "npu", "n1": "gpu", "n2": "late", "n3": "cpu"}


@pytest.mark.parametrize(("fused", "units"), [(1.5, [(0, 1), (2,)]), (None, [(0,), (1,), (2,)])])
def test_units_fuse_where_their_first_choice_can(fused, units):
    graph = chain("Conv", "Relu", "Conv")
    soc = make_soc(npu_fuse=["Conv-Relu"], npu_operators={"Conv": {}, "Relu": {}})
    groups = {} if fused is None else {(("n0", "n1"), 1): fused}
    problem = make_problem(graph, soc, times(graph, 1.0, 1.0), groups=groups)
    assert assign(problem, (1, 0), range(3)) == (units, [1] * len(units))
    # Not across what is asked for, and the first that takes an operator has it.
    assert assign(problem, (1, 0), (0, 2)) == ([(0,), (2,)], [1, 1])
    assert assign(problem, (0, 1), range(3)) == ([(0,), (1,), (2,)], [0, 0, 0])


def test_what_nobody_takes_is_told_with_who_was_asked():
    graph = chain("Conv", "Relu")
    problem = make_problem(graph, make_soc(), {"n0": (1.0, 1.0), "n1": (1.0, None)})
    with pytest.raises(SchedulerError, match="Relu 'n1' cannot run on npu"):
        assign(problem, (1,), range(2))
    with pytest.raises(SchedulerError, match="no processing unit"):
        assign(problem, (), range(2))


@pytest.mark.parametrize(
    ("others", "units"),
    [
        ((1.0, 1.0), [(0, 1), (2,)]),  # the CPU runs both, too
        ((None, None), [(0, 1), (2,)]),  # and neither: nothing is lost
        ((1.0, None), [(0,), (1,), (2,)]),  # kept together, the CPU could not have the first
    ],
)
def test_chains_are_kept_together_where_no_unit_loses_its_share(others, units):
    graph = chain("Conv", "Relu", "Softmax")
    soc = make_soc(npu_fuse=["Conv-Relu"], npu_operators={"Conv": {}, "Relu": {}})
    can = {"n0": (others[0], 1.0), "n1": (others[1], 1.0), "n2": (1.0, None)}
    problem = make_problem(graph, soc, can, groups={(("n0", "n1"), 1): 1.5})
    assert list(Units(problem).ops) == units


def test_a_stage_counts_each_pair_of_loads_that_it_had_to_simulate_once():
    graph = make_graph({"a": [], "b": [], "c": ["a", "b"]})
    problem = make_problem(graph, make_soc(), times(graph, 2.0, 1.0))
    latency = StageLatency(problem, Units(problem))
    assert latency.simulations == 0
    first = latency.of([(0,), (1,)], {})
    tried = latency.simulations
    assert tried > 0
    assert latency.of([(0,), (1,)], {}) == first
    assert latency.simulations == tried


@pytest.mark.parametrize(("groups", "extra", "joins"), [(True, 0.5, True), (True, 1.0, False),
                                                         (False, 0.5, False)])  # fmt: skip
def test_greedy_keeps_groups_where_an_operator_is_then_cheaper_than_anywhere(groups, extra, joins):
    """A Relu takes 1 on the CPU by itself, and behind its Conv on the NPU what it adds there."""
    soc = make_soc(npu_fuse=["Conv-Relu"])
    problem = make_problem(
        chain("Conv", "Relu"), soc, {"n0": (9.0, 2.0), "n1": (1.0, None)},
        groups={(("n0", "n1"), 1): 2.0 + extra},
    )  # fmt: skip
    plan = create("profile_greedy", {"groups": groups}).plan(problem)
    assert placement(plan) == {"n0": "npu", "n1": "npu" if joins else "cpu"}


def test_greedy_lets_what_nobody_runs_alone_follow_in_a_group_that_grows():
    graph = chain("Conv", "Add", "Relu")
    soc = make_soc(npu_fuse=["Conv-Add", "Conv-Add-Relu"])
    groups = {(("n0", "n1"), 1): 3.0, (("n0", "n1", "n2"), 1): 3.5}
    can = {"n0": (9.0, 1.0), "n1": (None, None), "n2": (None, None)}
    plan = create("profile_greedy").plan(make_problem(graph, soc, can, groups=groups))
    assert [(p.pu, p.operators) for p in plan.partitions] == [("npu", ("n0", "n1", "n2"))]
    assert plan.predicted_s == 3.5
    del groups[("n0", "n1", "n2"), 1]
    with pytest.raises(SchedulerError, match="no processing unit can run Relu 'n2' by itself"):
        create("profile_greedy").plan(make_problem(graph, soc, can, groups=groups))


def test_what_follows_in_a_group_follows_the_last_that_it_reads():
    """Of two producers on two units the later one heads the group, and what comes then grows it."""
    graph = make_graph({"a": [], "b": [], "n": ["a", "b"], "m": ["n"]}, {"n": "Add", "m": "Relu"})
    soc = make_soc(npu_fuse=["Conv-Add", "Conv-Add-Relu"])
    groups = {(("b", "n"), 1): 3.0, (("b", "n", "m"), 1): 3.5}
    can = {"a": (1.0, 9.0), "b": (9.0, 1.0), "n": (None, None), "m": (None, None)}
    plan = create("profile_greedy").plan(make_problem(graph, soc, can, groups=groups))
    assert placement(plan) == {"a": "cpu", "b": "npu", "n": "npu", "m": "npu"}


def test_the_most_capable_unit_runs_most_and_of_those_the_quickest_comes_first():
    graph = chain("Conv", "Conv", "Conv")
    soc = make_soc(npus=0, cpus=(1, 1, 1, 1))
    can = {"n0": (5.0, 1.0, 2.0, 2.0), "n1": (5.0, None, 2.0, 2.0), "n2": (5.0, 1.0, 3.0, 3.0)}
    problem = make_problem(graph, soc, can)
    assert most_capable_first(problem, range(4)) == [2, 3, 0, 1]
    assert most_capable_first(problem, (1, 0)) == [0, 1]
