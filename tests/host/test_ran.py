"""Kernels of the graph that ran are matched to operators, fused or split or renamed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper

from hetsim.cost.measured.keys import group_key, operator_key
from hetsim.host.cuts import CutCosts, fitted
from hetsim.host.engines.onnxruntime import OnnxRuntime
from hetsim.host.measure import NetworkTimes, Timing, chains_of, entries_of, measure_network
from hetsim.host.network import make_network
from hetsim.host.pace import smoothed
from hetsim.host.ran import Match, matched
from hetsim.workload.onnx.loader import load_onnx
from tests.host.test_run import needs_runtime
from tests.workload.samples import model, node, weight


def ran(nodes: Sequence[Any], outputs: Sequence[str]) -> ModelProto:
    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    return helper.make_model(helper.make_graph(list(nodes), "ran", [], info))


def names(matches: Sequence[Match]) -> list[tuple[str, str]]:
    return [("+".join(m.operators), "+".join(m.nodes)) for m in matches]


def test_split_fused_and_renamed() -> None:
    graph = load_onnx(
        model(
            [node("HardSwish", ["x"], "a"), node("MatMul", ["a", "w"], "b"),
             node("Add", ["b", "v"], "c"), node("Relu", ["c"], "d"), node("Identity", ["d"], "e")],
            {"x": [2, 3]}, ["e"], {"w": weight(3, 4), "v": weight(4)},
        )
    )  # fmt: skip
    assert graph.outputs == ("d",)  # the view is gone
    found = matched(
        graph,
        ran(
            [node("HardSigmoid", ["x"], "t", name="half"), node("Mul", ["t", "x"], "a", name="mul"),
             node("Gemm", ["a", "w", "v"], "c", name="gemm"),
             node("Relu", ["c"], "e", name="last")],
            ["e"],
        ),
    )  # fmt: skip
    assert names(found) == [("a_op", "half+mul"), ("b_op+c_op", "gemm"), ("d_op", "last")]


def test_what_overlaps_is_one_group() -> None:
    graph = load_onnx(
        model(
            [node("Relu", ["x"], "a"), node("Exp", ["a"], "b"), node("Abs", ["a"], "c"),
             node("Add", ["b", "c"], "d")],
            {"x": [4]}, ["d"],
        )
    )  # fmt: skip
    # Relu was computed twice, once inside each of its readers.
    found = matched(
        graph,
        ran(
            [node("ReluExp", ["x"], "b", name="1"), node("ReluAbs", ["x"], "c", name="2"),
             node("Add", ["b", "c"], "d", name="3")],
            ["d"],
        ),
    )  # fmt: skip
    assert names(found) == [("a_op+b_op+c_op", "1+2"), ("d_op", "3")]


def test_operators_that_left_no_trace_are_in_no_group() -> None:
    graph = load_onnx(
        model([node("Relu", ["x"], "a"), node("Exp", ["x"], "b")], {"x": [4]}, ["a", "b"])
    )
    assert names(matched(graph, ran([node("Relu", ["x"], "a", name="r")], ["a"]))) == [
        ("a_op", "r")
    ]


@needs_runtime
def test_a_fused_and_a_split_operator_are_measured() -> None:
    network = make_network(
        model(
            [node("HardSwish", ["x"], "a"), node("MatMul", ["a", "w"], "b"),
             node("Add", ["b", "v"], "c")],
            {"x": [8, 64]}, ["c"],
            {"w": np.eye(64, dtype=np.float32), "v": weight(64)},
        ),
        "mine",
    )  # fmt: skip
    from hetsim.host.machine import this_machine

    times = measure_network(
        network, OnnxRuntime(), cpus=this_machine().cpus[:1], warmup=1, repeats=5
    )
    assert not times.missing
    assert list(times.kernels) == [("a_op",), ("b_op", "c_op")]
    assert chains_of([times]) == ["MatMul-Add"]
    keys = [entry.key for entry in entries_of([times], 0.0)]
    graph = network.graph
    assert keys == [operator_key(graph, graph.operators[0]), group_key(graph, graph.operators[1:])]


def test_operators_that_are_no_chain_share_what_they_took() -> None:
    network = make_network(
        model(
            [node("Relu", ["x"], "a"), node("Exp", ["a"], "b"), node("Abs", ["a"], "c"),
             node("Add", ["b", "c"], "d")],
            {"x": [4, 100]}, ["d"],
        ),
        "mine",
    )  # fmt: skip
    one = Timing(1e-3, 1e-3, 1e-5, 5)
    times = NetworkTimes(
        network, 1, "basic", {("a_op", "b_op", "c_op"): one, ("d_op",): one},
        Timing(2e-3, 2e-3, 1e-5, 5), 2e-3, (), 0.0, True,
    )  # fmt: skip
    entries = {e.key.partition("[")[0]: e.seconds for e in entries_of([times], 0.0)}
    assert chains_of([times]) == []
    assert sum(entries.values()) == pytest.approx(2e-3)
    assert entries["Add"] == pytest.approx(1e-3)
    assert entries["Exp"] > 5 * entries["Relu"]  # by their operations


def test_a_network_shorter_than_a_call_has_kernels_all_the_same() -> None:
    network = make_network(
        model([node("Relu", ["x"], "a"), node("Exp", ["a"], "b")], {"x": [4]}, ["b"]), "mine"
    )
    kernels = {("a_op",): Timing(0.0, 0.0, 0.0, 5), ("b_op",): Timing(3e-6, 3e-6, 0.0, 5)}
    times = NetworkTimes(
        network, 1, "basic", kernels, Timing(4e-6, 4e-6, 0.0, 5), 4e-6, (), 0.0, True
    )
    assert times.costs(50e-6) == pytest.approx({("a_op",): 1e-9, ("b_op",): 2e-6})
    assert times.costs(0.0) == pytest.approx({("a_op",): 0.5e-6, ("b_op",): 3.5e-6})


def test_the_line_through_what_cuts_cost() -> None:
    sizes = [8_000, 50_000, 100_000, 200_000, 400_000]
    here = [20e-6 + size / 5e9 for size in sizes]
    found = fitted(sizes, here, [50e-6] * 5)
    assert found == CutCosts(pytest.approx(20e-6), pytest.approx(5e9), pytest.approx(50e-6))
    assert found.around(100_000) == pytest.approx(here[2])
    disturbed = [*here[:2], 30 * here[2], *here[3:]]
    assert fitted(sizes, disturbed, []) == CutCosts(
        pytest.approx(20e-6, rel=0.5), pytest.approx(5e9, rel=0.2), 0.0
    )
    # Nothing is negative, whatever a busy machine makes of it.
    assert fitted(sizes, here[::-1], [-1.0]).refetch is None
    assert fitted(sizes, [-1e-6] * 5, [-1.0]) == CutCosts(0.0, None, 0.0)


def test_the_pace_follows_lasting_changes_and_not_single_ones() -> None:
    assert smoothed([1.0] * 4 + [9.0] + [1.0] * 4) == [1.0] * 9
    slower = smoothed([1.0] * 9 + [1.3] * 4)
    assert slower[:7] == [1.0] * 7
    assert slower[-2:] == pytest.approx([1.3, 1.3])
    # What others took is not known, and not infinitely quick.
    assert smoothed([1.0, None, 1.0, None, 2.0]) == [1.0, 1.0, 1.0, 1.5, 1.5]
    assert smoothed([None] * 3) == [1.0] * 3
    assert smoothed([2.0] * 3, [1.0] * 3) == [2.0] * 3
