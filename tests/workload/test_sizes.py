"""Sizes that a user states: dimensions by name, bounds of outputs, a batch that a file fixes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from hetsim.errors import WorkloadError
from hetsim.workload.networks import load_network, open_dims, share_sizes
from hetsim.workload.onnx.loader import load_onnx
from hetsim.workload.sizes import Sizes
from tests.workload.samples import INT64, ints, model, node, weight


def relu(shape: list[Any]) -> Any:
    return model([node("Relu", ["x"], "y")], {"x": shape}, ["y"])


# -- dimensions -----------------------------------------------------------------------------------


def test_sums_and_products_of_names_follow() -> None:
    proto = model(
        [node("Relu", ["x"], "y"), node("Abs", ["m"], "z")],
        {"x": ["batch", "past"], "m": ["2*batch", "past + 1"]}, ["y", "z"],
    )  # fmt: skip
    graph = load_onnx(proto, dims={"batch": 3, "past": 15})
    assert graph.tensors["z"].shape == (6, 16)
    shaped = load_onnx(proto, input_shapes={"x": [3, 15]})
    assert shaped.tensors["z"].shape == (6, 16), "a whole shape binds its names for other inputs"


@pytest.mark.parametrize("name", ["batch/0", "batch - batch/(1 - 1)", "+".join(["batch"] * 9999)])
def test_a_sum_that_means_nothing_is_an_open_dimension(name: str) -> None:
    proto = model([node("Relu", ["x"], "y"), node("Abs", ["m"], "z")],
                  {"x": ["batch", 4], "m": [2, name]}, ["y", "z"])  # fmt: skip
    with pytest.raises(WorkloadError, match="dimensions of its inputs are open"):
        load_onnx(proto, dims={"batch": 3})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"dims": {"sequence": 4}}, "did you mean 'seq'"),
        ({"dims": {"zzz": 4}}, "open are: batch, seq"),
        ({"dims": {"batch": 0}}, "must be a positive number"),
        ({"dims": {"batch": True}}, "must be a positive number"),
        ({"dims": {"batch": 2}, "input_shapes": {"x": [3, 4, 8]}}, "dims gives 'batch' 2, and"),
        ({"dims": {"batch": 2}}, "'x' is [batch, seq, 8]"),
    ],
)
def test_a_dimension_that_does_not_fit(given: dict[str, Any], message: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        load_onnx(relu(["batch", "seq", 8]), **given)
    assert message in str(caught.value)


def test_a_name_that_a_file_fixes_is_refused() -> None:
    with pytest.raises(WorkloadError, match="fixes all its dimensions"):
        load_onnx(relu([2, 3]), dims={"batch": 2})


# -- a batch that a file fixes at one -------------------------------------------------------------


def classifier(target: list[int]) -> Any:
    """A convolution, a Reshape to ``target``, a product; for one image."""
    nodes = [
        node("Conv", ["x", "f"], "c", pads=[1, 1, 1, 1]),
        node("Reshape", ["c", "target"], "r"),
        node("MatMul", ["r", "w"], "y"),
    ]
    constants = {"f": weight(4, 3, 3, 3), "target": ints(*target), "w": weight(4 * 36, 10)}
    proto = model(nodes, {"x": [1, 3, 6, 6]}, ["y"], constants)
    proto.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 10]))
    return proto


@pytest.mark.parametrize("target", [[1, -1], [1, 144], [-1, 144], [0, -1]])
def test_a_batch_runs_through_a_network_for_one(target: list[int]) -> None:
    one = load_onnx(classifier(target))
    many = load_onnx(classifier(target), dims={"batch": 5})
    assert many.macs == 5 * one.macs
    assert many.tensors["y"].shape == (5, 10)
    assert many.parameters == one.parameters


def test_a_batch_that_gets_lost_on_the_way_is_told() -> None:
    nodes = [node("ReduceMean", ["x"], "m", axes=[0], keepdims=1), node("Relu", ["m"], "y")]
    proto = model(nodes, {"x": [1, 8]}, ["y"])
    proto.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 8]))
    assert load_onnx(proto).tensors["y"].shape == (1, 8)
    with pytest.raises(WorkloadError, match="batch of 3, but output 'y' has shape"):
        load_onnx(proto, dims={"batch": 3})


def test_a_reshape_keeps_its_elements() -> None:
    proto = model([node("Reshape", ["x", "s"], "y"), node("Relu", ["y"], "z")], {"x": ["n", 6]},
                  ["z"], {"s": ints(2, 6)})  # fmt: skip
    assert load_onnx(proto, dims={"n": 2}).tensors["z"].shape == (2, 6)
    with pytest.raises(WorkloadError, match="12 elements of 18"):
        load_onnx(proto, dims={"n": 3})


def test_the_networks_that_ship_take_batches() -> None:
    assert open_dims(["squeezenet"]) == ["batch"]
    one, four = load_network("squeezenet"), load_network("squeezenet", dims={"batch": 4})
    assert four.macs == 4 * one.macs


# -- bounds of what the data decide ---------------------------------------------------------------


def detector() -> Any:
    nodes = [
        node("NonMaxSuppression", ["boxes", "scores", "most", "iou", "least"], "kept"),
        node("Gather", ["kept", "last"], "rows", axis=1),
        node("Gather", ["features", "rows"], "picked", axis=0),
        node("Relu", ["picked"], "y"),
    ]
    inputs = {"boxes": [1, 500, 4], "scores": [1, 3, 500], "features": [500, 16]}
    constants = {"most": np.int64([100]), "iou": np.float32([0.5]), "least": np.float32([0.1]),
                 "last": np.int64(2)}  # fmt: skip
    return model(nodes, inputs, ["y"], constants)


@pytest.mark.parametrize("key", ["kept", "kept_op", "NonMaxSuppression"])
def test_a_bound_by_tensor_operator_or_kind(key: str) -> None:
    graph = load_onnx(detector(), max_output={key: 300})
    assert graph.tensors["y"].shape == (300, 16)
    suppression = graph.operators[0]
    assert suppression.element_ops == 3 * 500 * 9 + 300 * 500 * 16


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({}, "max_output: {kept: N}"),
        ({"kept": [300, 4]}, "is given [300, 4], but NonMaxSuppression makes [?, 3]"),
        ({"kept": 300, "keptt": 3}, "did you mean 'kept'"),
        ({"kept": 300, "y": 4}, "'y' is given the number 4, but 0 of its dimensions are open"),
    ],
)
def test_a_bound_that_is_missing_or_wrong(bounds: dict[str, Any], message: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        load_onnx(detector(), max_output=bounds)
    assert message in str(caught.value)


def test_the_k_of_a_top_k_that_the_data_decide() -> None:
    proto = model([node("TopK", ["x", "k"], ["v", "i"])], {"x": [4, 1000], "k": (INT64, [1])},
                  ["v", "i"])  # fmt: skip
    by_kind = load_onnx(proto, max_output={"TopK": 50})
    assert {by_kind.tensors[t].shape for t in ("v", "i")} == {(4, 50)}
    assert load_onnx(proto, dims={"k": 50}).tensors["v"].shape == (4, 50)


@pytest.mark.parametrize(
    ("kind", "inputs", "operations"),
    [
        ("NonZero", {"x": [4, 5]}, 2 * 20),
        ("Compress", {"x": [20], "c": (TensorProto.BOOL, [20])}, 20),
        ("Unique", {"x": [20]}, 20 * 5 + 20),
    ],
)
def test_what_finding_them_costs(kind: str, inputs: dict[str, Any], operations: int) -> None:
    graph = load_onnx(model([node(kind, list(inputs), "y")], inputs, ["y"]), max_output={"y": 7})
    assert 7 in graph.tensors["y"].shape
    assert graph.operators[0].element_ops == operations


# -- several networks -----------------------------------------------------------------------------


def test_each_network_gets_the_sizes_that_it_has(tmp_path: Path) -> None:
    words, images = str(tmp_path / "words.onnx"), str(tmp_path / "images.onnx")
    onnx.save(relu(["batch", "seq"]), words)
    onnx.save(relu(["batch", 3, "h", "w"]), images)
    sizes = Sizes(dims={"batch": 2, "seq": 9, "h": 32})
    one, two = share_sizes([words, images], sizes, "--dim")
    assert one.dims == {"batch": 2, "seq": 9}
    assert two.dims == {"batch": 2, "h": 32}
    with pytest.raises(WorkloadError, match="'height' is not an open dimension of"):
        share_sizes([words, images], Sizes(dims={"height": 3}), "--dim")
    with pytest.raises(WorkloadError, match="'z' is not an input of"):
        share_sizes([words, images], Sizes({"z": (1, 2)}), "--input-shape")
