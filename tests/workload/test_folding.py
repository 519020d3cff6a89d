"""Batch normalisation and its scale go into the product before them, where nothing else looks."""

from __future__ import annotations

import pytest

from hetsim.workload.onnx.loader import load_onnx
from tests.workload.samples import BN, CONV, IMAGE, conv_bn, kinds, model, node, weight


def test_batch_normalisation_folds_into_its_convolution() -> None:
    graph = load_onnx(conv_bn())
    assert kinds(graph) == ["Conv", "Relu"]
    conv = graph.operators[0]
    assert conv.outputs == ("c",)
    assert conv.weights == (("float32", 288 + 4),)  # the fold brings a bias
    assert graph.parameters == 288 + 8
    assert graph.unread == 0  # what is folded is nowhere in memory
    unfolded = load_onnx(conv_bn(), fold_batch_norm=False)
    assert kinds(unfolded) == ["Conv", "BatchNormalization", "Relu"]
    assert unfolded.parameters == graph.parameters
    assert unfolded.macs == graph.macs


def test_a_second_reader_or_an_output_prevents_folding() -> None:
    second = load_onnx(conv_bn([node("Neg", ["a"], "z")], ["y", "z"]))
    assert "BatchNormalization" in kinds(second)
    output = load_onnx(conv_bn(outputs=["y", "a"]))
    assert "BatchNormalization" in kinds(output)


def test_caffe_scale_folds_with_its_normalisation() -> None:
    nodes = [
        node("Conv", ["x", "w"], "a"),
        node("BatchNormalization", ["a", "s", "b", "m", "v"], "c"),
        node("Mul", ["c", "k"], "d"),
        node("Add", ["d", "k"], "e"),
        node("Relu", ["e"], "y"),
    ]
    constants = CONV | BN | {"k": weight(4, 1, 1)}
    assert kinds(load_onnx(model(nodes, IMAGE, ["y"], constants))) == ["Conv", "Relu"]


def test_a_leading_normalisation_stays_and_takes_its_scale() -> None:
    nodes = [
        node("BatchNormalization", ["x", "s", "b", "m", "v"], "c"),
        node("Mul", ["c", "k"], "d"),
        node("Relu", ["d"], "y"),
    ]
    constants = {n: weight(8) for n in "sbmv"} | {"k": weight(8, 1, 1)}
    assert kinds(load_onnx(model(nodes, IMAGE, ["y"], constants))) == ["BatchNormalization", "Relu"]


@pytest.mark.parametrize("shape", [(4,), (1, 4, 4, 4), (4, 1)])
def test_a_scale_that_is_not_per_channel_stays(shape: tuple[int, ...]) -> None:
    nodes = [node("Conv", ["x", "w"], "a"), node("Mul", ["a", "k"], "y")]
    graph = load_onnx(model(nodes, IMAGE, ["y"], CONV | {"k": weight(*shape)}))
    assert kinds(graph) == ["Conv", "Mul"]


def test_gemm_takes_a_normalisation() -> None:
    nodes = [
        node("Gemm", ["x", "w"], "a"),
        node("BatchNormalization", ["a", "s", "b", "m", "v"], "y"),
    ]
    graph = load_onnx(model(nodes, {"x": [2, 8]}, ["y"], {"w": weight(8, 4)} | BN))
    assert kinds(graph) == ["Gemm"]
    assert graph.operators[0].weight_elements == 36
