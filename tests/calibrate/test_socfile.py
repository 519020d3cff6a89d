from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import yaml

from hetsim.calibrate.socfile import calibrated_text, write_calibrated_soc
from hetsim.calibrate.target import find_target
from hetsim.cli.main import entry
from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.analytical.convolution import convolution_cycles
from hetsim.cost.learned.model import LearnedCostModel
from hetsim.cost.learned.workloads import operator_rows
from hetsim.cost.measured.fit import alone_s
from hetsim.cost.work import Kernel
from hetsim.errors import ConfigError, ResultsError
from hetsim.forms.convolution import seconds
from hetsim.learn.mlp import TrainingOptions
from hetsim.learn.physical.convolution import FittedConvolution
from hetsim.learn.regressor import LearnedModel
from hetsim.learn.tables import read_measurements
from hetsim.soc.loader import load_soc
from hetsim.workload.graph import Graph, LoopNest, Operator, Tensor
from tests.learn.samples import row_of, rows_of, shapes, write_file

SOC = """\
# a toy
hetsim: soc/1
name: toy
memory:
  dram: {bandwidth: 30 GB/s, capacity: 1 GiB}
pus:
  cpu:
    kind: cpu_cluster
    cores: 4
    path: [dram]
    operating_points:
      nominal: {clock: 1 GHz}
    macs_per_cycle: {float32: 4}   # NEON
    element_ops_per_cycle: {float32: 4}
    efficiency:
      default: 0.1
      Conv: 0.2   # a guess
      MaxPool: 0.05
    dispatch: 50 us   # another guess

  gpu:
    kind: accelerator
    path: [dram]
    operating_points: {nominal: {clock: 1 GHz}}
    macs_per_cycle: {float32: 64}
    element_ops_per_cycle: {float32: 64}
    efficiency: {default: 0.5, Conv: 0.3}
# the end
runtime:
  host: cpu
"""


@pytest.fixture
def soc(tmp_path: Path) -> Path:
    path = tmp_path / "toy.yaml"
    path.write_text(SOC)
    return path


def test_values_are_replaced_in_place_and_comments_kept() -> None:
    changes = {
        ("pus", "cpu", "efficiency", "Conv"): 0.4,
        ("pus", "cpu", "efficiency", "Conv.pointwise"): 0.3,
        ("pus", "cpu", "dispatch"): "5 us",
        ("pus", "cpu", "convolution"): {"input_cycles": 2.0, "winograd": {"tile": 2}},
        ("pus", "gpu", "efficiency", "Conv"): 0.6,
    }
    text = calibrated_text(SOC, changes, "made here", "calibrated: x")
    data, before = yaml.safe_load(text), yaml.safe_load(SOC)
    cpu = before["pus"]["cpu"]
    cpu["efficiency"] |= {"Conv": 0.4, "Conv.pointwise": 0.3}
    cpu |= {"dispatch": "5 us", "convolution": {"input_cycles": 2.0, "winograd": {"tile": 2}}}
    before["pus"]["gpu"]["efficiency"]["Conv"] = 0.6
    assert data == before
    for kept in ("# a toy", "# NEON", "# the end"):
        assert kept in text
    assert text.startswith("# made here\n")
    assert text.count("# calibrated: x") == 5


def test_a_change_without_a_place_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no pus\.dsp"):
        calibrated_text(SOC, {("pus", "dsp", "dispatch"): "1 us"}, "", "x")


