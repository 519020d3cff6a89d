"""Schedulers that misbehave fail their own row, with the reason; the others go on."""

from __future__ import annotations

import json

import pytest

from hetsim.cli.main import entry

SCHEDULERS = '''
import time

from hetsim.plan.model import Partition, Plan
from hetsim.schedulers.base import Scheduler


class Raises(Scheduler):
    name = "raises"
    optimises = ignores = complexity = source = "nothing"

    def plan(self, problem):
        raise KeyError("no idea")


class Hangs(Raises):
    def plan(self, problem):
        while True:
            try:
                time.sleep(0.01)
            except Exception:
                pass


class Forgets(Raises):
    """Leaves all operators but one out, and puts that one on a unit that is not there."""

    def plan(self, problem):
        one = problem.graph.operators[0].name
        return Plan(problem.graph.name, (Partition("p0", "tpu", (one,)),))


class Recurses(Raises):
    def plan(self, problem):
        return self.plan(problem)
'''

SCENARIO = """
hetsim: scenario/1
name: bad
soc: zcu102-vta
models: [squeezenet]
schedulers:
  - {name: "bad.py:Raises", label: raises}
  - {name: "bad.py:Hangs", label: hangs}
  - {name: "bad.py:Forgets", label: forgets}
  - {name: "bad.py:Recurses", label: recurses}
  - type_based
time_limit: 1500 ms
"""

REASONS = {
    "raises": "KeyError: 'no idea'",
    "hangs": "time limit of 1.5 s",
    "forgets": "there is no PU 'tpu'",
    "recurses": "recurs",
}


@pytest.mark.slow
def test_each_fails_its_own_row_and_the_exit_code_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.py").write_text(SCHEDULERS)
    (tmp_path / "bad.yaml").write_text(SCENARIO)
    assert entry(["run", "bad.yaml", "--no-files", "--json"]) == 2
    printed = capsys.readouterr()
    runs = {run["scheduler"]: run for run in json.loads(printed.out)["runs"]}
    for label, reason in REASONS.items():
        assert reason in runs[label]["error"]
        assert runs[label]["makespan_us"] is None
        assert f"squeezenet / {label}: " in printed.err
    assert "is in no partition" in runs["forgets"]["error"]
    assert runs["type_based"].get("error") is None
    assert runs["type_based"]["makespan_us"] > 0
    assert printed.err.startswith("error: 4 of 5 rows failed")
