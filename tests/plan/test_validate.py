"""A plan that does not fit says everything that is wrong with it, at once."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product

import pytest

from hetsim.errors import Location, PlanError
from hetsim.plan.model import Partition, Plan
from hetsim.plan.validate import plan_problems, validate_plan
from hetsim.soc.loader import load_soc
from hetsim.workload.rewrite import Rewrite
from hetsim.workload.synthetic import chain_graph
from tests.plan.samples import graph_of, random_graph, soc_of
from tests.workload.test_rewrite import lanes

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
        (replace(GOOD, parallel_groups=(("q", "rr"),)), "no partition 'rr' (did you mean 'r'?)"),
        (replace(GOOD, parallel_groups=(("p", "r"),)), "do not stand next to each other"),
        (replace(GOOD, parallel_groups=(("p", "r"),)), "uses u0 2 times at once"),
        (replace(GOOD, memories={"z.out": "dram"}), "memories: there is no tensor 'z.out'"),
        (replace(GOOD, memories={"a.out": "sram"}),
         "tensor 'a.out' is put into 'sram' (the SoC has dram)"),
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
    headed = soc_of(1, fuse=["Add-Relu"], npu=True)
    for kind in ("Add", "Tanh"):  # at the head of a pattern, or in none
        other = graph_of({"conv": [], "end": ["conv"]}, {"conv": "Conv", "end": kind})
        (problem,) = plan_problems(plan(("p", "npu", "conv end")), other, headed)
        assert "npu cannot run 'end'" in problem
        assert "only fused" not in problem
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
    graph = graph_of({"conv1": [], "conv2": ["conv1"]})
    assert plan_problems(plan(("p", "u0", "conv1 conv_2")), graph, SOC) == [
        "partition 'p': there is no operator 'conv_2' (did you mean 'conv2'?)",
        "operator 'conv2' is in no partition",
    ]
    (missing,) = plan_problems(plan(("p", "u0", "conv1")), graph, SOC)
    assert missing == "operator 'conv2' is in no partition"
    (told, *_) = plan_problems(plan(("p", "u0", "a")), GRAPH, SOC)
    assert "another version of this one: 1 of the 1 operators that it names are among the 4" in told


def test_one_problem_stands_in_the_line_and_several_below_one_another():
    where = "plan of scheduler 'by hand' does not fit network 'net'"
    with pytest.raises(PlanError) as caught:
        validate_plan(replace(GOOD, model="other"), GRAPH, SOC)
    assert caught.value.message == f"{where}: it was made for network 'other'"
    with pytest.raises(PlanError) as caught:
        validate_plan(replace(GOOD, parallel_groups=(("q",), ("r",))), GRAPH, SOC)
    assert caught.value.message == (
        f"{where}; 2 problems:\n  - parallel group (q) needs at least two partitions"
        "\n  - parallel group (r) needs at least two partitions"
    )


def test_partitions_name_operators_of_the_rewritten_network():
    merge = Rewrite("merge", ("a", "b"))
    merged = replace(plan(("p", "u0", "a&b ra rb")), rewrites=(merge,))
    assert plan_problems(merged, lanes(), SOC) == []
    wrong = replace(merged, rewrites=(merge, Rewrite("merge", ("a", "b"))))
    (problem,) = plan_problems(wrong, lanes(), SOC)
    assert problem.startswith("rewrite 2 (merge): ")


def test_what_is_mentioned_twice_stands_where_it_stands_first():
    twice = plan(("p", "u0", "a b"), ("q", "u1", "a c d"))
    assert plan_problems(twice, GRAPH, SOC) == ["operator 'a' appears 2 times: in p, q"]
    late = plan(("p", "u0", "a"), ("q", "u1", "b c d"), ("r", "u0", "b"))
    assert plan_problems(late, GRAPH, SOC) == ["operator 'b' appears 2 times: in q, r"]


def test_only_the_first_unknown_names_get_a_suggestion():
    names = [f"op{i}" for i in range(12)]
    wrong = plan(("p", "u0", " ".join(f"{name}x" for name in names)))
    told = [p for p in plan_problems(wrong, graph_of({n: [] for n in names}), SOC) if "x'" in p]
    assert len(told) == 12
    assert ["did you mean" in problem for problem in told] == [True] * 10 + [False] * 2


def test_groups_may_name_their_partitions_in_any_order():
    graph = graph_of({"a": [], "b": [], "c": []})
    apart = (("p", "u0", "a"), ("q", "u1", "b"), ("r", "u2", "c"))
    assert plan_problems(plan(*apart, groups=(("r", "p", "q"),)), graph, soc_of(3)) == []
    (gap,) = plan_problems(plan(*apart, groups=(("r", "p"),)), graph, soc_of(3))
    assert gap.endswith("its partitions do not stand next to each other in the list")
    far = plan_problems(plan(*apart, groups=(("p", "zebra"),)), graph, soc_of(3))
    assert far == ["parallel group (p || zebra): there is no partition 'zebra'"]


@pytest.mark.parametrize("seed", range(40))
def test_circles_are_the_partitions_that_reach_one_another(seed):
    """Any network, shared out at random; who reaches whom by closing the edges (Warshall)."""
    rng = random.Random(seed)
    graph = random_graph(rng, 12)
    home = [*range(6), *(rng.randrange(6) for _ in range(6))]
    rng.shuffle(home)
    names = [op.name for op in graph.operators]
    reads = {(home[op], home[p]) for op in range(12) for p in graph.predecessors[op]}
    reach = [[(i, j) in reads and i != j for j in range(6)] for i in range(6)]
    for k, i, j in product(range(6), repeat=3):
        reach[i][j] = reach[i][j] or (reach[i][k] and reach[k][j])
    circles = {tuple(j for j in range(6) if reach[i][j] and reach[j][i]) for i in range(6)} - {()}
    quoted = [", ".join(f"'p{i}'" for i in circle) for circle in circles]
    expected: set[object] = {f"partitions {some} wait for one another (a cycle)" for some in quoted}
    expected |= {(f"p{i}", f"p{j}") for i, j in reads if i < j and not reach[j][i]}
    parts = [(f"p{i}", "u0", " ".join(n for op, n in enumerate(names) if home[op] == i))
             for i in range(6)]  # fmt: skip
    problems = plan_problems(plan(*parts), graph, SOC)
    early = [p.split("'") for p in problems if "stands before" in p]
    found = [*(p for p in problems if "a cycle" in p), *((words[1], words[3]) for words in early)]
    assert len(found) == len(set(found)) == len(problems)
    assert set(found) == expected


def test_what_an_operator_cannot_do_without_a_missing_one_is_no_second_fault():
    chain, board = chain_graph(2, channels=16), load_soc("zcu102-vta")
    old = Plan(chain.name, (Partition("p", "npu", ("Conv_old", "Relu_1")),))
    problems = plan_problems(old, chain, board)
    assert any("there is no operator 'Conv_old'" in problem for problem in problems)
    assert not any("cannot run" in problem for problem in problems)
