"""``hetsim tune``: never worse, the same on any number of workers, stops and goes on."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys

import pytest
import yaml

import hetsim
from hetsim.cli.main import entry
from hetsim.errors import ConfigError, ResultsError
from hetsim.executors.serial import SerialExecutor
from hetsim.plan.files import load_plan
from hetsim.records import SEAL, seal
from hetsim.runs.rows import case_of
from hetsim.runs.scenario import run_scenario
from hetsim.scenario.choices import choose
from hetsim.scenario.loader import load_scenario
from hetsim.schedulers.partition_tuner.scheduler import PartitionTuner
from hetsim.schedulers.registry import create
from hetsim.schedulers.search import search
from hetsim.schedulers.search.starts import start_names
from hetsim.study.point import PointBench
from hetsim.study.tune import rounds as rounds_module
from hetsim.study.tune import search as search_module
from hetsim.study.tune.crew import Crew, TuneBench
from hetsim.study.tune.parameters import in_turn, tune_parameters
from hetsim.study.tune.rounds import Effort
from hetsim.study.tune.study import tune
from tests.study.samples import BLOCK_4A, SCENARIO, inception_block, small_scenario

BLOCK = """\
hetsim: scenario/1
name: block
soc: edge-dual
models: [{path: block.onnx}]
schedulers: [type_based]
"""

TUNE = ["tune", "block.yaml", "--evaluations", "1000", "--seed", "1", "--quiet"]
"""In rounds of 60 plans it gains to the end, and other seeds gain otherwise."""

SHORT = """\
import sys

from hetsim.cli.main import entry
from hetsim.schedulers.search import search

search.STRETCH = 60
sys.exit(entry(sys.argv[1:]))
"""

KILLED = """\
import os
import signal
import sys

from hetsim.cli.main import entry
from hetsim.schedulers.search import search
from hetsim.study.tune import rounds

search.STRETCH = 60
real, calls = rounds.round_done, []


def deadly(*arguments):
    calls.append(1)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments)


