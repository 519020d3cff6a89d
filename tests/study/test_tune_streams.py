"""``hetsim tune`` of streams: never worse, judged twice, written as plans that run."""

from __future__ import annotations

import json

import pytest

from hetsim.cli.main import entry
from hetsim.plan.files import load_plan
from hetsim.runs.serving import run_service
from hetsim.scenario.loader import load_scenario
from hetsim.schedulers.search import search
from hetsim.study.tune import rounds as rounds_module
from tests.study.samples import small_network

TEXT = """\
hetsim: scenario/1
name: pair
soc: edge-dual
models: [{path: small.onnx}]
schedulers: [type_based]
streams:
  - {name: eye, model: small, arrivals: {kind: periodic, period: 0.4 ms}, deadline: 0.2 ms}
  - {name: ear, model: small, arrivals: {kind: poisson, period: 0.3 ms}}
serve: {duration: 12 ms}
"""

BASE = ["--workers", "1", "--quiet", "--force", "--horizon", "4 ms"]


@pytest.fixture
def pair(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small_network(tmp_path / "small.onnx")
    (tmp_path / "pair.yaml").write_text(TEXT, encoding="utf-8")
    return tmp_path


def found(directory):
    return json.loads((directory / "tune.json").read_text())


@pytest.mark.slow
def test_tuned_plans_are_no_worse_judged_again_and_run_as_they_were_judged(pair):
    assert entry(["tune", "pair.yaml", "--evaluations", "60", *BASE, "-o", "out"]) == 0
    result = found(pair / "out")
    values = [start["value"] for start in result["starts"] if start["value"] is not None]
    start, tuned = (result[key]["objectives"]["latency"] for key in ("best_start", "tuned"))
    assert start == pytest.approx(min(values), rel=1e-9)
    assert tuned <= start
    assert result["tuned"]["bounds"]["latency"] <= tuned
    assert result["fresh"]["seed"] == 1
    assert {s["plans"] for s in result["starts"]} >= {"heft", "type_based · union", "cpu_only"}
    told = TEXT.replace("0.2 ms}", "0.2 ms, plan: out/plan-eye.yaml}").replace(
        "0.3 ms}}", "0.3 ms}, plan: out/plan-ear.yaml}"
    )
    (pair / "tuned.yaml").write_text(told.replace("12 ms", "4 ms"), encoding="utf-8")
    (run,) = run_service(load_scenario("tuned.yaml")).runs
    assert run.metrics["latency_mean_s"] == pytest.approx(tuned, rel=1e-9)
    (pair / "fresh.yaml").write_text(f"{told}seed: 1\n", encoding="utf-8")
    (run,) = run_service(load_scenario("fresh.yaml")).runs
    again = result["fresh"]["tuned"]["objectives"]["latency"]
    assert run.metrics["latency_mean_s"] == pytest.approx(again, rel=1e-9)
    assert load_plan(pair / "out" / "plan-eye.yaml").model == "small"
    assert "fresh" in (pair / "out" / "report.html").read_text()


@pytest.mark.slow
def test_a_study_goes_on_as_if_it_had_not_been_stopped(pair, monkeypatch):
    asked = ["tune", "pair.yaml", "--objective", "fairness", *BASE]
    monkeypatch.setattr(search, "STRETCH", 4)
    whole = [*asked, "--evaluations", "70", "-o", "whole", "--state", "whole.json"]
    assert entry(whole) == 0
    real, calls = rounds_module.round_done, []

    def impatient(*arguments):
        calls.append(1)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return real(*arguments)

    part = [*asked, "--evaluations", "70", "-o", "part", "--state", "part.json"]
    monkeypatch.setattr(rounds_module, "round_done", impatient)
    assert entry(part) == 130
    monkeypatch.setattr(rounds_module, "round_done", real)
    assert found(pair / "part")["interrupted"]
    assert entry([*part, "--resume"]) == 0
    assert found(pair / "part") == found(pair / "whole")
    other = [*asked[:3], "latency", *asked[4:], "--state", "part.json", "-o", "other"]
    assert entry(other) == 2  # the state of another objective is not replaced


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--objective", "energy"], "states no power and no energy"),
        (["--only", "plans"], "--only is about a network alone"),
        (["--holdout", "1"], "--holdout is about a network alone"),
        (["--horizon", "fast"], "horizon"),
        (["--horizon", "0 s"], "must be more than zero"),
    ],
)
def test_what_streams_cannot_be_tuned_for_is_told(pair, capsys, options, told):
    text = TEXT.replace("edge-dual", "qcs8275")
    (pair / "pair.yaml").write_text(text, encoding="utf-8")
    assert entry(["tune", "pair.yaml", *BASE[:3], *options]) == 2
    assert told in capsys.readouterr().err


def test_deadlines_that_are_not_there_cannot_be_missed(pair, capsys):
    (pair / "pair.yaml").write_text(TEXT.replace(", deadline: 0.2 ms", ""), encoding="utf-8")
    assert entry(["tune", "pair.yaml", "--objective", "deadline_misses", "--quiet"]) == 2
    assert "no stream has a deadline" in capsys.readouterr().err


@pytest.mark.slow
def test_plans_do_not_matter_to_who_chooses_units(pair, capsys):
    text = TEXT.replace("duration: 12 ms", "duration: 12 ms, dispatchers: [eft]")
    (pair / "pair.yaml").write_text(text, encoding="utf-8")
    assert entry(["tune", "pair.yaml", "--quiet"]) == 2
    assert "'eft' chooses units itself" in capsys.readouterr().err


def test_an_objective_of_streams_needs_streams(pair, capsys):
    text = "".join(TEXT.partition("streams:")[:1])
    (pair / "pair.yaml").write_text(text, encoding="utf-8")
    assert entry(["tune", "pair.yaml", "--objective", "fairness", "--quiet"]) == 2
    assert "--objective is about streams, and the scenario has none" in capsys.readouterr().err
