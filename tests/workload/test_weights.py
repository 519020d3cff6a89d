"""Weights stored narrow or with a pattern of zeros: what is stated, and what it takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hetsim.errors import WorkloadError
from hetsim.workload.networks import load_network
from hetsim.workload.weights import PATTERNS, product_weights


def test_packed_bytes_are_those_of_the_white_paper():
    # Half of the values, and two bits for each that is kept: 5/8 of int8, 9/16 of float16.
    assert PATTERNS["2:4"].packed(1) == 0.625
    assert PATTERNS["2:4"].packed(2) == 2 * 0.5625
    assert PATTERNS["2:4"].packed(0.5) == 0.375


@given(st.integers(1, 40), st.sampled_from((1, 2, 4)))
def test_packing_a_pruned_matrix_takes_that_many_bytes(fours, width):
    rng = np.random.default_rng(fours)
    values = rng.integers(1, 100, (fours, 4))
    for row in values:
        row[rng.choice(4, 2, replace=False)] = 0
    kept = [(value, place) for row in values for place, value in enumerate(row) if value]
    bits = len(kept) * (8 * width + 2)  # each with its place among the four
    assert bits == 8 * values.size * PATTERNS["2:4"].packed(width)


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