@pytest.mark.slow
def test_the_written_soc_predicts_what_was_fitted(soc: Path, tmp_path: Path) -> None:
    table = read_measurements(write_file(tmp_path / "m.csv", shapes(200)))
    target = find_target(load_soc(soc), "cpu", table)
    fitted = target.baseline(table).fit(table)
    assert isinstance(fitted, FittedConvolution)
    out = tmp_path / "out" / "calibrated.yaml"
    write_calibrated_soc(soc, out, target.changes(fitted, table), header="h", mark="m")
    again = find_target(load_soc(out), "cpu", table).stated()
    assert again is not None
    # The bandwidth belongs to the shared path and is left as it is.
    rows = rows_of(shapes(200))
    assert isinstance(again, FittedConvolution)
    known = seconds(fitted.values, rows) > 1.05 * rows.data_bytes / fitted.values.bandwidth
    ratio = (seconds(again.values, rows) / seconds(fitted.values, rows))[known]
    assert known.mean() > 0.9
    assert ratio == pytest.approx(1.0, rel=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("cached", [False, True])
def test_a_row_is_named_whose_weights_cannot_have_been_read(
    soc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, cached: bool
) -> None:
    # A classifier's weights and activations, less what stays in the cache, at 30 GB/s.
    if cached:
        soc.write_text(SOC.replace("dispatch: 50 us", "l2: 512 KiB\n    dispatch: 50 us"))
    file, lines = write_file(tmp_path / "m.csv", shapes(40)), []
    for channels, share in ((1000, 1.01), (1001, 0.99)):
        least = (4 * (1280 * channels + 1280 + channels) - 512 * 1024) / 30e9
        lines.append(row_of((1280, 1, channels, 1, 1, 1), share * least * 1e6))
    file.write_text(file.read_text() + "\n".join(lines) + "\n")
    arguments = ["calibrate", str(soc), "--pu", "cpu", "--measurements", str(file)]
    assert entry([*arguments, "--split", "row", "--folds", "2"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    named = "line 43 (1x1 k1x1) is too fast: beside what the cache holds it needs 30.3 GB/s"
    assert (named in shown) == cached
    assert "line 42 (" not in shown


def test_an_existing_file_is_not_overwritten(soc: Path) -> None:
    with pytest.raises(ResultsError, match="not overwritten"):
        write_calibrated_soc(soc, soc, {}, header="", mark="")
    assert soc.read_text() == SOC
    broken = {("pus", "cpu", "dispatch"): "5 apples"}
    with pytest.raises(ConfigError, match="apples"):
        write_calibrated_soc(soc, soc, broken, header="", mark="", force=True)
    assert soc.read_text() == SOC


@pytest.mark.parametrize(
    ("knob", "value", "nest"),
    [
        (("input_cycles",), 5.0, (3, 1)),
        (("output_cycles",), 5.0, (3, 1)),
        (("reduction_cycles",), 50.0, (3, 1)),
        (("width_penalty",), 0.7, (3, 1)),
        (("depthwise",), {"input_cycles": 3.0}, (3, 64)),
        (("winograd",), {"tile": 2, "efficiency": 0.9}, (3, 1)),
    ],
)
def test_every_field_of_the_refinement_moves_the_cost(
    soc: Path, knob: tuple[str, ...], value: object, nest: tuple[int, int]
) -> None:
    kernel, groups = nest
    loops = LoopNest(
        1, groups, 28, 28, 64 // groups, 64 // groups, kernel, kernel, in_h=28, in_w=28
    )
    plain = load_soc(soc, {}).spec.pus["cpu"]
    turned = load_soc(soc, {"pus.cpu.convolution": {knob[0]: value}}).spec.pus["cpu"]
    before = convolution_cycles(loops, plain, "float32")  # type: ignore[arg-type]
    after = convolution_cycles(loops, turned, "float32")  # type: ignore[arg-type]
    assert before != after


def test_width_tile_changes_which_widths_are_wasteful(soc: Path) -> None:
    loops = LoopNest(1, 1, 16, 16, 64, 64, 3, 3, in_h=16, in_w=16)
    costs = {
        convolution_cycles(
            loops,
            load_soc(
                soc, {"pus.cpu.convolution": {"width_penalty": 0.5, "width_tile": tile}}
            ).spec.pus["cpu"],  # type: ignore[arg-type]
            "float32",
        )
        for tile in (4, 8, 16)
    }
    assert len(costs) == 3


def test_the_wrong_unit_or_measurement_is_refused(soc: Path, tmp_path: Path) -> None:
    table = read_measurements(write_file(tmp_path / "m.csv", shapes(20)))
    loaded = load_soc(soc)
    with pytest.raises(ConfigError, match=r"no PU called 'cup'.*'cpu'"):
        find_target(loaded, "cup", table)
    int8 = (tmp_path / "m.csv").read_text().replace("float32", "int8")
    (tmp_path / "m.csv").write_text(int8)
    with pytest.raises(ConfigError, match="no macs_per_cycle for int8"):
        find_target(loaded, "cpu", read_measurements(tmp_path / "m.csv"))
    npu = load_soc("zcu102-vta")
    with pytest.raises(ConfigError, match="does not calibrate npu"):
        find_target(npu, "npu", table)


@pytest.mark.slow
def test_the_command_writes_everything_once(
    soc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_file(tmp_path / "m.csv", shapes(40), noise=0.05)
    out = tmp_path / "out"
    arguments = ["calibrate", str(soc), "--pu", "cpu", "--measurements", str(file)]
    arguments += ["--split", "row", "--folds", "2", "-o", str(out)]
    assert entry(arguments) == 0
    shown = capsys.readouterr().out
    for word in ("uncalibrated", "roofline", "calibrated", "40 rows read, 40 used"):
        assert word in shown
    names = {"report.json", "toy.yaml", "scatter-toy_cpu_float32.png"}
    assert {path.name for path in out.iterdir()} == names
    calibrated = (out / "toy.yaml").read_text()
    assert "device toy/cpu/float32" in calibrated
    assert "Errors on rows kept aside by row: MAPE" in calibrated
    told = load_soc(out / "toy.yaml").spec.pus["cpu"].uncertainty["float32"]
    # The noise that the rows were given, and what half of them cannot fit of the other half.
    assert 0.05 < math.hypot(told.unit, told.kernel) < 0.2
    assert "ranges of the calibrated model at 90% hold" in shown
    assert str(tmp_path) not in calibrated
    assert entry(arguments) == 2
    assert "not overwritten" in capsys.readouterr().err
    assert entry([*arguments, "--force"]) == 0


@pytest.mark.slow
def test_the_command_without_a_soc_reports_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_file(tmp_path / "m.csv", shapes(30))
    assert entry(["calibrate", "--measurements", str(file), "--folds", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (report,) = found["reports"]
    assert report["device"] == "toy/cpu/float32"
    assert set(report["models"]) == {"roofline", "calibrated"}
    assert entry(["calibrate", "zcu102-vta", "--measurements", str(file)]) == 2
    assert entry(["calibrate", "--measurements", str(file), "--device", "rpi"]) == 2
    assert "no device is called 'rpi'" in capsys.readouterr().err


def _network() -> Graph:
    """Conv 3x3 64 -> 64 at 28x28, Relu, and a 1x1 with absurdly many outputs."""
    small = LoopNest(1, 1, 28, 28, 64, 64, 3, 3, in_h=28, in_w=28)
    large = LoopNest(1, 1, 28, 28, 64, 20_000, in_h=28, in_w=28)
    pads = {"pads": (1, 1, 1, 1)}
    operators = [
        Operator(
            "near", "Conv", ("x",), ("a",), (("float32", 64 * 576),), small.macs, 0, small, pads
        ),
        Operator("act", "Relu", ("a",), ("b",), element_ops=64 * 28 * 28),
        Operator(
            "far", "Conv", ("b",), ("c",), (("float32", 64 * 20_000),), large.macs, 0, large,
            variant="pointwise",
        ),
    ]  # fmt: skip
    tensors = [Tensor(name, (1, 64, 28, 28)) for name in ("x", "a", "b")]
    tensors.append(Tensor("c", (1, 20_000, 28, 28)))
    return Graph.create("net", operators, tensors, ["x"], ["c"])


@pytest.mark.slow
def test_an_npu_is_calibrated_from_cycles(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = (
        "operation,input_0_batch,input_0_channels,input_0_height,input_0_width,"
        "output_0_channels,output_0_height,output_0_width,kernel_height,kernel_width,"
        "kernel_pad_top,kernel_pad_bottom,kernel_pad_left,kernel_pad_right,"
        "kernel_stride_height,kernel_stride_width,input_0_datatype,output_0_datatype,"
        "measured_cycles"
    )
    rows = []
    for c in (16, 32, 64):
        for size in (8, 16, 32):
            cycles = 3330 + c * 32 * size * size * 9 / (256 * 0.5)
            rows.append(
                f"CONVOLUTION,1,{c},{size},{size},32,{size},{size},3,3,1,1,1,1,1,1,INT8,INT8,"
                f"{cycles:.0f}"
            )
    file = tmp_path / "npu.csv"
    file.write_text("\n".join([header, *rows]) + "\n")
    out = tmp_path / "out"
    arguments = ["calibrate", "zcu102-vta", "--pu", "npu", "--measurements", str(file)]
    assert entry([*arguments, "--folds", "3", "-o", str(out)]) == 0
    npu = load_soc(out / "zcu102-vta.yaml").spec.pus["npu"]
    assert npu.array_efficiency == pytest.approx(0.5, rel=0.05)  # type: ignore[attr-defined]
    assert npu.dispatch == pytest.approx(10e-6, rel=0.1)
    assert "note:" not in capsys.readouterr().out


@pytest.mark.slow
def test_a_device_too_small_to_split_does_not_hide_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_file(tmp_path / "m.csv", shapes(30))
    with file.open("a") as stream:
        stream.write(row_of(shapes(1)[0], 100.0, device="lonely") + "\n")
    assert entry(["calibrate", "--measurements", str(file), "--folds", "3", "--json"]) == 0
    shown = capsys.readouterr()
    assert len(json.loads(shown.out)["reports"]) == 1
    assert "skipped lonely/cpu/float32" in shown.err
    lonely = ["calibrate", "--measurements", str(file), "--device", "lonely"]
    assert entry(lonely) == 2
    assert "so none can be kept aside" in capsys.readouterr().err


@pytest.mark.slow
def test_learned_costs_enter_the_chain_inside_their_range_only(soc: Path, tmp_path: Path) -> None:
    table = read_measurements(write_file(tmp_path / "m.csv", shapes(120)))
    model = LearnedModel.fit(table, options=TrainingOptions(hidden=(16,), epochs=20))
    graph = _network()
    loaded = load_soc(soc)
    cpu = loaded.pus[0]
    analytical = AnalyticalModel()
    chain = LearnedCostModel({"cpu": model}, analytical)
    conv, act, far = graph.operators
    work = chain.work(graph, Kernel.of(graph, (conv,)), cpu)
    assert work is not None
    assert work.source == "learned"
    predicted = model.predict(operator_rows([conv], cpu))
    path = cpu.home
    assert alone_s(work, path) == pytest.approx(predicted.value[0])
    base = analytical.work(graph, Kernel.of(graph, (conv,)), cpu)
    assert base is not None
    assert (work.load_bytes, work.store_bytes) == (base.load_bytes, base.store_bytes)
    narrow = load_soc(soc, {"memory.dram.bandwidth": "10 MB/s"}).pus[0]
    starved = chain.work(graph, Kernel.of(graph, (conv,)), narrow)
    assert starved is not None
    assert (starved.load_bytes, starved.store_bytes) == (base.load_bytes, base.store_bytes)
    assert alone_s(starved, narrow.home) == pytest.approx(
        narrow.spec.dispatch + (base.load_bytes + base.store_bytes) / 10e6
    )
    fused = chain.work(graph, Kernel.of(graph, (conv, act)), cpu)
    assert fused is not None
    assert alone_s(fused, path) >= alone_s(work, path)
    assert chain.floor(graph, 0, cpu) == pytest.approx(predicted.value[0])
    assert chain.floor(graph, 2, cpu) is None
    assert chain.work(graph, Kernel.of(graph, (act,)), cpu) is None
    assert chain.work(graph, Kernel.of(graph, (far,)), cpu) is None
    assert chain.work(graph, Kernel.of(graph, (conv,)), loaded.pus[1]) is None
    assert any("is outside" in reason for reason in chain.refused)


@pytest.mark.parametrize(
    "cpu",
    ["efficiency: &tuned\n      default: 0.1\n      Conv: 0.2   # a guess\n      MaxPool: 0.05",
     "efficiency: &tuned\n      {default: 0.1, Conv: 0.2, MaxPool: 0.05}"],
)  # fmt: skip
@pytest.mark.parametrize("unit", ["cpu", "gpu"])
def test_what_units_share_in_the_file_changes_for_one_of_them(cpu: str, unit: str) -> None:
    begin, end = SOC.index("efficiency:"), SOC.index("    dispatch")
    shared = f"{SOC[:begin]}{cpu}\n{SOC[end:]}".replace(
        "efficiency: {default: 0.5, Conv: 0.3}", "efficiency: *tuned"
    )
    text = calibrated_text(shared, {("pus", unit, "efficiency", "Conv"): 0.35}, "head", "fitted")
    pus = yaml.safe_load(text)["pus"]
    before = {"default": 0.1, "Conv": 0.2, "MaxPool": 0.05}
    other = "gpu" if unit == "cpu" else "cpu"
    assert pus[unit]["efficiency"] == before | {"Conv": 0.35}
    assert pus[other]["efficiency"] == before
