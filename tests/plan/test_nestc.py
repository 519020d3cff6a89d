"""NEST-C plans: read as its runtime means them, written so that they come back."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hetsim.errors import PlanError
from hetsim.plan.build import make_plan, merge_runs, overlapping_groups, single_units
from hetsim.plan.model import Partition, Plan
from hetsim.plan.nestc.names import unit_of
from hetsim.plan.nestc.reader import read_nestc_plan
from hetsim.plan.nestc.writer import dump_nestc_plan
from hetsim.plan.validate import plan_problems
from hetsim.workload.graph import Graph
from tests.plan.samples import graph_of, random_graph, soc_of

GRAPH = graph_of(
    {"conv": [], "a/relu": ["conv"], "left": ["a/relu"], "right": ["a/relu"],
     "add": ["left", "right"]},
    {"conv": "Conv", "left": "Conv"},
)  # fmt: skip
SOC = soc_of(1, fuse=["Conv-Relu"], npu=True)

# Folded lines with trailing blanks, a gap in the numbers, suffixed nodes, the dummy at the end.
TEXT = """\
---
funcName: net.onnx
numOfPartitions: 5
backendNames: VTA:VTA-0:Relay:CPU:Relay
partitionNames: p0:p1:p3:p4:p5
nodeToPartition: conv__1-0\x20
  :a_relu-0-VTA\x20
  :left__2-1
  :right-3:add-4:layout__7-4
