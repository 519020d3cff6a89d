"""The search: drafts stay plans, the judge is the simulator, and the best there is is found."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hetsim.errors import PlanError, SchedulerError
from hetsim.plan.validate import plan_problems
from hetsim.runs.case import Case
from hetsim.runs.judge import IncrementalJudge
from hetsim.schedulers.registry import create
from hetsim.schedulers.search.campaign import Ground, begin, best_plan, run
from hetsim.schedulers.search.chain import Stretch, Walker, walk
from hetsim.schedulers.search.genome import Genome, decode, encode
from hetsim.schedulers.search.judge import (
    NEVER,
    Draft,
    Piece,
    PlanJudge,
    Verdict,
    draft_of,
    plan_of,
)
from hetsim.schedulers.search.moves import Moves
from hetsim.schedulers.search.parameters import CHOICES, descend, published
from hetsim.schedulers.search.regions import boundaries, draw_regions
from hetsim.schedulers.search.space import Space
from hetsim.soc.loader import load_soc
from hetsim.workload.graph import Graph, LoopNest, Operator, Tensor
from hetsim.workload.synthetic import chain_graph, random_graph
from tests.random_cases import random_plan
from tests.random_socs import random_soc

SEEDS = st.integers(0, 10**6)
EXECUTIONS = st.sampled_from(["dataflow", "barrier"])


def random_case(graph_seed, soc_seed, execution, operators=12):
    graph = random_graph(graph_seed, operators, spatial=(1, 5, 14)[graph_seed % 3])
    return Case(graph, random_soc(soc_seed), execution=execution)


def simulated(case, plan):
    """The whole plan in one simulation; buffers that are too small make no case."""
    try:
        return case.simulate(plan, trace=False).makespan_s
    except PlanError as error:
        assume("larger than the on-chip buffers" not in str(error))
        raise


def branchy(soc: str = "zcu102-vta", execution: str = "dataflow") -> Case:
    """Two forks of convolutions; small enough for brute force over PUs."""
    tensors = [Tensor("x", (1, 32, 28, 28))]
    operators = []

    def add(name, kind, inputs, channels=32):
        tensors.append(Tensor(name, (1, channels, 28, 28)))
        nest, macs, weights, variant = None, 0, (), ""
        if kind == "Conv":
            nest = LoopNest(1, 1, 28, 28, 32, channels, 3, 3, in_h=28, in_w=28)
            macs, weights = nest.macs, (("float32", 32 * channels * 9),)
        elements = channels * 28 * 28 * (kind != "Conv")
        operators.append(
            Operator(name, kind, inputs, (name,), weights, macs, elements, nest, {}, variant)
        )
        return name

    first = add("first", "Conv", ("x",))
    left, right = add("left", "Conv", (first,)), add("right", "Conv", (first,))
    joined = add("joined", "Add", (left, right))
    up, down = add("up", "Conv", (joined,)), add("down", "Conv", (joined,))
    add("last", "Add", (up, down))
    graph = Graph.create("branchy", operators, tensors, ["x"], ["last"])
    return Case(graph, load_soc(soc), execution=execution)


def grounds_of(case):
    space = Space(case.graph, case.soc, parallel=case.execution == "barrier")
    ground = Ground(space, case.judge)
    return lambda _: ground


def cpu_plan(case):
    draft = Draft((Piece(case.soc.host.index, tuple(range(len(case.graph)))),))
    return plan_of(case.graph, case.soc, draft, "test")


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(SEEDS, SEEDS, SEEDS, EXECUTIONS)
def test_judge_and_simulator_agree_and_bounds_are_bounds(graph, soc, plan_seed, execution):
    case = random_case(graph, soc, execution)
    plan = random_plan(case.graph, case.soc, plan_seed)
    whole = simulated(case, plan)
    draft = draft_of(case.graph, case.soc, plan)
    judge = IncrementalJudge(case.lowering, execution=execution)
    bound = judge.judge(draft, worthless_above=0.0)
    assert bound.seconds <= whole * (1 + 1e-9)
    assert judge.judge(draft).seconds == pytest.approx(whole, rel=1e-9)
    assert plan_of(case.graph, case.soc, draft, plan.scheduler).partitions == tuple(
        p.__class__(f"p{i}", p.pu, p.operators, p.fuse) for i, p in enumerate(plan.partitions)
    )


def interleaved(draft, graph, seed):
    """The same plan with another order between PUs."""
    draw = random.Random(seed)
    home = {op: i for i, piece in enumerate(draft.pieces) for op in piece.operators}
    left, order = list(range(len(draft.pieces))), []
    while left:
        heads = {draft.pieces[i].pu: i for i in reversed(left)}
        ready = [
            i
            for i in heads.values()
            if not {home[p] for op in draft.pieces[i].operators for p in graph.predecessors[op]}
            & (set(left) - {i})
        ]
        order.append(draw.choice(sorted(ready)))
        left.remove(order[-1])
    return Draft(tuple(draft.pieces[i] for i in order))


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(SEEDS, SEEDS, SEEDS)
def test_verdicts_do_not_depend_on_what_was_judged_before(graph, soc, plan_seed):
    case = random_case(graph, soc, "dataflow")
    plan = random_plan(case.graph, case.soc, plan_seed)
    simulated(case, plan)
    draft = draft_of(case.graph, case.soc, plan)
    other = interleaved(draft, case.graph, plan_seed)
    fresh, used = IncrementalJudge(case.lowering), IncrementalJudge(case.lowering)
    used.judge(other)
    assert used.judge(draft) == fresh.judge(draft)  # every bit


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(SEEDS, SEEDS, SEEDS, EXECUTIONS)
def test_plans_decode_from_their_genomes_and_changed_genomes_are_plans(
    graph, soc, plan_seed, execution
):
    case = random_case(graph, soc, execution, operators=16)
    space = Space(case.graph, case.soc, parallel=execution == "barrier")
    plan = random_plan(case.graph, case.soc, plan_seed)
    draft = draft_of(case.graph, case.soc, plan)
    genome = encode(draft, len(case.graph))
    same = tuple(Piece(pu, ops, fuse or not space.fuses(pu, ops)) for pu, ops, fuse in draft.pieces)
    assert decode(space, genome) == Draft(same, draft.groups if space.parallel else ())
    draw = random.Random(plan_seed)
    edges = boundaries(space)
    low, high = sorted(draw.sample(range(len(edges)), 2))
    moves = [Moves(space), Moves(space, edges[low], edges[high])]
    for step in range(30):
        before = genome
        genome = moves[step % 2].propose(draw, genome)
        if step % 2:  # nothing happens outside the region
            start, end = edges[low], edges[high]
            assert genome.order[:start] == before.order[:start]
            assert genome.order[end:] == before.order[end:]
            assert set(genome.order[start:end]) == set(range(start, end))
        changed = decode(space, genome)
        if changed is not None:
            made = plan_of(case.graph, case.soc, changed, "test")
            assert plan_problems(made, case.graph, case.soc) == []


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(SEEDS, SEEDS, SEEDS, EXECUTIONS)
def test_pruning_changes_nothing_but_the_time_it_takes(graph, soc, seed, execution):
    case = random_case(graph, soc, execution)
    simulated(case, cpu_plan(case))
    space = Space(case.graph, case.soc, parallel=execution == "barrier")

    class Patient:
        def judge(self, draft: Draft, worthless_above: float = NEVER) -> Verdict:
            return IncrementalJudge(case.lowering, execution=execution).judge(draft)

    journeys = []
    for judge in (Patient(), IncrementalJudge(case.lowering, execution=execution)):
        genome = encode(draft_of(case.graph, case.soc, cpu_plan(case)), len(case.graph))
        draft = decode(space, genome)
        assume(draft is not None)
        seconds = judge.judge(draft).seconds
        walker = Walker(genome, draft, seconds, genome, seconds)
        journeys.append(
            walk(
                Moves(space), judge, walker, Stretch(f"{seed}", 60, 0.1 * seconds, 0.001 * seconds)
            )
        )
    assert journeys[0] == journeys[1]


def test_what_was_simulated_is_not_simulated_again():
    case = branchy()
    judge = IncrementalJudge(case.lowering)
    space = Space(case.graph, case.soc)
    genome = encode(draft_of(case.graph, case.soc, cpu_plan(case)), len(case.graph))
    at = {op.name: i for i, op in enumerate(case.graph.operators)}
    for name in at:
        genome.cut[at[name]] = True
    for name in ("left", "up"):
        genome.pu[at[name]] = case.soc.by_name["npu"].index
    first = judge.judge(decode(space, genome))
    assert judge.segments == 2  # each fork; the joins and the stem stand alone
    assert judge.judge(decode(space, genome)) == first
    assert (judge.judged, judge.known, judge.segments) == (2, 1, 2)
    genome.pu[at["up"]], genome.pu[at["down"]] = genome.pu[at["down"]], genome.pu[at["up"]]
    judge.judge(decode(space, genome))
    assert judge.segments == 3  # only the second fork has changed
    genome.pu = [case.soc.host.index] * len(genome.pu)
    judge.judge(decode(space, genome))
    assert judge.pruned == 0
    assert not judge.judge(decode(space, genome), worthless_above=1e-9).exact or judge.known == 2


def test_cuts_and_regions():
    case = branchy()
    space = Space(case.graph, case.soc)
    assert [case.graph.operators[c].name for c in space.cuts] == ["first", "joined", "last"]
    assert boundaries(space) == [0, 1, 4, 7]
    for seed in range(20):
        regions = draw_regions(space, random.Random(seed), 4)
        assert all(a < b <= c < d for (a, b), (c, d) in itertools.pairwise(regions))
    long = Space(chain_graph(40), case.soc)
    assert len(boundaries(long)) > 10


@pytest.mark.parametrize("execution", ["dataflow", pytest.param("barrier", marks=pytest.mark.slow)])
def test_finds_the_optimum_of_a_small_network(execution):
    case = branchy(execution=execution)
    space = Space(case.graph, case.soc, parallel=execution == "barrier")
    count = len(case.graph)
    best = NEVER
    homes = [space.homes[op] for op in range(count)]
    middle = [[1, 2], [2, 1]]
    for pus, (a, b), (c, d) in itertools.product(itertools.product(*homes), middle, middle):
        order = [0, a, b, 3, c + 3, d + 3, 6]
        for cuts in itertools.product((False, True), repeat=count):
            sides = [False, True] if space.parallel else [False]
            for one, two in itertools.product(sides, sides):
                beside = [False] * count
                beside[b], beside[d + 3] = one, two
                genome = Genome(order, list(pus), list(cuts), [False] * count, beside)
                draft = decode(space, genome)
                if draft is not None:
                    verdict = case.judge.judge(draft, best)
                    if verdict.exact:
                        best = min(best, verdict.seconds)
    grounds = grounds_of(case)
    campaign = begin(grounds, [cpu_plan(case)], 3000)
    found = run(grounds, campaign, 0, 3000)
    assert found.seconds == pytest.approx(best, rel=1e-9)
    assert found.seconds < campaign.searches[0].initial_s
    plan = best_plan(grounds, found, "tune")
    assert plan_problems(plan, case.graph, case.soc) == []
    assert simulated(case, plan) == pytest.approx(best, rel=1e-9)


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(SEEDS, SEEDS, SEEDS, EXECUTIONS)
def test_short_searches_are_beginnings_of_long_ones_and_never_worse(graph, soc, seed, execution):
    case = random_case(graph, soc, execution)
    plans = [cpu_plan(case), random_plan(case.graph, case.soc, seed)]
    least = min(simulated(case, plan) for plan in plans)
    grounds = grounds_of(case)
    campaign = begin(grounds, plans, 100)
    short = run(grounds, campaign, seed, 100)
    assert short.evaluations <= max(100, len(plans))
    assert short.seconds <= least * (1 + 1e-9)
    counts = [count for count, _ in short.curve]
    times = [seconds for _, seconds in short.curve]
    assert counts == sorted(counts)
    assert times == sorted(times, reverse=True)
    assert times[-1] == short.seconds
    again = run(grounds, begin(grounds, plans, 100), seed, 100)
    assert again == short
    longer = run(grounds, short, seed, 225)
    assert longer.seconds <= short.seconds


@pytest.mark.slow
def test_a_network_without_a_choice_ends_at_once():
    graph = chain_graph(1)
    case = Case(graph, load_soc("zcu102-vta", {"npu.operators": {"Gemm": {}}}))
    grounds = grounds_of(case)
    campaign = run(grounds, begin(grounds, [cpu_plan(case)], 10**6), 0, 10**6)
    assert campaign.seconds == campaign.searches[0].initial_s


def test_starts_that_cannot_run_are_left_out_and_none_is_an_error():
    case = branchy()

    def never(plan):
        raise PlanError("it cannot run")

    space = Space(case.graph, case.soc)
    ground = Ground(space, PlanJudge(case.graph, case.soc, never))
    with pytest.raises(PlanError, match="none of the plans"):
        begin(lambda _: ground, [cpu_plan(case)], 10)


def test_descent_finds_separate_minima_and_keeps_to_its_budget():
    target = {name: choices[-1] for name, choices in CHOICES.items()}
    asked = []

    def score(several):
        asked.extend(several)
        return [sum(p[name] != value for name, value in target.items()) for p in several]

    assert descend(score) == (target, 0)
    assert len({tuple(p.values()) for p in asked}) == len(asked)
    needed = asked.index(target) + 1
    assert descend(score, needed - 1)[1] > 0
    assert descend(score, needed, pairs=True) == (target, 0)  # pairs come behind single changes
    asked.clear()
    assert descend(score, 1)[0] == published()
    assert len(asked) == 1


def test_pairs_leave_hollows_that_single_changes_do_not():
    def score(several):
        return [
            0 if (p["joint"], p["longest_group"]) == (True, 4)
            else 1 + (p["joint"] or p["longest_group"] == 4) + (p["switch_penalty_us"] < 1000)
            for p in several
        ]  # fmt: skip

    assert descend(score)[1] == 1
    assert descend(score, pairs=True)[1] == 0


def test_a_search_starts_from_the_schedulers_that_are_named():
    problem = branchy("edge-mcu").problem()
    best = problem.evaluate(create("heft").plan(problem))
    tuned = create("partition_tuner_tuned", {"starts": ["heft"], "evaluations": 5}).plan(problem)
    assert problem.evaluate(tuned) <= best
    assert tuned.details["best_start_us"] <= best * 1e6 * (1 + 1e-9)


@pytest.mark.parametrize("starts", ["heft", [], ["hefd"], ["none.py:X"]])
def test_starts_that_are_none_are_told(starts):
    with pytest.raises(SchedulerError):
        create("partition_tuner_tuned", {"starts": starts})
