"""Installed beside hetsim, this package is found by name."""

from itertools import pairwise
from pathlib import Path

import hetsim
from hetsim.cli.main import entry
from hetsim.runs.case import Case
from hetsim.schedulers.registry import create, list_schedulers


def test_the_scheduler_is_listed_and_runs():
    [row] = [row for row in list_schedulers() if row.name == "by_kind"]
    assert row.origin == "hetsim_example.scheduler:ByKind"
    result = hetsim.run("paper_one", schedulers=["by_kind", "heft"])
    assert [(run.scheduler, run.error) for run in result.runs] == [
        ("by_kind", None),
        ("heft", None),
    ]


def test_the_dispatcher_decides_about_streams():
    result = hetsim.run("camera_pipeline", {"serve.dispatchers": ["shortest"]})
    assert {run.dispatcher for run in result.runs} == {"shortest"}
    assert [run.error for run in result.runs] == [None] * len(result.runs)


def test_arrivals_and_a_way_to_plan_together_are_found_by_name():
    arrivals = {"kind": "pairs", "period": "50 ms", "apart": "5 ms"}
    changes = {"serve.plans": ["aside"], "streams.search.arrivals": arrivals}
    changes["serve.duration"] = "500 ms"
    [run] = hetsim.run("multi_tenant", changes, schedulers=["type_based"]).runs
    assert run.error is None
    assert len(run.served.ledgers["search"]) == 20
    taken = {p.pu for p in run.stream("search").plan.partitions}
    others = {p.pu for s in run.streams[1:] for p in s.plan.partitions}
    assert not others & (taken - {"big"})


def test_the_metric_is_measured():
    [run] = hetsim.run("paper_one", schedulers=["type_based"]).runs
    changes = sum(a.pu != b.pu for a, b in pairwise(run.plan.partitions))
    assert run.metrics["switches"] == changes > 0


def test_the_cost_source_answers_for_units_that_name_a_file(tmp_path):
    (tmp_path / "why.txt").write_text("the camera pools", encoding="utf-8")
    graph = hetsim.load_model("squeezenet")
    soc = hetsim.load_soc("edge-mcu", {"cpu.costs": {"free_pooling": str(tmp_path / "why.txt")}})
    rows = Case(graph, soc).run("cpu", create("cpu_only")).operators
    assert {row.cost_source for row in rows} == {"analytical", "free pooling"}


def test_the_format_is_read_wherever_a_network_is_named(tmp_path):
    (tmp_path / "tiny.layers").write_text("64 32 10", encoding="utf-8")
    graph = hetsim.load_model(str(tmp_path / "tiny.layers"))
    assert (graph.name, graph.macs) == ("tiny", 64 * 32 + 32 * 10)
    [run] = hetsim.run("paper_one", models=[graph.source], schedulers=["cpu_only"]).runs
    assert run.error is None


def test_the_study_is_a_verb_and_runs_on_threads(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (
        entry(["halving", "paper_one", "--size", "npu.sram.input", "--threads", "2", "-o", "o"])
        == 0
    )
    assert Path("o", "halving.json").is_file()


def test_the_check_is_run_against_limits_of_its_own(tmp_path, capsys):
    limits = tmp_path / "limits.yaml"
    limits.write_text("hetsim: thresholds/1\nchecks: {one-flow: {worst: {most: 1.0e-9}}}\n")
    assert entry(["validate", "one-flow", "--thresholds", str(limits), "--workers", "1"]) == 0
    assert "passed" in capsys.readouterr().out


def test_the_exporter_writes_plans(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = ["--model", "squeezenet", "--soc", "zcu102-vta"]
    assert entry(["plan", "make", *place, "--scheduler", "type_based", "-o", "p.yaml"]) == 0
    assert entry(["plan", "export", "p.yaml", *place, "--to", "lines", "-o", "n.txt"]) == 0
    lines = Path("n.txt").read_text().splitlines()
    assert {line.split()[1] for line in lines} == {"host", "engine"}
    assert len(lines) == 66
