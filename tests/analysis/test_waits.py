"""The critical path and the cause of every start, in real runs under both runtimes."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise

import pytest

import hetsim
from hetsim.analysis.attribution import critical_path
from hetsim.analysis.result import Run
from hetsim.analysis.waits import needs_of, waits

CASES = [("contention", None), ("contention", "barrier"), ("paper_one", None)]


@cache
def simulated(scenario: str, execution: str | None) -> tuple[Run, ...]:
    schedulers = ["type_based", "profile_greedy", "heft"]
    return hetsim.run(scenario, schedulers=schedulers, execution=execution).runs


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def runs(request: pytest.FixtureRequest) -> tuple[Run, ...]:
    return simulated(*request.param)


@pytest.mark.slow
def test_the_path_leads_from_zero_to_the_makespan_without_gaps(runs: tuple[Run, ...]) -> None:
    for run in runs:
        path = critical_path(needs_of(run.graph, run.plan), run.trace)
        assert path[0].start == 0.0
        assert path[-1].end == run.makespan_s
        for before, after in pairwise(path):
            assert before.end == after.start
        tasks = {(t.inference, t.position): t for t in run.trace.tasks}
        for step in path:
            if step.kind == "task":
                row = tasks[step.inference, step.position]
                assert (step.start, step.end) == (row.start, row.end)


def test_waiting_on_the_path_is_what_attribution_calls_waiting(runs: tuple[Run, ...]) -> None:
    for run in runs:
        path = critical_path(needs_of(run.graph, run.plan), run.trace)
        waited = sum(s.end - s.start for s in path if s.kind == "wait")
        runtime = sum(s.end - s.start for s in path if s.kind == "runtime")
        near = 1e-9 * run.makespan_s
        assert run.attribution["dependency_wait"] == pytest.approx(waited, abs=near)
        assert run.attribution["barrier_wait"] == pytest.approx(runtime, abs=near)
        assert math.fsum(run.attribution.values()) == pytest.approx(run.makespan_s, abs=near)


def test_needs_are_the_edges_between_partitions(runs: tuple[Run, ...]) -> None:
    for run in runs:
        owner = {op: i for i, p in enumerate(run.plan.partitions) for op in p.operators}
        edges = {
            (owner[run.graph.operators[p].name], owner[op.name])
            for i, op in enumerate(run.graph.operators)
            for p in run.graph.predecessors[i]
        }
        found = {(n, i) for i, needs in enumerate(needs_of(run.graph, run.plan)) for n in needs}
        assert found == {(a, b) for a, b in edges if a != b}


def test_the_cause_of_a_start_ends_at_that_very_moment(runs: tuple[Run, ...]) -> None:
    for run in runs:
        needs = needs_of(run.graph, run.plan)
        rows = {(t.inference, t.position): t for t in run.trace.tasks}
        found = waits(needs, run.trace)
        assert {(w.inference, w.position) for w in found} == rows.keys()
        for wait in found:
            assert wait.start >= max(wait.ready, wait.free)
            if wait.cause == "input":
                assert wait.blamed in needs[wait.position]
            if wait.cause == "unit":
                assert (
                    rows[wait.inference, wait.blamed].pu == rows[wait.inference, wait.position].pu
                )
            if wait.blamed is not None:
                assert rows[wait.inference, wait.blamed].end == wait.start
            if wait.cause == "arrival":
                assert not needs[wait.position]


def test_a_dataflow_start_never_waits_for_its_turn() -> None:
    run = simulated("contention", None)[2]
    assert run.scheduler == "heft"
    causes = {wait.cause for wait in waits(needs_of(run.graph, run.plan), run.trace)}
    assert causes <= {"input", "unit", "arrival"}
    assert {"input", "unit"} <= causes
