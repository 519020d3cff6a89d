"""Nodes of one kind matched with operators: what names settle, what order does, what is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from hetsim.plan.nestc.nodenames import read_name
from hetsim.plan.nestc.nodewindows import Windows
from hetsim.workload.graph import Graph, LoopNest
from tests.plan.samples import graph_of

ALONE, TOLD = "the only Conv between its neighbours", "name and order"


def convs(
    edges: Mapping[str, Sequence[str]], kernels: Mapping[str, int] | None = None, **kinds: str
) -> Graph:
    """Convolutions, 1x1 where ``kernels`` does not say; ``kinds`` names what is none."""
    graph = graph_of(edges, {op: kinds.get(op, "Conv") for op in edges})
    operators = []
    for op in graph.operators:
        k = (kernels or {}).get(op.name, 1)
        nest = LoopNest(1, 1, 8, 8, 4, 4, k, k) if op.kind == "Conv" else None
        operators.append(replace(op, nest=nest))
    return Graph.create("net", operators, graph.tensors.values(), graph.inputs, graph.outputs)


def matched(graph: Graph, names: str, operators: str = "") -> list[tuple[str, str, str, str]]:
    """Node, operator, how and why; of all operators unless named."""
    found = Windows(graph).match(
        [read_name(name) for name in names.split()],
        [graph.index[op] for op in operators.split()] or range(len(graph)),
    )
    return [(node, graph.operators[op].name, how, why) for node, op, how, why in found]


def settled(graph: Graph, names: str, operators: str = "") -> dict[str, str]:
    """The same where all of it is by rule."""
    found = matched(graph, names, operators)
    assert {(how, why) for _, _, how, why in found} == {("rule", TOLD)}
    return {node: op for node, op, _, _ in found}


def test_in_a_chain_there_is_no_choice_unless_a_kernel_says_no():
    chain = convs({"a": [], "b": ["a"], "c": ["b"]}, {"b": 3})
    assert matched(chain, "x y_3x3_conv z") == [
        ("x", "a", "rule", ALONE), ("y_3x3_conv", "b", "rule", ALONE), ("z", "c", "rule", ALONE),
    ]  # fmt: skip
    assert [node for node, *_ in matched(chain, "x_1x1 y z_3x3")] == ["x_1x1", "y"]
    assert list(Windows(chain).match([], [])) == []
    beside = convs({"free": [], "a": [], "b": ["a"]}, free="Relu")
    assert matched(beside, "x y", "a b") == [("x", "a", "rule", ALONE), ("y", "b", "rule", ALONE)]


def test_windows_end_where_all_wait_for_all_before():
    edges = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}
    two = "2 Conv abreast, 2 orders fit"
    assert matched(convs(edges), "na nb nc nd") == [
        ("na", "a", "rule", ALONE), ("nb", "b", "position", two), ("nc", "c", "position", two),
        ("nd", "d", "rule", ALONE),
    ]  # fmt: skip
    # e waits for a only, so it may stand anywhere behind it: of the 24 orders of four the third in
    # which d is the last of b, c and d.
    eight = "4 Conv abreast, 8 orders fit"
    assert matched(convs(edges | {"e": ["a"]}), "na nb nc nd ne") == [
        ("na", "a", "rule", ALONE),
        *((f"n{op}", op, "position", eight) for op in "bcde"),
    ]


def test_no_node_stands_for_what_waits_for_a_later_ones():
    """c is free; where b waits for a, three of the six orders are left."""
    three = "3 Conv abreast, 3 orders fit"
    found = matched(convs({"a": [], "b": ["a"], "c": []}), "nx ny nz")
    assert found == [(f"n{n}", op, "position", three) for n, op in zip("xyz", "abc", strict=True)]


def test_running_numbers_settle_branches_whatever_their_order():
    branches = convs({"a": [], "b": [], "c": []})
    assert settled(branches, "s_conv2 s_conv0 s_conv1") == {
        "s_conv0": "a", "s_conv1": "b", "s_conv2": "c",
    }  # fmt: skip
    # Numbers of two stems say nothing of one another.
    apart = matched(convs({"a": [], "b": []}), "s_conv1 t_conv0")
    assert [(op, how) for _, op, how, _ in apart] == [("a", "position"), ("b", "position")]


@pytest.mark.slow
def test_wide_windows_go_by_number_or_by_position():
    def wide(count: int, **waits: list[str]) -> Graph:
        return convs({f"o{i}": waits.get(f"o{i}", []) for i in range(count)})

    letters = [f"n{c}" for c in "abcdefgh"]
    seven = matched(wide(7), " ".join(letters[:7]))
    assert {why for *_, why in seven} == {"7 Conv abreast, 5040 orders fit"}
    many = ("position", "8 Conv abreast, too many to compare")
    by_order = [(name, f"o{i}", *many) for i, name in enumerate(letters)]
    assert matched(wide(8), " ".join(letters)) == by_order
    backwards = [f"s_conv{i}" for i in reversed(range(8))]
    assert settled(wide(8), " ".join(backwards)) == {f"s_conv{i}": f"o{i}" for i in range(8)}
    # What waits may come right behind what it waits for.
    forwards = {f"s_conv{i}": f"o{i}" for i in range(8)}
    assert settled(wide(8, o7=["o6"]), " ".join(forwards)) == forwards
    # Not where numbers are missing, are of two kinds, or would run what waits first.
    for names, graph in (
        (["s_conv0", *backwards[:-1]], wide(8, o7=["o6"])),
        (["t_conv0", *backwards[:-1]], wide(8)),
        (["s_conv1", *backwards[:-1]], wide(8)),
    ):
        expected = [(name, f"o{i}", *many) for i, name in enumerate(names)]
        assert matched(graph, " ".join(names)) == expected


def test_kernels_tell_branches_apart():
    graph = convs({"a": [], "b": [], "c": []}, {"b": 3, "c": 5})
    assert settled(graph, "p_5x5_conv q_1x1_conv r_3x3_conv") == {
        "p_5x5_conv": "c", "q_1x1_conv": "a", "r_3x3_conv": "b",
    }  # fmt: skip
    # What fits nothing stays without a match, and the others keep theirs.
    assert [node for node, *_ in matched(graph, "p_7x7 q_1x1 r_3x3")] == ["q_1x1", "r_3x3"]


def test_a_kernel_outweighs_the_order_of_the_file():
    """b waits for a, yet the node that stands first has its kernel; c is free."""
    graph = convs({"a": [], "b": ["a"], "c": []}, {"a": 3, "c": 5})
    names = "p_1x1_conv q_3x3_conv r_5x5_conv"
    assert settled(graph, names) == {"p_1x1_conv": "b", "q_3x3_conv": "a", "r_5x5_conv": "c"}


def test_a_reduction_stands_before_the_kernel_that_it_is_named_after():
    """Directly or through its activation; it is a 1x1 itself."""
    edges = {"r": [], "s": [], "act": ["r"], "five": ["act"], "three": ["s"]}
    graph = convs(edges, {"five": 5, "three": 3}, act="Relu")
    names = "Conv_3x3_reduce Conv_5x5_reduce"
    assert settled(graph, names, "r s") == {"Conv_3x3_reduce": "s", "Conv_5x5_reduce": "r"}
    # What is behind an operator says nothing to a name that is no reduction, or of no kernel.
    plain = convs(edges, {"five": 3, "r": 3, "s": 3}, act="Relu")
    assert {how for *_, how, _ in matched(plain, "Conv_body Conv_3x3", "r s")} == {"position"}
    shallow = convs({"r": [], "s": [], "act": ["r"], "end": ["act"], "c": ["s"]}, act="Relu",
                    end="Softmax")  # fmt: skip
    assert {how for *_, how, _ in matched(shallow, "x_body Conv_reduce", "r s")} == {"position"}
    wide = convs(edges, {"five": 5, "three": 3, "r": 3, "s": 3}, act="Relu")
    assert matched(wide, names, "r s") == []


def test_shortcuts_are_1x1_and_projections_stand_behind_a_pool_of_their_own():
    body = convs({"a": [], "b": []}, {"a": 3})
    for word in ("shortcut", "downsample", "proj"):
        assert settled(body, f"Conv_{word} Conv_body") == {f"Conv_{word}": "b", "Conv_body": "a"}
    edges = {"all": [], "own": [], "a": ["all"], "b": ["all"], "c": ["own"]}
    pools = convs(edges, all="MaxPool", own="AveragePool")
    found = matched(pools, "Conv_pool_proj Conv_x Conv_y", "a b c")
    assert [(node, op, how) for node, op, how, _ in found] == [
        ("Conv_pool_proj", "c", "rule"), ("Conv_x", "a", "position"), ("Conv_y", "b", "position"),
    ]  # fmt: skip


def test_kernels_in_names_of_what_computes_nothing_mean_nothing():
    pools = convs({"a": [], "b": []}, a="MaxPool", b="MaxPool")
    assert [how for *_, how, _ in matched(pools, "MaxPool_3x3_x MaxPool_5x5_y")] == ["position"] * 2
    product = graph_of({"a": []}, {"a": "Gemm"})  # whose sizes nobody knows
    assert [(op, how) for _, op, how, _ in matched(product, "fc_7x7")] == [("a", "rule")]
