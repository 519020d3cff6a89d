"""The judge of many plans says what simulating each says, and lies to no one who asks for less."""

from __future__ import annotations

import pytest

from hetsim.cost.analytical import AnalyticalModel
from hetsim.errors import PlanError
from hetsim.runs.case import Case
from hetsim.runs.judge import IncrementalJudge
from hetsim.schedulers.search.judge import draft_of
from hetsim.workload.synthetic import random_graph
from tests.random_cases import random_plan
from tests.random_socs import random_soc


@pytest.mark.slow
@pytest.mark.parametrize("execution", ["dataflow", "barrier"])
@pytest.mark.parametrize("seed", range(6))
def test_a_verdict_is_the_makespan_or_a_bound_above_what_was_asked(
    seed: int, execution: str
) -> None:
    graph, soc = random_graph(seed, 12), random_soc(seed)
    case = Case(graph, soc, costs=AnalyticalModel(), execution=execution)
    drafts = []
    for plan_seed in range(6):
        plan = random_plan(graph, soc, plan_seed)
        try:
            drafts.append((draft_of(graph, soc, plan), case.simulate(plan, trace=False).makespan_s))
        except PlanError:
            continue  # a tile too large for a buffer
    for share in (0.3, 0.7, 0.99, 1 + 1e-6, 2.0):
        judge = IncrementalJudge(case.lowering, execution=execution)
        for draft, makespan in drafts:
            verdict = judge.judge(draft, share * makespan)
            if verdict.exact:
                assert verdict.seconds == pytest.approx(makespan, rel=1e-9)
            else:
                assert share * makespan < verdict.seconds <= makespan * (1 + 1e-9)
            assert verdict.exact or share < 1
            assert judge.judge(draft).seconds == pytest.approx(makespan, rel=1e-9)
