"""Learned times in the place of analytical ones, by hand: 1 GB/s at the end of 0.5 ms."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hetsim.cost.learned.model import LearnedCostModel
from hetsim.cost.measured.fit import alone_s
from hetsim.cost.work import NOWHERE, Kernel, Phase, Residency, Work
from hetsim.errors import ConfigError, InfeasibleError
from hetsim.learn.physical.given import FLOOR, PHYSICAL, FittedGiven
from hetsim.soc.model import PU
from tests.cost.samples import BASE, LOAD, MEMORY, RUN, SLOW, Told, matmul, network
from tests.sim.samples import make_soc

MS = 1e-3
MB = 1_000_000
CPU = SLOW.by_name["cpu"]
NPU_ = SLOW.by_name["npu"]  # with managed memory
KEPT = Residency(frozenset({"x"}))


@dataclass
class Learned:
    """A learned model that always says the same."""

    seconds: float = 20 * MS
    valid: bool = True
    physical: Any = None
    file: str = "m.npz"
    asked: list[Any] = field(default_factory=list)
    error: Exception | None = None

    def predict(self, rows: Any) -> Any:
        self.asked.append(rows)
        if self.error:
            raise self.error
        one = np.ones(1)
        return SimpleNamespace(value=one * self.seconds, valid=one == self.valid, spread=one * 0.07)

    def why_invalid(self, rows: Any, row: int) -> str:
        return f"macs {rows['macs'][row]} is outside"


def model(learned: Learned, told: Told, pu: PU = NPU_) -> LearnedCostModel:
    return LearnedCostModel({pu.cluster: learned}, told)  # type: ignore[dict-item]


GRAPH = network(matmul(4, 4, 4))
ONE, BOTH = Kernel.of(GRAPH, GRAPH.operators[:1]), Kernel.of(GRAPH, GRAPH.operators)


def test_the_predicted_time_is_that_of_the_kernel_alone() -> None:
    found = model(Learned(20 * MS), Told()).work(GRAPH, ONE, NPU_)
    assert alone_s(found, NPU_.home) == pytest.approx(20 * MS)
    assert (found.source, found.note) == ("learned", "spread 7%")
    assert found.phases[0] == LOAD
    assert (found.dispatch_s, found.load_bytes) == (2 * MS, 3 * MB)


def test_dispatch_and_bytes_are_never_undercut() -> None:
    """2 ms of dispatch, 1 of latency, 4 of the load and 2 of the other bytes."""
    found = model(Learned(1 * MS), Told()).work(GRAPH, ONE, NPU_)
    assert alone_s(found, NPU_.home) == pytest.approx(9 * MS)
    assert (found.dispatch_s, found.load_bytes, found.note) == (2 * MS, 3 * MB, "spread 7%")


@pytest.mark.parametrize(("tail", "expected"), [(5 * MS, 25 * MS), (-1 * MS, 20 * MS)])
def test_what_is_fused_behind_adds_what_the_analytical_model_says(
    tail: float, expected: float
) -> None:
    found = model(Learned(), Told(tail_s=tail)).work(GRAPH, BOTH, NPU_)
    assert alone_s(found, NPU_.home) == pytest.approx(expected)


def resident(run: Phase, pu: PU = NPU_, floors: float | None = 2.5 * MS) -> Work:
    """``run`` is all that is left to do where ``x`` stays on chip; it takes twice the time."""
    kept = replace(BASE, phases=(run,), compute_s=run.compute_s)
    told = Told({NOWHERE: BASE, KEPT: kept}, floors)
    found = model(Learned(20 * MS), told, pu).work(GRAPH, ONE, pu, KEPT)
    assert found is not None
    assert (found.source, found.note, found.tiles, found.clock_hz) == (
        "learned", "spread 7%", (), 0.0,
    )  # fmt: skip
    return found


def test_where_a_tensor_stays_arithmetic_is_multiplied_as_the_whole_time_was() -> None:
    found = resident(RUN)
    assert found.phases == (replace(RUN, seconds=6 * MS, compute_s=6 * MS),)
    assert (found.compute_s, found.dispatch_s) == (6 * MS, 2 * MS)
    moving = replace(RUN, load_bytes=7 * MB)  # 7 ms, longer than twice the arithmetic
    assert resident(moving).phases == (replace(moving, seconds=7 * MS, compute_s=6 * MS),)
    idle = Phase("load", 1 * MS, MB)
    assert resident(idle).phases == (idle,)


def test_bounds_count_on_arithmetic_that_no_prediction_takes_away() -> None:
    """The floor of 10 ms is 2 of dispatch and 8 of arithmetic, more than twice 3."""
    assert resident(RUN, floors=10 * MS).compute_s == pytest.approx(8 * MS)
    assert resident(RUN, floors=1 * MS).compute_s == 6 * MS
    assert resident(RUN, floors=None).compute_s == 6 * MS


def test_keeping_a_tensor_on_chip_never_takes_longer() -> None:
    slow = replace(RUN, load_bytes=18 * MB)  # with dispatch and latency 20.5 ms
    assert resident(slow).load_bytes == 3 * MB
    quick = replace(RUN, load_bytes=17 * MB)
    assert resident(quick).load_bytes == 17 * MB
    assert resident(RUN, CPU).load_bytes == 3 * MB  # a cache keeps what it likes


def test_floors_are_the_prediction_where_nothing_can_be_saved() -> None:
    fused, heading = (
        make_soc({"cpu": {"fuse": [chain]}}, memory=MEMORY).by_name["cpu"]
        for chain in ("Conv-MatMul", "MatMul-Relu")
    )

    def floor(seconds: float, least: float | None, pu: PU = CPU) -> float | None:
        return model(Learned(seconds), Told(floors=least), pu).floor(GRAPH, 0, pu)

    assert floor(20 * MS, 3 * MS) == 20 * MS
    assert floor(20 * MS, 3 * MS, NPU_) == 3 * MS  # a tensor may stay
    assert floor(1 * MS, 3 * MS, NPU_) == 1 * MS
    assert floor(20 * MS, 3 * MS, fused) == 3 * MS  # it may run inside another kernel
    assert floor(20 * MS, 3 * MS, heading) == 20 * MS
    assert floor(20 * MS, None) is None
    assert model(Learned(), Told()).floor(GRAPH, 1, NPU_) is None  # a Relu


def test_only_products_with_constants_are_asked_about_and_each_once() -> None:
    learned = Learned()
    costs = model(learned, Told())
    computed = matmul(4, 4, 4)
    computed = replace(computed, nest=replace(computed.nest, weights_are_activations=True))
    graph = network(matmul(4, 4, 4), computed, matmul(4, 4, 4), matmul(4, 4, 5))
    asked = [costs.work(graph, Kernel.of(graph, (op,)), NPU_) for op in graph.operators]
    assert [work is not None for work in asked] == [True, False, True, True, False]
    assert len(learned.asked) == 2
    assert costs.within == 2
    assert costs.work(graph, Kernel.of(graph, graph.operators[:1]), CPU) is None
    nothing = model(Learned(), Told({NOWHERE: None}))
    assert nothing.work(GRAPH, ONE, NPU_) is None


def test_what_is_out_of_range_is_left_to_others_and_told_by_reason() -> None:
    graph = network(*(matmul(4, 4, n) for n in (5, 4, 3, 2, 1)))
    learned = Learned(valid=False)
    costs = model(learned, Told())
    assert costs.notes() == []
    for op in (*graph.operators, *graph.operators):
        assert costs.work(graph, Kernel.of(graph, (op,)), NPU_) is None
    learned.valid = True
    known = network(matmul(9, 9, 9))
    assert costs.work(known, Kernel.of(known, known.operators[:1]), NPU_) is not None
    costs.refused["npu: macs 80 is outside"] += 2
    assert costs.notes() == [
        "7 of 8 distinct operators asked of the learned model were out of its range and left to"
        " the analytical one: npu: macs 80 is outside (3); npu: macs 16 is outside (1); npu: macs"
        " 32 is outside (1); 2 more"
    ]
    del costs.refused["npu: macs 48 is outside"], costs.refused["npu: macs 64 is outside"]
    assert costs.notes()[0].endswith("npu: macs 32 is outside (1)")


def test_one_learned_on_top_of_predictions_is_given_the_analytical_ones() -> None:
    learned = Learned(physical=FittedGiven())
    assert model(learned, Told()).work(GRAPH, ONE, NPU_) is not None
    [rows] = learned.asked
    assert rows.number(PHYSICAL) == pytest.approx([10 * MS])
    assert rows.number(FLOOR) == pytest.approx([2.5 * MS])
    for told in (Told({NOWHERE: None}), Told(floors=None)):
        assert model(learned, told).work(GRAPH, ONE, NPU_) is None
    assert len(learned.asked) == 1

    class Unable(Told):
        def work(self, *_: Any) -> Work | None:
            raise InfeasibleError("does not fit")

    assert model(learned, Unable()).work(GRAPH, ONE, NPU_) is None


@pytest.mark.parametrize("error", [KeyError("bytes"), ValueError("no such form")])
def test_a_model_of_something_else_is_refused_with_its_file(error: Exception) -> None:
    with pytest.raises(ConfigError, match=r"^m\.npz: the learned model cannot tell a time of Mat"):
        model(Learned(error=error), Told()).work(GRAPH, ONE, NPU_)
