"""Ranges of simulated times: closed forms, what cancels, and the engine itself as judge."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx.parser
import pytest

from hetsim.analysis.launches import operator_rows
from hetsim.analysis.ran import Ran
from hetsim.analysis.ranges.draws import SAMPLES, deviates
from hetsim.analysis.ranges.errors import Errors
from hetsim.analysis.ranges.range import Range, faster, range_of
from hetsim.analysis.ranges.resimulated import resimulate
from hetsim.plan.model import Partition, Plan
from hetsim.runs.case import Case
from hetsim.schedulers.registry import create
from hetsim.sim.runtimes.registry import find_runtime
from hetsim.soc.loader import build_soc, load_soc
from hetsim.soc.model import SoC
from hetsim.soc.uncertainty import Spread
from hetsim.workload.graph import Graph
from hetsim.workload.networks import load_network
from hetsim.workload.onnx.loader import load_onnx
from hetsim.yamlio import parse_yaml

SOCS = Path(__file__).parents[2] / "socs"
REACH = 1.6449
"""Standard deviations to either end of a range of 90 %."""

TWO = """
hetsim: soc/1
name: two
memory: {dram: {bandwidth: 1000 GB/s, efficiency: 1.0, capacity: 1 GiB}}
pus:
  left: &unit
    kind: cpu_cluster
    path: [dram]
    operating_points: {run: {clock: 1 GHz}}
    cores: 1
    macs_per_cycle: {float32: 1}
    element_ops_per_cycle: {float32: 1}
    efficiency: {default: 1.0}
    dispatch: %s
  right: {<<: *unit, dispatch: %s}
