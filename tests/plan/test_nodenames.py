"""What the name of a compiler's node gives away."""

from __future__ import annotations

import pytest

from hetsim.plan.nestc.nodenames import read_name, usual_suffixes


@pytest.mark.parametrize(
    ("name", "kinds", "number", "kernel"),
    [
        ("netv3_part2_conv3_fwd__2", "Conv", 3, None),
        ("netv3_part1_activation0__1", "Relu", 0, None),
        ("Conv_block_9z_5x5_reduce_1__2", "Conv", 1, (5, 5)),
        ("MaxPool_first_3x3_s2_1", "GlobalMaxPool", 1, (3, 3)),
        ("LRN_after_pool1_1", "LRN", 1, None),
        ("tail_flatten0_reshape0", "", 0, None),
        ("block_relu6", "Clip", 6, None),
        ("fc_conv2d_4", "Conv", 4, None),
        ("node_17", "?", -1, None),
    ],
)
def test_names_taken_apart(name, kinds, number, kernel):
    found = read_name(name)
    assert (kinds in (found.kinds or ("",))) if kinds != "?" else found.kinds is None
    assert (found.number, found.kernel) == (number, kernel)


def test_what_a_compiler_adds_is_told_from_the_name():
    found = read_name("Stage2_Conv3x_7x7_fwd__12")
    assert (found.base, found.suffix) == ("Stage2_Conv3x_7x7_fwd", "12")
    found = read_name("stage2_conv3_fwd__1")
    assert (found.base, found.suffix, found.word) == ("stage2_conv3_fwd", "1", "conv")
    assert (found.stem, found.number, found.kernel) == (("stage2",), 3, None)
    assert found.computes
    assert (read_name("a_relu").suffix, read_name("a_relu").computes) == ("", False)
    assert not read_name("node_17").computes


def test_selections_and_views_are_no_operators():
    """Glow writes a constant beside its SoftMax, whose name begins like one."""
    assert read_name("Softmax_selected__1").kinds == ()
    assert read_name("Softmax_1").kinds == ("Softmax",)
    assert read_name("conv1_transpose").kinds == ()


def test_a_kind_stands_first_in_names_of_onnx_and_last_in_others():
    assert read_name("Relu_conv_pool_1").word == "relu"
    assert read_name("relu_conv_pool_1").word == "pool"
    assert read_name("Block_relu_pool_1").word == "pool"


def test_the_usual_suffix_is_that_of_operators_with_a_single_node():
    """conv4 has two nodes, so that its suffixes say nothing; of equals the smaller is taken."""
    names = ["a_conv0__2", "a_conv1__2", "a_conv2__1", "a_relu0__3", "a_relu1__1",
             *(f"a_conv{i}__{k}" for i in (4, 5, 6) for k in (3, 4))]  # fmt: skip
    assert usual_suffixes(map(read_name, names)) == {"conv": "2", "relu": "1"}
