"""A plan that does not fit says everything that is wrong with it, at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hetsim.errors import Location, PlanError
from hetsim.plan.model import Partition, Plan
from hetsim.plan.validate import plan_problems, validate_plan
from hetsim.soc.loader import load_soc
from hetsim.workload.synthetic import chain_graph
from tests.plan.samples import graph_of, soc_of

GRAPH = graph_of({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]})
SOC = soc_of(2)


def plan(*partitions: tuple[str, str, str], groups=(), model="net") -> Plan:
    """Partitions as ``(name, pu, "op op op")``."""
    return Plan(
        model, tuple(Partition(n, pu, tuple(ops.split())) for n, pu, ops in partitions), groups
    )


GOOD = plan(("p", "u0", "a b"), ("q", "u1", "c"), ("r", "u0", "d"))


def test_a_good_plan_passes():
    validate_plan(GOOD, GRAPH, SOC)
    assert plan_problems(GOOD, GRAPH, SOC) == []


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (replace(GOOD, model="other"), "made for network 'other'"),
        (plan(), "no partitions"),
        (plan(("p", "u00", "a b c d")), "no PU 'u00' (did you mean 'u0'?)"),
        (plan(("p", "zzz", "a b c d")), "no PU 'zzz' (the SoC has u0, u1)"),
        (plan(("p", "u0", "a b c")), "operator 'd' is in no partition"),
        (plan(("p", "u0", "a b c"), ("q", "u1", "b d")), "'b' appears 2 times: in p, q"),
        (plan(("p", "u0", "a b b c d")), "'b' appears 2 times: in p, p"),
        (plan(("p", "u0", "a b c d"), ("q", "u1", "")), "partition 'q' has no operators"),
        (plan(("p", "u0", "a b"), ("p", "u1", "c d")), "2 partitions are called 'p'"),
        (plan(("p", "u0", "a d"), ("q", "u1", "b c")), "partitions 'p', 'q' wait for one another"),
        (plan(("p", "u0", "a b"), ("q", "u1", "d"), ("r", "u0", "c")),
         "partition 'q' stands before 'r', but its operator 'd' reads the result of 'c'"),
        (plan(("p", "u0", "b a c d")), "'b' stands before 'a', whose result it reads"),
        (replace(GOOD, parallel_groups=(("p", "q"),)), "'q' reads a result of 'p'"),
        (replace(GOOD, parallel_groups=(("q",),)), "needs at least two partitions"),
        (replace(GOOD, parallel_groups=(("q", "q"),)), "names 'q' 2 times"),
        (replace(GOOD, parallel_groups=(("q", "rr"),)), "no partition 'rr'"),
        (replace(GOOD, parallel_groups=(("p", "r"),)), "do not stand next to each other"),
        (replace(GOOD, parallel_groups=(("p", "r"),)), "uses u0 2 times at once"),
    ],
)  # fmt: skip
def test_each_fault_is_named(bad, message):
    with pytest.raises(PlanError) as caught:
        validate_plan(bad, GRAPH, SOC)
    assert message in str(caught.value)


def test_unknown_operators_get_the_nearest_name():
    graph = graph_of({"conv1": [], "conv2": ["conv1"]})
    with pytest.raises(PlanError, match=r"no operator 'conv_2' \(did you mean 'conv2'\?\)"):
        validate_plan(plan(("p", "u0", "conv1 conv_2 conv2")), graph, SOC)


def test_partition_in_two_groups():
    graph = graph_of({"a": [], "b": [], "c": []})
    bad = plan(
        ("p", "u0", "a"), ("q", "u1", "b"), ("r", "u0", "c"), groups=(("p", "q"), ("q", "r"))
    )
    assert plan_problems(bad, graph, SOC) == [
        "parallel group (q || r): 'q' is already in another group"
    ]


def test_everything_at_once_with_the_place():
    bad = plan(("p", "nope", "a x"), ("p", "u1", "c"), groups=(("p", "zz"),), model="other")
    with pytest.raises(PlanError) as caught:
        validate_plan(bad, GRAPH, SOC, where=Location("mine.yaml"))
    text = str(caught.value)
    for part in ("mine.yaml", "'other'", "2 partitions", "'nope'", "'x'", "'b' is in no", "'zz'"):
        assert part in text


def test_a_tail_runs_only_behind_its_head():
    graph = graph_of({"conv": [], "relu": ["conv"]}, {"conv": "Conv", "relu": "Relu"})
    soc = soc_of(1, fuse=["Conv-Relu"], npu=True)
    assert plan_problems(plan(("p", "npu", "conv relu")), graph, soc) == []
    split = plan(("p", "npu", "conv"), ("q", "npu", "relu"))
    (problem,) = plan_problems(split, graph, soc)
    assert "npu cannot run 'relu'" in problem
    assert "only fused in the same partition, as in Conv-Relu" in problem
    unfused = replace(split, partitions=(Partition("p", "npu", ("conv", "relu"), fuse=False),))
    assert len(plan_problems(unfused, graph, soc)) == 1


@pytest.mark.slow
def test_large_wrong_plans_are_checked_quickly():
    edges = {f"n{i}": [f"n{i - 1}"] if i else [] for i in range(20_000)}
    graph = graph_of(edges)
    wrong = plan(*((f"p{i}", "u7", f"m{i}") for i in range(20_000)))
    assert len(plan_problems(wrong, graph, SOC)) == 60_000


def test_a_plan_for_another_version_says_which_operators_differ():
    wide = graph_of({"a": [], "x": ["a"], "c": ["a"], "y": ["x", "c"]})
    problems = plan_problems(replace(GOOD, model="older"), wide, SOC)
    assert problems[0] == (
        "it was made for network 'older', perhaps another version of this one: 2 of the 4 operators"
        " that it names are among the 4 of the network"
    )
    told = "\n".join(problems[1:])
    assert all(f"there is no operator '{name}'" in told for name in "bd")
    assert all(f"operator '{name}' is in no partition" in told for name in "xy")


def test_one_misspelt_name_is_no_other_version():
    (spelling, missing) = plan_problems(plan(("p", "u0", "a bb c d")), GRAPH, SOC)[-2:]
    assert "no operator 'bb'" in spelling
    assert missing == "operator 'b' is in no partition"


def test_what_an_operator_cannot_do_without_a_missing_one_is_no_second_fault():
    chain, board = chain_graph(2, channels=16), load_soc("zcu102-vta")
    old = Plan(chain.name, (Partition("p", "npu", ("Conv_old", "Relu_1")),))
    problems = plan_problems(old, chain, board)
    assert any("there is no operator 'Conv_old'" in problem for problem in problems)
    assert not any("cannot run" in problem for problem in problems)
