"""Rewrites: what becomes one operator, what it costs, who reads what, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hetsim.errors import PlanError
from hetsim.workload.graph import Graph, LoopNest, Operator, Tensor
from hetsim.workload.rewrite import Rewrite, apply_rewrites, try_rewrites
from hetsim.workload.zoo import load_model

IN_C = 16


def conv(name, source, channels, kernel=1, *, pad=None, stride=1, dilation=1, size=8, groups=1):
    """A convolution of an 8x8 tensor with bias, padded to the same size unless told."""
    pad = dilation * (kernel // 2) if pad is None else pad
    out = (size + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1
    nest = LoopNest(
        1, groups, out, out, IN_C // groups, channels // groups, kernel, kernel, stride, stride,
        dilation, dilation, size, size,
    )  # fmt: skip
    attributes = {
        "kernel_shape": (kernel, kernel), "strides": (stride, stride), "pads": (pad,) * 4,
        "dilations": (dilation, dilation), "group": groups,
    }  # fmt: skip
    weights = (("float32", channels * IN_C // groups * kernel**2 + channels),)
    op = Operator(
        name, "Conv", (source,), (f"{name}.out",), weights, nest.macs, 0, nest, attributes
    )
    return op, Tensor(f"{name}.out", (1, channels, out, out))


def relu(name, source, shape, **attributes):
    elements = shape[1] * shape[2] * shape[3]
    op = Operator(
        name, "Relu", (source,), (f"{name}.out",), element_ops=elements, attributes=attributes
    )
    return op, Tensor(f"{name}.out", shape)


def network(*parts, outputs=None):
    operators, tensors = [p[0] for p in parts], [p[1] for p in parts]
    read = {t for op in operators for t in op.inputs}
    ends = outputs or [t.name for t in tensors if t.name not in read]
    return Graph.create("net", operators, [Tensor("in", (1, IN_C, 8, 8)), *tensors], ["in"], ends)


def lanes(**second):
    """Two convolutions of the input, each with a Relu of its own."""
    a, b = conv("a", "in", 8), conv("b", "in", 24, 3, **second)
    return network(a, b, relu("ra", "a.out", a[1].shape), relu("rb", "b.out", b[1].shape))


def test_merged_convolutions_have_all_channels_and_the_largest_kernel():
    graph = apply_rewrites(lanes(), [Rewrite("merge", ("a", "b"))])
    assert [op.name for op in graph.operators] == ["a&b", "ra", "rb"]
    merged = graph.operator("a&b")
    assert merged.outputs == ("a.out", "b.out")
    assert (merged.nest.out_c, merged.nest.k_h, merged.nest.k_w) == (32, 3, 3)
    assert merged.macs == 64 * IN_C * 32 * 9
    assert merged.weights == (("float32", 32 * IN_C * 9 + 32),)
    assert merged.attributes["pads"] == (1, 1, 1, 1)
    assert merged.attributes["kernel_shape"] == (3, 3)


def test_activations_are_merged_where_stated_and_readers_find_their_parts():
    graph = apply_rewrites(lanes(), [Rewrite("merge", ("a", "b"), ("Relu",))])
    conv_op, relu_op = graph.operators
    assert (conv_op.name, relu_op.name) == ("a&b", "ra&rb")
    assert conv_op.outputs == relu_op.inputs == ("a&b.out",)
    assert graph.tensors["a&b.out"].shape == (1, 32, 8, 8)
    assert relu_op.outputs == ("ra.out", "rb.out") == tuple(graph.outputs)
    assert relu_op.element_ops == 32 * 64
    assert "a.out" not in graph.tensors


def test_padding_one_kernel_leaves_everything_else():
    graph = apply_rewrites(lanes(), [Rewrite("pad", ("a",), kernel=(3, 3))])
    padded = graph.operator("a")
    assert padded.macs == 9 * lanes().operator("a").macs
    assert padded.attributes["pads"] == (1, 1, 1, 1)
    assert padded.variant == ""
    assert graph.tensors == lanes().tensors


def test_padding_and_merging_in_one_or_two_steps_is_the_same():
    steps = [Rewrite("pad", ("a",), kernel=(3, 3)), Rewrite("merge", ("a", "b"))]
    assert apply_rewrites(lanes(), steps) == apply_rewrites(lanes(), steps[1:])


@pytest.mark.slow
@given(
    kernels=st.lists(st.sampled_from([1, 3, 5, 7]), min_size=2, max_size=4),
    stride=st.integers(1, 2), dilation=st.integers(1, 2),
)  # fmt: skip
def test_the_padded_kernels_still_see_the_same_pixels(kernels, stride, dilation):
    parts = [
        conv(f"c{i}", "in", 8, k, stride=stride, dilation=dilation) for i, k in enumerate(kernels)
    ]
    graph = network(*parts)
    names = tuple(op.name for op in graph.operators)
    merged = apply_rewrites(graph, [Rewrite("merge", names)]).operators[0]
    largest = max(kernels)
    assert merged.nest.k_h == largest
    begin = merged.attributes["pads"][0]
    size = (8 + begin + merged.attributes["pads"][2] - dilation * (largest - 1) - 1) // stride + 1
    assert size == merged.nest.out_h == parts[0][1].shape[2]
    assert sum(op.macs for op in graph.operators) <= merged.macs


@pytest.mark.parametrize(
    ("parts", "rewrite", "reason"),
    [
        ([conv("b", "in", 8, 3, stride=2)], {}, "different strides, write different heights"),
        ([conv("b", "in", 8, 3, pad=0)], {}, "different heights"),
        ([conv("b", "in", 8, 3, dilation=2)], {}, "different dilations"),
        ([conv("b", "a.out", 8)], {}, "read different tensors"),
        ([conv("b", "in", 16, groups=16)], {}, "16 groups"),
        ([relu("b", "in", (1, IN_C, 8, 8))], {}, "no convolution"),
        ([conv("b", "in", 8)], {"operators": ("a", "c")}, "no operator 'c'"),
        ([conv("b", "in", 8)], {"operators": ("a", "a")}, "two or more different"),
        ([conv("b", "in", 8)], {"tail": ("Relu",)}, "not followed by a Relu alone"),
        ([conv("b", "in", 8)], {"tail": ("Add",)}, "cannot be merged behind"),
        ([conv("b", "in", 8)], {"kind": "split"}, "only 'merge' and 'pad'"),
        ([conv("b", "in", 8, 3)], {"kind": "pad", "operators": ("b",), "kernel": (1, 1)}, "larger"),
    ],
)
def test_what_would_change_results_is_refused(parts, rewrite, reason):
    graph = network(conv("a", "in", IN_C), *parts)
    asked = replace(Rewrite("merge", ("a", "b")), **rewrite)
    with pytest.raises(PlanError, match=reason):
        apply_rewrites(graph, [asked])


def test_a_tail_with_other_readers_or_attributes_is_refused():
    a, b = conv("a", "in", 8), conv("b", "in", 8)
    shape = a[1].shape
    base = [a, b, relu("ra", "a.out", shape)]
    two = network(*base, relu("rb", "b.out", shape), relu("rc", "b.out", shape))
    seen = network(*base, relu("rb", "b.out", shape), outputs=["b.out", "ra.out", "rb.out"])
    other = network(*base, relu("rb", "b.out", shape, alpha=2))
    for graph in (two, seen, other):
        _, problems = try_rewrites(graph, [Rewrite("merge", ("a", "b"), ("Relu",))])
        assert len(problems) == 1


def test_every_fault_is_listed_and_the_rest_is_done():
    wrong = [Rewrite("merge", ("a", "x")), Rewrite("merge", ("a", "b")), Rewrite("pad", ("a",))]
    graph, problems = try_rewrites(lanes(), wrong)
    assert [op.name for op in graph.operators] == ["a&b", "ra", "rb"]
    assert [p[:9] for p in problems] == ["rewrite 1", "rewrite 3"]


def test_a_real_inception_block_merges_its_reductions():
    graph = load_model("googlenet")
    shared: dict[str, list[str]] = {}
    for op in graph.operators:
        if op.kind == "Conv" and op.nest.k_h == 1:
            shared.setdefault(op.inputs[0], []).append(op.name)
    rewrites = [Rewrite("merge", tuple(n), ("Relu",)) for n in shared.values() if len(n) > 1]
    assert [len(r.operators) for r in rewrites] == [3] * 9
    merged = apply_rewrites(graph, rewrites)
    assert len(merged) == len(graph) - 2 * 2 * 9
    assert merged.macs == graph.macs
    assert sum(op.weight_elements for op in merged.operators) == sum(
        op.weight_elements for op in graph.operators
    )
