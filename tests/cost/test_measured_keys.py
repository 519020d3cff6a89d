"""Keys of operators: what they tell apart, and the loops that come back from them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hetsim.cost.measured.keys import (
    convolution_key,
    kinds_of,
    nest_key,
    nests_of,
    operator_key,
)
from hetsim.workload.graph import Graph, LoopNest, Operator, Tensor
from hetsim.workload.zoo import load_model

GRAPH = load_model("squeezenet")


def test_keys_tell_apart_what_takes_different_time():
    """Equal keys mean equal loops; a foreign description of a convolution makes the same key."""
    for op in GRAPH.operators:
        key = operator_key(GRAPH, op)
        assert kinds_of(key) == (op.kind,)
        if op.kind == "Conv":
            shape = GRAPH.tensors[op.inputs[0]].shape
            out = GRAPH.tensors[op.outputs[0]].shape
            assert key == convolution_key(
                n=shape[0], c=shape[1], h=shape[2], w=shape[3], o=out[1],
                kernel=op.attributes["kernel_shape"],
                stride=op.attributes.get("strides", (1, 1)),
                pads=op.attributes.get("pads", (0, 0, 0, 0)),
                dilation=(1, 1), groups=1, dtype="float32",
            )  # fmt: skip
    groups: dict[str, set[object]] = {}
    for op in GRAPH.operators:
        groups.setdefault(operator_key(GRAPH, op), set()).add((op.kind, op.nest, op.element_ops))
    assert all(len(different) == 1 for different in groups.values())


def test_a_kernel_may_be_as_large_as_its_input_and_no_larger():
    def key(size: int) -> str:
        return convolution_key(
            n=1, c=4, h=3, w=3, o=6, kernel=(size, size), stride=(1, 1), pads=(0, 0, 0, 0),
            dilation=(1, 1), groups=1, dtype="int8",
        )  # fmt: skip

    [(nest, dtype)] = nests_of(key(3))
    assert (nest.out_h, nest.out_w, nest.macs, dtype) == (1, 1, 4 * 6 * 9, "int8")
    [(ungrouped, _)] = nests_of(key(3).replace(" g1 ", " g0 "))  # as some tools write it
    assert ungrouped == nest
    with pytest.raises(ValueError, match="a 4x4 kernel leaves no output of a 3x3 input"):
        key(4)


def test_a_key_written_by_hand_may_say_nothing_of_groups() -> None:
    """No group is one."""
    text = "Conv[n1 c4 h3 w3 o6 k1x1 s1x1 d1x1 g{} y3x3] int8"
    assert nests_of(text.format(0)) == nests_of(text.format(1)) == [
        (LoopNest(1, 1, 3, 3, 4, 6, in_h=3, in_w=3), "int8")
    ]  # fmt: skip
    [(grouped, _)] = nests_of(text.format(2))
    assert (grouped.groups, grouped.in_c, grouped.out_c) == (2, 2, 3)


@pytest.mark.parametrize(
    ("key", "kinds"),
    [
        ("Relu[1x8>1x8] float32", ("Relu",)),
        ("Conv[c64] int8 + Relu[1x8>1x8] int8", ("Conv", "Relu")),
        ("Relu", None),
        ("[1x8>1x8] float32", None),
        ("Relu[1x8>1x8 float32", None),
        ("Relu[1x8>1x8]", None),
        ("Relu[1x8>1x8] ", None),
    ],
)
def test_a_key_is_a_kind_what_is_in_brackets_and_a_type(
    key: str, kinds: tuple[str, ...] | None
) -> None:
    if kinds is None:
        with pytest.raises(ValueError, match="is not an operator key"):
            kinds_of(key)
    else:
        assert kinds_of(key) == kinds


def test_keys_by_hand() -> None:
    """Groups are counted into the channels; what has no loops is told by its tensors."""
    nest = LoopNest(2, 3, 4, 5, 6, 7, 3, 2, 2, 1, 1, 2, in_h=9, in_w=8)
    assert nest_key("Conv", nest, "int8") == ("Conv[n2 c18 h9 w8 o21 k3x2 s2x1 d1x2 g3 y4x5] int8")
    assert nest_key("MatMul", nest, "int8") == "MatMul[b3 m40 k6 n7] int8"
    computed = replace(nest, weights_are_activations=True)
    assert nest_key("MatMul", computed, "int8") == "MatMul[b3 m40 k6 n7 computed] int8"
    assert nests_of("MatMul[b3 m40 k6 n7 computed] int8") == [
        (LoopNest(40, 3, 1, 1, 6, 7, weights_are_activations=True), "int8")
    ]
    op = Operator(
        "s", "Slice", ("x", "n"), ("y",), (("int64", 2),),
        attributes={"axes": (0, 2), "mode": "edge", "unknown": 3},
    )  # fmt: skip
    tensors = [Tensor("x", (1, 8)), Tensor("n", ()), Tensor("y", (1, 4))]
    graph = Graph.create("one", [op], tensors, ["x", "n"], ["y"])
    assert operator_key(graph, op) == ("Slice[1x8|scalar>1x4 const=2 axes=0,2 mode=edge] float32")


@pytest.mark.parametrize(("c", "o", "groups"), [(4, 6, 0), (4, 6, 4), (6, 4, 3), (4, 6, -1)])
def test_channels_that_groups_do_not_divide_are_refused(c: int, o: int, groups: int) -> None:
    with pytest.raises(ValueError, match=f"cannot be divided into {groups} groups"):
        convolution_key(
            n=1, c=c, h=3, w=3, o=o, kernel=(1, 1), stride=(1, 1), pads=(0, 0, 0, 0),
            dilation=(1, 1), groups=groups, dtype="int8",
        )  # fmt: skip


@pytest.mark.slow
def test_nests_come_back_from_keys():
    """What a key says of its loops is what the operator has; a product's rows become its batch."""
    for name in ("squeezenet", "mobilenet_v2", "vit_b16"):
        graph = load_model(name)
        for op in graph.operators:
            found = nests_of(operator_key(graph, op))
            if op.nest is None:
                assert found == []
                continue
            [(nest, dtype)] = found
            assert (nest.macs, dtype) == (op.macs, op.dtype)
            if op.kind == "Conv":
                assert nest == op.nest
    assert nests_of("Conv[c64] float32") == []