runtime: {host: left}
"""

BRANCHES = """
<ir_version: 8, opset_import: ["" : 17]>
two (float[1,8,16,16] x) => (float[1,8,16,16] y)
<float[8,8,3,3] w, float[8,8,1,1] v>
{
  a = Conv <pads=[1,1,1,1]> (x, w)
  b = Conv <pads=[1,1,1,1]> (x, w)
  y = Add (a, b)
}
"""


def two(left: str = "1 us", right: str = "2 us") -> SoC:
    """Two cores whose descriptions differ by a microsecond of dispatch, so that they err apart."""
    import yaml

    text = yaml.safe_dump(yaml.safe_load(TWO % (left, right)), sort_keys=False)
    return build_soc(parse_yaml(text, "two.yaml"))


def unsure(soc: SoC, *units: str, **spread: object) -> SoC:
    """``soc`` with the same uncertainty on ``units``, or on all."""
    told = {"default": Spread(**spread)}  # type: ignore[arg-type]
    pus = {
        name: spec.model_copy(update={"uncertainty": told}) if not units or name in units else spec
        for name, spec in soc.spec.pus.items()
    }
    return SoC.from_spec(soc.spec.model_copy(update={"pus": pus}))


@pytest.fixture(scope="module")
def graph() -> Graph:
    model = onnx.parser.parse_model(BRANCHES)
    for node in model.graph.node:
        node.name = node.output[0]
    for value in list(model.graph.value_info):
        shape = [d.dim_value for d in value.type.tensor_type.shape.dim]
        count = int(np.prod(shape))
        tensor = onnx.helper.make_tensor(value.name, 1, shape, bytes(4 * count), True)
        model.graph.initializer.append(tensor)
    return load_onnx(model, name="two")


def plan(**units: str) -> Plan:
    return Plan("two", tuple(Partition(op, pu, (op,)) for op, pu in units.items()))


def ranged(graph: Graph, soc: SoC, made: Plan) -> tuple[Range, float]:
    case = Case(graph, soc)
    trace = case.simulate(made)
    return case.range(made, trace), trace.makespan_s


SERIAL = plan(a="left", b="left", y="left")
PARALLEL = plan(a="left", b="right", y="left")


def test_what_a_unit_shares_is_the_range_of_what_it_alone_runs(graph: Graph) -> None:
    found, seconds = ranged(graph, unsure(two(), unit=0.2), SERIAL)
    ends = found.ends(seconds)
    assert ends is not None
    assert ends[0] == pytest.approx(seconds * math.exp(-0.2 * REACH), rel=0.01)
    assert ends[1] == pytest.approx(seconds * math.exp(0.2 * REACH), rel=0.01)
    assert not found.uncalibrated


def test_equal_kernels_err_alike_and_others_average_out(graph: Graph) -> None:
    def width(network: Graph) -> float:
        found, _ = ranged(network, unsure(two(), kernel=0.1), SERIAL)
        return float(np.std(np.log(found.ratios)))

    # Nearly all of the time are two equal convolutions: one error.
    assert width(graph) == pytest.approx(0.1, rel=0.05)
    first, *rest = graph.operators
    assert first.nest is not None
    # Twice as long at once, and so no longer equal to the second: errors of weights 2/3 and 1/3.
    other = replace(first, nest=replace(first.nest, batch=2), macs=2 * first.macs)
    apart = replace(graph, operators=(other, *rest))
    assert width(apart) == pytest.approx(0.1 * math.sqrt(5) / 3, rel=0.1)


def test_two_branches_take_the_longer_of_two(graph: Graph) -> None:
    found, _ = ranged(graph, unsure(two("0 us", "1 ns"), kernel=0.2), PARALLEL)
    # Of two alike and independent normals: E max = sigma / sqrt(pi), variance 1 - 1/pi.
    logs = np.log(found.ratios)
    assert logs.mean() == pytest.approx(0.2 / math.sqrt(math.pi), rel=0.1)
    assert logs.std() == pytest.approx(0.2 * math.sqrt(1 - 1 / math.pi), rel=0.1)


def test_errors_that_two_plans_share_cancel(graph: Graph) -> None:
    soc = unsure(two(), unit=0.3, kernel=0.1)
    serial, serial_s = ranged(graph, soc, SERIAL)
    assert faster(serial, serial_s, serial, serial_s) == 0.5
    # One percent faster everywhere is faster for sure, however little is known of either.
    assert faster(serial, 0.99 * serial_s, serial, serial_s) == 1.0
    there, there_s = ranged(graph, soc, plan(a="right", b="right", y="right"))
    # On the other core nothing is shared: two independent logarithms of equal spread.
    spread = math.sqrt(2) * math.hypot(0.3, 0.1)
    wanted = 0.5 * math.erfc(-math.log(there_s / serial_s) / spread / math.sqrt(2))
    assert faster(serial, serial_s, there, there_s) == pytest.approx(wanted, abs=0.05)
    assert faster(serial, serial_s, Range(), there_s) is None


def test_units_of_two_socs_share_no_errors_for_their_names(graph: Graph) -> None:
    soc = unsure(two(), unit=0.3, kernel=0.1)
    serial, serial_s = ranged(graph, soc, SERIAL)
    wanted = 0.5 * math.erfc(math.log(0.8) / 0.3 / 2)
    near = pytest.approx(wanted, abs=0.05)
    assert faster(serial, 0.8 * serial_s, serial, serial_s, shared=False) == near
    assert faster(serial, 0.8 * serial_s, serial, serial_s) == 1.0


def test_units_of_one_description_err_alike(graph: Graph) -> None:
    here, there = SERIAL, plan(a="right", b="right", y="right")
    alike, apart = (unsure(two("1 us", right), unit=0.3, kernel=0.2) for right in ("1 us", "2 us"))
    assert ranged(graph, alike, here)[0] == ranged(graph, alike, there)[0]
    ratios = [np.log(ranged(graph, apart, made)[0].ratios) for made in (here, there)]
    assert abs(np.corrcoef(*ratios)[0, 1]) < 0.15


def test_calls_and_copies_err_as_their_unit_does(graph: Graph) -> None:
    soc = unsure(two(), unit=0.2)
    runtime = soc.spec.runtime.model_copy(update={"partition_call": 1.0})
    calls = SoC.from_spec(soc.spec.model_copy(update={"runtime": runtime}))
    found, seconds = ranged(graph, calls, SERIAL)
    assert seconds > 3.0  # three calls of a second, and little else
    assert np.std(np.log(found.ratios)) == pytest.approx(0.2, rel=0.02)


def test_a_measured_kernel_errs_by_its_own_spread_alone(graph: Graph) -> None:
    case = Case(graph, unsure(two(), unit=0.3, kernel=0.3))
    job = case.lowering.program(SERIAL).jobs[0]
    known = replace(job.launches[0], work=replace(job.launches[0].work, spread=0.02))
    factors = Errors(graph, case.soc).kernel(known, case.soc.pus[0])
    assert factors is not None
    assert np.std(np.log(factors)) == pytest.approx(0.02, rel=0.02)
    assert Errors(graph, two()).known(known, two().pus[0])


def test_no_range_without_a_calibrated_unit_and_others_are_named(graph: Graph) -> None:
    nothing, seconds = ranged(graph, two(), PARALLEL)
    assert nothing.ends(seconds) is None
    assert sum(nothing.uncalibrated.values()) == pytest.approx(1.0)
    half, seconds = ranged(graph, unsure(two(), "left", unit=0.1), PARALLEL)
    assert half.ends(seconds) is not None
    assert list(half.uncalibrated) == ["right"]
    assert 0.4 < half.uncalibrated["right"] < 0.6
    whole, other = ranged(graph, unsure(two(), unit=0.1), PARALLEL)
    assert faster(whole, other, half, 9.0 * other) is None, "certain of what nobody measured"
    assert faster(whole, other, whole, 9.0 * other) == 1.0


def test_only_stated_data_types_are_known(graph: Graph) -> None:
    soc = unsure(two(), unit=0.1)
    spec = soc.spec.pus["left"]
    told = spec.model_copy(update={"uncertainty": {"int8": spec.uncertainty["default"]}})
    other = SoC.from_spec(soc.spec.model_copy(update={"pus": {**soc.spec.pus, "left": told}}))
    found, seconds = ranged(graph, other, SERIAL)
    assert found.ends(seconds) is None


@pytest.mark.slow
def test_deviates_are_the_same_everywhere_and_hold_every_quantile() -> None:
    column = deviates("npu: Conv")
    assert np.sort(column)[[0, -1]] == pytest.approx([-3.0973, 3.0973], abs=1e-3)
    assert (column.mean(), column.std()) == pytest.approx((0.0, 1.0), abs=5e-3)
    assert abs(np.corrcoef(column, deviates("npu: Gemm"))[0, 1]) < 0.15
    code = "from hetsim.analysis.ranges.draws import deviates; print(*deviates('npu: Conv')[:3])"
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={"PYTHONHASHSEED": "7", "PYTHONPATH": str(Path(__file__).parents[2])},
    ).stdout  # fmt: skip
    assert [float(value) for value in told.split()] == column[:3].tolist()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("soc", "network", "scheduler", "execution", "off"),
    [
        ("edge-dual", "inception_v2", "heft", "dataflow", 0.012),  # a bus that decides
        ("edge-dual", "inception_v2", "heft", "barrier", 0.012),
        ("mobile-flagship", "squeezenet", "partition_tuner", "barrier", 0.005),
        ("phone-gpu-dsp", "squeezenet", "heft", "dataflow", 0.02),
    ],
)
def test_replaying_says_what_the_engine_says(
    soc: str, network: str, scheduler: str, execution: str, off: float
) -> None:
    unit = unsure(load_soc(SOCS / f"{soc}.yaml"), unit=0.1, classes={"Conv": 0.1}, kernel=0.15)
    case = Case(load_network(network), unit, execution=execution)
    made = case.plan(create(scheduler))
    program = case.rewritten(made.rewrites).lowering.program(made)
    ran = Ran(case.graph, unit, made, program, case.simulate(made), find_runtime(execution))
    found = range_of(ran, operator_rows(scheduler, ran))
    samples = range(0, SAMPLES, SAMPLES // 16)
    again = resimulate(ran, execution, samples)
    replayed = np.array(found.ratios)[list(samples)]
    assert np.sqrt(np.mean(np.log(replayed / again) ** 2)) < off
    assert np.log(again).std() > 0.05  # what is compared does vary
