"""What-if: every size is varied, effects are what run gives, the bottleneck is the real one."""

from __future__ import annotations

import csv
import io
import json

import pytest
from pydantic import BaseModel

import hetsim
from hetsim.cli.main import entry
from hetsim.errors import ConfigError
from hetsim.executors.registry import executor
from hetsim.report.page.whatif import brief_table, tornado
from hetsim.scenario.loader import load_scenario
from hetsim.scenario.variants import varied
from hetsim.soc.fields import Quantity
from hetsim.study.compare.report import comparison_to_dict, table
from hetsim.study.compare.study import compare, parse_variant
from hetsim.study.pool import EQUAL
from hetsim.study.whatif.knobs import SKIPPED, UNVARIED, knobs_of
from hetsim.study.whatif.report import read
from hetsim.study.whatif.result import sentence
from hetsim.study.whatif.study import whatif
from tests.study.samples import BLOCK_4A, SCENARIO, inception_block, loaded, small_scenario


@pytest.fixture
def workdir(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    "soc", ["edge-mcu", "mobile-flagship", "phone-gpu-dsp", "zcu102-vta", "zcu102-4vta"]
)
def test_every_change_of_every_shipped_soc_makes_a_soc(tmp_path, soc):
    scenario = loaded(tmp_path, soc=soc)
    for knob in knobs_of(scenario):
        for change in (knob.less, knob.more, *knob.alternatives):
            if change is not None:
                assert varied(scenario, change.values).soc.spec != scenario.soc.spec, knob.name


@pytest.mark.parametrize("soc", ["edge-mcu", "mobile-flagship", "zcu102-vta"])
def test_no_quantity_of_a_soc_is_forgotten(tmp_path, soc):
    scenario = loaded(tmp_path, soc=soc)
    changed = {
        path
        for knob in knobs_of(scenario)
        for change in (knob.less, knob.more)
        if change is not None
        for path in change.values
    }
    for path in quantities(scenario.soc.spec, ""):
        if ".operating_points." in path and path not in changed:
            continue  # not in force
        assert path in changed, path


def quantities(spec: BaseModel, prefix: str):
    """Paths of all quantities and shares that are set to something and can change a time."""
    for name, field in type(spec).model_fields.items():
        value, path = getattr(spec, name), f"{prefix}{field.alias or name}"
        if isinstance(value, BaseModel):
            if name not in SKIPPED:
                yield from quantities(value, f"{path}.")
        elif (
            isinstance(value, dict) and value and isinstance(next(iter(value.values())), BaseModel)
        ):
            if name not in SKIPPED or name == "operating_points":
                for key, item in value.items():
                    yield from quantities(item, f"{path}.{key}.")
        elif isinstance(value, float) and value:
            found = [m for m in field.metadata if isinstance(m, Quantity)]
            if found and found[0].dimension not in UNVARIED:
                yield path


def test_halves_and_doubles_follow_the_rules(tmp_path):
    knobs = {knob.name: knob for knob in knobs_of(loaded(tmp_path))}
    sram = knobs["npu.sram"]
    assert (sram.now, sram.less.label, sram.more.label) == ("256 KiB", "128 KiB", "512 KiB")
    assert knobs["npu.array"].more.label == "16×16"
    assert knobs["npu.array"].more.factor == 4.0
    share = knobs["npu.array_efficiency"]
    assert share.more.values["pus.npu.array_efficiency"] == 1.0
    assert knobs["npu.dma.engines"].less is None
    assert knobs["npu.dispatch"].better == "less"
    assert [a.label for a in knobs["npu.double_buffer"].alternatives] == ["false"]
    assert knobs["cpu clock"].more.values == {
        "pus.cpu.operating_points.nominal.clock": "2000000000.0 Hz"
    }


def test_cores_and_workers_change_together(tmp_path):
    scenario = loaded(tmp_path)
    split = varied(scenario, {"cpu.workers": [1, 1]})
    cores = next(knob for knob in knobs_of(split) if knob.name == "cpu.cores")
    assert cores.more.values == {"pus.cpu.cores": 4, "pus.cpu.workers": [2, 2]}
    assert cores.less is None


def test_another_npu_is_one_more_unit(tmp_path):
    scenario = loaded(tmp_path)
    second = next(k for k in knobs_of(scenario) if k.name == "number of npu").alternatives[0]
    assert [pu.name for pu in varied(scenario, second.values).soc.pus] == ["cpu", "npu", "npu_2"]


