"""``hetsim plan`` from the outside, and NEST-C plans in ``hetsim run``."""

from __future__ import annotations

import json

import pytest
import yaml

from hetsim.cli.main import entry
from hetsim.plan.files import load_plan

PLACE = ["--soc", "zcu102-vta"]
MODEL = ["--model", "squeezenet"]


@pytest.fixture
def workdir(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def make(scheduler: str, file: str, *more: str) -> None:
    assert entry(["plan", "make", *MODEL, *PLACE, "--scheduler", scheduler, "-o", file, *more]) == 0


@pytest.mark.slow
def test_a_plan_is_made_shown_and_validated(workdir, capsys):
    make("partition_tuner", "a.yaml", "--execution", "barrier")
    plan = load_plan("a.yaml")
    assert (plan.model, plan.scheduler) == ("squeezenet", "partition_tuner")
    assert entry(["plan", "validate", "a.yaml", *PLACE]) == 0
    assert f"{len(plan.partitions)} partitions" in capsys.readouterr().out
    assert entry(["plan", "show", "a.yaml", *PLACE]) == 0
    out = capsys.readouterr().out
    assert all(part.name in out for part in plan.partitions)
    assert "└──" in out


@pytest.mark.slow
def test_every_mismatch_of_every_file_is_listed(workdir, capsys):
    make("type_based", "a.yaml")
    plan = yaml.safe_load((workdir / "a.yaml").read_text())
    plan["partitions"][0]["pu"] = "npux"
    plan["partitions"][1]["operators"][0] = "nobody"
    plan["parallel_groups"] = [["p0", "p99"]]
    (workdir / "b.yaml").write_text(yaml.safe_dump(plan))
    (workdir / "c.yaml").write_text("hetsim: plan/2\n")
    assert entry(["plan", "validate", "b.yaml", "c.yaml", "a.yaml", *PLACE]) == 2
    printed = capsys.readouterr()
    for word in ("b.yaml", "npux", "nobody", "p99", "is in no partition", "c.yaml:1"):
        assert word in printed.err
    assert "a.yaml: fits" in printed.out


@pytest.mark.slow
def test_there_and_back_through_nestc(workdir, capsys):
    make("partition_tuner", "a.yaml", "--execution", "barrier")
    assert entry(["plan", "export", "a.yaml", *PLACE, "--to", "nest-c", "-o", "n.yaml"]) == 0
    assert entry(["plan", "convert", "n.yaml", *PLACE, *MODEL, "-o", "b.yaml"]) == 0
    first, second = load_plan("a.yaml"), load_plan("b.yaml")
    # NEST-C does not say in which order a partition runs its nodes.
    told = [[(p.name, p.pu, sorted(p.operators)) for p in q.partitions] for q in (first, second)]
    assert told[0] == told[1]
    assert second.parallel_groups == first.parallel_groups
    # The two formats are told apart by what they hold, and simulate alike.
    capsys.readouterr()
    command = ["run", "paper_one", "--plan", "a.yaml", "--plan", "n.yaml", "--no-files", "--json"]
    assert entry([*command, "--execution", "barrier"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [run["scheduler"] for run in runs] == ["a", "n"]
    assert runs[0]["makespan_us"] == pytest.approx(runs[1]["makespan_us"], rel=0.01)


@pytest.mark.slow
def test_a_nestc_plan_says_no_network_and_a_backend_may_be_named(workdir, capsys):
    make("type_based", "a.yaml")
    named = ["--backend", "XPU=npu"]
    export = ["plan", "export", "a.yaml", *PLACE, "--to", "nest-c", "--map", "npu=XPU"]
    assert entry([*export, "-o", "n.yaml"]) == 0
    assert "XPU" in (workdir / "n.yaml").read_text()
    assert entry(["plan", "validate", "n.yaml", *PLACE]) == 2
    assert "--model" in capsys.readouterr().err
    assert entry(["plan", "validate", "n.yaml", *PLACE, *MODEL]) == 2
    assert "XPU" in capsys.readouterr().err
    assert entry(["plan", "validate", "n.yaml", *PLACE, *MODEL, *named]) == 0


@pytest.mark.slow
def test_files_are_not_overwritten_and_faults_are_told(workdir, capsys):
    make("type_based", "a.yaml")
    again = ["plan", "export", "a.yaml", *PLACE, "--to", "json", "-o", "a.yaml"]
    assert entry(again) == 2
    assert "--force" in capsys.readouterr().err
    assert entry(["plan", "validate", "a.yaml", *PLACE, "--backend", "VTA"]) == 2
    assert entry([*again, "--force"]) == 0
    assert json.loads((workdir / "a.yaml").read_text())["hetsim"] == "assignment/1"
    assert entry(["plan", "make", *PLACE, "--scheduler", "heft"]) == 2
    assert "--model" in capsys.readouterr().err


@pytest.mark.slow
def test_plans_that_rewrite_the_network_are_shown_and_run_but_not_nestc(workdir, capsys):
    place = ["--soc", "zcu102-vta-4t"]  # where merging pays
    made = ["plan", "make", *MODEL, *place, "--scheduler", "ios", "-o", "a.yaml"]
    assert entry(made) == 0
    plan = load_plan("a.yaml")
    assert plan.rewrites
    assert entry(["plan", "show", "a.yaml", *place]) == 0
    assert "merge " + ", ".join(plan.rewrites[0].operators) in capsys.readouterr().out
    assert entry(["plan", "export", "a.yaml", *place, "--to", "nest-c"]) == 2
    assert "rewrites" in capsys.readouterr().err
    assert (
        entry(
            [
                "run",
                "paper_one",
                "--plan",
                "a.yaml",
                "--set",
                "soc=zcu102-vta-4t",
                "-o",
                "out",
                "--quiet",
            ]
        )
        == 0
    )
    table = (workdir / "out" / "operators.csv").read_text()
    assert "&".join(plan.rewrites[0].operators) in table
