"""The exact scheduler: its bound holds for every plan, its plan is the best there is."""

from __future__ import annotations

import builtins
import random
from contextlib import suppress
from itertools import permutations, product

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hetsim.bounds.windows import Ladder, stages_of
from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.fusion import fuse
from hetsim.errors import HetsimError, MissingExtraError, SchedulerError
from hetsim.plan.build import Block, make_plan
from hetsim.plan.validate import plan_problems
from hetsim.runs.case import Case
from hetsim.schedulers.exact.proof import Budget
from hetsim.schedulers.exact.prove import prove
from hetsim.schedulers.registry import create
from hetsim.workload.graph import Graph
from hetsim.workload.synthetic import random_graph
from tests.random_cases import random_plan
from tests.random_socs import random_soc
from tests.schedulers.fakes import make_graph, make_problem, make_soc, random_problem

pytest.importorskip("ortools")
QUICK = {"effort": 0.5, "evaluations": 300, "time_limit": 60.0}
BRIEF = {"effort": 0.05, "evaluations": 60, "time_limit": 60.0}
"""For what must hold however little is spent, and is easiest to break with little."""
seeds = st.integers(0, 10**6)


def case_of(graph_seed: int, size: int, soc_seed: int, execution: str) -> Case:
    graph = random_graph(graph_seed, size, spatial=(1, 5, 14)[graph_seed % 3])
    return Case(graph, random_soc(soc_seed), costs=AnalyticalModel(), execution=execution)


def simulated(case: Case, plan_seed: int) -> float:
    try:
        return case.makespan(random_plan(case.graph, case.soc, plan_seed))
    except HetsimError as error:
        assume("larger than the on-chip buffers" not in str(error))
        raise


def proven(case: Case, budget: float = 0.3) -> float:
    """The bound that the windows' models prove, every step of the shortest path asked."""
    ladder = Ladder(case.graph, case.floors)
    asked: set[object] = set()
    while True:
        seconds, path = ladder.shortest()
        todo = [step for step in path if step not in asked]
        if not todo:
            return seconds
        for step in todo:
            asked.add(step)
            found = prove(case.graph, case.floors, ladder.window(step), Budget(budget, 20.0), {})
            ladder.raise_cost(step, found.bound_s)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(seeds, st.integers(1, 9), seeds, seeds, st.sampled_from(("dataflow", "barrier")))
def test_no_plan_beats_the_proven_bound(
    graph_seed: int, size: int, soc_seed: int, plan_seed: int, execution: str
) -> None:
    case = case_of(graph_seed, size, soc_seed, execution)
    # Proving takes longer than running, so each bound meets four plans.
    spent = min(simulated(case, seed) for seed in range(plan_seed, plan_seed + 4))
    with suppress(HetsimError):
        spent = min(spent, case.makespan(case.plan(create("heft"))))
    # A solver's step is at most this far off: bounds are rounded down to ticks, sums are floats.
    assert spent >= proven(case) * (1 - 1e-9)


def test_partitions_that_span_a_cut_are_not_charged_for_starting_again() -> None:
    # Operators 4 and 5 fuse on the NPU; 5 also reads an older tensor that came in before 4 ran.
    case = case_of(892788, 6, 908401, "barrier")
    found = case.makespan(case.plan(create("exact", QUICK)))
    assert found >= proven(case) * (1 - 1e-9)


def every_plan(graph: Graph, case: Case) -> list[float]:
    """Makespans of all plans: any PU, any order, partitions cut anywhere. Written independently."""
    found = []
    size = len(graph)
    for pus in product(range(len(case.soc.pus)), repeat=size):
        for order in permutations(range(size)):
            if any(order.index(p) > order.index(i) for i in order for p in graph.predecessors[i]):
                continue
            for cuts in range(1 << (size - 1)):
                runs = [[order[0]]]
                for k, op in enumerate(order[1:]):
                    if pus[op] != pus[runs[-1][-1]] or cuts >> k & 1:
                        runs.append([op])
                    else:
                        runs[-1].append(op)
                blocks = [Block(tuple(run), pus[run[0]]) for run in runs]
                plan = make_plan(graph, case.soc, blocks, scheduler="test")
                if not plan_problems(plan, graph, case.soc):
                    try:
                        found.append(case.makespan(plan))
                    except HetsimError:
                        continue
    return found


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_nothing_in_the_plan_space_is_better(seed: int) -> None:
    draw = random.Random(seed)
    case = case_of(draw.randrange(10**6), 3 + seed % 2, draw.randrange(10**6), "dataflow")
    best = min(every_plan(case.graph, case))
    plan = case.plan(create("exact", {"effort": 2.0}))
    found = case.makespan(plan)
    assert found <= best * (1 + 1e-9)
    assert plan.details["incumbent_s"] == found
    assert plan.proof is not None
    assert plan.proof.by == "exact"
    assert plan.proof.seconds <= best * (1 + 1e-9)
    assert plan.details["plan_space_exhausted"] or plan.details["optimal"]


