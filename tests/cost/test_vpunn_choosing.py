"""The way a VPU's tiles take, against all ways played buffer by buffer; and its engines' times."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import ceil

import numpy as np
import pytest

from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.analytical.pipeline import Engine
from hetsim.cost.learned.vpunn.candidates import candidates
from hetsim.cost.learned.vpunn.choosing import Asked, choose
from hetsim.cost.learned.vpunn.layers import Layer
from hetsim.cost.learned.vpunn.model import VPUNNCostModel
from hetsim.cost.learned.vpunn.transfers import Curve, LearnedEngine
from hetsim.cost.work import Kernel
from hetsim.errors import InfeasibleError
from hetsim.learn.vpunn.workloads import CONVOLUTION, DEPTHWISE, ELTWISE
from hetsim.workload.graph import Graph, Operator, Tensor
from tests.cost.samples import ByHand
from tests.sim.samples import NPU, make_soc, plain_way

JUDGE = ByHand()
CONV = Layer(CONVOLUTION, 0, 1, 32, 64, 8, 8, 8, 8, 3, 3)
LAYERS = {
    "convolution": CONV,
    "groups": replace(CONV, products=3),
    "depthwise": replace(CONV, operation=DEPTHWISE, in_c=64, products=2),
    "sum": replace(CONV, operation=ELTWISE, in_c=64, k_h=1, k_w=1),
    "deep": replace(CONV, in_c=256, out_c=256, out_h=2, out_w=2, in_h=2, in_w=2),
}
ROOMS = (3000, 6000, 12000, 30000, 100000, 2000000)


def asked(room: float, buffers: bool, **changes: float) -> Asked:
    engine = Engine(plain_way(2e9), 1e-7, buffers)
    return replace(Asked(40000, 30000, 5000, 20000, room, 1e-9, engine), **changes)


def played(
    layer: Layer, room: float, buffers: bool, **changes: float
) -> list[tuple[float, int, int, float]]:
    """All ways that fit: seconds, bytes of inputs and of weights, bytes held in a tile."""
    found, ways = candidates(layer, 2, JUDGE), []
    wanted = asked(room, buffers, **changes)
    for i in range(len(found)):
        bands, blocks = int(found.bands[i]), int(found.blocks[i])
        jobs = bands * blocks * layer.products
        for order in ("products blocks bands", "products bands blocks"):
            ranges = {"products": layer.products, "blocks": blocks, "bands": bands}
            seen: dict[str, list[object]] = {"input": [], "weight": []}
            for place in product(*(range(ranges[name]) for name in order.split())):
                at = dict(zip(order.split(), place, strict=True))
                block = at["blocks"] if layer.by_channel else 0
                now = {"input": (at["products"], at["bands"], block),
                       "weight": (at["products"], at["blocks"])}  # fmt: skip
                for name, buffer in now.items():
                    if seen[name][-1:] != [buffer]:
                        seen[name].append(buffer)
            if layer.by_channel and order.endswith("blocks"):
                continue  # then its weights would be read again, and nothing saved
            again = {name: len(order) / len(set(order)) for name, order in seen.items()}
            twice = {name: 1 + (buffers and len(set(order)) > 1) for name, order in seen.items()}
            held = (
                int(found.inputs[i]) * twice["input"]
                + int(found.weights[i]) * twice["weight"]
                + int(found.outputs[i]) * (1 + (buffers and jobs > 1))
                + 5000 / jobs
            )
            if held > room:
                continue
            inputs = round(ceil(wanted.inputs * found.halo[i]) * again["input"])
            weights = round(30000 * again["weight"])
            load, store = (inputs + weights + 5000) / jobs / 2e9, wanted.outputs / jobs / 2e9
            compute = found.cycles[i] / jobs * wanted.cycle_s
            slot = max(compute, load + store + 1e-7)
            seconds = load + 1e-7 + slot * (jobs - 1) + compute + store + 1e-7
            if not buffers:
                seconds = jobs * (load + store + 2e-7 + compute)
            ways.append((seconds, inputs, weights, held))
    return ways


AMOUNTS: dict[str, dict[str, float]] = {
    "balanced": {}, "busy": {"cycle_s": 1e-7}, "storing": {"outputs": 400000, "inputs": 1000},
    "busy storing": {"outputs": 400000, "cycle_s": 5e-8},
}  # fmt: skip


@pytest.mark.parametrize("buffers", [True, False])
@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("amounts", AMOUNTS)
@pytest.mark.parametrize("name", LAYERS)
def test_the_way_that_is_over_first_is_taken(
    name: str, amounts: str, room: float, buffers: bool
) -> None:
    layer, changes = LAYERS[name], AMOUNTS[amounts]
    ways = played(layer, room, buffers, **changes)
    wanted = asked(room, buffers, **changes)
    if not ways:
        with pytest.raises(InfeasibleError, match="bytes larger than a tile's memory"):
            choose(layer, 2, JUDGE, wanted)
        return
    best = min(ways)[0]
    choice = choose(layer, 2, JUDGE, wanted)
    found = choice.tiling
    jobs = found.tiles
    load, store = found.input_load + found.weight_load + 5000, found.store_bytes
    compute = found.compute_s / jobs
    moving = (load + store) / jobs / 2e9
    ends = load / jobs / 2e9 + store / jobs / 2e9 + 2e-7
    taken = ends + compute + max(compute, moving + 1e-7) * (jobs - 1)
    if not buffers:
        taken = jobs * (moving + 2e-7 + compute)
    assert taken == pytest.approx(best, rel=1e-6)
    if found.stay == "weights" or layer.by_channel:
        assert found.weight_load == 30000
    else:
        halos = candidates(layer, 2, JUDGE).halo
        assert found.input_load in np.ceil(wanted.inputs * halos).tolist()
    assert any(
        (found.input_load, found.weight_load) == (inputs, weights)
        and found.held_bytes == ceil(held * choice.tiles)
        and found.free_weights == int((room - held) * choice.tiles)
        for seconds, inputs, weights, held in ways
        if seconds == pytest.approx(best, rel=1e-6)
    )


def test_by_how_much_the_smallest_job_is_too_large() -> None:
    fits = choose(CONV, 1, JUDGE, asked(1e9, True, extra=0, inputs=0, outputs=0))
    assert fits.tiling.tiles == 1
    # 16 filters of 9 taps of 32 channels and 16 bytes a filter, one of four buffered twice.
    least = 2 * 16 * (9 * 32 + 16)
    only_weights = asked(least, True, extra=0, inputs=0, outputs=0)
    assert choose(CONV, 1, JUDGE, only_weights).tiling.held_bytes == least
    with pytest.raises(InfeasibleError, match="is 7 bytes larger"):
        choose(CONV, 1, JUDGE, replace(only_weights, room=least - 7))


def test_no_more_is_moved_than_allowed_where_a_way_moves_so_little() -> None:
    tight = asked(12000, True)
    free = choose(CONV, 2, JUDGE, tight).tiling
    moved = free.input_load + free.weight_load + 5000 + 20000
    fewest = min(inputs + weights for _, inputs, weights, _ in played(CONV, 12000, True)) + 25000
    for most in (moved, fewest, 1.0):
        found = choose(CONV, 2, JUDGE, replace(tight, most=most)).tiling
        now = found.input_load + found.weight_load + 5000 + 20000
        assert now <= most if most > 1.0 else now == moved  # what nothing can obey holds nobody up


def test_rows_are_quicker_for_three_tiles_and_read_halos() -> None:
    """3 of 8 rows, of which 5 are read, or half of the channels: 15 rows of 8 are read, or all."""
    slow = asked(1e6, True, cycle_s=1e-5)
    free = choose(CONV, 3, JUDGE, slow)
    assert (free.tiling.input_load, free.tiles) == (75000, 3)
    assert free.note == "1 jobs, on each of 3 tiles by rows, 16x16"
    most = 40000 + 30000 + 5000 + 20000
    tight = choose(CONV, 3, JUDGE, replace(slow, most=most))
    assert (tight.tiling.input_load, tight.tiles) == (40000, 2)
    assert tight.note == "1 jobs, on each of 2 tiles by channels, 16x16"
    assert choose(CONV, 3, JUDGE, replace(slow, most=most - 1)) == free
    assert choose(CONV, 1, JUDGE, slow).note == "1 jobs, 16x16"


CURVE = Curve(np.array([1.0, 2, 4]), np.array([10.0, 10, 30]), np.array([100.0, 200, 400]))


def test_a_transfer_is_halved_between_engines_and_stores_follow_loads() -> None:
    engine = LearnedEngine(plain_way(1e9), 0.0, True, curve=CURVE)
    loads, stores = np.array([0, 8, 6, 0, 4]), np.array([0, 0, 0, 2, 8])
    assert engine.least(loads, stores).tolist() == [0, 30, 20, 100, 10 + 400]
    assert engine.alone(loads, stores).tolist() == [0, 30, 20, 100, 410]
    slow = LearnedEngine(plain_way(0.1), 0.0, True, curve=CURVE)
    assert slow.alone(np.array([8]), np.array([0])).tolist() == [80]  # the way takes longer
    # Beyond the largest size, at the rate of that.
    assert CURVE.at(CURVE.loading, np.array([12.0])).tolist() == [90]


def test_notes_count_distinct_operators() -> None:
    shape = (1, 64, 16, 16)
    windows = [[13, 1], [13, 1], [12, 1], [3, 1]]
    operators = [
        Operator(
            f"p{i}",
            "MaxPool",
            ("x",),
            (f"y{i}",),
            dtype="float16",
            attributes={"kernel_shape": window},
        )
        for i, window in enumerate(windows)
    ]
    operators += [
        Operator("a", "Add", ("x", "x"), ("s",), dtype="float16"),
        Operator("r", "Relu", ("x",), ("t",), dtype="float16"),
    ]
    heights = {f"y{i}": 17 - window[0] for i, window in enumerate(windows)}
    names = {name: (1, 64, high, 16) for name, high in heights.items()}
    names |= dict.fromkeys("xst", shape)
    tensors = [Tensor(name, dims, "float16") for name, dims in names.items()]
    graph = Graph.create("n", operators, tensors, ["x"], [op.outputs[0] for op in operators])
    npu = make_soc({"npu": NPU | {"dtypes": {"float16": 1.0}}}).by_name["npu"]
    model = VPUNNCostModel(JUDGE, None, AnalyticalModel())
    assert model.notes() == []
    known = [
        model.work(graph, Kernel.of(graph, (op,)), npu) is not None
        for op in (*operators, *operators)
    ]
    assert known == [False, False, False, True, True, False] * 2
    assert model.notes() == [
        "2 of 4 distinct operators for the array are out of the range of 'by hand' and left to the"
        " analytical model: kernels of more than 11 (2)"
    ]
