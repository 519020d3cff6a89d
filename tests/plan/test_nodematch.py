"""Which node is which operator, in networks small enough to see it, and why."""

from __future__ import annotations

from collections.abc import Mapping

from hetsim.plan.nestc.names import legal_name
from hetsim.plan.nestc.nodemap import NodeMap
from hetsim.plan.nestc.nodematch import Node, propose
from hetsim.workload.graph import Graph
from tests.plan.samples import graph_of


def proposed(
    graph: Graph, nodes: str, settled: Mapping[str, tuple[str, ...]] | None = None
) -> NodeMap:
    """Nodes as ``name`` of partition 0, or ``name:partition``."""
    legal: dict[str, list[int]] = {}
    for i, op in enumerate(graph.operators):
        legal.setdefault(legal_name(op.name), []).append(i)
    pairs = (node.partition(":") for node in nodes.split())
    return propose([Node(n, int(p or 0)) for n, _, p in pairs], graph, legal, settled or {})


def told(found: NodeMap) -> list[tuple[str, str, str]]:
    """Node, operators and how."""
    return [(m.node, " ".join(m.operators), m.how) for m in found.matches]


def test_names_are_taken_as_they_are_then_without_suffix_then_as_the_format_writes_them():
    graph = graph_of({"conv": [], "a/relu": ["conv"], "x__1": ["a/relu"], "b/c": [], "b_c": []})
    found = proposed(graph, "conv__1 conv a_relu__2 x__1 b_c strange")
    assert told(found) == [
        ("conv__1", "", "same"), ("conv", "conv", "name"), ("a_relu__2", "a/relu", "name"),
        ("x__1", "x__1", "name"), ("b_c", "b_c", "name"), ("strange", "", "none"),
    ]  # fmt: skip
    assert found.matches[0].beside == "conv"
    assert found.matches[0].why == "made from the same operator as conv"
    assert found.matches[-1].why == "the name does not tell its kind"
    assert (found.matched, found.model) == (4, "net")
    # Of suffixed nodes only, the first stands for the operator.
    assert told(proposed(graph, "conv__2 conv__1"))[0] == ("conv__2", "conv", "name")
    # Two operators that the format writes alike are told by neither.
    alike = graph_of({"b/c": [], "b.c": []})
    assert told(proposed(alike, "b_c")) == [("b_c", "", "none")]


def test_what_a_map_says_comes_first():
    graph = graph_of({"conv": [], "relu": ["conv"], "end": ["relu"]})
    found = proposed(graph, "n conv relu m", {"n": ("conv", "end"), "m": ()})
    assert told(found) == [
        ("n", "conv end", "hand"), ("conv", "", "same"), ("relu", "relu", "name"),
        ("m", "", "hand"),
    ]  # fmt: skip
    assert found.matches[1].beside == "n"


def test_nodes_made_from_one_operator_leave_it_to_one_of_them():
    graph = graph_of({"a": [], "b": ["a"], "c": ["b"]})
    # Relus usually end in __1; without a custom, the last of a group stands for the operator.
    found = told(proposed(graph, "n_relu0__1 n_relu1__1 n_relu2__1 n_relu2__2"))
    assert found == [
        ("n_relu0__1", "a", "rule"), ("n_relu1__1", "b", "rule"), ("n_relu2__1", "c", "rule"),
        ("n_relu2__2", "", "same"),
    ]  # fmt: skip
    one = told(proposed(graph_of({"a": []}), "n_relu__1 n_relu__2"))
    assert one == [("n_relu__1", "", "same"), ("n_relu__2", "a", "rule")]


def test_nodes_are_matched_in_the_order_in_which_their_partitions_run():
    graph = graph_of({"a": [], "b": ["a"], "c": ["b"]})
    found = proposed(graph, "x_relu:1 y_relu:0 z_relu:1")
    assert told(found) == [
        ("x_relu", "b", "rule"), ("y_relu", "a", "rule"), ("z_relu", "c", "rule"),
    ]  # fmt: skip
    assert (found.ordered, found.dependencies) == (2, 2)


