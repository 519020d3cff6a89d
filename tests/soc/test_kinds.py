"""Kinds of processing units that other packages add: one file each, and everything knows them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import hetsim
from hetsim.calibrate.target import find_target
from hetsim.cli.main import entry
from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.pu import model_of
from hetsim.errors import ConfigError
from hetsim.learn.tables import read_measurements
from hetsim.runs.case import Case
from hetsim.scenario.loader import load_scenario
from hetsim.scenario.variants import varied
from hetsim.schedulers.registry import create
from hetsim.sim.machine import Machine
from hetsim.soc.kinds import kinds
from hetsim.soc.loader import load_soc, soc_json_schema
from hetsim.study.whatif.knobs import knobs_of
from hetsim.workload.graph import LoopNest
from tests.installed import Install
from tests.installed import install as install
from tests.learn.samples import shapes, write_file

FOREIGN = '''
from typing import ClassVar, Literal

from pydantic import Field

from hetsim.cost.analytical.traffic import total_bytes, weight_bytes
from hetsim.cost.pu import PUModel
from hetsim.cost.work import Phase, Work
from hetsim.soc.accelerator import AcceleratorSpec
from hetsim.soc.fields import Count, Size
from hetsim.soc.pu import PUSpec
from hetsim.soc.turning import sides


class LaneModel(PUModel):
    def floor(self, op):
        rate = self.spec.lanes * self.spec.banks * self.spec.point.clock
        return (op.macs + op.element_ops) / rate

    def work(self, graph, kernel, residency):
        compute = sum(self.floor(op) for op in kernel.operators)
        weights = weight_bytes(kernel, self.pu)
        loads = total_bytes(graph, kernel.inputs, self.pu) + weights
        phase = Phase("run", compute, loads, total_bytes(graph, kernel.outputs, self.pu), compute)
        return Work(self.spec.dispatch, compute, (phase,), weight_bytes=weights)


class ISPSpec(PUSpec):
    """Lanes in banks."""

    kind: Literal["isp"]
    model: ClassVar[type] = LaneModel
    lanes: Count
    banks: Count = 2
    scratch: Size = Field(default=65536.0, description="memory of its own")
    wakes: Literal["fast", "slow"] = "slow"
    fast_lanes: Count | None = None

    @property
    def multipliers(self):
        return float(self.lanes * self.banks)

    @property
    def on_chip_memory(self):
        return self.scratch

    def joints(self):
        return (sides(self, "lanes", "banks"),)

    def along(self, field, choice):
        return {"fast_lanes": 4} if (field, choice) == ("wakes", "fast") else {}


class ManyCoreSpec(ISPSpec):
    """Runs threads, too."""

    kind: Literal["many_core"]
    repeatable: ClassVar[bool] = False
    cores: Count

    @property
    def thread_cores(self):
        return self.cores


class VPUSpec(AcceleratorSpec):
    """An accelerator by another name."""

    kind: Literal["vpu"]


class Silent(PUSpec):
    kind: Literal["silent"]


class HalfModel(PUModel):
    def floor(self, op):
        return 0.0


class HalfSpec(PUSpec):
    kind: Literal["half"]
    model: ClassVar[str] = "foreign:HalfModel"


class WrongSpec(HalfSpec):
    kind: Literal["half"]
    model: ClassVar[str] = "foreign:Silent"


class LostSpec(HalfSpec):
    kind: Literal["half"]
    model: ClassVar[str] = "foreigner:Model"
'''

SOC = """\
hetsim: soc/1
name: with-isp
memory:
  dram: {bandwidth: 8 GB/s, capacity: 1 GiB}
pus:
  cpu:
    kind: cpu_cluster
    cores: 1
    path: [dram]
    operating_points: {on: {clock: 1 GHz}}
    macs_per_cycle: {float32: 4}
    element_ops_per_cycle: {float32: 4}
    efficiency: {default: 0.5}
  isp:
    kind: isp
    path: [dram]
    operating_points: {on: {clock: 1 GHz}}
    lanes: 8
