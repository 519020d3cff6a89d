"""Keys of operators: what they tell apart, and the loops that come back from them."""

from __future__ import annotations

import pytest

from hetsim.cost.measured.keys import (
    convolution_key,
    kinds_of,
    nests_of,
    operator_key,
)
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
