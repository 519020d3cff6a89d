"""This machine as files: what was measured is what is simulated. Nothing is run here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hetsim.cost.measured.files import dump_profile, read_profile
from hetsim.cost.measured.keys import operator_key
from hetsim.errors import ConfigError
from hetsim.host import machine as machine_module
from hetsim.host.clock import Sample, undisturbed
from hetsim.host.describe import efficiencies, host_profile, host_scenario, host_soc
from hetsim.host.execute import cores_of
from hetsim.host.verdict import Outcome, Verdict
from hetsim.host.verify import simple_plans
from hetsim.plan.model import Plan
from hetsim.plan.validate import validate_plan
from hetsim.runs.case import Case
from hetsim.scenario.loader import load_scenario
from hetsim.soc.loader import load_soc
from tests.host.networks import MACHINE, made_up, small_network


def written(folder: Path, **options):
    measured = made_up(**options)
    (folder / "host.yaml").write_text(host_soc(measured, "host", "p.yaml"))
    (folder / "p.yaml").write_text(dump_profile(host_profile(measured, "p")))
    (folder / "scenario.yaml").write_text(host_scenario(measured, "./host.yaml", ["squeezenet"]))
    return measured


@pytest.mark.parametrize("overhead", [0.8, 1.0, 1.5])
def test_the_whole_network_is_simulated_as_it_was_measured(tmp_path, overhead):
    """Whether profiling slowed the kernels or something runs between them."""
    measured = written(tmp_path, overhead=overhead)
    soc = load_soc(tmp_path / "host.yaml")
    (times,) = measured.networks
    graph = times.network.graph
    case = Case(graph, soc)
    plans = dict(simple_plans(graph, soc))
    whole = case.simulate(plans["whole"]).makespan_s
    assert whole == pytest.approx(times.latency.median_s, rel=1e-4)
    cut = case.simulate(plans["cut"]).makespan_s
    pieces = len(plans["cut"].partitions)
    assert cut == pytest.approx(whole + (pieces - 1) * measured.cuts.call_s, rel=1e-4)


def test_the_soc_has_the_cores_bandwidth_and_company_that_were_measured(tmp_path):
    written(tmp_path, company=0.8)
    soc = load_soc(tmp_path / "host.yaml")
    assert [pu.name for pu in soc.pus] == ["cpu.0", "cpu.1"]
    assert soc.links["dram"].bandwidth == pytest.approx((8e9, 16e9))
    assert soc.pus[0].bandwidth == pytest.approx(8e9)
    spec = soc.pus[0].spec
    assert spec.slowdown.kept == [[1.0, 0.8]]
    assert spec.cache == 1 << 20
    assert cores_of(soc, MACHINE) == {"cpu.0": (0,), "cpu.1": (1,)}


def test_a_worker_of_several_threads_states_what_each_adds(tmp_path):
    measured = made_up(threads=2)
    text = host_soc(measured, "host-2t", "p.yaml")
    (tmp_path / "h.yaml").write_text(text)
    soc = load_soc(tmp_path / "h.yaml")
    assert [(pu.name, pu.cores) for pu in soc.pus] == [("cpu", 2)]
    assert "slowdown" not in text  # there is no neighbour


def test_the_profile_knows_every_operator_and_says_where_it_comes_from(tmp_path):
    measured = written(tmp_path)
    table = read_profile(tmp_path / "p.yaml")
    (times,) = measured.networks
    graph = times.network.graph
    assert {operator_key(graph, op) for op in graph.operators} == set(table.entries)
    assert table.scope == "kernel"
    assert any("branches" in remark for remark in table.remarks)


def test_a_machine_faster_than_its_stated_clock_is_described_as_fast_as_it_was(tmp_path):
    """Boost clocks: its own profile must not be beyond the peak of its own description."""
    measured = written(tmp_path, clock_hz=1e3)
    assert measured.clock_hz > 1e3
    text = (tmp_path / "host.yaml").read_text()
    assert "higher than the system states: the fastest operator proves it" in text
    Case(measured.networks[0].network.graph, load_soc(tmp_path / "host.yaml")).check()


def test_efficiencies_are_shares_by_kind_with_a_default():
    found = efficiencies(made_up())
    assert found.keys() >= {"default", "Conv", "Relu", "Sigmoid"}
    assert all(0 < share <= 1 for share in found.values())


def test_the_scenario_names_the_networks(tmp_path):
    written(tmp_path)
    loaded = load_scenario(tmp_path / "scenario.yaml")
    assert loaded.soc.name == "host"
    assert [ref.name for ref in loaded.models] == ["squeezenet"]


@pytest.mark.slow
def test_simple_plans_are_valid_and_use_the_workers_they_say(tmp_path):
    written(tmp_path)
    soc = load_soc(tmp_path / "host.yaml")
    graph = small_network().graph
    case = Case(graph, soc)
    plans = dict(simple_plans(graph, soc))
    assert list(plans) == ["whole", "cut", "cut, changing workers"]
    for label, plan in plans.items():
        validate_plan(plan, graph, soc)
        run = case.evaluate(label, plan)
        used = [name for name, pu in run.pus.items() if pu.busy_s]
        assert used == (["cpu.0", "cpu.1"] if "changing" in label else ["cpu.0"])


def test_units_that_cannot_run_here_are_named():
    with pytest.raises(ConfigError, match="npu of zcu102-vta is a npu"):
        cores_of(load_soc("zcu102-vta"), made_big(8))


def test_more_cores_than_there_are_is_said(tmp_path):
    written(tmp_path)
    with pytest.raises(ConfigError, match="host has 2 cores and this process may use 1"):
        cores_of(load_soc(tmp_path / "host.yaml"), replace(MACHINE, cpus=(3,)))


def made_big(cores: int):
    return replace(MACHINE, cpus=tuple(range(cores)))


def test_disturbed_rounds_are_left_out_unless_there_are_no_others():
    quiet = [Sample(1.0, 0.0)] * 5
    assert undisturbed([*quiet, Sample(9.0, 5.0)]) == quiet
    noisy = [Sample(1.0, 0.1 * i) for i in range(1, 9)]
    assert undisturbed(noisy) == noisy[:5]
    assert undisturbed([Sample(2.0, 1.0)]) == [Sample(2.0, 1.0)]


def test_what_the_system_says_of_caches_and_cpus(tmp_path, monkeypatch):
    cache = tmp_path / "cpu0/cache/index0"
    cache.mkdir(parents=True)
    for name, text in {"size": "512K", "level": "2", "type": "Unified",
                       "shared_cpu_list": "0-1,4"}.items():  # fmt: skip
        (cache / name).write_text(text + "\n")
    info = tmp_path / "cpuinfo"
    info.write_text("model name\t: Chip 9\ncpu MHz\t\t: 1500.0\nflags\t\t: fpu fma avx2\n")
    monkeypatch.setattr(machine_module, "_SYSTEM", tmp_path)
    monkeypatch.setattr(machine_module, "_CPUINFO", info)
    monkeypatch.setattr(machine_module, "_MEMINFO", tmp_path / "none")
    here = machine_module.this_machine()
    assert here.name == "Chip 9"
    assert here.clock_hz == 1.5e9
    assert here.caches[0].size == 512 << 10
    assert here.caches[0].shared_by == 3
    assert here.macs_per_cycle in (16, 16)
    assert here.memory_bytes is None


def outcome(label: str, simulated: float, measured: float, deviation: float = 0.0) -> Outcome:
    from hetsim.host.measure import Timing

    timing = Timing(measured, measured, None, 1)
    return Outcome(
        "m", label, Plan("m", ()), simulated, timing, measured, 1, 1, None, deviation, False
    )


def test_errors_and_ranking_are_counted_as_stated():
    verdict = Verdict(
        (outcome("a", 1.0, 1.0), outcome("b", 1.5, 2.0), outcome("c", 0.9, 1.05)), (), True
    )
    assert verdict.median_error == pytest.approx(1 - 0.9 / 1.05)
    assert [(a.label, b.label) for a, b in verdict.pairs()] == [("a", "b"), ("b", "c")]
    assert len(verdict.ranked_right()) == 2
    assert verdict.undisturbed() == verdict
    busy = replace(outcome("d", 1.0, 9.0), quiet_rounds=0)
    assert Verdict((*verdict.outcomes, busy), (), True).undisturbed() == verdict
    wrong = Verdict((outcome("a", 1.0, 2.0), outcome("b", 1.5, 1.0)), (), True)
    assert not wrong.ranked_right()
    assert not outcome("x", 1, 1, deviation=1e-3).equal
