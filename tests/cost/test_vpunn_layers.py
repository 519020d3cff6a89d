"""What an operator is to a VPU's array, by its shape, and what cannot be asked about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hetsim.cost.learned.vpunn.layers import Layer, layer_of
from hetsim.learn.vpunn.workloads import (
    AVEPOOL,
    COMPRESSED,
    CONVOLUTION,
    DEPTHWISE,
    ELTWISE,
    FLOAT16,
    MAXPOOL,
)
from hetsim.soc.model import PU
from hetsim.workload.graph import Graph, LoopNest, Operator, Tensor
from tests.sim.samples import make_soc

HALF = {"macs_per_cycle": {"float16": 1.0}, "element_ops_per_cycle": {"float16": 1.0}}
PU_16 = make_soc({"cpu": HALF | {"precision": {"float32": "float16"}}}).by_name["cpu"]
PLAIN = make_soc().by_name["cpu"]


def layer(
    kind: str, *shapes: tuple[int, ...], dtype: str = "float32", pu: PU = PU_16, nest: Any = None,
    **attributes: Any,
) -> Layer | str | None:  # fmt: skip
    """Of an operator that reads all ``shapes`` but the last, which it writes."""
    reads = tuple(f"x{i}" for i in range(len(shapes) - 1))
    op = Operator("a", kind, reads, ("y",), nest=nest, attributes=attributes, dtype=dtype)
    tensors = [Tensor(n, s, dtype) for n, s in zip((*reads, "y"), shapes, strict=True)]
    return layer_of(Graph.create("a", [op], tensors, reads, ["y"]), op, pu)


def product(nest: LoopNest, kind: str = "Conv", **changes: Any) -> Layer | str | None:
    return layer(kind, (1, 4), (1, 4), nest=nest, **changes)


NEST = LoopNest(2, 1, 10, 12, 32, 48, 3, 5, 2, 1, in_h=20, in_w=12)
CONV = Layer(CONVOLUTION, FLOAT16, 2, 32, 48, 10, 12, 20, 12, 3, 5, 2, 1)


def test_convolutions_by_their_channels_and_groups() -> None:
    assert product(NEST) == CONV
    assert product(replace(NEST, groups=3)) == replace(CONV, products=6)
    assert product(replace(NEST, in_c=16)) == replace(CONV, in_c=16)
    few = replace(CONV, operation=COMPRESSED, in_c=15)
    assert product(replace(NEST, in_c=15)) == few
    assert product(replace(NEST, in_c=15, groups=3)) == replace(few, operation=0, products=6)
    deep = replace(NEST, groups=32, in_c=1, out_c=1)
    assert product(deep) == replace(CONV, operation=DEPTHWISE, out_c=32)
    # Two results a channel, or a single channel, are no depthwise convolution.
    assert product(replace(deep, out_c=2)) == replace(CONV, in_c=1, out_c=2, products=64)
    one = replace(NEST, in_c=1, out_c=1)
    assert product(one) == replace(few, in_c=1, out_c=1)


@pytest.mark.parametrize(("rows", "standing"), [(7, (1, 7)), (16, (1, 16)), (33, (3, 16))])
def test_what_nothing_ties_together_stands_in_rows_of_sixteen(
    rows: int, standing: tuple[int, int]
) -> None:
    flat = LoopNest(1, 4, 1, rows, 32, 48, in_w=rows)
    expected = Layer(CONVOLUTION, FLOAT16, 4, 32, 48, *standing, *standing)
    assert product(flat, "MatMul") == expected
    assert product(replace(flat, out_h=rows, out_w=1, in_h=rows, in_w=1), "MatMul") == expected
    images = product(replace(flat, batch=rows, out_w=1, in_w=1), "Gemm")
    assert images == expected
    image = replace(flat, out_h=4, out_w=4, in_h=4, in_w=4, groups=1)
    assert product(image) == Layer(CONVOLUTION, FLOAT16, 1, 32, 48, 4, 4, 4, 4)
    strided = replace(flat, groups=1, stride_w=2, in_w=2 * rows)
    assert product(strided) == Layer(
        CONVOLUTION, FLOAT16, 1, 32, 48, 1, rows, 1, 2 * rows, stride_w=2
    )


def test_pools_by_their_windows() -> None:
    window = {"kernel_shape": [3, 2], "strides": [2, 1]}
    expected = Layer(MAXPOOL, FLOAT16, 2, 32, 32, 5, 9, 11, 10, 3, 2, 2, 1)
    assert layer("MaxPool", (2, 32, 11, 10), (2, 32, 5, 9), **window) == expected
    assert layer("AveragePool", (2, 32, 11, 10), (2, 32, 5, 9), **window) == replace(
        expected, operation=AVEPOOL
    )
    by_one = layer("MaxPool", (2, 32, 11, 10), (2, 32, 9, 9), kernel_shape=[3, 2])
    assert by_one == replace(expected, out_h=9, stride_h=1)
    undilated = {**window, "dilations": [1, 1]}
    assert layer("MaxPool", (2, 32, 11, 10), (2, 32, 5, 9), **undilated) == expected
    for kind, operation in (("GlobalAveragePool", AVEPOOL), ("GlobalMaxPool", MAXPOOL)):
        whole = layer(kind, (2, 32, 7, 5), (2, 32, 1, 1))
        assert whole == Layer(operation, FLOAT16, 2, 32, 32, 1, 1, 7, 5, 7, 5)
        assert whole.by_channel


def test_sums_of_two_tensors_of_one_shape() -> None:
    image = (2, 24, 5, 9)
    for kind in ("Add", "Sub", "Mul"):
        found = layer(kind, image, image, image)
        assert found == Layer(ELTWISE, FLOAT16, 2, 24, 24, 5, 9, 5, 9)
    sequence = (3, 11, 24)
    assert layer("Add", sequence, sequence, sequence) == Layer(
        ELTWISE, FLOAT16, 1, 24, 24, 3, 16, 3, 16
    )
    short = (1, 11, 24)
    assert layer("Add", short, short, short) == Layer(ELTWISE, FLOAT16, 1, 24, 24, 1, 11, 1, 11)
    for shapes in ((image, (2, 24, 1, 1), image), ((4, 5), (4, 5), (4, 5))):
        assert layer("Add", *shapes) == "Add of this form"
    assert layer("Add", image, image) is None  # a constant is added
    assert layer("Relu", image, image) is None


@pytest.mark.parametrize(
    ("kind", "shapes", "attributes"),
    [
        ("MaxPool", ((1, 4, 9), (1, 4, 3)), {"kernel_shape": [3], "strides": [3]}),
        ("GlobalMaxPool", ((1, 4, 9), (1, 4, 1)), {}),
        ("AveragePool", ((1, 4, 8, 8, 8), (1, 4, 4, 4, 4)), {"kernel_shape": [2, 2, 2]}),
        ("MaxPool", ((1, 4, 8, 8), (1, 4, 4, 4)), {"kernel_shape": [2, 2], "dilations": [1, 2]}),
        ("MaxPool", ((1, 4, 8, 8), (1, 4, 4, 4)), {"kernel_shape": [2, 2], "strides": [2]}),
    ],
)
def test_pools_of_other_forms_are_told(kind: str, shapes: Any, attributes: Any) -> None:
    assert layer(kind, *shapes, **attributes) == f"{kind} of this form"


@pytest.mark.parametrize(
    ("changes", "most", "reason"),
    [
        ("k_h", 11, "kernels of more than 11"),
        ("k_w", 11, "kernels of more than 11"),
        ("stride_h", 8, "strides of more than 8"),
        ("stride_w", 8, "strides of more than 8"),
        *((name, 8192, "extents of more than 8192") for name in ("in_h", "in_w", "in_c", "out_c")),
    ],
)
def test_the_largest_that_the_array_runs_still_is_a_layer(
    changes: str, most: int, reason: str
) -> None:
    assert product(replace(NEST, **{changes: most})) == replace(CONV, **{changes: most})
    assert product(replace(NEST, **{changes: most + 1})) == reason


def test_what_the_array_does_not_do_is_told() -> None:
    assert product(NEST, "ConvTranspose") == "transposed convolutions"
    for dilated in (replace(NEST, dilation_h=2), replace(NEST, dilation_w=2)):
        assert product(dilated) == "Conv of this form"
    assert product(NEST, pu=PLAIN) == "float32"
    assert product(NEST, dtype="int8") == replace(CONV, dtype=0)
    assert product(NEST, dtype="uint8") == replace(CONV, dtype=0)
    assert product(NEST, dtype="bfloat16") == replace(CONV, dtype=3)
