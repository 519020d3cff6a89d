"""A kind of study from another package: a class and an entry point, and ``hetsim NAME`` runs it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from hetsim.cli.main import entry
from hetsim.errors import ConfigError
from hetsim.study import registry
from hetsim.study.sweep.study import SweepStudy
from tests.study.samples import SCENARIO, planned, small_scenario, start, wait_until

MODULE = '''
import click

from hetsim.report.files.jsonout import dumps
from hetsim.report.page.study import Page
from hetsim.study.base import PointStudy
from hetsim.study.point import points_of
from hetsim.study.result import Rows, Words


class Doubling(PointStudy[list]):
    """Double a size again and again.

    Until nobody wants to know.
    """

    kind = "doubling"
    options = (
        click.Option(["--size"], required=True, metavar="PATH", help="What is doubled."),
        click.Option(["--times"], type=click.IntRange(min=1), default=2),
    )

    def __init__(self, scenario, size, times):
        super().__init__(scenario)
        self.size, self.times = size, times
        self.store = self.place(".sqlite")

    @classmethod
    def check(cls, options):
        if options["times"] > 30:
            raise click.UsageError("that is too often")

    def question(self):
        return [self.size, self.times]

    def points(self):
        return points_of(self.scenario, [{self.size: f"{2**n}x"} for n in range(self.times)])

    def conclude(self, rows, reused, wall_s):
        self.reused = reused
        return list(rows)

    def report(self, result):
        times = [outcome.makespan_s for _, outcome in result]
        return Page("doubling", "doubling", self.headline(result)), {"doubling.json": dumps(times)}

    def headline(self, result):
        return f"{self.size} was doubled {len(result)} times"

    def shown(self, result):
        yield Rows(("size", "s"), [(p.design[self.size], str(o.makespan_s)) for p, o in result])
        yield Words("as told", "dim")
        yield from super().shown(result)

    def effort(self, result):
        return f"{self.reused} were known"

    def failures(self, result):
        return [f"error: {point}: failed" for point, outcome in result if outcome.error]


class Bystander:
    """No study."""
'''


@pytest.fixture
def workdir(tmp_path, monkeypatch):
    """Where a package with some entry points is installed, and a scenario lies."""
    monkeypatch.chdir(tmp_path)
    package = tmp_path / "site"
    (package / "others-1.0.dist-info").mkdir(parents=True)
    (package / "others_study.py").write_text(MODULE)
    (package / "others-1.0.dist-info" / "METADATA").write_text("Name: others\nVersion: 1.0\n")
    (package / "others-1.0.dist-info" / "entry_points.txt").write_text(
        "[hetsim.studies]\n"
        "doubling = others_study:Doubling\n"
        "sweep = others_study:Doubling\n"
        "bystander = others_study:Bystander\n"
        "gone = nowhere_at_all:Study\n"
    )
    monkeypatch.syspath_prepend(str(package))
    monkeypatch.setenv("PYTHONPATH", f"{package}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    return tmp_path


def doubling(scenario: Path, *arguments: str) -> int:
    size = () if "--size" in arguments else ("--size", "npu.sram")
    return entry(["doubling", str(scenario), "--workers", "1", *size, *arguments])


def test_it_is_a_verb_with_help_of_its_own(workdir, capsys):
    assert entry(["--help"]) == 0
    shown = capsys.readouterr().out
    assert ["doubling", "A", "study", "of", "others_study."] in [
        s.split() for s in shown.splitlines()
    ]
    assert entry(["doubling", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Until nobody wants to know." in shown
    for option in ("--size PATH", "--times", "--set", "--model", "--workers", "--dask", "--json"):
        assert option in shown
    assert entry(["doublin"]) == 2
    assert "did you mean 'doubling'" in capsys.readouterr().err


@pytest.mark.slow
def test_it_writes_its_directory_prints_and_is_not_run_twice(workdir, capsys):
    scenario = small_scenario(workdir)
    assert doubling(scenario) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split() == ["size", "s"]
    assert shown[1].startswith("1x")
    assert shown[-5:-1] == ["as told", "npu.sram was doubled 2 times", "", "0 were known"]
    directory = workdir / "results" / "small-doubling"
    assert shown[-1].startswith("results: results/small-doubling (open ")
    written = {path.name for path in directory.iterdir()}
    assert written == {"report.html", "doubling.json", "manifest.json"}
    manifest = json.loads((directory / "manifest.json").read_text())
    assert manifest["study"]["kind"] == "doubling"
    assert "npu.sram was doubled" in (directory / "report.html").read_text()

    assert doubling(scenario) == 0  # the same study: replaced without asking, nothing runs
    assert "2 were known" in capsys.readouterr().out
    assert doubling(scenario, "--times", "3") == 2
    assert "exists and is not empty" in capsys.readouterr().err
    assert doubling(scenario, "--times", "3", "--force") == 0  # a point of another study is known
    assert "2 were known" in capsys.readouterr().out


@pytest.mark.slow
def test_json_and_quiet_and_what_contradicts(workdir, capsys):
    scenario = small_scenario(workdir)
    assert doubling(scenario, "--json", "-o", "out") == 0
    assert capsys.readouterr().out == (workdir / "out" / "doubling.json").read_text()
    assert doubling(scenario, "--quiet", "-o", "out") == 0
    assert capsys.readouterr() == ("", "")
    assert doubling(scenario, "--quiet", "--json") == 2
    assert "contradict" in capsys.readouterr().err
    assert doubling(Path("nowhere.yaml"), "--times", "31") == 2  # before anything is read
    assert "that is too often" in capsys.readouterr().err


def test_failures_are_told_and_make_exit_code_2(workdir, capsys):
    scenario = small_scenario(workdir)
    assert doubling(scenario, "--size", "npu.nothing", "-o", "out") == 2
    err = capsys.readouterr().err
    assert "error: small · type_based · npu.nothing=1x: failed" in err
    assert json.loads((workdir / "out" / "doubling.json").read_text()) == [None, None]
    assert doubling(scenario, "--size", "npu.nothing", "-o", "out", "--json") == 2
    assert "failed" in capsys.readouterr().err


@pytest.mark.slow
def test_killed_it_goes_on_where_it_was(workdir):
    text = SCENARIO.replace("type_based", "{name: slow.py:Slow, parameters: {seconds: 0.3}}")
    scenario = small_scenario(workdir, text=text)
    arguments = ("doubling", str(scenario), "--size", "npu.sram", "--times", "6", "--workers", "1")
    process = start(workdir, *arguments)
    wait_until(lambda: len(planned(workdir)) >= 3)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = len(planned(workdir))
    again = start(workdir, *arguments)
    out, err = again.communicate()
    assert again.returncode == 0, err
    assert f"{before - 1} were known" in out or f"{before} were known" in out
    assert len(set(planned(workdir))) == 6
    assert len(planned(workdir)) <= 7  # the run under way was lost


def test_what_is_no_study_or_not_there_is_told_and_ours_cannot_be_replaced(workdir, capsys):
    assert entry(["bystander", "x"]) == 2
    assert "is not a subclass of hetsim.study.base.Study" in capsys.readouterr().err
    assert entry(["gone", "x"]) == 2
    assert "study 'gone' of 'nowhere_at_all:Study' cannot be loaded" in capsys.readouterr().err
    assert registry.find_study("sweep") is SweepStudy
    with pytest.raises(ConfigError, match="did you mean 'doubling'"):
        registry.find_study("doublng")


@pytest.mark.slow
def test_a_line_in_the_table_is_all_it_takes(workdir, monkeypatch, capsys):
    monkeypatch.setitem(registry.STUDIES, "twice", ("others_study:Doubling", "Double a size."))
    assert entry(["--help"]) == 0
    assert "Double a size." in capsys.readouterr().out
    assert entry(["twice", str(small_scenario(workdir)), "--size", "npu.sram", "--json"]) == 0
    assert (workdir / "results" / "small-twice" / "doubling.json").exists()
