"""Operators as rows of a table of convolutions, column by column."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hetsim.cost.learned.workloads import operator_rows, row_key
from hetsim.learn.physical.given import FLOOR, PHYSICAL
from hetsim.workload.graph import LoopNest, Operator
from tests.cost.samples import matmul
from tests.sim.samples import make_soc

HALF = {"macs_per_cycle": {"float16": 1.0}, "element_ops_per_cycle": {"float16": 1.0}}
PU_ = make_soc({"cpu": HALF | {"precision": {"float32": "float16"}}}).by_name["cpu"]
NEST = LoopNest(2, 3, 4, 5, 6, 7, 3, 2, 2, 1, 1, 2, in_h=9, in_w=8)
CONV = Operator("c", "Conv", ("x",), ("y",), macs=NEST.macs, nest=NEST,
                attributes={"pads": [2, 0, 1, 0]})  # fmt: skip


def test_every_column_says_what_the_operator_is() -> None:
    """Channels are those of all groups; the type is the one in which the unit stores tensors."""
    product = matmul(4, 16, 8)
    rows = operator_rows([CONV, product], PU_)
    assert {name: column.tolist() for name, column in rows.columns.items()} == {
        "n": [2, 1], "groups": [3, 1], "out_h": [4, 1], "out_w": [5, 4], "h_in": [9, 1],
        "w_in": [8, 4], "k_h": [3, 1], "k_w": [2, 1], "stride_h": [2, 1], "stride_w": [1, 1],
        "dilation_h": [1, 1], "dilation_w": [2, 1], "c_in": [18, 16], "c_out": [21, 8],
        # 2 images x 3 groups x 20 pixels x 6 x 7 channels x 6 taps
        "macs": [30240, 512], "pad_top": [2, 0], "op": ["Conv", "MatMul"],
        "dtype": ["float16", "int8"], "device": ["cpu", "cpu"],
    }  # fmt: skip
    assert rows.target.tolist() == [1.0, 1.0]
    assert rows.families.tolist() == rows.shapes.tolist() == ["9x8 k3x2", "1x4 k1x1"]
    assert (rows.lines.tolist(), rows.rows_read, rows.unit) == ([1, 2], 2, "seconds")


def test_what_was_measured_or_said_of_them_goes_along() -> None:
    rows = operator_rows([CONV], PU_, seconds=[0.5], physical=[0.25], floor=[0.125], family=["net"])
    assert rows.target.tolist() == [0.5]
    assert (rows.number(PHYSICAL).tolist(), rows.number(FLOOR).tolist()) == ([0.25], [0.125])
    assert (rows.families.tolist(), rows.shapes.tolist()) == (["net"], ["9x8 k3x2"])
    assert FLOOR not in operator_rows([CONV], PU_, physical=[0.25]).columns


@pytest.mark.parametrize(
    ("attributes", "taps", "pad"),
    [
        ({"pads": (2, 0, 1, 0)}, 3, 2),
        ({"pads": []}, 3, 0),
        ({}, 3, 0),
        ({"auto_pad": "SAME_UPPER"}, 3, 1),
        ({"auto_pad": "SAME_LOWER"}, 6, 2),
        ({"auto_pad": "VALID"}, 3, 0),
        ({"auto_pad": "SAME_UPPER", "pads": [4, 0, 0, 0]}, 3, 4),
    ],
)
def test_workloads_are_told_apart_by_their_padding_too(
    attributes: dict[str, object], taps: int, pad: int
) -> None:
    nest = replace(NEST, k_h=taps)
    op = replace(CONV, attributes=attributes, nest=nest)
    assert row_key(op, PU_) == ("Conv", nest, "float16", pad)
    assert operator_rows([op], PU_)["pad_top"].tolist() == [pad]
    relu = Operator("r", "Relu", ("x",), ("y",), attributes={"auto_pad": "SAME_UPPER"})
    assert row_key(relu, PU_) == ("Relu", None, "float16", 0)
