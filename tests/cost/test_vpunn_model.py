"""What a VPU's cost model asks of its tiles for each kernel, and what it makes of the answer."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
import pytest

from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.analytical.pipeline import Engine, pipeline
from hetsim.cost.chain import CostModel
from hetsim.cost.learned.vpunn.choosing import Asked, choose, fewest_cycles
from hetsim.cost.learned.vpunn.layers import Layer, layer_of
from hetsim.cost.learned.vpunn.model import VPUNNCostModel
from hetsim.cost.learned.vpunn.transfers import Curve, LearnedEngine
from hetsim.cost.work import NOWHERE, Kernel, Residency, Work
from hetsim.errors import InfeasibleError
from hetsim.learn.vpunn.workloads import Workloads
from hetsim.numeric import Floats
from hetsim.soc.model import PU
from hetsim.workload.graph import Graph, LoopNest, Operator, Tensor
from tests.cost.samples import ByHand
from tests.sim.samples import NPU, make_soc

JUDGE = ByHand()
TILES = NPU | {
    "cores": 2, "core_sync": "3 us", "dispatch": "2 us", "dtypes": {"float16": 1.0},
    "sram": "64 kB", "dma": {"bandwidth": "1e9 GB/s", "setup": "1 us"}, "fuse": ["Conv-Add"],
    "exclude": ["MaxPool"], "operating_points": {"on": {"clock": "500 MHz"}},
}  # fmt: skip
SOC = make_soc({"npu": TILES})
PU_ = SOC.by_name["npu"]
ENGINE = Engine(PU_.home, 1e-6, True)
IMAGE, BYTES = (1, 32, 8, 8), 32 * 8 * 8 * 2


def graph_of(*operators: Operator) -> Graph:
    """All tensors are images of 4,096 bytes."""
    written = [t for op in operators for t in op.outputs]
    read = dict.fromkeys(t for op in operators for t in op.inputs)
    tensors = [Tensor(t, IMAGE, "float16") for t in dict.fromkeys([*read, *written])]
    return Graph.create(
        "n", operators, tensors, [t for t in read if t not in written],
        [t for t in written if t not in read],
    )  # fmt: skip


NEST = LoopNest(1, 1, 8, 8, 32, 32, 3, 3, in_h=8, in_w=8)
WEIGHTS = 32 * 32 * 9
CONV = Operator("c", "Conv", ("x",), ("y",), (("float16", WEIGHTS),), macs=NEST.macs, nest=NEST,
                dtype="float16")  # fmt: skip
ADD = Operator("a", "Add", ("y", "z"), ("s",), element_ops=2048, dtype="float16")
ALONE = replace(ADD, inputs=("x", "z"))
FACTORS = replace(
    CONV, kind="MatMul", inputs=("x", "z"), weights=(), macs=64 * 32 * 32,
    nest=LoopNest(1, 1, 1, 64, 32, 32, in_w=64, weights_are_activations=True),
)  # fmt: skip


def model(curve: Curve | None = None, analytical: CostModel | None = None) -> VPUNNCostModel:
    return VPUNNCostModel(JUDGE, curve, analytical or AnalyticalModel())


def layer(graph: Graph, pu: PU = PU_) -> Layer:
    found = layer_of(graph, graph.operators[0], pu)
    assert isinstance(found, Layer)
    return found


def asked(inputs: int, weights: int, extra: int, outputs: int, **changes: Any) -> Asked:
    """In half of the memory, at 2 ns a cycle."""
    return replace(Asked(inputs, weights, extra, outputs, 64e3, 2e-9, ENGINE), **changes)


@pytest.mark.parametrize(
    ("operators", "amounts"),
    [
        ([CONV], (BYTES, 2 * WEIGHTS, 0, BYTES)),
        # The other operand of a fused sum is streamed in beside the output.
        ([CONV, ADD], (BYTES, 2 * WEIGHTS, BYTES, BYTES)),
        ([ALONE], (2 * BYTES, 0, 0, BYTES)),
        ([replace(ALONE, inputs=("x", "x"))], (BYTES, 0, 0, BYTES)),
        # The second factor stands where constants do; of a square there is one to load.
        ([FACTORS], (BYTES, BYTES, 0, BYTES)),
        ([replace(FACTORS, inputs=("x", "x"))], (BYTES, 0, 0, BYTES)),
    ],
)
def test_what_is_asked_is_what_the_kernel_moves(
    operators: list[Operator], amounts: tuple[int, int, int, int]
) -> None:
    graph = graph_of(*operators)
    choice = choose(layer(graph), 2, JUDGE, asked(*amounts))
    cut = pipeline(choice.tiling, ENGINE)
    assert model().work(graph, Kernel.of(graph, graph.operators), PU_) == Work(
        2e-6 + (3e-6 if choice.tiles > 1 else 0.0),
        choice.tiling.compute_s,
        cut.phases,
        cut.tiles,
        overlapped=True,
        weight_bytes=choice.tiling.weight_load,
        first_weights=cut.first_weights,
        free_weights=choice.tiling.free_weights,
        on_chip_bytes=choice.tiling.held_bytes,
        source="learned",
        note=choice.note,
        clock_hz=5e8,
    )


def test_one_tile_meets_nobody() -> None:
    one = make_soc({"npu": TILES | {"cores": 1, "core_sync": "0 us"}}).by_name["npu"]
    graph = graph_of(CONV)
    assert model().work(graph, Kernel.of(graph, graph.operators), one).dispatch_s == 2e-6
    # A row of sixteen channels is nothing to share.
    small = graph_of(replace(CONV, nest=replace(NEST, out_h=1, in_h=3, out_c=16)))
    assert model().work(small, Kernel.of(small, small.operators), PU_).dispatch_s == 2e-6


@pytest.mark.parametrize(
    ("kept", "changes"),
    [
        (Residency(frozenset("x"), reserved_bytes=9000), {"inputs": 0}),
        (Residency(frozenset(), frozenset("y"), 9000), {"outputs": 0}),
        (Residency(frozenset("x"), frozenset("y"), 9000), {"inputs": 0, "outputs": 0}),
    ],
)
def test_what_stays_on_chip_is_not_asked_for_and_takes_room(
    kept: Residency, changes: dict[str, int]
) -> None:
    graph = graph_of(CONV)
    whole = asked(BYTES, 2 * WEIGHTS, 0, BYTES)
    plain = choose(layer(graph), 2, JUDGE, whole).tiling
    most = plain.input_load + plain.weight_load + plain.store_bytes
    less = replace(whole, room=64e3 - 4500, most=most, **changes)
    tiling = choose(layer(graph), 2, JUDGE, less).tiling
    found = model().work(graph, Kernel.of(graph, graph.operators), PU_, kept)
    assert found.phases == pipeline(tiling, ENGINE).phases
    assert found.on_chip_bytes == 9000 + tiling.held_bytes
    assert found.free_weights == tiling.free_weights


def test_operators_without_loops_are_told_apart_by_their_shapes() -> None:
    sums = [Operator(name, "Add", (name * 2, name * 3), (name * 4,), dtype="float16")
            for name in "ab"]  # fmt: skip
    shapes = {"a": IMAGE, "b": (1, 32, 8, 4)}
    tensors = [
        Tensor(name * n, shape, "float16") for name, shape in shapes.items() for n in (2, 3, 4)
    ]
    graph = Graph.create("n", sums, tensors, ["aa", "aaa", "bb", "bbb"], ["aaaa", "bbbb"])
    costs = model()
    whole, half = (costs.work(graph, Kernel.of(graph, (op,)), PU_) for op in sums)
    assert whole.store_bytes == 2 * half.store_bytes
    assert whole.compute_s > half.compute_s


def test_learned_transfers_are_not_played_tile_by_tile() -> None:
    sizes = np.array([1.0, 1e6])
    curve = Curve(sizes, np.array([1e-5, 1e-3]), np.array([2e-5, 2e-3]))
    engine = LearnedEngine(PU_.home, 1e-6, True, curve=curve)
    graph = graph_of(CONV)
    choice = choose(layer(graph), 2, JUDGE, asked(BYTES, 2 * WEIGHTS, 0, BYTES, engine=engine))
    found = model(curve).work(graph, Kernel.of(graph, graph.operators), PU_)
    assert found.phases == pipeline(choice.tiling, engine).phases
    assert found.tiles == ()


def test_what_can_never_run_is_told_with_its_reason() -> None:
    pool = Operator("p", "MaxPool", ("x",), ("y",), attributes={"kernel_shape": [1, 1]},
                    dtype="float16")  # fmt: skip
    graph = graph_of(pool)
    with pytest.raises(InfeasibleError, match=r"^p cannot run: MaxPool is excluded on npu$"):
        model().work(graph, Kernel.of(graph, graph.operators), PU_)
    graph = graph_of(CONV)
    tight = Residency(reserved_bytes=127_000)  # leaves 500 bytes of each tile
    with pytest.raises(InfeasibleError, match=r"^c cannot run on npu: its smallest job is"):
        model().work(graph, Kernel.of(graph, graph.operators), PU_, tight)


class Told(AnalyticalModel):
    """Whose floors are given."""

    def __init__(self, least: float | None) -> None:
        self.least = least

    def floor(self, graph: Graph, op: int, pu: PU) -> float | None:
        return self.least


def test_floors_are_of_the_quickest_jobs_unless_it_may_run_inside_another_kernel() -> None:
    graph = graph_of(CONV, ADD)
    cycles = fewest_cycles(layer(graph), 2, JUDGE)
    assert model(None, Told(1e-9)).floor(graph, 0, PU_) == pytest.approx(cycles * 2e-9 + 2e-6)
    assert model(None, Told(inf)).floor(graph, 0, PU_) == inf
    assert model(None, Told(None)).floor(graph, 0, PU_) is None
    assert model(None, Told(1e-9)).floor(graph, 1, PU_) == 1e-9
    relu = graph_of(Operator("r", "Relu", ("x",), ("y",), dtype="float16"))
    assert model(None, Told(1e-9)).floor(relu, 0, PU_) is None


def test_shapes_that_the_judge_never_saw_are_left_to_others() -> None:
    class Ignorant(ByHand):
        def cycles(self, jobs: Workloads) -> Floats:
            return np.full(len(jobs), np.nan)

    graph = graph_of(CONV)
    costs = VPUNNCostModel(Ignorant(), None, AnalyticalModel())
    assert costs.work(graph, Kernel.of(graph, graph.operators), PU_, NOWHERE) is None
    assert costs.floor(graph, 0, PU_) is None
    assert costs.notes() == [
        "1 of 1 distinct operators for the array are out of the range of 'by hand' and left to the"
        " analytical model: jobs that it was not trained on (1)"
    ]
