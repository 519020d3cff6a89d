"""Narrow and sparse weights on every kind of unit: bytes moved, and time, by closed form."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.analytical.weights import element_bytes
from hetsim.cost.pu import model_of
from hetsim.cost.work import Kernel
from hetsim.soc.loader import build_soc
from hetsim.workload.graph import Graph, LoopNest, Operator, Tensor
from hetsim.yamlio import parse_yaml

RATES = """
    macs_per_cycle: {int8: 64}
    element_ops_per_cycle: {int8: 64}
    efficiency: {default: 1.0}
"""
KINDS = {
    "cpu_cluster": RATES + "    cores: 1\n",
    "accelerator": RATES,
    "gpu": RATES + "    cores: 1\n    tiles: [{rows: 8, columns: 8}]\n",
    "dsp": RATES + "    threads: 1\n    vector: 128 bit\n    loads: 4\n",
    "npu": """
    array: {batch: 1, block_in: 8, block_out: 8}
    dtypes: {int8: 1.0}
    vector_lanes: 64
    sram: 1 MiB
    dma: {bandwidth: 100 GB/s}
""",
}
MACS, COUNT = 64 * 64 * 256, 64 * 256


def unit(kind, weights=""):
    host = "cpu: {kind: cpu_cluster, cores: 1, path: [dram], operating_points: {on: {clock: 1 GHz}}"
    text = f"""
hetsim: soc/1
name: one
memory: {{dram: {{bandwidth: 100 GB/s, capacity: 1 GiB}}}}
runtime: {{host: cpu}}
pus:
  {host}, macs_per_cycle: {{int8: 1}}, element_ops_per_cycle: {{int8: 1}},
    efficiency: {{default: 1.0}}}}
  unit:
    kind: {kind}
    path: [dram]
    operating_points: {{on: {{clock: 1 GHz}}}}
{KINDS[kind]}
    {weights}
