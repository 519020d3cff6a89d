"""Fitting a described GPU: what made the rows is found again, and written to the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from hetsim.calibrate.gpu import FittedGPU, GPUTarget, nests_of
from hetsim.calibrate.target import find_target
from hetsim.cli.main import entry
from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.work import Kernel
from hetsim.errors import ConfigError
from hetsim.learn.tables import read_measurements
from hetsim.learn.tables.table import Measurements
from hetsim.soc.loader import load_soc
from hetsim.workload.graph import Graph, Operator, Tensor
from tests.learn.samples import HEADER, row_of, shapes

SOC = """\
hetsim: soc/1
name: shaded
memory: {dram: {bandwidth: 6 GB/s, capacity: 1 GiB}}
pus:
  cpu: {kind: cpu_cluster, cores: 1, path: [dram], operating_points: {on: {clock: 1 GHz}},
        macs_per_cycle: {float32: 4}, element_ops_per_cycle: {float32: 4},
        efficiency: {default: 0.5}}
  gpu:
    kind: gpu
    path: [dram]
    operating_points: {on: {clock: 800 MHz}}
    cores: 4
    resident: 2
    macs_per_cycle: {float32: 8}
    element_ops_per_cycle: {float32: 8}
    efficiency:
      default: 0.5
    operand_width: 16
    winograd: 4
    dispatch: 10 us
runtime: {host: cpu}
"""
TRUE = {"share": 0.42, "depthwise": 0.11, "dispatch_s": 150e-6}
CHOSEN = shapes(60)


def write(path: Path, times: Sequence[float], lines: Sequence[int]) -> Path:
    chosen = (CHOSEN[line - 2] for line in lines)
    rows = (row_of(shape, 1e6 * time) for shape, time in zip(chosen, times, strict=True))
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def soc(tmp_path: Path) -> Path:
    path = tmp_path / "shaded.yaml"
    path.write_text(SOC, encoding="utf-8")
    return path


@pytest.fixture
def table(soc: Path, tmp_path: Path) -> Measurements:
    blank = read_measurements(write(tmp_path / "blank.csv", [1.0] * 60, range(2, 62)))
    target = find_target(load_soc(soc), "gpu", blank)
    stated = target.stated()
    assert isinstance(stated, FittedGPU)
    assert tuple(stated.parameters().values()) == pytest.approx((0.5, 0.5, 10e-6))
    times = replace(stated, **TRUE).predict(blank)
    return read_measurements(write(tmp_path / "m.csv", times.tolist(), blank.lines))


def test_what_made_the_rows_is_found_again(soc: Path, table: Measurements) -> None:
    target = find_target(load_soc(soc), "gpu", table)
    assert isinstance(target, GPUTarget)
    fitted = target.baseline(table).fit(table)
    assert isinstance(fitted, FittedGPU)
    assert fitted.share == pytest.approx(TRUE["share"], rel=0.02)
    assert fitted.depthwise == pytest.approx(TRUE["depthwise"], rel=0.02)
    assert fitted.dispatch_s == pytest.approx(TRUE["dispatch_s"], rel=0.02)
    assert target.baseline(table).restore(fitted.parameters()) == fitted
    assert (fitted.floor(table) <= table.target).all()


@pytest.mark.slow
def test_the_file_says_what_was_fitted_and_simulates_it(
    soc: Path, table: Measurements, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    measured = ["--measurements", str(tmp_path / "m.csv")]
    assert entry(["calibrate", str(soc), "--pu", "gpu", *measured, "-o", str(out)]) == 0
    written = out / "shaded.yaml"
    gpu = yaml.safe_load(written.read_text(encoding="utf-8"))["pus"]["gpu"]
    assert gpu["efficiency"]["Conv"] == pytest.approx(TRUE["share"], rel=0.02)
    assert gpu["efficiency"]["Conv.depthwise"] == pytest.approx(TRUE["depthwise"], rel=0.02)
    calibrated = load_soc(written)
    stated = find_target(calibrated, "gpu", table).stated()
    assert stated is not None
    # What the fit predicts is what the simulator's cost model says of the same convolution.
    pu = calibrated.by_name["gpu"]
    for nest, predicted in zip(nests_of(table), stated.predict(table), strict=True):
        ins, outs = nest.groups * nest.in_c, nest.groups * nest.out_c
        op = Operator(
            "c", "Conv", ("x",), ("y",), macs=nest.macs, nest=nest,
            weights=(("float32", outs * nest.in_c * nest.k_h * nest.k_w),),
            variant="depthwise" if nest.groups > 1 else "",
        )  # fmt: skip
        tensors = [
            Tensor("x", (1, ins, nest.in_h, nest.in_w)),
            Tensor("y", (1, outs, nest.out_h, nest.out_w)),
        ]
        graph = Graph.create("one", [op], tensors, ["x"], ["y"])
        work = AnalyticalModel().work(graph, Kernel.of(graph, (op,)), pu)
        assert work is not None
        alone = work.dispatch_s + max(
            work.compute_s, (work.load_bytes + work.store_bytes) / pu.bandwidth
        )
        assert alone == pytest.approx(predicted)


def test_what_does_not_fit_is_said(
    soc: Path, table: Measurements, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soc.write_text(SOC.replace("{float32: 8}", "{float16: 8}"), encoding="utf-8")
    with pytest.raises(ConfigError, match="states no macs_per_cycle for float32"):
        find_target(load_soc(soc), "gpu", table)
    soc.write_text(SOC, encoding="utf-8")
    measured = ["--measurements", str(tmp_path / "m.csv"), "--learned", "-o", str(tmp_path / "o")]
    assert entry(["calibrate", str(soc), "--pu", "gpu", *measured]) == 2
    assert "no learned model can be kept with the fit of gpu" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
