"""Plans of several networks judged together: against plain simulation, bounds and all there are."""

from __future__ import annotations

import itertools
import pickle
import random
from dataclasses import replace

import pytest

from hetsim.analysis.serving.objectives import OBJECTIVES, jain, tally_of
from hetsim.plan.build import Block, make_plan
from hetsim.runs.joint import Together, shortened
from hetsim.runs.serving import Mix
from hetsim.scenario.loader import load_scenario
from hetsim.schedulers.registry import create
from hetsim.schedulers.search import campaign
from hetsim.schedulers.search.judge import draft_of
from hetsim.study.tune.crew import JointBench
from hetsim.workload.synthetic import random_graph

TEXT = """
hetsim: scenario/1
name: pair
soc: {soc}
models: [resnet8, ds_cnn]
schedulers: [heft]
seed: {seed}
streams:
  - {{name: a, model: resnet8, arrivals: {{kind: periodic, period: {a}}}, deadline: 2 ms}}
  - {{name: b, model: ds_cnn, arrivals: {{kind: poisson, period: {b}}}, deadline: 1 ms}}
serve: {{duration: 1 s}}
"""


def together(
    tmp_path, objective="latency", *, seed=0, a="4 ms", b="2 ms", graphs=None, soc="edge-dual"
):
    file = tmp_path / "pair.yaml"
    file.write_text(TEXT.format(seed=seed, a=a, b=b, soc=soc), encoding="utf-8")
    scenario = load_scenario(file)
    scenario = replace(scenario, service=shortened(scenario.service, share=0.25))
    mix = Mix.of(scenario, graphs)
    return Together(mix, scenario.service.dispatchers[0], OBJECTIVES[objective])


def plans_of(case):
    (contender,) = case.mix.scenario.contenders
    return case.mix.plans(contender)


@pytest.mark.slow
def test_a_draft_is_worth_what_its_plans_are(tmp_path):
    case = together(tmp_path)
    plans = plans_of(case)
    joined = case.union.join(plans, "joined")
    ground = case.ground(())
    verdict = ground.judge.judge(draft_of(ground.space.graph, ground.space.soc, joined))
    served = case.mix.serve(plans, case.dispatcher)
    every = [t for led in served.ledgers.values() for t in led.finish - led.arrival]
    assert verdict.exact
    assert verdict.seconds == pytest.approx(sum(every) / len(every), rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["latency", "deadline_misses", "fairness", "throughput"])
def test_a_race_that_is_lost_is_told_by_a_bound(tmp_path, objective):
    case = together(tmp_path, objective, b="0.3 ms")
    plans = plans_of(case)
    whole = case.value(plans).seconds
    for share in (0.3, 0.7, 0.99):
        lost = case.value(plans, worthless_above=share * whole)
        assert not lost.exact
        assert share * whole < lost.seconds <= whole * (1 + 1e-12)
    assert case.value(plans, worthless_above=whole * (1 + 1e-9)).seconds == whole


@pytest.mark.slow
def test_a_worker_in_another_process_judges_alike(tmp_path):
    case = together(tmp_path, "fairness")
    plans = plans_of(case)
    bench = pickle.loads(pickle.dumps(JointBench(case)))
    assert bench.together.value(plans) == case.value(plans)


@pytest.mark.slow
def test_nothing_is_below_its_bound_and_plans_meet_the_same_arrivals(tmp_path):
    case = together(tmp_path)
    plans = plans_of(case)
    served = case.mix.serve(plans, case.dispatcher)
    tally = tally_of(case.mix.scenario.soc, case.streams, served, case.alone_s)
    least = case.least(tally, plans)
    for found in OBJECTIVES.values():
        assert found.of(least) <= found.of(tally)
    assert case.objective.of(least) > 0.0
    moved = {
        n: case.mix.cases[s.model].plan(create("cpu_only"))
        for n, s in zip(plans, case.streams, strict=True)
    }
    again = case.mix.serve(moved, case.dispatcher)
    for name in plans:
        assert sorted(again.ledgers[name].arrival) == sorted(served.ledgers[name].arrival)


def test_a_slowdown_shared_by_all_is_fair_and_one_that_is_not_is_not():
    assert jain([3.0, 3.0, 3.0]) == pytest.approx(1.0)
    assert jain([1.0, 0.0, 0.0, 0.0]) == pytest.approx(0.25)  # 1/n: one has it all


def small_case(tmp_path, seed):
    """Two random networks of three operators on a CPU and an NPU, arrivals close enough to meet."""
    graphs = {
        label: random_graph(seed + 100 * i, 3, spatial=(7, 14)[seed % 2])
        for i, label in enumerate(("resnet8", "ds_cnn"))
    }
    draw = random.Random(seed)
    case = together(
        tmp_path, seed=seed, graphs=graphs, soc="edge-mcu",
        a=f"{draw.uniform(0.05, 1):.3f} ms", b=f"{draw.uniform(0.05, 1):.3f} ms",
    )  # fmt: skip
    return case, graphs


def every_plan(space, soc):
    """All assignments of operators to units with all ways to cut the order into partitions."""
    graph = space.graph
    for pus in itertools.product(*space.homes):
        for cuts in itertools.product((False, True), repeat=len(graph) - 1):
            blocks = [[0]]
            for op in range(1, len(graph)):
                if cuts[op - 1] or pus[op] != pus[op - 1]:
                    blocks.append([])
                blocks[-1].append(op)
            ran = [Block(tuple(block), pus[block[0]]) for block in blocks]
            yield make_plan(graph, soc, ran, scheduler="every")


def optimum(case):
    """The least value of all pairs of plans."""
    soc = case.mix.scenario.soc
    ground = case.ground(())
    names = list(case.union.graphs)
    choices = []
    for part in ground.space.parts:
        distinct = {plan.partitions: plan for plan in every_plan(part, soc)}
        choices.append(list(distinct.values()))
    best = float("inf")
    for pair in itertools.product(*choices):
        joined = case.union.join(dict(zip(names, pair, strict=True)), "every")
        verdict = ground.judge.judge(draft_of(ground.space.graph, soc, joined), best)
        best = min(best, verdict.seconds)
    return best


def searched(case, budget):
    ground = case.ground(())
    soc = case.mix.scenario.soc
    plans = []
    for name in ("cpu_only", "type_based", "heft"):
        each = {s.name: case.mix.cases[s.model].plan(create(name)) for s in case.streams}
        plans.append(case.union.join(each, name))
    begun = campaign.begin(lambda rewrites: ground, plans, budget)
    ended = campaign.run(lambda rewrites: ground, begun, 0, budget)
    drafts = [draft_of(ground.space.graph, soc, plan) for plan in plans]
    assert ended.seconds <= min(ground.judge.judge(d).seconds for d in drafts)
    return ended.seconds


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0])
def test_the_search_finds_the_best_of_all_pairs_of_plans(tmp_path, seed):
    case, _ = small_case(tmp_path, seed)
    assert searched(case, 300) <= optimum(case) * (1 + 1e-9)
