"""Branches that are known, loops whose turns are known, and what is said about the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import GraphProto, TensorProto, helper, numpy_helper

from hetsim.errors import WorkloadError
from hetsim.workload.onnx import controlflow
from hetsim.workload.onnx.loader import load_onnx
from tests.workload.samples import INT64, model, node, weight

BOOL = TensorProto.BOOL


def body(
    nodes: list[Any], inputs: list[str], outputs: list[str], constants: dict[str, Any] | None = None
) -> GraphProto:
    return helper.make_graph(
        nodes, "body",
        [helper.make_empty_tensor_value_info(name) for name in inputs],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(np.asarray(a), n) for n, a in (constants or {}).items()],
    )  # fmt: skip


def branches() -> dict[str, GraphProto]:
    """A product with 64 columns, or a Relu; both read ``x`` from outside."""
    then = body([node("MatMul", ["x", "w"], "big")], [], ["big"], {"w": weight(8, 64)})
    other = body([node("Relu", ["x"], "small")], [], ["small"])
    return {"then_branch": then, "else_branch": other}


def kinds(graph: Any) -> list[str]:
    return [op.kind for op in graph.operators]


@pytest.mark.parametrize(("truth", "expected"), [(True, "MatMul"), (False, "Relu")])
def test_a_constant_condition_takes_its_branch(truth: bool, expected: str) -> None:
    nodes = [node("If", ["c"], "y", **branches()), node("Neg", ["y"], "z")]
    graph = load_onnx(model(nodes, {"x": [4, 8]}, ["z"], {"c": np.array(truth)}))
    assert kinds(graph) == [expected, "Neg"]
    assert graph.operators[0].name == "y_op/" + ("big_op" if truth else "small_op")
    assert graph.parameters == (8 * 64 if truth else 0)


def test_a_condition_on_shapes_follows_the_dimensions_given() -> None:
    nodes = [
        node("Shape", ["x"], "s"), node("Gather", ["s", "zero"], "n"),
        node("Greater", ["n", "limit"], "c"), node("If", ["c"], "y", **branches()),
    ]  # fmt: skip
    constants = {"zero": np.int64(0), "limit": np.int64(5)}
    proto = model(nodes, {"x": ["rows", 8]}, ["y"], constants)
    assert kinds(load_onnx(proto, dims={"rows": 6})) == ["MatMul"]
    assert kinds(load_onnx(proto, dims={"rows": 5})) == ["Relu"]


def test_an_input_of_one_number_decides_when_it_is_stated() -> None:
    nodes = [node("Equal", ["rate", "sixteen"], "c"), node("If", ["c"], "y", **branches())]
    constants = {"sixteen": np.int64(16000)}
    proto = model(nodes, {"x": [4, 8], "rate": (INT64, [])}, ["y"], constants)
    graph = load_onnx(proto, dims={"rate": 8000})
    assert kinds(graph) == ["Relu"]
    assert graph.inputs == ("x",)
    assert "input rate is fixed to 8000" in graph.notes


def test_where_the_data_decide_the_dearer_branch_counts_and_a_note_says_so() -> None:
    nodes = [node("If", ["c"], "y", **branches())]
    graph = load_onnx(model(nodes, {"x": [4, 8], "c": (BOOL, [])}, ["y"]))
    assert kinds(graph) == ["MatMul"]
    note = next(note for note in graph.notes if note.startswith("If y_op"))
    assert "then branch, with 2,048 multiply-accumulates" in note
    assert "the other has 0 and 32" in note


def test_branches_within_branches_and_names_from_outside() -> None:
    inner = node("If", ["c2"], "v", **branches(), name="inner")
    shadow = body([node("Abs", ["x"], "x2"), inner], [], ["v"])
    nodes = [node("If", ["c"], "y", then_branch=shadow, else_branch=shadow, name="outer")]
    proto = model(nodes, {"x": [4, 8]}, ["y"], {"c": np.array(True), "c2": np.array(False)})
    graph = load_onnx(proto)
    assert kinds(graph) == ["Relu"]
    assert graph.operators[0].name == "outer/inner/small_op"
    assert graph.operators[0].inputs == ("x",)


def loop_body(condition: list[Any] | None = None) -> GraphProto:
    """h = tanh(h @ w), collected; ``go_on`` says whether another turn follows."""
    nodes = [
        node("MatMul", ["h_in", "w"], "m"), node("Tanh", ["m"], "h_out"),
        node("Identity", ["h_out"], "collected"),
        *(condition or [node("Identity", ["going"], "go_on")]),
    ]  # fmt: skip
    names = ["go_on", "h_out", "collected"]
    return body(nodes, ["turn", "going", "h_in"], names, {"w": weight(8, 8), "last": np.int64(2)})


def loop(trips: str, condition: list[Any] | None = None) -> Any:
    return node("Loop", [trips, "", "h"], ["final", "all"], body=loop_body(condition), name="loop")


def test_a_loop_is_unrolled_and_shares_its_weights() -> None:
    proto = model([loop("n")], {"h": [4, 8]}, ["final", "all"], {"n": np.int64(5)})
    graph = load_onnx(proto)
    assert kinds(graph).count("MatMul") == 5
    assert graph.macs == 5 * 4 * 8 * 8
    assert graph.parameters == 64
    assert graph.tensors["all"].shape == (5, 4, 8)
    assert [graph.tensors[t].shape for t in graph.outputs] == [(4, 8), (5, 4, 8)]
    chain = [op for op in graph.operators if op.kind == "MatMul"]
    assert chain[1].inputs == (graph.operators[1].outputs[0],)
    assert chain[3].name == "loop/3/m_op"


def test_turns_follow_a_dimension_and_end_with_a_known_condition() -> None:
    nodes = [node("Shape", ["h"], "s"), node("Gather", ["s", "zero"], "n"), loop("n")]
    proto = model(nodes, {"h": ["rows", 8]}, ["final"], {"zero": np.int64(0)})
    assert load_onnx(proto, dims={"rows": 3}).macs == 3 * 3 * 64
    until = [node("Less", ["turn", "last"], "go_on")]
    early = model([loop("n", until)], {"h": [4, 8]}, ["final"], {"n": np.int64(2**62)})
    assert load_onnx(early).macs == 3 * 4 * 64  # turns 0, 1 and 2, after which 2 < 2 fails


def test_turns_that_the_data_decide_are_stated_or_refused() -> None:
    by_data = [
        node("ReduceSum", ["h_out"], "sum", keepdims=0),
        node("Cast", ["sum"], "go_on", to=BOOL),
    ]
    proto = model([loop("n", by_data)], {"h": [4, 8]}, ["final"], {"n": np.int64(2**62)})
    with pytest.raises(WorkloadError, match="Loop 'loop' turns is unknown") as caught:
        load_onnx(proto)
    assert "max_output: {loop: 20}" in str(caught.value)
    assert load_onnx(proto, max_output={"loop": 7}).macs == 7 * 4 * 64
    with pytest.raises(WorkloadError, match="takes the number of turns"):
        load_onnx(proto, max_output={"loop": [7, 2]})
    counted = model([loop("n")], {"h": [4, 8], "n": (INT64, [])}, ["final"])
    with pytest.raises(WorkloadError, match="its number of turns is 'n'"):
        load_onnx(counted)
    assert load_onnx(counted, dims={"n": 2}).macs == 2 * 4 * 64


def test_a_loop_too_long_is_refused_before_it_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    assert controlflow.MAX_NODES == 50_000
    monkeypatch.setattr(controlflow, "MAX_NODES", 1_000)  # a billion turns are too many for either
    proto = model([loop("n")], {"h": [4, 8]}, ["final"], {"n": np.int64(10**9)})
    with pytest.raises(WorkloadError, match="more than 1,000 operators"):
        load_onnx(proto)


@pytest.mark.parametrize("opset", [11, 17])
def test_a_scan_takes_as_many_turns_as_its_input_is_long(opset: int) -> None:
    step = body(
        [node("MatMul", ["x_t", "w"], "p"), node("Add", ["p", "h_in"], "h_out"),
         node("Identity", ["h_out"], "y_t")],
        ["h_in", "x_t"], ["h_out", "y_t"], {"w": weight(6, 8)},
    )  # fmt: skip
    nodes = [
        node("Scan", ["h", "x"], ["last", "ys"], body=step, num_scan_inputs=1,
             scan_input_axes=[1], scan_output_axes=[1]),
    ]  # fmt: skip
    proto = model(nodes, {"h": [3, 8], "x": [3, "time", 6]}, ["last", "ys"], opset=opset)
    graph = load_onnx(proto, dims={"time": 9})
    assert graph.macs == 9 * 3 * 6 * 8
    assert [graph.tensors[t].shape for t in graph.outputs] == [(3, 8), (3, 9, 8)]
    assert kinds(graph).count("Split") == 1
    assert kinds(graph).count("Concat") == 1
    assert graph.parameters == 48


def test_the_slices_that_turns_take_are_read_once_together() -> None:
    """Each turn gathers its step of ``x`` by its number; backwards in the second loop."""

    def taking(index: list[Any]) -> GraphProto:
        nodes = [
            *index,
            node("Gather", ["x", "at"], "x_t", axis=1),
            node("Add", ["x_t", "h_in"], "h_out"),
            node("Identity", ["going"], "go_on"),
        ]
        return body(nodes, ["turn", "going", "h_in"], ["go_on", "h_out"], {"last": np.int64(4)})

    for index, order in (
        ([node("Identity", ["turn"], "at")], [0, 1, 2, 3, 4]),
        ([node("Sub", ["last", "turn"], "at")], [4, 3, 2, 1, 0]),
    ):
        loop = node("Loop", ["n", "", "h"], ["y"], body=taking(index), name="loop")
        proto = model([loop], {"h": [2, 6], "x": [2, 5, 6]}, ["y"], {"n": np.int64(5)})
        graph = load_onnx(proto)
        assert kinds(graph) == ["Split", *["Add"] * 5]
        split = graph.operators[0]
        assert split.inputs == ("x",)
        assert sum(graph.tensors[t].elements for t in split.outputs) == 2 * 5 * 6
        read = [op.inputs[0] for op in graph.operators[1:]]
        assert read == [f"x/slices/{i}" for i in order]
        assert graph.absorbed["loop/2/x_t_op"] == split.name


def test_slices_counted_from_the_end_are_those_from_the_start() -> None:
    nodes = [
        node("Gather", ["x", i], y, axis=-1)
        for i, y in (("first", "a"), ("last", "b"), ("fourth", "c"))
    ]
    constants = {"first": np.int64(0), "last": np.int64(-1), "fourth": np.int64(3)}
    proto = model([*nodes, node("Sum", ["a", "b", "c"], "y")], {"x": [2, 3, 4]}, ["y"], constants)
    graph = load_onnx(proto)
    assert kinds(graph) == ["Split", "Sum"]
    assert graph.operators[0].outputs == ("x/slices/0", "x/slices/3")
    assert graph.tensors["x/slices/3"].shape == (2, 3, 1)
    lone = load_onnx(model([nodes[0], node("Abs", ["a"], "y")], {"x": [2, 3, 4]}, ["y"], constants))
    assert kinds(lone) == ["Gather", "Abs"]


def test_a_body_that_does_not_fit_its_loop_is_told() -> None:
    step = body([node("Tanh", ["x_t"], "y_t")], ["x_t", "z_t", "u_t"], ["y_t"])
    scan = node("Scan", ["h"], ["y"], body=step, num_scan_inputs=1, name="scan")
    with pytest.raises(WorkloadError, match="Scan 'scan' cannot be understood"):
        load_onnx(model([scan], {"h": [4, 8]}, ["y"]))
