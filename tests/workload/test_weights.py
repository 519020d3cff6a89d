"""Weights stored narrow or with a pattern of zeros: what is stated, and what it takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from hetsim.errors import WorkloadError
from hetsim.workload.networks import load_network
from hetsim.workload.weights import PATTERNS, product_weights


def test_packed_bytes_are_those_of_the_white_paper():
    # Half of the values, and two bits for each that is kept: 5/8 of int8, 9/16 of float16.
    assert PATTERNS["2:4"].packed(1) == 0.625
    assert PATTERNS["2:4"].packed(2) == 2 * 0.5625
    assert PATTERNS["2:4"].packed(0.5) == 0.375


@pytest.mark.slow
@given(st.integers(1, 40), st.sampled_from((1, 2, 4)))
def test_packing_a_pruned_matrix_takes_that_many_bytes(fours, width):
    rng = np.random.default_rng(fours)
    values = rng.integers(1, 100, (fours, 4))
    for row in values:
        row[rng.choice(4, 2, replace=False)] = 0
    kept = [(value, place) for row in values for place, value in enumerate(row) if value]
    bits = len(kept) * (8 * width + 2)  # each with its place among the four
    assert bits == 8 * values.size * PATTERNS["2:4"].packed(width)


@pytest.mark.slow
def test_only_products_of_constants_change():
    plain = load_network("mobilenet_v2")
    stated = load_network("mobilenet_v2", weights={"dtype": "int4", "sparsity": "2:4"})
    for before, after in zip(plain.operators, stated.operators, strict=True):
        count = product_weights(before)
        if not count:
            assert after == before
            continue
        assert dict(after.weights)["int4"] == count
        biases = before.weight_elements - count
        assert dict(after.weights).get("float32", 0) == biases
        # The stem has three input channels and depthwise filters one: nothing to choose two of.
        assert after.sparsity == ("2:4" if before.nest.in_c % 4 == 0 else "")
        assert replace(after, weights=before.weights, sparsity="") == before
    sparse = sum(bool(op.sparsity) for op in stated.operators)
    assert f"int4 in 53 products, 2:4 sparse in {sparse} of 53" in stated.notes[-1]
    assert sparse == 35


def test_groups_have_scales():
    stated = load_network("alexnet", weights={"dtype": "int4", "group": 32})
    plain = load_network("alexnet")
    for before, after in zip(plain.operators, stated.operators, strict=True):
        if count := product_weights(before):
            assert dict(after.weights)["float16"] == -(-count // 32)


@pytest.mark.parametrize(
    ("stated", "says"),
    [
        ({"dtype": "int5"}, "never 'int5'"),
        ({"sparsity": "3:4"}, "never '3:4'"),
        ({"group": 32}, "weights.group"),
    ],
)
def test_what_cannot_be_is_said(stated, says):
    with pytest.raises(WorkloadError, match=says):
        load_network("squeezenet", weights=stated)


def pruned(shape, axis, dtype=np.float32):
    """Random weights with two zeros in every four along ``axis``."""
    rng = np.random.default_rng(sum(shape))
    values = np.moveaxis(rng.integers(1, 99, shape), axis, -1).copy()
    fours = values.reshape(-1, 4)
    for four in fours:
        four[rng.choice(4, 2, replace=False)] = 0
    return np.ascontiguousarray(np.moveaxis(fours.reshape(values.shape), -1, axis)).astype(dtype)


def sparsities(nodes, inputs, weights):
    shapes = [helper.make_tensor_value_info(name, TensorProto.FLOAT, s) for name, s in inputs]
    ends = [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)]
    made = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    model = helper.make_model(helper.make_graph(nodes, "g", shapes, ends, made))
    graph = load_network(model)
    found = [op.sparsity for op in graph.operators if op.nest]
    told = f"2:4 sparse weights in {sum(map(bool, found))} products"
    assert (told in graph.notes) == any(found)
    return found


CONV = helper.make_node("Conv", ["x", "w"], ["y"], name="c", pads=[1, 1, 1, 1])
IMAGE = [("x", [1, 8, 6, 6])]


def test_zeros_in_the_file_are_found_along_the_input_channels():
    assert sparsities([CONV], IMAGE, {"w": pruned((16, 8, 3, 3), 1)}) == ["2:4"]
    # Along the filters there is nothing that a product could leave out.
    assert sparsities([CONV], IMAGE, {"w": pruned((16, 8, 3, 3), 0)}) == [""]
    dense = pruned((16, 8, 3, 3), 1)
    dense[15, 4:7, 2, 2] = 5  # one group of three, in the last corner
    assert sparsities([CONV], IMAGE, {"w": dense}) == [""]


def test_cleared_weights_are_no_sparse_ones():
    assert sparsities([CONV], IMAGE, {"w": np.zeros((16, 8, 3, 3), np.float32)}) == [""]


@pytest.mark.parametrize("turned", [0, 1])
def test_zeros_of_matrix_products(turned):
    rows = [("x", [3, 8])]
    gemm = helper.make_node("Gemm", ["x", "w"], ["y"], name="g", transB=turned)
    shape = (20, 8) if turned else (8, 20)
    assert sparsities([gemm], rows, {"w": pruned(shape, turned)}) == ["2:4"]
    assert sparsities([gemm], rows, {"w": pruned(shape, 1 - turned)}) == [""]
    matmul = helper.make_node("MatMul", ["x", "w"], ["y"], name="m")
    assert sparsities([matmul], rows, {"w": pruned((8, 20), 0)}) == ["2:4"]
    # As exporters write a linear layer: its weights transposed in the graph.
    transpose = helper.make_node("Transpose", ["v"], ["w"], name="t")
    assert sparsities([transpose, matmul], rows, {"v": pruned((20, 8), 1)}) == ["2:4"]
    left = helper.make_node("MatMul", ["w", "x"], ["y"], name="l")
    assert sparsities([left], [("x", [8, 5])], {"w": pruned((20, 8), 1)}) == ["2:4"]


def test_zeros_of_quantised_weights():
    nodes = [helper.make_node("DequantizeLinear", ["q", "s"], ["w"], name="d"), CONV]
    weights = {"q": pruned((16, 8, 3, 3), 1, np.int8), "s": np.array(0.1, np.float32)}
    assert sparsities(nodes, IMAGE, weights) == ["2:4"]