logicalIDs: 1:1:2:2:2
parallelPartitions: (p1||p3)
...
"""


def written(tmp_path, text):
    file = tmp_path / "plan.yaml"
    file.write_text(text)
    return file


def test_reading(tmp_path):
    found = read_nestc_plan(written(tmp_path, TEXT), GRAPH, SOC)
    assert found.plan.partitions == (
        Partition("p0", "npu", ("conv", "a/relu")),
        Partition("p1", "npu", ("left",)),
        Partition("p3", "u0", ("right",)),
        Partition("p4", "u0", ("add",)),
    )
    assert found.plan.parallel_groups == (("p1", "p3"),)
    assert [match.node for match in found.nodes.unmatched] == ["layout__7"]
    assert found.filled == found.conflicts == ()
    assert plan_problems(found.plan, GRAPH, SOC) == []
    assert "layout__7" in found.notes[0]


def test_of_many_names_the_first_twelve_are_told(tmp_path):
    for count, more in ((12, ""), (13, " and 1 more")):
        strange = [f"layout{chr(97 + i)}" for i in range(count)]
        nodes = ":".join(f"{name}-4" for name in strange)
        found = read_nestc_plan(written(tmp_path, TEXT.replace("layout__7-4", nodes)), GRAPH, SOC)
        assert found.notes[0] == f"nodes without an operator: {', '.join(strange[:12])}{more}"


def test_operators_the_compiler_folded_away_go_with_their_producer(tmp_path):
    found = read_nestc_plan(written(tmp_path, TEXT.replace("  :a_relu-0-VTA \n", "")), GRAPH, SOC)
    assert found.filled == ("a/relu",)
    assert found.plan.partitions[0].operators == ("conv", "a/relu")


def test_what_is_not_named_goes_with_its_last_producer_or_else_its_first_reader(tmp_path):
    found = read_nestc_plan(written(tmp_path, TEXT.replace(":add-4", "")), GRAPH, SOC)
    assert found.filled == ("add",)  # of left in p1 and right in p3
    assert found.plan.partitions[2:] == (Partition("p3", "u0", ("right", "add")),)
    headless = TEXT.replace("conv__1-0\x20\n  :a_relu-0-VTA\x20\n  :", "")
    found = read_nestc_plan(written(tmp_path, headless), GRAPH, SOC)
    assert found.filled == ("conv", "a/relu")  # read by left in p1 and right in p3
    assert found.plan.partitions[0] == Partition("p1", "npu", ("conv", "a/relu", "left"))


def test_products_without_a_counterpart_are_refused(tmp_path):
    """A node too many, and no node for what is not there and computes; of others a rule says."""
    operators = [replace(op, macs=9 * (op.kind == "Conv")) for op in GRAPH.operators]
    graph = Graph.create("net", operators, GRAPH.tensors.values(), GRAPH.inputs, GRAPH.outputs)
    for old, new, told in (
        (":right-3", ":right-3:n_conv-3", "1 nodes that compute have no operator: n_conv"),
        (":left__2-1", "", "1 operators that compute have no node: left"),
    ):
        with pytest.raises(PlanError, match=f"6:18: it does not fit net: {told}\\n"):
            read_nestc_plan(written(tmp_path, TEXT.replace(old, new)), graph, SOC)
    assert read_nestc_plan(written(tmp_path, TEXT), graph, SOC).conflicts == ()


def test_a_partition_of_conversions_only_is_in_no_group(tmp_path):
    text = TEXT.replace(":right-3", ":right-4:flatten__2-3")
    found = read_nestc_plan(written(tmp_path, text), GRAPH, SOC)
    assert [p.name for p in found.plan.partitions] == ["p0", "p1", "p4"]
    assert found.plan.parallel_groups == ()


def test_nodes_of_one_operator_in_several_partitions_are_reported(tmp_path):
    found = read_nestc_plan(
        written(tmp_path, TEXT.replace(":add-4", ":add__1-3:add-4:add__2-3")), GRAPH, SOC
    )
    assert found.conflicts == ("add",)
    assert found.plan.partitions[3].operators == ("add",)


def test_instances_are_npus_in_order(tmp_path):
    soc = soc_of(2)
    text = TEXT.replace("VTA:VTA-0:Relay:CPU:Relay", "Relay-1:Relay-0:Relay-1:CPU-0:Relay")
    found = read_nestc_plan(written(tmp_path, text), GRAPH, soc)
    assert [p.pu for p in found.plan.partitions] == ["u1", "u0", "u1", "u0"]
    override = read_nestc_plan(written(tmp_path, TEXT), GRAPH, soc, {"VTA": "u1", "VTA-0": "u1"})
    assert [p.pu for p in override.plan.partitions] == ["u1", "u1", "u0", "u0"]


def test_a_name_that_was_settled_is_that_of_the_first_instance_too():
    soc = soc_of(3, npu=True)
    settled = {"Relay": "u2", "VTA-7": "u0"}
    assert [unit_of(f"Relay{k}", soc, settled) for k in ("", "-0", "-1")] == ["u2", "u2", "u1"]
    assert unit_of("VTA-7", soc, settled) == "u0"
    assert [unit_of(name, soc, settled) for name in ("CPU", "CPU-2", "NPU")] == ["u0", "u2", "npu"]
    with pytest.raises(PlanError, match=r"mapped to 'u9', which is not a PU of the SoC"):
        unit_of("Relay", soc, {"Relay": "u9"})


def test_the_dummy_partition_may_be_counted_and_not_named(tmp_path):
    counted = TEXT.replace("numOfPartitions: 5", "numOfPartitions: 6")
    plain = read_nestc_plan(written(tmp_path, TEXT), GRAPH, SOC).plan
    assert read_nestc_plan(written(tmp_path, counted), GRAPH, SOC).plan == plain


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("partitionNames", "partitionName", ["'partitionNames' is missing", "partitionName"]),
        ("VTA:VTA-0:", "VTA:", ["4 backends for 5 partitions"]),
        ("VTA-0", "VTA-3", ["no unit for backend 'VTA-3'", "plan.yaml:4"]),
        ("VTA-0", "Hexagon", ["no unit for backend 'Hexagon'"]),
        ("numOfPartitions: 5", "numOfPartitions: 9", ["9 does not fit 5"]),
        ("numOfPartitions: 5", "numOfPartitions: 4", ["4 does not fit 5"]),
        ("right-3", "right-2", ["'right-2'", "plan.yaml:6"]),
        ("right-3", "right", ["'right'"]),
        ("p1||p3", "p1||p2", ["'p2'", "does not exist"]),
        ("p0:p1", "q0:p1", ["'q0'", "p<number>"]),
        ("p0:p1:p3", "p0:p0:p3", ["repeated"]),
    ],
)
def test_faults_are_located(tmp_path, old, new, words):
    with pytest.raises(PlanError) as caught:
        read_nestc_plan(written(tmp_path, TEXT.replace(old, new)), GRAPH, SOC)
    for word in words:
        assert word in str(caught.value)


def test_writing():
    plan = Plan(
        "net",
        (
            Partition("first", "npu", ("conv", "a/relu")),
            Partition("l", "npu", ("left",)),
            Partition("r", "u0", ("right",)),
            Partition("end", "u0", ("add",)),
        ),
        (("l", "r"),),
    )
    assert dump_nestc_plan(plan, GRAPH, SOC) == (
        "---\n"
        "funcName: net\n"
        "numOfPartitions: 5\n"
        "backendNames: VTA:VTA:Relay:Relay:Relay\n"
        "partitionNames: p0:p1:p2:p3:p4\n"
        "nodeToPartition: conv-0\n"
        "  :a_relu-0\n"
        "  :left-1\n"
        "  :right-2\n"
        "  :add-3\n"
        "logicalIDs: 2:2:1:1:1\n"
        "parallelPartitions: (p1||p2)\n"
        "...\n"
    )


def test_numbered_names_are_kept_unless_one_is_repeated():
    def lines(*names: str) -> list[str]:
        ops = (("conv", "a/relu"), ("left",), ("right", "add"))
        parts = zip(names, ("npu", "npu", "u0"), ops, strict=True)
        return dump_nestc_plan(Plan("net", tuple(Partition(*p) for p in parts)), GRAPH, SOC).split(
            "\n"
        )

    kept = lines("p3", "p12", "p7")
    assert kept[4] == "partitionNames: p3:p12:p7:p13"
    assert kept[5:10] == [
        "nodeToPartition: conv-3", "  :a_relu-3", "  :left-12", "  :right-7", "  :add-7",
    ]  # fmt: skip
    assert lines("p3", "p3", "p7")[4] == "partitionNames: p0:p1:p2:p3"
    assert lines("p3", "q", "p7")[4] == "partitionNames: p0:p1:p2:p3"


def test_names_that_nestc_cannot_tell_apart_are_refused():
    graph = graph_of({"a/b": [], "a_b": ["a/b"]})
    plan = Plan("net", (Partition("p0", "u0", ("a/b", "a_b")),))
    with pytest.raises(PlanError, match="both called 'a_b'"):
        dump_nestc_plan(plan, graph, SOC)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 20), st.integers(1, 4))
def test_round_trip(tmp_path_factory, seed, size, pus):
    rng = random.Random(seed)
    graph, soc = random_graph(rng, size), soc_of(pus)
    blocks = merge_runs(single_units(graph), [rng.randrange(pus) for _ in range(size)])
    groups = overlapping_groups(graph, blocks, [(0.0, 1.0)] * len(blocks))
    plan = make_plan(graph, soc, blocks, groups, scheduler="test")
    file = tmp_path_factory.mktemp("nestc") / "plan.yaml"
    file.write_text(dump_nestc_plan(plan, graph, soc))
    found = read_nestc_plan(file, graph, soc)
    assert found.notes == ()
    assert found.plan.partitions == plan.partitions
    assert found.plan.parallel_groups == plan.parallel_groups
