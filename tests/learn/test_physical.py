from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hetsim.forms.convolution import (
    ConvParameters,
    ConvRows,
    compute_seconds,
    largest_divisor,
    seconds,
    winograd_saving,
)
from hetsim.learn.physical.choose import BASELINES, baseline_for
from hetsim.learn.physical.convolution import ConvBaseline
from hetsim.learn.tables import read_measurements
from hetsim.learn.tables.forms import NPU, TRANSFER
from hetsim.workload.convolution import CLASSES, convolution_class
from hetsim.workload.graph import LoopNest
from tests.learn.samples import TRUTH, rows_of, shapes, table_of


@pytest.mark.slow
def test_a_generated_device_gives_its_parameters_back(tmp_path: Path) -> None:
    fitted = ConvBaseline().fit(table_of(tmp_path, 250))
    found = fitted.values
    assert (found.width_tile, found.winograd_tile) == (TRUTH.width_tile, TRUTH.winograd_tile)
    for name in ("", "pointwise", "depthwise", "stem"):
        assert found.rate[name] == pytest.approx(TRUTH.rate[name], rel=0.1), name
    assert found.dispatch_s == pytest.approx(TRUTH.dispatch_s, rel=0.3)
    assert found.input_s[""] == pytest.approx(TRUTH.input_s[""], rel=0.15)
    assert found.output_s[""] == pytest.approx(TRUTH.output_s[""], rel=0.15)
    assert found.width_penalty == pytest.approx(TRUTH.width_penalty, rel=0.3)
    unseen = rows_of(shapes(400, seed=9))
    error = np.abs(seconds(found, unseen) / seconds(TRUTH, unseen) - 1)
    assert error.mean() < 0.02


@pytest.mark.slow
def test_outliers_do_not_drag_the_fit(tmp_path: Path) -> None:
    slow = {s for i, s in enumerate(shapes(150)) if i % 20 == 0}
    table = table_of(tmp_path, 150, quirk=lambda s: 6.0 if s in slow else 1.0)
    found = ConvBaseline().fit(table).values
    unseen = rows_of(shapes(300, seed=9))
    error = np.abs(seconds(found, unseen) / seconds(TRUTH, unseen) - 1)
    assert np.median(error) < 0.05


@pytest.mark.slow
def test_a_stated_peak_is_never_exceeded(tmp_path: Path) -> None:
    peak = 5e9  # below what the device really does
    table = table_of(tmp_path, 100)
    fitted = ConvBaseline(peak, 1e12).fit(table)
    assert max(fitted.values.rate.values()) <= peak * 1.0001
    assert (fitted.predict(table) >= fitted.floor(table) * 0.999).all()


@pytest.mark.slow
def test_parameters_survive_being_flattened(tmp_path: Path) -> None:
    table = table_of(tmp_path, 60)
    baseline = baseline_for(table)
    fitted = baseline.fit(table)
    again = baseline.restore(fitted.parameters())
    assert (again.predict(table) == fitted.predict(table)).all()
    assert (again.floor(table) == fitted.floor(table)).all()


def _plain(**changes: object) -> ConvParameters:
    zero = {"": 0.0, "depthwise": 0.0, "winograd": 0.0}
    fields = {"rate": dict.fromkeys(TRUTH.rate, 1e9), "input_s": zero, "output_s": zero}
    return ConvParameters(**(fields | changes))  # type: ignore[arg-type]


def test_the_formula_in_closed_form() -> None:
    rows = rows_of([(64, 56, 128, 3, 1, 1)])
    macs = 128 * 56 * 56 * 64 * 9
    assert compute_seconds(_plain(), rows)[0] == pytest.approx(macs / 1e9)
    with_width = _plain(width_penalty=0.8, width_tile=8)
    assert compute_seconds(with_width, rows)[0] == pytest.approx(macs / 1e9 * 1.1)  # 56 = 7 * 8
    with_inputs = _plain(input_s={"": 1e-9, "depthwise": 0.0, "winograd": 0.0})
    assert compute_seconds(with_inputs, rows)[0] == pytest.approx((macs + 64 * 56 * 56) / 1e9)
    deep = _plain(reduction_s=1e-6)
    assert compute_seconds(deep, rows)[0] == pytest.approx(macs / 1e9 + 576e-6)
    # F(4x4, 3x3) needs a quarter of the products, and 56 is a multiple of 4.
    assert compute_seconds(_plain(winograd_tile=4), rows)[0] == pytest.approx(macs / 4e9)
    assert winograd_saving(2) == pytest.approx(4 / 9)
    slow = _plain(bandwidth=1e6)
    moved = 4 * (64 * 56 * 56 + 128 * 56 * 56 + 128 * 576)
    assert seconds(slow, rows)[0] == pytest.approx(moved / 1e6)


def test_winograd_is_only_for_dense_unit_stride_3x3() -> None:
    others = [
        (64, 56, 64, 3, 2, 1), (64, 56, 64, 1, 1, 1), (64, 56, 64, 3, 1, 64), (3, 56, 64, 3, 1, 1),
    ]  # fmt: skip
    assert not rows_of(others).winograd.any()
    assert rows_of([(64, 56, 64, 3, 1, 1)]).winograd.all()


@pytest.mark.slow
@given(st.integers(1, 600), st.sampled_from([1, 4, 8, 16]))
def test_largest_divisor_divides_and_is_largest(value: int, most: int) -> None:
    found = int(largest_divisor(np.array([value]), most)[0])
    assert value % found == 0
    assert not any(value % d == 0 for d in range(found + 1, most + 1))


def test_classes_are_those_of_the_workload() -> None:
    for shape in shapes(80):
        c_in, extent, c_out, kernel, stride, groups = shape
        nest = LoopNest(
            1, groups, extent, extent, c_in // groups, c_out // groups, kernel, kernel, stride,
            stride, 1, 1, extent, extent,
        )  # fmt: skip
        assert CLASSES[int(ConvRows.of_nests([nest], 4.0).variant[0])] == convolution_class(nest)


def test_transfers_give_latency_and_bandwidth_back(tmp_path: Path) -> None:
    sizes = [2**i for i in range(21)]
    lines = [f"d,{s},DDR2CMX,{500 + s / 32}" for s in sizes]
    lines += [f"d,{s},CMX2DDR,{100 + s / 16}" for s in sizes]
    path = tmp_path / "dma.csv"
    path.write_text("\n".join(["device,bytes,direction,cycles_at_975MHz", *lines]) + "\n")
    table = read_measurements(path)
    assert table.form == TRANSFER.name
    fitted = baseline_for(table).fit(table)
    found = fitted.parameters()
    assert found["latency.DDR2CMX"] == pytest.approx(500, rel=0.02)
    assert found["bandwidth.CMX2DDR"] == pytest.approx(16, rel=0.02)
    assert np.abs(fitted.predict(table) / table.target - 1).max() < 0.02
    assert BASELINES[NPU.name]
