"""A bound that the exact scheduler proves holds for all rows of its network."""

from __future__ import annotations

import pytest

import hetsim


@pytest.mark.slow
def test_what_exact_proves_closes_the_gap_of_every_row() -> None:
    pytest.importorskip("ortools", reason="needs hetsim[exact]")
    result = hetsim.run("paper_one", schedulers=["type_based", "exact"])
    rows = {run.scheduler: run for run in result.runs}
    proven = max(bound.seconds for bound in rows["exact"].bounds)
    assert rows["exact"].bounds[-1].argument == "proven by exact"
    assert rows["type_based"].lower_bound_s == pytest.approx(proven)
    for run in result.runs:
        assert run.makespan_s is not None
        assert run.lower_bound_s is not None
        assert run.makespan_s >= run.lower_bound_s
    assert [run.scheduler for run in result.runs] == ["type_based", "exact"]


@pytest.mark.slow
def test_a_tuned_plan_can_be_held_against_what_exact_proves() -> None:
    pytest.importorskip("ortools", reason="needs hetsim[exact]")
    from hetsim.scenario.loader import load_scenario
    from hetsim.study.tune.rounds import Effort
    from hetsim.study.tune.study import tune

    scenario = load_scenario("paper_one")
    plain = tune(scenario, Effort(evaluations=50), parameters=False)
    proven = tune(scenario, Effort(evaluations=50), parameters=False, prove_s=10.0)
    before, after = plain.models[0].best, proven.models[0].best
    assert before.lower_bound_s is not None
    assert after.lower_bound_s is not None
    assert before.makespan_s is not None
    assert after.makespan_s is not None
    assert before.lower_bound_s <= after.lower_bound_s <= after.makespan_s <= before.makespan_s
    proofs = [
        [b for b in run.bounds if b.argument.startswith("proven by")] for run in (before, after)
    ]
    assert [len(found) for found in proofs] == [0, 1]