@pytest.mark.slow
def test_effects_are_what_run_gives(tmp_path):
    path = small_scenario(tmp_path)
    study = whatif(load_scenario(path), only=["npu.sram", "bus"])
    [network] = study.networks
    [base] = hetsim.run(path).runs
    assert network.own_s == base.makespan_s
    assert network.base_s <= base.makespan_s * EQUAL
    assert sum(network.attribution_s.values()) == pytest.approx(network.base_s)
    assert {s.knob.component for s in network.sensitivities} == {"npu", "bus"}
    for sensitivity in network.sensitivities:
        for effect in sensitivity.effects:
            [anew] = hetsim.run(path, dict(effect.change.values)).runs
            assert effect.replanned_s == pytest.approx(anew.makespan_s)
            soc = load_scenario(path, dict(effect.change.values)).soc
            kept = hetsim.simulate(soc, base.graph, base.plan)
            assert effect.kept_s == pytest.approx(kept.makespan_s)
            assert effect.best_s <= min(effect.replanned_s, effect.kept_s) * EQUAL
            moved = sum(part.seconds for part in effect.moved)
            assert moved == pytest.approx(effect.best_s - network.base_s, abs=1e-12)
    gains = [s.gain for s in network.sensitivities]
    assert gains == sorted(gains, reverse=True)


@pytest.mark.slow
def test_results_do_not_depend_on_the_workers(tmp_path):
    scenario = loaded(tmp_path)
    alone = whatif(scenario, only=["npu"])
    together = whatif(scenario, only=["npu"], executor=executor(2))
    assert alone.networks[0].sensitivities == together.networks[0].sensitivities
    assert alone.networks[0].relief == together.networks[0].relief


@pytest.mark.slow
def test_a_soc_with_one_weak_part_has_its_bottleneck_there(tmp_path):
    # A bus as thin as a hair: nothing else can matter, and the time is inverse to its clock.
    scenario = loaded(tmp_path, **{"bus.clock": "0.5 MHz", "npu.dispatch": "0 s"})
    study = whatif(scenario)
    [network] = study.networks
    relief = network.relief
    assert relief.sensitivity.knob.component == "bus"
    assert relief.sensitivity.elasticity == pytest.approx(-1.0, abs=0.02)
    assert relief.effect.best_s == pytest.approx(network.base_s / 2, rel=0.02)
    # Twice a hair is a hair: the bottleneck stays.
    assert relief.following.knob.component == "bus"
    text = sentence(network, study.soc)
    assert "bottleneck of small on edge-mcu is bus" in text
    assert "stays with bus" in text


@pytest.mark.slow
def test_a_time_is_improved_by_lowering_it(tmp_path):
    # A second for each kernel start on the CPU is more than everything else together.
    scenario = loaded(tmp_path, **{"cpu.dispatch": "1 s", "bus.clock": "5 MHz"})
    [network] = whatif(scenario).networks
    assert network.relief.sensitivity.knob.name == "cpu.dispatch"
    assert network.relief.sensitivity.elasticity == pytest.approx(1.0, abs=0.05)


def test_only_must_fit_something(tmp_path):
    with pytest.raises(ConfigError, match="called 'npv'") as told:
        whatif(loaded(tmp_path), only=["npv"])
    assert "did you mean 'npu'" in str(told.value)


@pytest.mark.slow
def test_charts_and_tables_tell_what_stands_out_in_one_order(tmp_path):
    study = whatif(loaded(tmp_path), only=["npu", "bus"])
    told = [s for s in study.networks[0].sensitivities if s.verdict == "told"]
    names = [s.knob.name for s in told]
    [network] = read(study).networks
    assert [row[0] for row in brief_table(network).rows if row[0]] == names
    chart = tornado(network, study.soc)
    assert [bar.label.split()[0] for bar in chart.bars] == [name.split()[0] for name in names]
    for bar, sensitivity in zip(chart.bars, told, strict=True):
        noticed = [effect for effect in sensitivity.effects if effect.verdict != "none"]
        for segment, effect in zip(bar.segments, noticed, strict=True):
            assert segment.end == pytest.approx(effect.best_s, abs=1e-11)
            if segment.low is not None:
                assert segment.low <= segment.end <= segment.high
    [axes] = study.figures()["tornado-small"].axes
    drawn = [s.knob.name.split()[0] for s in told if s.less or s.more]
    assert [label.get_text().split()[0] for label in axes.get_yticklabels()] == drawn[:16]


@pytest.mark.slow
def test_the_command_writes_table_chart_and_data(workdir, capsys):
    scenario = str(small_scenario(workdir))
    assert entry(["whatif", scenario, "--only", "npu", "--workers", "1"]) == 0
    out = capsys.readouterr().out
    assert "npu.sram" in out
    assert "bottleneck" in out
    directory = workdir / "results" / "small-whatif"
    names = {path.name for path in directory.iterdir()}
    assert {"report.html", "whatif.json", "whatif.csv"} <= names
    data = json.loads((directory / "whatif.json").read_text())
    rows = list(csv.DictReader(io.StringIO((directory / "whatif.csv").read_text())))
    assert len(rows) == sum(len(p["changes"]) for p in data["networks"][0]["parameters"])
    assert "tornado" not in (directory / "report.html").read_text().partition("<h2")[0]
    assert entry(["whatif", scenario, "--only", "bus", "--workers", "1"]) == 2  # another study
    assert "not empty" in capsys.readouterr().err


