"""Units that compute straight from memory: cycles, bytes and peaks of whole kernels by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hetsim.cost.analytical.roofline import fewest_products
from hetsim.cost.pu import model_of
from hetsim.cost.work import Kernel, Phase, Residency, Work
from hetsim.soc.model import PU
from hetsim.workload.graph import LoopNest
from tests.cost.samples import (
    convolution,
    cycles,
    elements,
    graph_of,
    matmul,
    network,
    roof,
    unit,
)
from tests.sim.samples import make_graph

RATES = {
    "macs_per_cycle": {"int8": 8.0},
    "element_ops_per_cycle": {"int8": 4.0},
    "efficiency": {"default": 1.0, "Conv": 0.5, "Conv.pointwise": 0.25, "Conv.depthwise": 0.125},
}


def accelerator(**fields: object) -> PU:
    return unit("accelerator", **(RATES | {"dispatch": "2 us"} | fields))


def cores(**fields: object) -> PU:
    return unit("cpu_cluster", **(RATES | {"cores": 3, "parallel_efficiency": 0.5} | fields))


def test_a_kernel_is_one_flow_of_all_its_bytes() -> None:
    """8 x 16 x 4 products at 8 a cycle of a nanosecond, 1,000 bytes in and 500 out."""
    op = matmul(8, 16, 4)
    graph, kept = graph_of(op), Residency(frozenset("x"), frozenset("y"), 700)
    model, kernel = model_of(accelerator()), Kernel.of(graph, (op,))
    seconds = pytest.approx(64e-9)
    whole = model.work(graph, kernel, Residency())
    assert whole.phases == (Phase("run", seconds, 1000 + 64, 500, seconds),)
    assert (whole.dispatch_s, whole.compute_s, whole.weight_bytes) == (2e-6, seconds, 64)
    assert (whole.on_chip_bytes, whole.tiles) == (0, ())
    here = model.work(graph, kernel, kept)
    assert here.phases == (Phase("run", seconds, 64, 0, seconds),)
    assert here.on_chip_bytes == 700
    assert model.floor(op) == seconds


def of_both(pu: PU) -> Work:
    graph = network(matmul(8, 16, 4))
    return model_of(pu).work(graph, Kernel.of(graph, graph.operators), Residency())


def test_a_tail_takes_its_time_unless_it_hides() -> None:
    """8 element operations behind 512 products: 2 cycles and 64."""
    assert of_both(accelerator()).compute_s == pytest.approx(66e-9)
    # The second and third core add half a core each.
    assert of_both(cores()).compute_s == pytest.approx(66e-9 / 2)
    assert of_both(cores(fuse=["MatMul-Relu"], fused_tails="free")).compute_s == pytest.approx(
        64e-9 / 2
    )


def test_the_roof_is_of_the_products_where_there_are_any() -> None:
    assert roof(accelerator(), matmul(8, 16, 4)) == (512, 8.0, "int8 MAC")
    assert roof(accelerator(), elements(100)) == (100, 4.0, "int8 element operations")
    assert roof(cores(), matmul(8, 16, 4)) == (512, 24.0, "int8 MAC")
    assert roof(cores(), elements(100)) == (100, 12.0, "int8 element operations")
    graph = network(matmul(8, 16, 4))
    for pu in (accelerator(), cores(fuse=["MatMul-Relu"], fused_tails="free")):
        found = model_of(pu).roof(Kernel.of(graph, graph.operators))
        assert (found.operations, found.name) == (512, "int8 MAC")
        alone = model_of(pu).roof(Kernel.of(graph, graph.operators[1:]))
        assert (alone.operations, alone.name) == (8, "int8 element operations")


def test_the_roof_is_of_what_takes_time() -> None:
    """A million operations and two behind them, which count unless they hide."""
    graph = make_graph(("a", ["x"], 1.0), ("b", ["a"], 2.0))
    hiding = cores(fuse=["Relu-Relu"], fused_tails="free")
    for pu, operations in ((accelerator(), 3_000_000), (hiding, 1_000_000)):
        assert model_of(pu).roof(Kernel.of(graph, graph.operators)).operations == operations


WINOGRAD = {"winograd": {"tile": 2, "efficiency": 0.75}}


def test_the_roof_of_a_transformed_convolution_is_higher() -> None:
    """F(2x2, 3x3) has (4 / 6)^2 of the products; zeros in the weights do not survive it."""
    op = convolution(8, 16, 16)
    fast = accelerator(convolution=WINOGRAD)
    assert roof(fast, op) == (op.macs, 18.0, "int8 Winograd MAC")
    assert roof(accelerator(), op) == (op.macs, 8.0, "int8 MAC")
    assert roof(fast, convolution(8, 16, 16, 1)) == (8 * 8 * 256, 8.0, "int8 MAC")
    assert roof(fast, matmul(8, 16, 4)) == (512, 8.0, "int8 MAC")
    sparse = replace(op, sparsity="2:4")
    some = accelerator(convolution=WINOGRAD, weights={"sparsity": {"2:4": 2.0}})
    many = accelerator(convolution=WINOGRAD, weights={"sparsity": {"2:4": 2.5}})
    assert roof(some, sparse) == (op.macs, 18.0, "int8 Winograd MAC")
    assert roof(many, sparse) == (op.macs, 20.0, "int8 2:4 MAC")


DENSE = LoopNest(1, 1, 8, 8, 16, 16, 3, 3, in_h=8, in_w=8)


def test_only_dense_ones_of_three_by_three_need_fewer_products() -> None:
    """F(m x m, 3x3) takes (m + 2)^2 for 9 m^2: a quarter for 4, four ninths for 2."""
    assert fewest_products(DENSE) == DENSE.macs / 4
    assert fewest_products(DENSE, 2) == pytest.approx(DENSE.macs * 4 / 9)
    for change in ("k_h", "k_w", "stride_h", "stride_w", "dilation_h", "dilation_w", "groups"):
        other = replace(DENSE, **{change: 2})
        assert fewest_products(other) == other.macs


def test_convolutions_go_by_the_efficiency_of_their_class() -> None:
    dense, point, deep = (
        convolution(8, 16, 16), convolution(8, 16, 16, 1),
        convolution(8, 1, 1, groups=16, in_c=1, out_c=1),
    )  # fmt: skip
    for pu in (accelerator(), accelerator(convolution={})):
        assert cycles(pu, dense) == pytest.approx(dense.macs / 4)
        assert cycles(pu, replace(point, variant="pointwise")) == pytest.approx(point.macs / 2)
        assert cycles(pu, deep) == pytest.approx(deep.macs)
        assert cycles(pu, matmul(8, 16, 4)) == pytest.approx(64)


def test_elements_and_sums_of_convolutions_take_their_cycles() -> None:
    """4 x 4 pixels of 16 channels to 8, with 3 x 3 taps: 256 read, 128 written, sums of 144."""
    op = convolution(4, 16, 8)
    refined = {
        "input_cycles": 2.0, "output_cycles": 3.0, "reduction_cycles": 5.0, "width_penalty": 0.5,
        "width_tile": 3, "depthwise": {"input_cycles": 7.0, "output_cycles": 11.0},
    }  # fmt: skip
    # 2 is the largest divisor of 4 that is no more than 3: a quarter of the products is wasted.
    direct = op.macs / 4 * 1.25 + 256 * 2 + 128 * 3
    assert cycles(accelerator(convolution=refined), op) == pytest.approx(direct + 144 * 5)
    deep = convolution(4, 1, 1, groups=16, in_c=1, out_c=1)
    assert cycles(accelerator(convolution=refined), deep) == pytest.approx(
        deep.macs * 1.25 + 256 * 7 + 256 * 11 + 9 * 5
    )
    as_others = accelerator(convolution={**refined, "depthwise": None})
    assert cycles(as_others, deep) == pytest.approx(deep.macs * 1.25 + 256 * 2 + 256 * 3 + 9 * 5)
    quick = {**WINOGRAD["winograd"], "input_cycles": 0.5, "output_cycles": 0.25}
    winograd = accelerator(convolution={**refined, "winograd": quick})
    fast = op.macs * 4 / 9 / (8 * 0.75) + 256 * 0.5 + 128 * 0.25
    assert cycles(winograd, op) == pytest.approx(fast + 144 * 5)
    slow = {**quick, "input_cycles": 1000.0}
    assert cycles(accelerator(convolution={**refined, "winograd": slow}), op) == pytest.approx(
        direct + 144 * 5
    )


def test_zeros_in_weights_speed_up_direct_products_alone() -> None:
    sparse = {"weights": {"sparsity": {"2:4": 2.0}}}
    op = replace(convolution(8, 16, 16), sparsity="2:4")
    assert cycles(accelerator(convolution={}, **sparse), op) == pytest.approx(op.macs / 8)
    assert cycles(accelerator(**sparse), op) == pytest.approx(op.macs / 8)
    slow = accelerator(convolution={"winograd": {"tile": 4, "efficiency": 0.25}}, **sparse)
    # Transformed products are a quarter at a quarter of the peak; half at a half is as much.
    assert cycles(slow, op) == pytest.approx(op.macs / 8)
    assert cycles(slow, replace(op, sparsity="")) == pytest.approx(op.macs / 8)