def test_blocks_of_equal_size_are_matched_where_the_whole_is_not():
    graph = graph_of({"one.a": [], "one.b": ["one.a"], "two.a": ["one.b"], "three.a": ["two.a"]})
    found = proposed(graph, "s_relu0 s_relu1 t_relu0 t_relu1 u_relu0")
    assert told(found) == [
        ("s_relu0", "one.a", "rule"), ("s_relu1", "one.b", "rule"),
        ("t_relu0", "", "none"), ("t_relu1", "", "none"), ("u_relu0", "three.a", "rule"),
    ]  # fmt: skip
    assert found.matches[2].why == "no Relu or Clip is left that fits"
    # Two blocks here, three there: nothing says which is which.
    assert {how for *_, how in told(proposed(graph, "s_relu0 s_relu1 t_relu0"))} == {"none"}


def test_views_and_conversions_are_no_operators():
    (match,) = proposed(graph_of({"a": []}), "flatten_7").matches
    assert (match.operators, match.how, match.why) == ((), "none", "a view or a conversion")


def test_the_last_product_of_either_side_is_one_unless_its_kernel_says_no():
    graph = graph_of({"conv": [], "end": ["conv"]}, {"conv": "Conv", "end": "Gemm"})
    for name in ("classifier_conv", "Conv_last_1x1"):
        match = proposed(graph, f"conv {name}").matches[1]
        assert (match.operators, match.how) == (("end",), "rule")
        assert match.why == "the only product left on either side"
    assert told(proposed(graph, "conv Conv_last_3x3"))[1] == ("Conv_last_3x3", "", "none")
    assert told(proposed(graph, "conv x_conv y_conv"))[1:] == [
        ("x_conv", "", "none"), ("y_conv", "", "none"),
    ]  # fmt: skip


def test_what_is_named_like_a_product_is_its_only_reader():
    edges = {"c": [], "d": ["c.r"], "c.r": ["c"], "d.r": ["d"], "e": ["d.r"]}
    graph = graph_of(
        {op: edges[op] for op in ("c", "c.r", "d", "d.r", "e")}, {"c": "Conv", "d": "Conv"}
    )
    found = proposed(graph, "x_conv y_conv y_relu")
    assert told(found)[2] == ("y_relu", "d.r", "rule")
    assert found.matches[2].why == "named like y_conv, and its only reader"
    # Not where the kind differs, nor where one of two readers may be meant.
    assert told(proposed(graph, "x_conv y_conv y_add"))[2] == ("y_add", "", "none")
    fork = graph_of({"c": [], "r": ["c"], "s": ["c"]}, {"c": "Conv"})
    assert told(proposed(fork, "x_conv x_relu"))[1] == ("x_relu", "", "none")
    assert told(proposed(fork, "x_conv z_relu")) == [
        ("x_conv", "c", "rule"),
        ("z_relu", "", "none"),
    ]


BRANCHES = graph_of(
    {"c": [], "d": [], "r": ["c"], "s": ["d"], "t": ["d"], "k": ["r", "s", "t"]},
    {"c": "Conv", "d": "Conv", "t": "Clip", "k": "Concat"},
)


def test_a_node_behind_the_concat_that_reads_it_stands_for_all_of_its_kind_there():
    behind = proposed(BRANCHES, "x_conv y_conv concat x_relu")
    assert told(behind)[2:] == [("concat", "k", "rule"), ("x_relu", "r s", "rule")]
    assert behind.matches[3].why == "moved behind concat, for each Relu that it joins"
    # k reads r: the node of r comes after that of k, though in the same partition.
    assert (behind.ordered, behind.dependencies) == (4, 4)
    before = proposed(BRANCHES, "x_conv y_conv x_relu concat")
    assert told(before)[2:] == [("x_relu", "r", "rule"), ("concat", "k", "rule")]
    # What bears an operator's name, or was settled, is that operator wherever it stands.
    assert told(proposed(BRANCHES, "c d k r"))[3] == ("r", "r", "name")
    assert told(proposed(BRANCHES, "c d k n", {"n": ("r",)}))[3] == ("n", "r", "hand")


def test_dependencies_against_the_order_of_partitions_are_counted():
    chain = graph_of({"a": [], "b": ["a"], "c": ["b"], "d": ["c"]})
    found = proposed(chain, "a:1 b:0 c:0 d:2")
    assert (found.ordered, found.dependencies) == (2, 3)  # a, which b waits for, runs behind it
    assert proposed(chain, "a:1 b:0").dependencies == 1
    # A node waits for nobody within itself.
    assert proposed(chain, "n d", {"n": ("a", "b", "c")}).dependencies == 1
