"""Operators of new operator sets and of ONNX Runtime, against their definitions by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from hetsim.workload.costing.elementwise import EXP, SIGMOID
from hetsim.workload.costing.signal import transform_ops
from hetsim.workload.graph import Graph
from hetsim.workload.onnx.loader import load_onnx
from tests.workload.samples import ints, model, node, weight

OWN = "com.microsoft"


def load(
    kind: str, inputs: dict[str, Any], constants: dict[str, Any] | None = None, *,
    order: list[str] | None = None, outputs: int = 1, domain: str = OWN, **attributes: Any,
) -> Graph:  # fmt: skip
    names = order if order is not None else [*inputs, *(constants or {})]
    results = [f"y{i}" for i in range(outputs)]
    made = node(kind, names, results, domain=domain, **attributes)
    return load_onnx(model([made], inputs, results, constants, domains={domain: 1}))


def shapes(graph: Graph) -> list[tuple[int, ...]]:
    return [graph.tensors[t].shape for t in graph.outputs]


@pytest.mark.parametrize(
    ("rule", "reads", "gated"),
    [("linear", 1, False), ("gated", 1, True), ("delta", 2, False), ("gated_delta", 2, True)],
)
def test_linear_attention_keeps_a_state_of_key_by_value(rule: str, reads: int, gated: bool) -> None:
    """Six query heads share two states of 8 by 16; five tokens."""
    graph = load(
        "LinearAttention", {"q": [1, 5, 48], "k": [1, 5, 16], "v": [1, 5, 32]}, outputs=2,
        q_num_heads=6, kv_num_heads=2, update_rule=rule,
    )  # fmt: skip
    assert shapes(graph) == [(1, 5, 96), (1, 2, 8, 16)]
    assert graph.macs == 5 * 8 * 16 * (6 + 2 * reads)
    assert graph.operators[0].element_ops == (5 * 2 * 8 * (16 + EXP) if gated else 0)


def test_a_causal_convolution_is_depthwise_and_hands_on_its_last_steps() -> None:
    graph = load(
        "CausalConvWithState", {"x": [2, 8, 10]}, {"w": weight(8, 1, 4)}, outputs=2,
        activation="silu",
    )  # fmt: skip
    (operator,) = graph.operators
    assert shapes(graph) == [(2, 8, 10), (2, 8, 3)]
    assert (operator.macs, operator.variant) == (2 * 8 * 10 * 4, "depthwise")
    assert operator.element_ops == (SIGMOID + 1) * 2 * 8 * 10


def test_a_decoding_step_looks_at_the_whole_cache() -> None:
    cache = [1, 4, 200, 16]
    inputs = {"q": [1, 1, 64], "k": [1, 1, 64], "v": [1, 1, 64], "pk": cache, "pv": cache}
    graph = load(
        "DecoderMaskedMultiHeadAttention", inputs, order=["q", "k", "v", "", "", "pk", "pv"],
        outputs=3, num_heads=4,
    )  # fmt: skip
    assert shapes(graph) == [(1, 1, 64), tuple(cache), tuple(cache)]
    assert graph.macs == 2 * 200 * 64


@pytest.mark.parametrize(("rows", "read"), [(1, 2), (3, 6), (100, 8)])
def test_experts_cost_those_chosen_and_read_no_more_than_there_are(rows: int, read: int) -> None:
    """Two of eight experts a row, 16 wide and 32 inside."""
    graph = load(
        "MoE", {"x": [rows, 16], "r": [rows, 8]},
        {"w1": weight(8, 32, 16), "w2": weight(8, 16, 32)}, order=["x", "r", "w1", "", "w2"], k=2,
    )  # fmt: skip
    (operator,) = graph.operators
    assert shapes(graph) == [(rows, 16)]
    assert operator.macs == rows * 2 * 2 * 16 * 32
    assert operator.weight_elements == read * 2 * 16 * 32
    assert graph.parameters == 8 * 2 * 16 * 32


def test_packed_experts_compute_what_plain_ones_do() -> None:
    packed = {"w1": np.ones((8, 32, 8), np.uint8), "w2": np.ones((8, 16, 16), np.uint8)}
    scales = {"s1": weight(8, 32), "s2": weight(8, 16)}
    graph = load(
        "QMoE", {"x": [3, 16], "r": [3, 8]}, packed | scales,
        order=["x", "r", "w1", "s1", "", "w2", "s2"], k=2, expert_weight_bits=4,
    )  # fmt: skip
    assert graph.macs == 3 * 2 * 2 * 16 * 32


def test_fused_additions_are_read_as_additions() -> None:
    image = {"x": [1, 4, 4, 8], "s": [1, 4, 4, 8]}
    scale = {"g": weight(8), "b": weight(8), "a": weight(8)}
    graph = load("SkipGroupNorm", image, scale, order=["x", "g", "b", "s", "a"], outputs=2,
                 groups=2, channels_last=1)  # fmt: skip
    assert [op.kind for op in graph.operators] == ["Add", "Add", "GroupNorm"]
    assert shapes(graph) == [(1, 4, 4, 8)] * 2
    graph = load("BiasSoftmax", {"x": [2, 3, 9], "b": [1, 1, 9]})
    assert [op.kind for op in graph.operators] == ["Add", "Softmax"]


def test_real_spectra_have_half_the_numbers_and_half_the_work() -> None:
    there = load("Rfft", {"x": [3, 64]}, signal_ndim=1, onesided=1, normalized=0)
    back = load("Irfft", {"x": [3, 33, 2]}, signal_ndim=1, onesided=1, normalized=0)
    assert (shapes(there), shapes(back)) == ([(3, 33, 2)], [(3, 64)])
    works = [graph.operators[0].element_ops for graph in (there, back)]
    assert works == [3 * transform_ops(64, real=True)] * 2


def test_crops_are_as_many_as_boxes() -> None:
    inputs = {"x": [1, 3, 20, 20], "r": [7, 4], "i": (TensorProto.INT32, [7])}
    graph = load("CropAndResize", inputs, {"s": np.array([5, 6], np.int32)})
    assert shapes(graph) == [(7, 3, 5, 6)]
    assert graph.operators[0].element_ops == 8 * 7 * 3 * 5 * 6


@pytest.mark.parametrize(
    ("mode", "volume", "taps"),
    [("nearest", False, 1), ("linear", False, 4), ("cubic", False, 16), ("linear", True, 8)],
)
def test_sampling_a_grid_reads_every_neighbour(mode: str, volume: bool, taps: int) -> None:
    size = [6] * (3 if volume else 2)
    inputs = {"x": [1, 3, *size], "g": [1, *size, len(size)]}
    graph = load_onnx(model([node("GridSample", ["x", "g"], "y", mode=mode)], inputs, ["y"],
                            opset=20))  # fmt: skip
    assert graph.operators[0].element_ops == 2 * taps * 3 * 6 ** len(size)


@pytest.mark.parametrize(("antialias", "taps"), [(0, 2 * 2), (1, 8 * 8)])
def test_shrinking_smoothly_reads_all_it_leaves_out(antialias: int, taps: int) -> None:
    graph = load_onnx(
        model(
            [node("Resize", ["x", "", "", "s"], "y", mode="linear", antialias=antialias)],
            {"x": [1, 3, 32, 32]}, ["y"], {"s": ints(1, 3, 8, 8)}, opset=18,
        )
    )  # fmt: skip
    assert graph.operators[0].element_ops == 2 * taps * 3 * 8 * 8


@pytest.mark.parametrize(
    ("name", "dtype", "nbytes"), [("FLOAT4E2M1", "float4", 5), ("INT2", "int2", 3)]
)
def test_the_smallest_types_have_a_size(name: str, dtype: str, nbytes: int) -> None:
    if name not in TensorProto.DataType.keys():  # noqa: SIM118
        pytest.skip("the installed onnx does not know it")
    kind = TensorProto.DataType.Value(name)
    graph = load_onnx(model([node("Cast", ["x"], "y", to=kind)], {"x": [9]}, ["y"], opset=25))
    tensor = graph.tensors["y"]
    assert (tensor.dtype, tensor.nbytes) == (dtype, nbytes)
