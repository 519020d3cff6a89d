"""The study of what tuning is worth, on a network of four operators instead of five hundred."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import pytest

import hetsim
from hetsim.executors.serial import SerialExecutor
from hetsim.runs.case import Case
from hetsim.runs.scenario import run_scenario
from hetsim.scenario.choices import choose
from hetsim.scenario.loader import load_scenario
from hetsim.schedulers.partition_tuner.scheduler import PartitionTuner
from hetsim.schedulers.registry import BUILT_IN
from hetsim.schedulers.search.parameters import MENDED, published
from hetsim.schedulers.search.starts import NOT_STARTS
from hetsim.study.tune.crew import Crew, TuneBench
from hetsim.study.tune.parameters import tune_parameters
from hetsim.study.tune.search import TUNED
from tests.study.samples import small_network

BENCHMARKS = Path(hetsim.__file__).parents[1] / "benchmarks"
EVALUATIONS = 60


@pytest.fixture(scope="module")
def scenario():
    return load_scenario("contention_study")


@pytest.fixture
def network(tmp_path):
    return str(small_network(tmp_path / "small.onnx"))


@pytest.fixture
def benchmarks(monkeypatch):
    if not BENCHMARKS.is_dir():
        pytest.skip("benchmarks are not part of the installed package")
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield
    for name in ("contention_rows", "contention_tables", "contention_picture", "heldout"):
        sys.modules.pop(name, None)


def test_every_choice_stands_alone_and_then_all_together(scenario):
    refs = [ref for ref in scenario.schedulers if ref.name == "partition_tuner"]
    assert not refs[0].parameters
    alone = [dict(ref.parameters) for ref in refs[1:-1]]
    assert sorted(name for given in alone for name in given) == sorted(published())
    assert all(len(given) == 1 for given in alone)
    assert dict(refs[-1].parameters) == MENDED
    for given in alone:
        [(name, value)] = given.items()
        assert value != published()[name]


def test_everybody_else_is_there(scenario):
    others = {ref.name for ref in scenario.schedulers}
    # Delegating runtimes do one thing at a time: on a bus they are no rivals.
    assert set(BUILT_IN) <= others | set(NOT_STARTS)


@pytest.mark.slow
def test_the_scenario_runs_on_a_small_network(scenario, network):
    names = [ref.label for ref in scenario.schedulers if ref.name != "partition_tuner_tuned"]
    result = run_scenario(choose(scenario, models=[network], schedulers=names))
    assert len(result.runs) == len(names)
    for run in result.runs:
        assert run.error is None
        assert run.makespan_s >= run.lower_bound_s * (1 - 1e-9)


@pytest.mark.slow
def test_a_row_says_what_direct_calls_say(scenario, network, benchmarks):
    from contention_rows import Chain, StudyBench, designs_of, varied

    rows = StudyBench(scenario, EVALUATIONS).evaluate(Chain("edge-mcu", network))
    designs = designs_of(scenario, "edge-mcu")
    assert [row.bandwidth for row in rows] == ["8x", "1x", "0.5x"]
    assert [row.bandwidth for row in rows] == [design["bus.clock"] for design in designs]
    graph = hetsim.load_model(network)
    first = None
    for row, design in zip(rows, designs, strict=True):
        soc = varied(scenario, design).soc
        case = Case(graph, soc)
        run = case.run("published", PartitionTuner())
        bus = soc.links["bus"]
        assert row.starts["partition_tuner"] == run.makespan_s
        assert row.bytes == run.links["bus"].bytes
        assert row.load == pytest.approx(row.bytes / (max(bus.bandwidth) * run.makespan_s))
        assert row.contention == run.attribution["bus_contention"] / run.makespan_s
        assert row.bound_s <= run.lower_bound_s
        with_tuned = case.plan(PartitionTuner(**row.parameters))
        assert case.simulate(with_tuned).makespan_s == pytest.approx(row.parameters_s, rel=1e-9)
        assert row.starts[TUNED] == pytest.approx(row.parameters_s, rel=1e-9)
        everybody = [seconds for seconds in row.starts.values() if seconds is not None]
        assert row.plan_s <= min(everybody) * (1 + 1e-9)
        assert row.bound_s <= row.plan_s
        assert 0 < row.load <= 1
        first = first or row
        assert row.kept_s >= first.kept_s
        assert row.starts["partition_tuner"] >= first.starts["partition_tuner"]
    assert first.kept_s == first.plan_s


@pytest.mark.slow
def test_a_network_that_does_not_fit_fails_alone(scenario, network, benchmarks):
    from contention_rows import Chain, study

    jobs = [Chain("edge-mcu", "inception_v3"), Chain("zcu102-vta", network)]
    with SerialExecutor() as team:
        rows = study(scenario, jobs, EVALUATIONS, team)
    failed = [row for row in rows if row.error]
    assert {row.model for row in failed} == {"inception_v3"}
    assert all("102.4 MiB" in row.error and "64 MiB" in row.error for row in failed)
    ran = [row for row in rows if not row.error]
    assert [row.bandwidth for row in ran] == ["1x", "0.0625x"]
    assert all(row.plan_s > 0 for row in ran)


@pytest.mark.slow
def test_what_is_held_out_has_no_part_in_the_tuning(scenario, network, benchmarks):
    from heldout import carried, cases_of

    cases = cases_of(scenario, {"edge-mcu": {}, "mobile-flagship": {}}, [network])
    with SerialExecutor() as team:
        found = carried(cases, team)
    names = ["small", "edge-mcu", "mobile-flagship"]
    assert [held.name for held in found.held] == names
    for held in found.held[1:]:
        for place, gain, own in zip(found.places, held.others.gains, held.alone.gains, strict=True):
            assert gain.held_out == (held.name in place) != own.held_out
        [there] = [case for place, case in cases.items() if held.name in place]
        [other] = [case for place, case in cases.items() if held.name not in place]
        direct = tune_parameters(Crew(TuneBench((other,))), pairs=False).best
        assert held.others.parameters == direct
        [seconds] = [gain.tuned_s for gain in held.others.gains if gain.held_out]
        plan = there.plan(PartitionTuner(**direct))
        assert there.simulate(plan).makespan_s == pytest.approx(seconds, rel=1e-9)


def test_tables_and_picture_show_the_rows(scenario, benchmarks):
    from contention_picture import load_figure
    from contention_rows import Row
    from contention_tables import changed, print_summary, print_tables
    from rich.console import Console

    names = [ref.label for ref in scenario.schedulers if ref.name != "partition_tuner_tuned"]
    starts = {name: 3.0 + i for i, name in enumerate(names)}
    common = {"starts": starts, "bound_s": 2.0, "plan_s": 2.5, "parameters_s": 2.9}
    rows = [
        Row("edge-mcu", "net", "1x", load=0.9, kept_s=4.0, contention=0.25, **common),
        Row("edge-mcu", "net", "8x", load=0.1, kept_s=2.5, **common),
        Row("edge-mcu", "big", "8x", error="does not fit"),
    ]
    console = Console(width=170, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    print_tables(console, scenario, rows)
    print_summary(console, scenario, rows)
    text = console.export_text()
    [line] = [line for line in text.splitlines() if line.startswith("net") and "90%" in line]
    assert line.split()[-1] == "100"  # kept: 4.0 over 2.0
    assert line.split()[-2] == "25"
    assert "big: does not fit" in text
    assert "-37.5%" in text  # 2.5 over 4.0
    left, right = load_figure(rows).axes
    [curve] = left.get_lines()
    assert list(zip(*curve.get_data(), strict=True)) == [(10.0, 50.0), (90.0, 50.0)]
    [curve] = right.get_lines()
    assert [round(y) for y in curve.get_ydata()] == [25, 25]
    assert changed(asdict(PartitionTuner())) == "as published"
    assert changed(asdict(PartitionTuner(joint=True))) == "joint True"