def test_a_chain_is_proven_optimal_and_the_run_shows_it() -> None:
    case = case_of(3, 1, 8, "dataflow")
    run = case.run("exact", create("exact", QUICK))
    assert run.error is None
    assert run.plan is not None
    assert run.plan.details["optimal"] is True
    assert run.bounds[-1].argument == "proven by exact"
    assert run.bounds[-1].seconds == pytest.approx(run.makespan_s)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(seeds, st.integers(2, 10), seeds, st.sampled_from(("dataflow", "barrier")))
def test_never_worse_than_the_heuristics_it_starts_from(
    graph_seed: int, size: int, soc_seed: int, execution: str
) -> None:
    case = case_of(graph_seed, size, soc_seed, execution)
    plan = case.plan(create("exact", BRIEF))
    found = case.makespan(plan)
    assert plan.predicted_s == pytest.approx(found)
    assert plan.proof is not None
    assert plan.proof.seconds <= found
    for name in ("type_based", "heft", "mosaic"):
        try:
            other = case.makespan(case.plan(create(name)))
        except HetsimError:
            continue
        assert found <= other * (1 + 1e-12)


def test_windows_end_at_cut_operators() -> None:
    #   a - b - d - e   with c beside b; a, d and e have everything before or after them.
    graph = make_graph({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["d"]})
    case = Case(graph, make_soc(npus=1), costs=AnalyticalModel())
    stages = stages_of(graph, case.floors)
    assert [stage.ops for stage in stages] == [(0,), (1, 2, 3), (4,)]
    assert [stage.after for stage in stages] == [(0,), (3,), ()]


def test_same_answer_twice() -> None:
    first, again = (random_problem(random.Random(11), 9) for _ in range(2))
    scheduler = create("exact", QUICK)
    assert scheduler.plan(first) == scheduler.plan(again)


def test_without_a_simulator_it_optimises_the_prediction_and_claims_no_bound() -> None:
    graph = make_graph({"a": [], "b": ["a"]})
    soc = make_soc(npus=1)
    problem = make_problem(graph, soc, {"a": [1.0, 5.0], "b": [1.0, 5.0]})
    plan = create("exact", QUICK).plan(problem)
    assert plan.predicted_s == pytest.approx(2.0)
    assert plan.proof is None
    assert plan.details["predicted_lower_bound_s"] == pytest.approx(2.0)


@pytest.mark.slow
def test_kernels_stay_whole_where_only_a_chain_can_run() -> None:
    case = case_of(7, 8, 9, "dataflow")
    plan = case.plan(create("exact", QUICK))
    for part in plan.partitions:
        pu = case.soc.by_name[part.pu]
        ops = [case.graph.index[name] for name in part.operators]
        assert sum(len(c) for c in fuse(case.graph, ops, pu.spec.fuse_patterns)) == len(ops)


@pytest.mark.parametrize(
    "wrong", [{"time_limit": 0.0}, {"effort": -1.0}, {"evaluations": 0}, {"gap": -0.1}]
)
def test_impossible_budgets_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SchedulerError):
        create("exact", wrong)


def test_without_the_extra_the_message_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def without(name: str, *rest: object, **more: object) -> object:
        if name.startswith("ortools"):
            raise ImportError(name)
        return original(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    problem = make_problem(make_graph({"a": []}), make_soc(npus=1), {"a": [1.0, 1.0]})
    with pytest.raises(MissingExtraError) as caught:
        create("exact").plan(problem)
    assert "pip install 'hetsim[exact]'" in (caught.value.hint or "")
