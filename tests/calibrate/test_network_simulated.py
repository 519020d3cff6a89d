"""A phone's NPU fitted to networks: the fit's sums are simulated times, and it finds rates."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml

from hetsim.calibrate.networks.carried import CarriedModel
from hetsim.calibrate.networks.cases import MeasuredNetwork
from hetsim.calibrate.networks.doubts import REPEATED
from hetsim.calibrate.networks.fitted import described, save_fitted_soc
from hetsim.calibrate.networks.judge import judge_known
from hetsim.calibrate.networks.precision import precision_of
from hetsim.calibrate.networks.rates import as_description
from hetsim.calibrate.networks.simulated import FittedUnit, SimulatedModel, fitting
from hetsim.calibrate.networks.table import NetworkTime
from hetsim.cost.measured.table import Doubt
from hetsim.errors import ConfigError
from hetsim.overrides import apply_overrides
from hetsim.runs.case import Case
from hetsim.schedulers.registry import create
from hetsim.soc.loader import build_soc, load_soc
from hetsim.workload.networks import load_network
from hetsim.workload.weights import StoredWeights, with_weights
from hetsim.yamlio import parse_yaml

REACHED = """
        macs_per_cycle: 8000
        elements_per_cycle: 100
        efficiency: {default: 0.4, Conv.depthwise: 0.02, Conv.pointwise: 0.3}
        attention: 0.1
        volume: 0.2
        passes: {default: 1.0, MaxPool: 2.0}
        tail: 0.2
        bandwidth: 40 GB/s
        kernel: 2 us"""
SOC = f"""
hetsim: soc/1
name: phone
memory: {{dram: {{bandwidth: 60 GB/s, capacity: 4 GiB, latency: 100 ns}}}}
pus:
  cpu:
    kind: cpu_cluster
    cores: 1
    path: [dram]
    operating_points: {{on: {{clock: 1 GHz}}}}
    macs_per_cycle: {{float32: 4}}
    element_ops_per_cycle: {{float32: 4}}
    efficiency: {{default: 0.5}}
  npu:
    kind: mobile_npu
    path: [dram]
    operating_points: {{on: {{clock: 1 GHz}}}}
    precision: {{float32: float16}}
    dtypes:
      float16: {REACHED}
      int8: {REACHED}
      int16: {REACHED}
    sram: 4 MiB
    strips: 2
    dispatch: 1 us
    rpc: 50 us
    crossing: {{quantise: 0.1 ns}}
    fuse: [Conv-Relu, Conv-Add-Relu, Conv-Clip]
