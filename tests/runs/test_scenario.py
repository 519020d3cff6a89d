"""Whole scenarios: what one scheduler proves counts for all, unless a simulated plan refutes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hetsim.analysis.result import Result, Run
from hetsim.executors.registry import executor
from hetsim.plan.files import dump_plan
from hetsim.report.files.archive import NAME, dump_archive, load_archive
from hetsim.runs.case import Case
from hetsim.runs.scenario import load_graph, run_scenario
from hetsim.scenario.choices import choose
from hetsim.scenario.loader import load_scenario
from hetsim.schedulers.registry import create

CLAIM = """
from dataclasses import replace

from hetsim.plan.model import Proof
from hetsim.schedulers.simple.type_based import TypeBased


class Claims(TypeBased):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def plan(self, problem):
        return replace(super().plan(problem), proof=Proof(self.seconds, "claims"))
"""

FAILS = """
import os

from hetsim.schedulers.simple.type_based import TypeBased


class Fails(TypeBased):
    def plan(self, problem):
        raise RuntimeError("out of ideas")


class Dies(TypeBased):
    def plan(self, problem):
        if problem.graph.name == "alexnet":
            os.kill(os.getpid(), 9)
        return super().plan(problem)
"""


def claimed(tmp_path: Path, seconds: float) -> Result:
    """Quickstart with a scheduler that plans like ``type_based`` and claims a bound."""
    file = tmp_path / "claims.py"
    file.write_text(CLAIM)
    scenario = load_scenario("paper_one")
    scenario = choose(scenario, schedulers=["profile_greedy", f"{file}:Claims"])
    refs = scenario.schedulers
    assert refs != "all"
    refs = (refs[0], replace(refs[1], label="claims", parameters={"seconds": seconds}))
    return run_scenario(replace(scenario, schedulers=refs))


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return claimed(tmp_path_factory.mktemp("honest"), 1e-9)


@pytest.mark.slow
def test_a_proof_counts_for_every_plan_of_its_network(honest: Result, tmp_path: Path) -> None:
    fastest = min(run.makespan_s or 0.0 for run in honest.runs)
    between = ((honest.runs[0].lower_bound_s or 0.0) + fastest) / 2
    result = claimed(tmp_path, between)
    for run in result.runs:
        assert run.lower_bound_s == between
        assert run.bounds[-1].argument == "proven by claims"
    assert not any("refuted" in note for note in result.notes)


@pytest.mark.slow
@pytest.mark.parametrize("factor", [1.001, 1e6])
def test_a_proof_that_a_plan_beats_is_left_out_and_told(
    honest: Result, tmp_path: Path, factor: float
) -> None:
    fastest = min(run.makespan_s or 0.0 for run in honest.runs)
    result = claimed(tmp_path, fastest * factor)
    for run, other in zip(result.runs, honest.runs, strict=True):
        assert run.lower_bound_s == other.lower_bound_s
        assert all("claims" not in bound.argument for bound in run.bounds)
    assert sum("proven by claims" in note and "refuted" in note for note in result.notes) == 1


@pytest.mark.slow
def test_a_plan_that_contention_makes_faster_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    """How that comes about is tested in tests/analysis/test_contention.py."""
    scenario = choose(load_scenario("paper_one"), schedulers=["profile_greedy", "type_based"])
    sober = run_scenario(scenario)
    assert not any("anomaly" in note for note in sober.notes)
    cost = Run.contention_cost_s.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(
        Run, "contention_cost_s",
        property(lambda run: -1e-6 if run.scheduler == "type_based" else cost(run)),
    )  # fmt: skip
    told = [note for note in run_scenario(scenario).notes if "anomaly" in note]
    assert [("type_based" in note, "1 us longer" in note) for note in told] == [(True, True)]


@pytest.mark.slow
def test_the_result_does_not_depend_on_the_workers(tmp_path: Path) -> None:
    """With a rewriting scheduler, a plan file, a failing row and a band of published figures."""
    scenario = load_scenario("paper_seven")
    names = ["type_based", "profile_greedy", "partition_tuner", "ios", f"{tmp_path / 'f.py'}:Fails"]
    (tmp_path / "f.py").write_text(FAILS)
    scenario = choose(scenario, models=["squeezenet", "alexnet"], schedulers=names)
    reference = scenario.reference
    assert reference is not None
    few = reference.model_copy(update={"unmeasured": reference.unmeasured[:2]})
    scenario = replace(scenario, reference=few)
    plan = tmp_path / "mine.yaml"
    case = Case(load_graph(scenario, scenario.models[0]), scenario.soc)
    plan.write_text(dump_plan(case.plan(create("npu_only", {}))))
    alone = run_scenario(scenario, plans=[plan])
    told: list[tuple[int, int]] = []
    with executor(2) as team:
        together = run_scenario(
            scenario, plans=[plan], executor=team,
            progress=lambda what, done, total: told.append((done, total)),
        )  # fmt: skip
    assert dump_archive(together) == dump_archive(alone)
    assert [run.error for run in together.failed] == [run.error for run in alone.failed]
    assert len(together.failed) == 2
    (tmp_path / NAME).write_bytes(dump_archive(alone))
    again = load_archive(tmp_path / NAME)
    assert dump_archive(again) == dump_archive(alone)
    assert again.reference["unmeasured"]
    assert told == [(i, 15) for i in range(16)]  # 11 rows and 4 settings of what is not measured


@pytest.mark.slow
def test_a_network_whose_worker_dies_fails_and_the_others_are_there(tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text(FAILS)
    scenario = choose(
        load_scenario("paper_one"), models=["squeezenet", "alexnet"],
        schedulers=["type_based", f"{tmp_path / 'f.py'}:Dies"],
    )  # fmt: skip
    with executor(2) as team:
        result = run_scenario(scenario, executor=team)
    assert [run.error is None for run in result.runs] == [True, True, False, False]
    assert "worker process died" in str(result.runs[2].error)
    assert {run.model for run in result.failed} == {"alexnet"}