rounds.round_done = deadly
sys.exit(entry(sys.argv[1:]))
"""
"""``hetsim`` that dies when its workers have answered for the second time."""


@pytest.fixture
def small(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return str(small_scenario(tmp_path))


@pytest.fixture
def block(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inception_block(tmp_path / "block.onnx", *BLOCK_4A, 14)
    (tmp_path / "block.yaml").write_text(BLOCK)
    monkeypatch.setattr(search, "STRETCH", 60)  # else a single round takes all of a small budget


def last_gain(directory):
    """How many plans had been judged when the best was found."""
    return int((directory / "curve.csv").read_text().splitlines()[-1].split(",")[1])


def result(directory):
    return json.loads((directory / "tune.json").read_text())


@pytest.mark.slow
def test_the_tuned_plan_is_never_worse_and_runs_alike(small, tmp_path, capsys):
    assert entry(["tune", small, "--evaluations", "600", "--workers", "1", "-o", "out"]) == 0
    shown = capsys.readouterr().out
    [model] = result(tmp_path / "out")["models"]
    simulated = [s["makespan_s"] for s in model["starts"] if s["makespan_s"] is not None]
    assert model["best_start_s"] == min(simulated)
    assert model["makespan_s"] <= min(simulated)
    assert model["lower_bound_s"] <= model["makespan_s"]
    assert model["evaluations"] <= 600
    run = hetsim.run(small)  # what the scenario's own scheduler does is among the starts
    assert run.runs[0].makespan_s in simulated
    plan = tmp_path / "out" / "plan-small.yaml"
    assert load_plan(plan).parameters == {"seed": 0, "evaluations": model["evaluations"]}
    [row] = run_scenario(choose(load_scenario(small), schedulers=[]), plans=[plan]).runs
    assert row.makespan_s == model["makespan_s"]
    assert entry(["run", small, "--plan", str(plan), "--no-files", "--quiet"]) == 0
    assert "plans a second" in shown
    rows = list(csv.DictReader((tmp_path / "out" / "curve.csv").open()))
    times = [float(row["best_us"]) for row in rows]
    assert times == sorted(times, reverse=True)
    assert times[-1] == pytest.approx(model["makespan_s"] * 1e6, rel=1e-9)
    for name in ("curve.svg", "curve.png", "report.html", "parameters.yaml"):
        assert (tmp_path / "out" / name).stat().st_size > 0


@pytest.mark.slow
def test_tuned_parameters_are_an_entry_of_a_scenario(small, tmp_path):
    assert entry(["tune", small, "--only", "parameters", "-o", "out", "--workers", "1"]) == 0
    text = (tmp_path / "out" / "parameters.yaml").read_text()
    [written] = yaml.safe_load(text)["schedulers"]
    again = tmp_path / "again.yaml"
    again.write_text(SCENARIO.replace("schedulers: [type_based]\n", text))
    [run] = hetsim.run(str(again)).runs
    assert run.scheduler == written["label"]
    data = result(tmp_path / "out")
    assert data["models"] == []
    [gain] = data["parameters"]["everything"]["gains"]
    assert run.makespan_s == pytest.approx(gain["tuned_s"], rel=1e-9)
    assert gain["tuned_s"] <= gain["published_s"]


@pytest.mark.slow
def test_workers_and_hash_seeds_do_not_matter(block, tmp_path):
    texts = []
    for workers, seed in (("1", "1"), ("2", "2")):
        out = f"out{workers}"
        subprocess.run(
            [sys.executable, "-c", SHORT, *TUNE, "--workers", workers, "-o", out,
             "--state", f"{out}.json"],
            cwd=tmp_path, env={**os.environ, "PYTHONHASHSEED": seed}, check=True,
        )  # fmt: skip
        names = ("tune.json", "plan-block.yaml", "curve.csv", "parameters.yaml")
        texts.append([(tmp_path / out / name).read_text() for name in names])
        texts[-1].append((tmp_path / f"{out}.json").read_text())
    assert texts[0] == texts[1]
    assert last_gain(tmp_path / "out1") > 500  # found by the search, not among its starts


@pytest.mark.slow
def test_a_killed_study_goes_on_as_if_nothing_had_happened(block, tmp_path):
    common = [*TUNE, "--only", "plans"]
    assert entry([*common, "--workers", "1", "-o", "whole", "--state", "whole.json"]) == 0
    killed = [sys.executable, "-c", KILLED, *common, "--workers", "2", "-o", "cut"]
    ended = subprocess.run([*killed, "--state", "cut.json"], cwd=tmp_path, check=False)
    assert ended.returncode == -signal.SIGKILL
    before = json.loads((tmp_path / "cut.json").read_text())["models"]["block"]
    assert any(s["rounds"] > 0 for s in before["searches"])
    assert sum(s["evaluations"] for s in before["searches"]) < last_gain(tmp_path / "whole")
    assert not (tmp_path / "cut").exists()
    resumed = [*common, "--workers", "1", "-o", "cut", "--state", "cut.json", "--resume"]
    assert entry(resumed) == 0
    for name in ("tune.json", "plan-block.yaml", "curve.csv"):
        assert (tmp_path / "cut" / name).read_text() == (tmp_path / "whole" / name).read_text()


@pytest.mark.slow
def test_interrupting_keeps_what_was_found(small, tmp_path, monkeypatch, capsys):
    real, calls = rounds_module.round_done, []

    def impatient(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(rounds_module, "round_done", impatient)
    common = ["tune", small, "--evaluations", "2000", "--workers", "1", "-o", "out"]
    assert entry(common) == 130
    assert "--resume" in capsys.readouterr().err
    data = result(tmp_path / "out")
    assert data["interrupted"]
    assert data["models"][0]["rounds"] == 2
    assert (tmp_path / "out" / "plan-small.yaml").exists()
    monkeypatch.setattr(rounds_module, "round_done", real)
    assert entry([*common, "--resume"]) == 0
    resumed = result(tmp_path / "out")
    assert entry([*common, "--state", "fresh.json"]) == 0
    assert result(tmp_path / "out") == resumed
    assert not resumed["interrupted"]


@pytest.mark.slow
def test_seconds_end_a_search(small):
    scenario = load_scenario(small)
    for seconds in (0.2, 1.0, 5.0, 25.0):  # the starts alone may take longer on a busy machine
        if tune(scenario, Effort(10**9, seconds), parameters=False).models[0].rounds:
            return
    pytest.fail("there was no round in 25 s")


@pytest.mark.slow
def test_state_of_another_study_is_refused(small, tmp_path, capsys):
    state = tmp_path / "results" / "small-tune.state.json"
    arguments = ["tune", small, "--only", "plans", "--evaluations", "50", "--workers", "1"]
    assert entry([*arguments, "--resume"]) == 2
    assert "there is no state file" in capsys.readouterr().err
    assert entry([*arguments]) == 0
    other = ["--seed", "7", "-o", str(tmp_path / "other")]
    assert entry([*arguments, "--resume", *other]) == 2
    assert "belongs to another study" in capsys.readouterr().err
    assert entry([*arguments, *other]) == 2, "nor is it begun anew over what another one found"
    assert "belongs to another study" in capsys.readouterr().err
    good = state.read_text()
    for bad, complaint in (
        (good[: len(good) // 2], "is damaged"),
        ("[]", "has format None"),
        (good.replace("0.", "1.", 1), "the seal is broken"),
        (good.replace('"order"', '"ordre"'), "the seal is broken"),
    ):
        state.write_text(bad)
        for how in (["--resume"], ["--force"]):  # what is no state of ours is not replaced either
            assert entry([*arguments, *how]) == 2
            assert complaint in capsys.readouterr().err
            assert state.read_text() == bad


@pytest.mark.slow
def test_state_whose_best_plan_cannot_run_is_refused(small, tmp_path, capsys):
    state = tmp_path / "results" / "small-tune.state.json"
    arguments = ["tune", small, "--only", "plans", "--evaluations", "50", "--workers", "1"]
    assert entry(arguments) == 0
    data = json.loads(state.read_text())
    (model,) = data["models"].values()
    search = model["searches"][0]
    order, pu = search["order"], search["pu"]
    npu = load_scenario(small).soc.by_name["npu"].index
    wrong = {"order": order[::-1]}, {"pu": [npu] * len(pu)}  # what reads first; no Softmax there
    for change in wrong:
        model["searches"][0] = search | change
        state.write_text(json.dumps(seal({k: v for k, v in data.items() if k != SEAL})))
        assert entry([*arguments, "--resume"]) == 2
        message = capsys.readouterr().err
        assert "small-tune.state.json" in message
        assert "does not fit" in message


def test_bad_requests(small, capsys):
    assert entry(["tune", small, "--holdout", "1"]) == 2
    assert "cannot be held out" in capsys.readouterr().err
    assert entry(["tune", small, "--holdout", "1", "--only", "plans"]) == 2
    assert entry(["tune", small, "--json", "--quiet"]) == 2
    with pytest.raises(ConfigError, match="cannot be held out"):
        tune(load_scenario(small), holdout=2)


def test_other_results_are_not_overwritten(small, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    assert entry(["tune", small, "--evaluations", "20", "-o", "out"]) == 2
    assert "out" in capsys.readouterr().err


@pytest.mark.slow
def test_held_out_networks_have_no_part_in_the_tuning(tmp_path):
    path = small_scenario(tmp_path)
    twice = path.read_text().replace(
        "{path: small.onnx}",
        "{path: small.onnx, label: one}, {path: block.onnx}, {path: small.onnx}",
    )
    inception_block(tmp_path / "block.onnx", *BLOCK_4A, 14)
    path.write_text(twice)
    scenario = load_scenario(path)
    cases = tuple(case_of(scenario, graph) for graph in PointBench.of(scenario).graphs.values())
    crew = Crew(TuneBench(cases))
    tuned = tune_parameters(crew, in_turn(3, 2))
    held = [[gain.held_out for gain in fold.gains] for fold in tuned.folds]
    assert held == [[True, True, False], [True, False, True]]
    assert tuned.holdout == 2
    for fold in (*tuned.folds, tuned.everything):
        for case, gain in zip(cases, fold.gains, strict=True):
            for parameters, seconds in (
                ({}, gain.published_s), (fold.parameters, gain.tuned_s),
            ):  # fmt: skip
                plan = PartitionTuner(**parameters).plan(case.problem())
                assert case.simulate(plan).makespan_s == pytest.approx(seconds, rel=1e-9)
        assert (fold.mean_change(held_out=False) or 0.0) <= 0.0
    alone = tune_parameters(Crew(TuneBench(cases[2:]))).everything
    assert alone.parameters == tuned.folds[0].parameters


def test_a_dead_worker_is_told(small):
    scenario = load_scenario(small)
    cases = tuple(case_of(scenario, graph) for graph in PointBench.of(scenario).graphs.values())

    class Dying(SerialExecutor):
        def submit(self, number, job):
            self._done.append((number, self._bench.lost(job, "the worker process died")))

    crew = Crew(TuneBench(cases), Dying())
    with pytest.raises(ResultsError, match="the worker process died"):
        tune_parameters(crew)


@pytest.mark.slow
def test_partition_tuner_tuned_is_the_best_of_all_in_run(small):
    scenario = load_scenario(small)
    case = case_of(scenario, next(iter(PointBench.of(scenario).graphs.values())))
    tuned = case.plan(create("partition_tuner_tuned", {"evaluations": 300}))
    seconds = case.simulate(tuned).makespan_s
    assert tuned.predicted_s == pytest.approx(seconds, rel=1e-9)
    for name in ("partition_tuner", "heft", "type_based", "ios", "mosaic", "best_single_pu"):
        assert seconds <= case.simulate(case.plan(create(name))).makespan_s * (1 + 1e-9)
    assert case.plan(create("partition_tuner_tuned", {"evaluations": 300})) == tuned


def test_all_schedulers_means_all_plans_to_start_from_and_no_proofs(tmp_path):
    text = SCENARIO.replace("[type_based]", "all")
    everything = load_scenario(small_scenario(tmp_path, text=text))
    assert [name for _, name, _ in search_module.starts_of(everything)] == start_names()
    asked = choose(everything, schedulers=["exact", "heft"])
    assert [name for _, name, _ in search_module.starts_of(asked)] == [*start_names(), "exact"]