@pytest.mark.slow
def test_variants_stand_side_by_side(workdir, capsys):
    scenario = str(small_scenario(workdir))
    code = entry(
        ["whatif", scenario, "--set", "npu.sram=2x", "--set", "bus.clock=2x",
         "--variant", "slow: bus.clock=0.25x, npu.array={rows: 4, columns: 4,"
         " dataflow: weight_stationary}"]
    )  # fmt: skip
    assert code == 0
    out = capsys.readouterr().out
    assert "as it is" in out
    assert "energy" in out
    directory = workdir / "results" / "small-whatif"
    data = json.loads((directory / "compare.json").read_text())
    assert [v["name"] for v in data["variants"]] == ["as it is", "changed", "slow"]
    times = [v["result"]["runs"][0]["makespan_us"] for v in data["variants"]]
    assert times[1] < times[0] < times[2]
    [alone] = hetsim.run(scenario, {"npu.sram": "2x", "bus.clock": "2x"}).runs
    assert times[1] == pytest.approx(alone.makespan_s * 1e6, abs=1e-6)
    assert {"gantt-small.svg", "gantt-small.png", "compare.csv"} <= {
        path.name for path in directory.iterdir()
    }


@pytest.mark.slow
def test_a_variant_is_judged_by_the_best_plan_of_all_variants(tmp_path):
    inception_block(tmp_path / "block.onnx", *BLOCK_4A, 8)
    text = SCENARIO.replace("small.onnx", "block.onnx").replace("type_based", "partition_tuner")
    scenario = load_scenario(small_scenario(tmp_path, text=text), {"soc": "mobile-flagship"})
    comparison = compare(scenario, {"narrow": {"npu_port.width": "128 bit"}})
    base, narrow = comparison.variants
    [own] = narrow.result.runs
    best = narrow.best("block")
    assert best.makespan_s < 0.98 * own.makespan_s
    assert best.scheduler == "partition_tuner, plan of as it is"
    assert best.plan == base.result.runs[0].plan
    assert base.best("block") is base.result.runs[0]
    told = comparison_to_dict(comparison)["variants"][1]["borrowed"]["block"]
    assert told["makespan_us"] == pytest.approx(best.makespan_s * 1e6, abs=1e-6)
    assert "plan of as it is" in str(table(comparison, "block").rows)


@pytest.mark.parametrize("text", ["npu.sram=2x", "big:", ": a=1", "big", "big: sram"])
def test_what_is_no_variant_is_told(text):
    with pytest.raises(ConfigError, match=r"is not a (variant|change)"):
        parse_variant(text)


def test_a_variant_that_leads_nowhere_stops_before_anything_runs(tmp_path):
    told = []
    with pytest.raises(ConfigError, match="npv"):
        compare(
            loaded(tmp_path), {"x": {"npv.sram": "2x"}}, progress=lambda *step: told.append(step)
        )
    assert not told


@pytest.mark.slow
def test_gantts_share_their_time_axis(tmp_path):
    from hetsim.study.compare.report import gantts

    comparison = compare(loaded(tmp_path), {"slow": {"bus.clock": "0.25x"}})
    figure = gantts(comparison, "small")
    assert len(figure.axes) == 2
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()
    assert "slow" in figure.axes[1].get_title(loc="left")
    assert "small" in comparison._repr_html_()


@pytest.mark.slow
def test_several_networks_each_have_their_answer(tmp_path):
    small = small_scenario(tmp_path)
    text = SCENARIO.replace(
        "[{path: small.onnx}]", "[{path: small.onnx}, {path: small.onnx, label: twin}]"
    )
    small.write_text(text)
    study = whatif(load_scenario(small), only=["bus"])
    assert [network.model for network in study.networks] == ["small", "twin"]
    first, second = study.networks
    assert [s.gain for s in first.sensitivities] == [s.gain for s in second.sensitivities]
    assert "<table " in study._repr_html_()


def test_a_dsp_of_longer_vectors_computes_more(tmp_path):
    knobs = {knob.name: knob for knob in knobs_of(loaded(tmp_path, soc="phone-gpu-dsp"))}
    longer = knobs["dsp.vector"].more
    assert (longer.label, longer.factor) == ("2048 bit", 2.0)
    assert longer.values["pus.dsp.macs_per_cycle"]["int8"] == 512
    assert "dsp.macs_per_cycle" not in knobs
    assert knobs["gpu.tiles"].more.values["pus.gpu.tiles"][0] == {"rows": 128, "columns": 16}