runtime: {host: cpu}
"""

PLAN = """\
hetsim: plan/1
model: squeezenet
partitions:
- {name: p0, pu: isp, operators: [%s]}
"""


def kinds_of(**named: str) -> dict[str, dict[str, str]]:
    return {"hetsim.pu_kinds": {name: f"foreign:{value}" for name, value in named.items()}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "soc.yaml"
    path.write_text(SOC, encoding="utf-8")
    return path


@pytest.fixture
def isp(install: Install, file: Path) -> Path:
    install(FOREIGN, kinds_of(isp="ISPSpec", many_core="ManyCoreSpec", vpu="VPUSpec"))
    return file


def test_an_unknown_kind_is_located(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"soc\.yaml:15:11: pus\.isp\.kind: unknown kind 'isp'"):
        load_soc(file)


def test_an_installed_kind_is_validated_by_its_own_schema(isp: Path) -> None:
    assert load_soc(isp).by_name["isp"].spec.lanes == 8  # type: ignore[attr-defined]
    assert "fast_lanes" in str(soc_json_schema())
    # Of what its model does not say no measured time can be too short.
    assert model_of(load_soc(isp).by_name["isp"]).least(LoopNest(1, 1, 8, 8, 4, 4), "int8") == 0.0
    with pytest.raises(ConfigError, match="did you mean 'lanes'"):
        load_soc(isp, {"isp.lane": 4})


@pytest.mark.slow
def test_it_is_simulated_and_bounded(isp: Path, tmp_path: Path) -> None:
    roomy = {"dram.bandwidth": "800 GB/s"}
    soc, graph = load_soc(isp, roomy), hetsim.load_model("squeezenet")
    plan = tmp_path / "plan.yaml"
    plan.write_text(PLAN % ", ".join(op.name for op in graph.operators), encoding="utf-8")
    run = hetsim.simulate(soc, graph, hetsim.load_plan(plan))
    assert run.makespan_s is not None
    assert run.lower_bound_s is not None
    arithmetic = sum(op.macs + op.element_ops for op in graph.operators) / 16e9
    assert run.makespan_s == pytest.approx(arithmetic, rel=0.05)
    assert 0.0 < run.lower_bound_s <= run.makespan_s
    op = graph.operators[0]
    floor = AnalyticalModel().floor(graph, 0, soc.by_name["isp"])
    assert floor == pytest.approx((op.macs + op.element_ops) / 16e9)
    wider = hetsim.simulate(load_soc(isp, {**roomy, "isp.banks": 4}), graph, hetsim.load_plan(plan))
    assert wider.makespan_s < 0.7 * run.makespan_s  # type: ignore[operator]


@pytest.mark.slow
def test_one_with_cores_for_threads_can_be_the_host(isp: Path) -> None:
    graph = hetsim.load_model("squeezenet")
    changes: dict[str, object] = {
        "pus.cpu": {
            "kind": "many_core", "lanes": 4, "cores": 2, "path": ["dram"],
            "operating_points": {"on": {"clock": "1 GHz"}},
        },
        "pus.isp.layout": "packed",
        "pus.isp.crossing": {"relayout": "10 ns"},
        "area": {"per_core": 1.0},
    }  # fmt: skip
    soc = load_soc(isp, changes)
    assert soc.host.cores == 2
    assert Machine(soc).clusters["cpu"].cores == 2
    assert soc.spec.area is not None
    assert soc.spec.area.total(soc.spec) == 2.0
    result = hetsim.run(_scenario(isp, graph.name), overrides=changes)
    assert not result.failed
    with pytest.raises(ConfigError, match=r"no many_core is called 'isp'; .*cpu"):
        load_soc(isp, {**changes, "runtime.host": "isp"})


def _scenario(soc: Path, model: str) -> Path:
    path = soc.with_name("scenario.yaml")
    path.write_text(
        f"hetsim: scenario/1\nname: mine\nsoc: ./{soc.name}\n"
        f"models: [{model}]\nschedulers: [heft]\n"
    )
    return path


def test_whatif_turns_its_fields_as_it_says(isp: Path) -> None:
    scenario = load_scenario(_scenario(isp, "squeezenet"))
    knobs = {knob.name: knob for knob in knobs_of(scenario)}
    array = knobs["isp"]
    assert array.now == "8×2"
    assert array.more is not None
    assert dict(array.more.values) == {"pus.isp.lanes": 16, "pus.isp.banks": 4}
    assert array.more.factor == 4.0
    [fast] = knobs["isp.wakes"].alternatives
    assert dict(fast.values) == {"pus.isp.wakes": "fast", "pus.isp.fast_lanes": 4}
    assert "isp.scratch" in knobs
    assert "isp.lanes" not in knobs
    assert "number of cpu" not in knobs
    [second] = knobs["number of isp"].alternatives
    assert [pu.name for pu in varied(scenario, second.values).soc.pus] == ["cpu", "isp", "isp_2"]


@pytest.mark.slow
def test_what_it_states_is_what_schedulers_take_it_for(isp: Path) -> None:
    roles = {pu.name: pu.spec.role for pu in load_soc(isp).pus}
    assert roles == {"cpu": "cpu", "isp": ""}
    shipped = load_soc("mobile-flagship").pus
    assert {pu.kind: pu.spec.role for pu in shipped} == {
        "cpu_cluster": "cpu", "npu": "npu", "accelerator": "",
    }  # fmt: skip
    many = {
        "kind": "many_core", "lanes": 8, "cores": 2, "path": ["dram"],
        "operating_points": {"on": {"clock": "1 GHz"}},
    }  # fmt: skip
    soc, graph = load_soc(isp, {"pus.isp": many}), hetsim.load_model("squeezenet")
    run = Case(graph, soc).run("cpu_only", create("cpu_only", {}))
    assert run.plan is not None
    assert {part.pu for part in run.plan.partitions} == {"isp"}


def test_it_is_priced(isp: Path) -> None:
    spec = load_soc(isp, {"area": {"per_mac": 2.0, "per_sram_mib": 16.0}}).spec
    assert spec.area is not None
    terms = spec.area.terms(spec)
    assert (terms["per_mac"], terms["per_sram_mib"]) == (32.0, 1.0)


def test_measurements_calibrate_it_only_if_its_model_says_so(isp: Path, tmp_path: Path) -> None:
    table = read_measurements(write_file(tmp_path / "m.csv", shapes(20)))
    with pytest.raises(ConfigError) as caught:
        find_target(load_soc(isp), "isp", table)
    text = str(caught.value)
    assert "convolution latency does not calibrate isp, which is a isp" in text
    assert "convolution latency calibrates cpu_cluster and gpu and accelerator and vpu" in text
    vpu = load_soc(isp, {"pus.isp": {
        "kind": "vpu", "path": ["dram"], "operating_points": {"on": {"clock": "1 GHz"}},
        "macs_per_cycle": {"float32": 64}, "element_ops_per_cycle": {"float32": 64},
        "efficiency": {"default": 0.5},
    }})  # fmt: skip
    assert find_target(vpu, "isp", table).stated() is not None


def test_it_is_listed(isp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry(["list", "pu-kinds", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["isp"]["origin"] == "foreign:ISPSpec"
    assert rows["isp"]["description"] == "Lanes in banks."
    assert rows["isp"]["calibrated_from"] is None
    assert rows["vpu"]["calibrated_from"] == "convolution latency"
    assert rows["npu"]["origin"] == "built in"


@pytest.mark.parametrize(
    ("point", "says"),
    [
        ({"isp": "ISP"}, "cannot be loaded: .*ISP"),
        ({"isp": "PUModel"}, r"is not a subclass of hetsim\.soc\.pu\.PUSpec"),
        ({"npu": "ISPSpec"}, "already in use"),
    ],
)
def test_a_broken_kind_names_itself(install: Install, point: dict[str, str], says: str) -> None:
    install(FOREIGN, kinds_of(**point))
    [(name, value)] = point.items()
    with pytest.raises(ConfigError, match=says) as caught:
        kinds()
    assert f"processing unit kind {name!r} of 'foreign:{value}'" in str(caught.value)


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ("Silent", "Silent says no model"),
        ("HalfSpec", r"the model of HalfSpec of 'foreign:HalfModel' does not define work\(\)"),
        ("WrongSpec", r"'foreign:Silent' is not a subclass of hetsim\.cost\.pu\.PUModel"),
        ("LostSpec", "the model of LostSpec of 'foreigner:Model' cannot be loaded: No module"),
    ],
)
def test_a_kind_without_a_model_says_so_in_every_run(
    install: Install, file: Path, schema: str, says: str
) -> None:
    kind = "silent" if schema == "Silent" else "half"
    install(FOREIGN, kinds_of(**{kind: schema}))
    text = SOC.replace("kind: isp", f"kind: {kind}").replace("    lanes: 8\n", "")
    file.write_text(text, encoding="utf-8")
    result = hetsim.run(_scenario(file, "squeezenet"))
    assert result.failed
    for run in result.runs:
        assert re.search(says, str(run.error))
