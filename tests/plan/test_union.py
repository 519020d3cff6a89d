"""Plans of several networks become one plan of their union, and come back as they were."""

from __future__ import annotations

from dataclasses import replace

from hetsim.plan.model import Partition, Plan
from hetsim.plan.union import Union
from hetsim.plan.validate import plan_problems
from hetsim.workload.rewrite import Rewrite
from tests.plan.samples import graph_of, soc_of
from tests.workload.test_rewrite import conv, lanes, network

SOC = soc_of(2)
BOTH = Union({"one": lanes(), "two": lanes()})
MERGED = Plan(
    "net",
    (Partition("p0", "u0", ("a&b",), fuse=False), Partition("p1", "u1", ("ra",)),
     Partition("p2", "u0", ("rb",))),
    (("p1", "p2"),), "heft", {"x": 1}, 1.0, {"why": "so"},
    (Rewrite("merge", ("a", "b")),), memories={"a.out": "dram"},
)  # fmt: skip
PADDED = Plan(
    "net", (Partition("p0", "u1", ("a", "b")), Partition("p1", "u0", ("ra", "rb"))),
    rewrites=(Rewrite("pad", ("a",), (), (3, 3)),), memories={"b.out": "dram"},
)  # fmt: skip
JOINED = Plan(
    "one + two",
    (Partition("one/p0", "u0", ("one/a&one/b",), fuse=False),
     Partition("one/p1", "u1", ("one/ra",)), Partition("one/p2", "u0", ("one/rb",)),
     Partition("two/p0", "u1", ("two/a", "two/b")),
     Partition("two/p1", "u0", ("two/ra", "two/rb"))),
    (("one/p1", "one/p2"),), "joint",
    rewrites=(Rewrite("merge", ("one/a", "one/b")), Rewrite("pad", ("two/a",), (), (3, 3))),
    memories={"one/a.out": "dram", "two/b.out": "dram"},
)  # fmt: skip


def test_plans_are_joined_part_by_part_under_names_of_the_union():
    joined = BOTH.join({"two": PADDED, "one": MERGED}, "joint")
    assert joined == JOINED
    assert plan_problems(joined, BOTH.graph, SOC) == []


def test_a_plan_of_the_union_is_split_into_the_words_of_each_part():
    """What was said of the whole (an expected time, details) says nothing of a part."""
    parts = BOTH.split(replace(JOINED, parameters={"y": 2}, predicted_s=3.0, details={"n": 4}))
    kept = {"scheduler": "joint", "parameters": {"y": 2}, "predicted_s": None, "details": {}}
    for part, plan in (("one", MERGED), ("two", PADDED)):
        own = tuple(replace(p, name=f"{part}/{p.name}") for p in plan.partitions)
        groups = tuple(tuple(f"{part}/{name}" for name in group) for group in plan.parallel_groups)
        assert parts[part] == replace(plan, partitions=own, parallel_groups=groups, **kept)
        assert plan_problems(parts[part], BOTH.graphs[part], SOC) == []


def test_a_partition_with_operators_of_both_parts_is_shared_out():
    whole = Plan(
        "one + two",
        (Partition("p", "u0", ("two/a", "one/a", "two/ra")),
         Partition("q", "u1", ("one/b",)), Partition("r", "u0", ("one/ra", "two/b", "one/rb")),
         Partition("s", "u1", ("two/rb",))),
        (("p", "q"), ("r", "s")),
    )  # fmt: skip
    parts = BOTH.split(whole)
    assert [(p.name, p.operators) for p in parts["one"].partitions] == [
        ("p", ("a",)), ("q", ("b",)), ("r", ("ra", "rb")),
    ]  # fmt: skip
    assert [(p.name, p.operators) for p in parts["two"].partitions] == [
        ("p", ("a", "ra")), ("r", ("b",)), ("s", ("rb",)),
    ]  # fmt: skip
    # Of a group there is one where two of it are left.
    assert (parts["one"].parallel_groups, parts["two"].parallel_groups) == (
        (("p", "q"),), (("r", "s"),),
    )  # fmt: skip


def test_a_network_alone_keeps_its_plan():
    alone = Union({"one": lanes()})
    assert alone.split(MERGED) == {"one": MERGED}
    joined = alone.join({"one": MERGED}, "joint")
    bare = {"parameters": {}, "predicted_s": None, "details": {}}
    assert joined == replace(MERGED, scheduler="joint", **bare)


def test_rewrites_go_to_their_part_under_names_that_may_be_merged_or_hold_the_mark():
    union = Union({"one": lanes(), "two": network(conv("x&y", "in", 8))})
    merge, mark = Rewrite("merge", ("a", "b")), Rewrite("pad", ("x&y",), (), (3, 3))
    again = Rewrite("pad", ("a&b",), (), (5, 5))
    asked = [
        replace(merge, operators=("one/a", "one/b")),
        replace(mark, operators=("two/x&y",)),
        replace(again, operators=("one/a&one/b",)),
    ]
    assert union.rewrites(asked) == {"one": (merge, again), "two": (mark,)}


def test_an_operator_that_holds_the_mark_of_merging_is_one_name():
    union = Union({"one": graph_of({"x&y": [], "z": ["x&y"]}), "two": graph_of({"z": []})})
    plans = {part: Plan("net", (Partition("p", "u0", tuple(graph.index)),))
             for part, graph in union.graphs.items()}  # fmt: skip
    joined = union.join(plans, "joint")
    assert [p.operators for p in joined.partitions] == [("one/x&y", "one/z"), ("two/z",)]
    assert plan_problems(joined, union.graph, SOC) == []
    assert union.split(joined)["one"].partitions[0].operators == ("x&y", "z")
