"""Lists of tensors: cut, filled by loops, read by place, joined."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from hetsim.errors import WorkloadError
from hetsim.workload.graph import Graph
from hetsim.workload.onnx.loader import load_onnx
from tests.workload.samples import INT64, ints, model, node, weight
from tests.workload.test_controlflow import body, kinds


def load(nodes: list[Any], outputs: list[str], constants: dict[str, Any] | None = None) -> Graph:
    return load_onnx(model(nodes, {"x": [4, 6, 8]}, outputs, constants))


@pytest.mark.parametrize(
    ("split", "keepdims", "expected"),
    [
        (np.int64(4), 1, [(4, 4, 8), (4, 2, 8)]),
        (ints(1, 2, 3), 1, [(4, 1, 8), (4, 3, 8)]),
        (None, 1, [(4, 1, 8), (4, 1, 8)]),
        (None, 0, [(4, 8), (4, 8)]),
    ],
)
def test_pieces_are_read_by_their_place(
    split: Any, keepdims: int, expected: list[tuple[int, ...]]
) -> None:
    nodes = [
        node("SplitToSequence", ["x", "split"] if split is not None else ["x"], "list", axis=1,
             keepdims=keepdims),
        node("SequenceAt", ["list", "first"], "a"), node("Abs", ["a"], "y"),
        node("SequenceAt", ["list", "last"], "b"), node("Neg", ["b"], "z"),
    ]  # fmt: skip
    constants = {"first": np.int64(0), "last": np.int64(-1)}
    graph = load(nodes, ["y", "z"], constants | ({} if split is None else {"split": split}))
    assert kinds(graph) == ["Split", "Abs", "Neg"]
    assert [graph.tensors[t].shape for t in ("y", "z")] == expected


@pytest.mark.parametrize(("new_axis", "shape"), [(0, (20, 6, 8)), (1, (5, 4, 6, 8))])
def test_a_list_that_a_loop_fills_is_joined_behind_it(new_axis: int, shape: Any) -> None:
    turn = body(
        [node("MatMul", ["h_in", "w"], "h_out"), node("SequenceInsert", ["in", "h_out"], "out"),
         node("Identity", ["going"], "go_on")],
        ["turn", "going", "h_in", "in"], ["go_on", "h_out", "out"], {"w": weight(8, 8)},
    )  # fmt: skip
    nodes = [
        node("SequenceEmpty", [], "none"),
        node("Loop", ["n", "", "x", "none"], ["h", "filled"], body=turn, name="loop"),
        node("ConcatFromSequence", ["filled"], "y", axis=0, new_axis=new_axis),
    ]
    graph = load(nodes, ["y"], {"n": np.int64(5)})
    assert graph.tensors["y"].shape == shape
    assert kinds(graph) == [*["MatMul"] * 5, "Concat"]
    assert graph.macs == 5 * 4 * 6 * 64


def test_lists_are_changed_and_measured() -> None:
    nodes = [
        node("Abs", ["x"], "a"), node("Neg", ["x"], "b"),
        node("SequenceConstruct", ["x", "a"], "two"),
        node("SequenceInsert", ["two", "b", "one"], "three"),
        node("SequenceErase", ["three", "zero"], "left"),
        node("SequenceLength", ["left"], "count"), node("SequenceAt", ["left", "zero"], "y"),
        node("Unsqueeze", ["count", "zeros"], "target"), node("Expand", ["x", "target"], "z"),
    ]  # fmt: skip
    constants = {"one": np.int64(1), "zero": np.int64(0), "zeros": ints(0)}
    nodes[-1] = node("ConstantOfShape", ["target"], "z")
    nodes.append(node("Mul", ["last", "z"], "out"))
    nodes.append(node("ReduceMax", ["y"], "last", keepdims=0))
    graph = load(nodes, ["out"], constants)
    assert graph.tensors["out"].shape == (2,)
    assert kinds(graph) == ["Neg", "ReduceMax", "Mul"], "x, b, a without the first: b"


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([node("SplitToSequence", ["x"], "s", axis=1), node("SequenceAt", ["s", "nine"], "y")],
         "asks for place 9 of a list of 6"),
        ([node("SplitToSequence", ["x"], "s", axis=7), node("SequenceAt", ["s", "nine"], "y")],
         "has no dimension 7"),
        ([node("SequenceConstruct", ["x", "x"], "s"), node("SequenceAt", ["s", "k"], "y")],
         "depends on the data"),
        ([node("SequenceEmpty", [], "s"), node("ConcatFromSequence", ["s"], "y", axis=0)],
         "joins an empty list"),
        ([node("SequenceAt", ["x", "nine"], "y")], "'x', which is no list"),
        ([node("SequenceConstruct", ["x"], "s"), node("Relu", ["s"], "y")], "a list of tensors"),
        ([node("SequenceConstruct", ["x"], "s"), node("Relu", ["s"], "r"),
          node("SequenceInsert", ["s", "r"], "t"), node("ConcatFromSequence", ["t"], "y", axis=0)],
         "a list of tensors"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_list_is_told(nodes: list[Any], message: str) -> None:
    proto = model(nodes, {"x": [4, 6, 8], "k": (INT64, [])}, ["y"], {"nine": np.int64(9)})
    with pytest.raises(WorkloadError) as caught:
        load_onnx(proto)
    assert message in str(caught.value)


def test_a_list_as_the_result_is_its_tensors() -> None:
    nodes = [node("SplitToSequence", ["x", "two"], "list", axis=0), node("Abs", ["x"], "y")]
    proto = model(nodes, {"x": [4, 6]}, ["list", "y"], {"two": np.int64(2)})
    proto.graph.output[0].type.CopyFrom(
        helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    )
    graph = load_onnx(proto)
    assert [graph.tensors[t].shape for t in graph.outputs] == [(2, 6), (2, 6), (4, 6)]


def test_a_piece_may_go_back_into_a_list() -> None:
    nodes = [
        node("SplitToSequence", ["x", "three"], "list", axis=1),
        node("SequenceAt", ["list", "first"], "a"),
        node("SequenceInsert", ["list", "a", "first"], "more"),
        node("ConcatFromSequence", ["more"], "y", axis=1),
    ]
    graph = load(nodes, ["y"], {"three": np.int64(3), "first": np.int64(0)})
    assert graph.tensors["y"].shape == (4, 9, 8)
    assert kinds(graph) == ["Split", "Concat"]