"""
    return build_soc(parse_yaml(text, "one.yaml")).by_name["unit"]


def work(pu, *, dtype="int8", sparsity=""):
    op = Operator(
        "fc", "MatMul", ("x",), ("y",), weights=((dtype, COUNT), ("int32", 256)), macs=MACS,
        nest=LoopNest(1, 1, 1, 64, 64, 256, in_w=64), dtype="int8", sparsity=sparsity,
    )  # fmt: skip
    tensors = [Tensor("x", (64, 64), "int8"), Tensor("y", (64, 256), "int8")]
    graph = Graph.create("one", [op], tensors, ["x"], ["y"])
    floor = model_of(pu).floor(op)
    assert model_of(pu).least(op.nest, "int8") <= floor * (1 + 1e-12)
    found = AnalyticalModel().work(graph, Kernel.of(graph, (op,)), pu)
    assert found.compute_s >= floor * (1 - 1e-12)
    return found


BIAS = 4 * 256


@pytest.mark.parametrize("kind", KINDS)
def test_half_the_bits_are_half_the_bytes(kind):
    pu = unit(kind)
    assert work(pu).weight_bytes == COUNT + BIAS
    assert work(pu, dtype="int4").weight_bytes == COUNT // 2 + BIAS
    assert work(pu, dtype="int4").compute_s == work(pu).compute_s  # unpacking states no cost


@pytest.mark.parametrize("kind", KINDS)
def test_zeros_save_bytes_and_time_only_where_the_unit_says_so(kind):
    plain, skips = unit(kind), unit(kind, 'weights: {sparsity: {"2:4": 1.6}}')
    assert work(plain, sparsity="2:4") == work(plain)
    assert work(skips) == work(plain)
    sparse = work(skips, sparsity="2:4")
    assert sparse.weight_bytes == COUNT * 5 // 8 + BIAS
    assert sparse.compute_s == pytest.approx(work(plain).compute_s / 1.6)
    both = work(skips, dtype="int4", sparsity="2:4")
    assert both.weight_bytes == COUNT * 3 // 8 + BIAS  # a quarter of a byte, and an eighth


@pytest.mark.parametrize("kind", KINDS)
def test_unpacking_takes_its_time(kind):
    slow = unit(kind, "weights: {unpack: {int4: 0.25}}")
    assert work(slow) == work(unit(kind))
    spent, unpacking = work(slow, dtype="int4").compute_s, COUNT / 0.25 * 1e-9
    alone = work(slow).compute_s
    # An NPU's decoder works beside its array; elsewhere the same lanes do both.
    expected = max(alone, unpacking) if kind == "npu" else alone + unpacking
    assert spent == pytest.approx(expected)
    # One of equal width is unpacked like it.
    assert work(slow, dtype="uint4").compute_s == spent
    # What is as wide as what is computed in is not unpacked.
    assert work(unit(kind, "weights: {unpack: {int8: 0.25}}")) == work(unit(kind))


def test_winograd_leaves_no_zeros():
    pu = unit("accelerator", 'weights: {sparsity: {"2:4": 2.0}}\n    convolution: {winograd: '
              "{tile: 4, efficiency: 1.0}}")  # fmt: skip
    nest = LoopNest(1, 1, 16, 16, 16, 16, 3, 3, in_h=16, in_w=16)
    dense, sparse = (
        Operator("c", "Conv", ("x",), ("y",), weights=(("int8", 2304),), macs=nest.macs, nest=nest,
                 dtype="int8", sparsity=pattern)
        for pattern in ("", "2:4")
    )  # fmt: skip
    transformed = nest.macs / 4 / 64 * 1e-9
    assert model_of(pu).floor(dense) == pytest.approx(transformed)
    assert model_of(pu).floor(sparse) == pytest.approx(transformed)  # 1/4 is less than 1/2


def test_a_tile_holds_weights_as_they_are_stored():
    nest = LoopNest(1, 1, 1, 8, 8, 16, in_w=8)
    pu = unit("npu", 'weights: {sparsity: {"2:4": 2.0}}')

    def operator(weights, sparsity=""):
        return Operator("m", "MatMul", ("x",), ("y",), weights=weights, macs=nest.macs, nest=nest,
                        dtype="int8", sparsity=sparsity)  # fmt: skip

    assert element_bytes(operator((("int4", 128),)), pu) == 0.5
    assert element_bytes(operator((("int4", 128),), "2:4"), pu) == 0.375
    assert element_bytes(operator((("float16", 4), ("int4", 128))), pu) == 0.5  # scales beside it
    assert element_bytes(operator(()), pu) == 1  # both factors are computed
    computed = replace(nest, weights_are_activations=True)
    scaled = replace(operator((("float32", 128),)), nest=computed)  # and scaled or shifted after
    assert element_bytes(scaled, pu) == 1
    assert element_bytes(operator((("int4", 64), ("int32", 8))), pu) == 0.5  # fewer than its loops


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "npu"])
def test_what_zeros_make_faster_is_the_roof_a_sparse_kernel_is_held_against(kind):
    pu = unit(kind, 'weights: {sparsity: {"2:4": 1.6}}')
    named = {}
    for sparsity in ("", "2:4"):
        op = Operator(
            "fc", "MatMul", ("x",), ("y",), weights=(("int8", COUNT),), macs=MACS,
            nest=LoopNest(1, 1, 1, 64, 64, 256, in_w=64), dtype="int8", sparsity=sparsity,
        )  # fmt: skip
        named[sparsity] = model_of(pu).peak(op)
    assert [peak.operations for peak in named.values()] == [MACS, MACS]
    # 64 a cycle of 1 ns, whatever the kind.
    assert named[""].per_second == pytest.approx(64e9)
    assert named["2:4"].per_second == pytest.approx(1.6 * 64e9)
    assert [peak.name for peak in named.values()] == ["int8", "int8 2:4"]