runtime: {{host: cpu, partition_call: 5 us}}
"""
TRUTH = {"macs_per_cycle": 12000.0, "bandwidth": "25 GB/s", "kernel": "5 us"}
NETWORKS = ("resnet18", "resnet50", "mobilenet_v2", "squeezenet", "googlenet", "alexnet")


def document():
    return parse_yaml(SOC, "phone.yaml")


@cache
def graph(name):
    return load_network(name)


def simulated(name, precision, changes):
    """What the simulator says of a whole network on the NPU, in seconds."""
    told = precision_of(precision)
    overrides = {"pus.npu.precision.float32": told.activations, **changes}
    network = graph(name)
    if told.weights != told.activations:
        network = with_weights(network, StoredWeights(dtype=told.weights))
    case = Case(network, build_soc(apply_overrides(document(), overrides)))
    return case.simulate(case.plan(create("npu_only", {})), trace=False).makespan_s


def case(name, precision="float", seconds=1e-3, device="A"):
    row = NetworkTime(name, device, "r", seconds, precision=precision, unit="npu")
    return MeasuredNetwork(row, graph(name), precision_of(precision), name, "convolutional")


def changes(dtype, values):
    return {f"pus.npu.dtypes.{dtype}.{name}": value for name, value in values.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("precision", "dtype"), [("float", "float16"), ("w8a8", "int8"), ("w8a16", "int16")]
)
def test_the_sums_of_the_fit_are_the_simulators_times(precision, dtype) -> None:
    told = {**TRUTH, "tail": 0.7, "elements_per_cycle": 30.0, "attention": 0.3}
    model = SimulatedModel(
        apply_overrides(document(), changes(dtype, told) | {"pus.npu.rpc": "90 us"}), "npu"
    )
    vector = model.layouts[dtype].vector(model.spec.dtypes[dtype])
    fitted = FittedUnit(model, {dtype: vector}, 90e-6)
    for name in ("mobilenet_v2", "googlenet"):
        (says,) = fitted.predict([case(name, precision)])
        told_so = changes(dtype, told) | {"pus.npu.rpc": "90 us"}
        assert says == pytest.approx(simulated(name, precision, told_so), rel=1e-6)


@cache
def true_seconds(name):
    return simulated(name, "float", changes("float16", TRUTH))


def measured(device="A", factor=None):
    off = factor or {}
    return [case(n, seconds=true_seconds(n) * off.get(n, 1.0), device=device) for n in NETWORKS]


@pytest.mark.slow
def test_it_finds_the_rates_behind_measured_times_and_a_network_that_ran_otherwise() -> None:
    rows = measured(factor={"googlenet": 8.0})
    fitted = SimulatedModel(document(), "npu").fit(rows)
    off = fitted.predict(rows) / np.array([row.seconds for row in rows])
    right = [abs(value - 1) for row, value in zip(rows, off, strict=True) if "goog" not in row.name]
    assert max(right) < 0.1
    assert off[NETWORKS.index("googlenet")] == pytest.approx(1 / 8, rel=0.15)
    values = fitted.model.layouts["float16"].table(fitted.vectors["float16"], (0.4, 1.0))
    assert values["bandwidth"] == pytest.approx(25e9, rel=0.1)
    assert values["kernel"] == pytest.approx(5e-6, rel=0.3)
    assert np.isnan(fitted.predict([case("resnet18", "w8a8")])).all()


def test_a_row_that_another_measurement_contradicts_counts_less() -> None:
    doubt = Doubt(REPEATED, "measured twice, far apart")
    rows = measured(factor=dict.fromkeys(NETWORKS[::2], 1.3))
    doubted = [replace(r, doubts=(doubt,)) if i % 2 == 0 else r for i, r in enumerate(rows)]
    model = SimulatedModel(document(), "npu")
    right, plain, warned = (
        float(np.log(model.fit(given).predict(rows)).mean())
        for given in (measured(), rows, doubted)
    )
    assert abs(warned - right) < 0.6 * (plain - right)


def test_too_few_networks_are_refused() -> None:
    with pytest.raises(ConfigError, match="2 measured networks are too few to fit npu"):
        SimulatedModel(document(), "npu").fit(measured()[:2])


def test_what_is_missed_elsewhere_is_missed_here() -> None:
    odd = {"resnet50": 1.8, "squeezenet": 0.5, "alexnet": 0.6}
    others = [replace(row, row=replace(row.row, runtime=r)) for row in measured("B", odd)
              for r in ("r", "s")]  # fmt: skip
    here = measured("A", odd)
    model = SimulatedModel(document(), "npu")
    anchors, asked = here[::2], here[1::2]  # resnet50, squeezenet and alexnet are asked for
    truth = np.array([row.seconds for row in asked])
    carried = np.abs(CarriedModel(model).fit(anchors, others).predict(asked) / truth - 1)
    plain = np.abs(model.fit(anchors).predict(asked) / truth - 1)
    assert carried.max() < 0.25 < 0.4 < plain.max()
    assert carried.mean() < plain.mean() / 3
    # Who was never measured elsewhere takes what is simulated.
    alone = CarriedModel(model).fit(anchors).predict(asked)
    assert alone == pytest.approx(model.fit(anchors).predict(asked))


def test_shares_are_written_so_that_none_passes_one() -> None:
    values = {"macs_per_cycle": 100.0, "elements_per_cycle": 3.0, "bandwidth": 2e9, "kernel": 1e-6,
              "efficiency.default": 0.5, "efficiency.Conv": 2.0, "efficiency.attention": 0.25,
              "efficiency.volume": 1.0, "passes.default": 1.0, "tail": 0.1}  # fmt: skip
    made = as_description(values)
    assert made["macs_per_cycle"] == 200.0
    assert made["efficiency"] == {"default": 0.25, "Conv": 1.0}
    assert (made["attention"], made["volume"]) == (0.125, 0.5)
    assert made["bandwidth"] == "2 GB/s"
    assert made["kernel"] == "1 us"


@pytest.mark.slow
def test_a_soc_file_with_what_was_fitted(tmp_path: Path) -> None:
    source = tmp_path / "phone.yaml"
    source.write_text(SOC, encoding="utf-8")
    model = fitting(str(source), "npu")
    assert model is not None
    rows = measured()
    judged = judge_known(rows, [model], folds=4)
    fitted = model.fit(rows)
    out = tmp_path / "out" / "phone.yaml"
    save_fitted_soc(fitted, judged, out, table=Path("t.csv"), device="A", force=False)
    soc = load_soc(out)
    (told,) = soc.spec.calibrated
    assert (told.what, told.unit, told.rows) == ("networks, float", "npu", len(NETWORKS))
    assert set(soc.by_name["npu"].spec.uncertainty) == {"float16"}
    again_from = fitting(str(out), "npu")
    assert again_from is not None
    assert again_from.has_seen("t.csv")
    assert not model.has_seen("t.csv")
    assert "fitted: A" in out.read_text(encoding="utf-8")
    again = case("squeezenet", seconds=1.0)
    run = Case(again.graph, soc)
    seconds = run.simulate(run.plan(create("npu_only", {})), trace=False).makespan_s
    assert seconds == pytest.approx(float(fitted.predict([again])[0]), rel=2e-3)  # four digits
    written = yaml.safe_load(out.read_text(encoding="utf-8"))["pus"]["npu"]["dtypes"]["float16"]
    assert written == described(fitted)["pus", "npu", "dtypes", "float16"]


def test_only_some_units_can_be_fitted(tmp_path: Path) -> None:
    source = tmp_path / "phone.yaml"
    source.write_text(SOC, encoding="utf-8")
    assert fitting(str(source), "cpu") is None
    with pytest.raises(ConfigError, match="npu2"):
        SimulatedModel(document(), "npu2")
    with pytest.raises(ConfigError, match=r"pus\.cpu is no unit"):
        SimulatedModel(document(), "cpu")
