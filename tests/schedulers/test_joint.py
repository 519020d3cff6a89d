"""Several networks planned together: what is joined comes apart again, and units are kept apart."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest

from hetsim.errors import PlanError, SchedulerError
from hetsim.plan.files import dump_plan
from hetsim.plan.union import Union
from hetsim.plan.validate import validate_plan
from hetsim.runs.case import Case
from hetsim.runs.serving import Mix
from hetsim.scenario.loader import load_scenario
from hetsim.schedulers.joint.base import JointScheduler, with_units
from hetsim.schedulers.joint.pipeline import _Row
from hetsim.schedulers.joint.registry import BUILT_IN, JOINT_SCHEDULERS
from hetsim.schedulers.joint.together import _commonest
from hetsim.schedulers.registry import create
from hetsim.schedulers.search.genome import decode, encode
from hetsim.schedulers.search.judge import draft_of, plan_of
from hetsim.schedulers.search.moves import Moves
from hetsim.schedulers.search.regions import boundaries
from hetsim.schedulers.search.several import SeveralSpace
from hetsim.sim.simulate import execute
from hetsim.soc.loader import load_soc
from hetsim.testing.problems import random_problem
from hetsim.workload.networks import load_network
from hetsim.workload.union import union
from tests.random_cases import random_network, random_plan
from tests.random_socs import random_soc

SCENARIO = """
hetsim: scenario/1
name: two
soc: mobile-flagship
models: [resnet8, ds_cnn]
schedulers: [heft]
streams:
  - {name: slow, model: ds_cnn, arrivals: {kind: periodic, period: 10 ms}}
  - {name: fast, model: resnet8, arrivals: {kind: periodic, period: 5 ms}}
serve: {duration: 40 ms, plans: [each, union, spatial]}
"""


@pytest.fixture(scope="module")
def mix(tmp_path_factory):
    file = tmp_path_factory.mktemp("joint") / "two.yaml"
    file.write_text(SCENARIO, encoding="utf-8")
    return Mix.of(load_scenario(file))


def contender(mix, way):
    return next(c for c in mix.scenario.contenders if c.plans == way)


def test_the_union_of_one_network_is_that_network():
    graph = random_network(1, 9)
    assert union({"a": graph}) is graph
    soc = random_soc(3)
    plan = random_plan(graph, soc, 5)
    one = Union({"a": graph})
    assert one.split(plan) == {"a": plan}
    assert one.join({"a": plan}, plan.scheduler).partitions == plan.partitions


@pytest.mark.parametrize("seed", range(12))
def test_plans_joined_are_valid_and_come_apart_as_they_were(seed):
    soc = random_soc(seed)
    graphs = {f"n{i}": random_network(seed + 50 * i, 4 + i) for i in range(3)}
    plans = {name: random_plan(graph, soc, seed) for name, graph in graphs.items()}
    several = Union(graphs)
    joined = several.join(plans, "joined")
    validate_plan(joined, several.graph, soc)
    for name, again in several.split(joined).items():
        bare = [p.operators for p in again.partitions]
        assert bare == [p.operators for p in plans[name].partitions]
        assert [p.pu for p in again.partitions] == [p.pu for p in plans[name].partitions]
        assert len(again.parallel_groups) == len(plans[name].parallel_groups)


@pytest.mark.parametrize("seed", range(8))
def test_any_plan_of_the_union_comes_apart_into_valid_plans(seed):
    soc = random_soc(seed)
    graphs = {f"n{i}": random_network(seed + 50 * i, 5) for i in range(2)}
    several = Union(graphs)
    plan = random_plan(several.graph, soc, seed)
    placed = {op: p.pu for p in plan.partitions for op in p.operators}
    for name, part in several.split(plan).items():
        validate_plan(part, graphs[name], soc)
        for partition in part.partitions:
            assert {placed[f"{name}/{op}"] for op in partition.operators} == {partition.pu}


@pytest.mark.slow
def test_rewrites_go_to_the_network_that_they_are_about():
    soc, graph = load_soc("mobile-flagship"), load_network("squeezenet")
    plan = Case(graph, soc).plan(create("iops"))
    assert plan.rewrites, "the test needs a scheduler that merges here"
    other = Case(graph, soc).plan(create("cpu_only"))
    several = Union({"a": graph, "b": graph})
    joined = several.join({"a": plan, "b": other}, "joined")
    validate_plan(joined, several.graph, soc)
    again = several.split(joined)
    assert again["a"].rewrites == plan.rewrites
    assert again["b"].rewrites == ()
    validate_plan(again["a"], graph, soc)
    assert Case(graph, soc).makespan(again["a"]) == Case(graph, soc).makespan(plan)


@pytest.mark.slow
def test_networks_stand_in_the_union_as_often_as_they_run(mix):
    plans = mix.plans(contender(mix, "union"))
    fast, slow = (mix.cases[name].graph for name in ("resnet8", "ds_cnn"))
    several = Union({"slow": slow, "first": fast, "second": fast})
    whole = Case(several.graph, mix.scenario.soc).plan(create("heft"))
    apart = several.split(whole)
    assert where(plans["slow"]) == where(apart["slow"])
    assert where(plans["fast"]) in (where(apart["first"]), where(apart["second"]))


def where(plan):
    return [(p.pu, p.operators) for p in plan.partitions]


def test_ways_ask_a_scheduler_unless_they_say_that_they_decide_themselves():
    """A way of which nothing is said is tried with every scheduler."""
    assert JointScheduler.asks
    asking = {name for name in BUILT_IN if JOINT_SCHEDULERS.find(name).asks}
    assert asking == {"each", "union", "spatial"}


@pytest.mark.slow
def test_spatial_partitioning_shares_nothing_but_the_host(mix):
    plans = mix.plans(contender(mix, "spatial"))
    used = [{p.pu for p in plan.partitions} for plan in plans.values()]
    assert used[0] & used[1] <= {mix.scenario.soc.host.name}
    assert contender(mix, "spatial").label == "heft · spatial"


@pytest.mark.slow
def test_a_division_is_no_worse_than_any_other(mix):
    soc, service = mix.scenario.soc, mix.service
    plans = mix.plans(contender(mix, "spatial"))

    def load(name: str, plan) -> float:
        case = mix.cases[service.stream(name).model]
        trace = execute(soc, case.lowering.program(plan), trace=False)
        return trace.makespan_s * service.stream(name).arrivals.rate

    worst = max(load(name, plan) for name, plan in plans.items())
    for squeezed in range(2 ** (len(soc.pus) - 1)):
        units = [[soc.host.name], [soc.host.name]]
        for i, pu in enumerate(pu for pu in soc.pus if pu is not soc.host):
            units[squeezed >> i & 1].append(pu.name)
        loads = []
        for stream, own in zip(service.streams, units, strict=True):
            part = with_units(soc, own)
            case = replace(mix.cases[stream.model], soc=part, costs=None)
            loads.append(load(stream.name, case.plan(create("heft"))))
        assert worst <= max(loads) * (1 + 1e-9)


def test_a_stream_with_a_scheduler_of_its_own_cannot_be_planned_in_the_union(tmp_path):
    file = tmp_path / "own.yaml"
    own = SCENARIO.replace("period: 5 ms}}", "period: 5 ms}, scheduler: heft}")
    file.write_text(own, encoding="utf-8")
    run = Mix.of(load_scenario(file)).run(load_scenario(file).contenders[1])
    assert "has a scheduler of its own" in (run.error or "")
    with pytest.raises(SchedulerError, match="'fast' has a scheduler of its own"):
        Mix.of(load_scenario(file)).plans(load_scenario(file).contenders[1])


@pytest.mark.slow
def test_a_stream_runs_by_its_plan_file_and_the_others_are_planned(tmp_path):
    file = tmp_path / "given.yaml"
    graph, soc = load_network("resnet8"), load_soc("mobile-flagship")
    plan = Case(graph, soc).plan(create("cpu_only"))
    (tmp_path / "cpu.yaml").write_text(dump_plan(plan), encoding="utf-8")
    given = SCENARIO.replace("period: 5 ms}}", "period: 5 ms}, plan: cpu.yaml}")
    file.write_text(given, encoding="utf-8")
    for way in load_scenario(file).contenders:
        plans = Mix.of(load_scenario(file)).plans(way)
        assert plans["fast"].partitions == plan.partitions
        assert plans["slow"].model == "ds_cnn"
    (tmp_path / "cpu.yaml").write_text(dump_plan(replace(plan, model="other")))
    with pytest.raises(PlanError, match=r"cpu\.yaml(.|\n)*made for network 'other'"):
        Mix.of(load_scenario(file)).plans(load_scenario(file).contenders[0])


def test_an_unknown_way_is_told_with_its_place(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text(SCENARIO.replace("[each, union, spatial]", "[unoin]"), encoding="utf-8")
    with pytest.raises(SchedulerError, match=r"no joint scheduler 'unoin'(.|\n)*union") as caught:
        load_scenario(file)
    assert caught.value.where.line == 10


@pytest.mark.parametrize("seed", range(8))
def test_no_other_row_of_stages_has_a_less_busy_unit(seed):
    problem = random_problem(random.Random(seed), 6, npus=2)
    row = _Row(problem)
    units = range(len(problem.soc.pus))
    others = [random.Random(seed).random() for _ in units]
    chains = len(row.chains)

    def busiest(stages):
        own = row.loads(stages)
        return max(others[u] + own[u] for u, _ in stages)

    every = []
    for count in range(1, len(units) + 1):
        for used in itertools.permutations(units, count):
            for inner in itertools.combinations(range(1, chains), count - 1):
                every.append(tuple(zip(used, (*inner, chains), strict=True)))
    found = row.stages(others, 1.0)
    assert len({unit for unit, _ in found}) == len(found)
    assert busiest(found) == pytest.approx(min(map(busiest, every)), rel=1e-12)


@pytest.mark.slow
def test_stages_take_more_frames_a_second_and_each_longer(tmp_path):
    text = SCENARIO.replace("[each, union, spatial]", "[each, pipeline]")
    text = text.replace("[heft]", "[best_single_pu]").replace("duration: 40 ms, ", "")
    one = "  - {name: fast, model: ds_cnn, arrivals: {kind: closed, clients: 8}, count: 40}\n"
    head, _, tail = text.partition("  - {name: slow")
    file = tmp_path / "one.yaml"
    file.write_text(head + one + tail[tail.index("serve:") :], encoding="utf-8")
    mix = Mix.of(load_scenario(file))
    alone, piped = (mix.run(c) for c in mix.scenario.contenders)
    assert piped.metrics["throughput"] > alone.metrics["throughput"]
    seconds = [mix.alone("ds_cnn", run.streams[0].plan).makespan_s for run in (alone, piped)]
    assert seconds[1] > seconds[0]


@pytest.mark.parametrize("model", ["resnet8", "mobilenet_v2"])
@pytest.mark.parametrize("soc", ["mobile-flagship", "edge-dual", "phone-gpu-dsp"])
def test_stages_make_valid_plans(soc, model):
    graph = load_network(model)
    case = Case(graph, load_soc(soc))
    row = _Row(case.problem())
    assert sorted(op for chain in row.chains for op in chain) == list(range(len(graph)))
    stages = row.stages([0.0] * len(case.soc.pus), 1.0)
    validate_plan(row.plan(stages), graph, case.soc)


class Forgets(JointScheduler):
    name = "forgets"

    def plan(self, problem):
        first = problem.streams[0].name
        return {first: problem.ask(problem.graphs[first], problem.soc, first)}


def test_what_a_way_leaves_out_is_told(tmp_path):
    file = tmp_path / "mine.yaml"
    (tmp_path / "mine.py").write_text(f"from {__name__} import Forgets\n", encoding="utf-8")
    mine = SCENARIO.replace("[each, union, spatial]", "['./mine.py:Forgets']")
    file.write_text(mine, encoding="utf-8")
    scenario = load_scenario(file)
    with pytest.raises(SchedulerError, match="made no plan for 'fast'"):
        Mix.of(scenario).plans(scenario.contenders[0])


def test_of_several_copies_the_commonest_plan_is_taken_and_of_equals_the_first():
    graph, soc = load_network("resnet8"), load_soc("mobile-flagship")
    one, other = (Case(graph, soc).plan(create(name)) for name in ("cpu_only", "npu_only"))
    assert where(_commonest([one, other, other])) == where(other)
    assert where(_commonest([one, other])) == where(one)


@pytest.mark.parametrize("seed", range(6))
def test_changed_genomes_of_several_networks_are_plans_of_each(seed):
    soc = random_soc(seed)
    graphs = {f"n{i}": random_network(seed + 50 * i, 6) for i in range(3)}
    several = Union(graphs)
    space = SeveralSpace(several.graph, list(graphs.values()), soc)
    plans = {name: random_plan(graph, soc, seed) for name, graph in graphs.items()}
    genome = encode(draft_of(several.graph, soc, several.join(plans, "joined")), len(space.graph))
    for begin, end in itertools.pairwise(boundaries(space)):
        assert any(first <= begin and end <= last for first, last in
                   itertools.pairwise(space.edges))  # fmt: skip
    moves, draw = Moves(space), random.Random(seed)
    for _ in range(60):
        genome = moves.propose(draw, genome)
        draft = decode(space, genome)
        if draft is None:
            continue
        assert [op // 6 for op in genome.order] == sorted(op // 6 for op in genome.order)
        for (_, graph), own in zip(graphs.items(), space.apart(draft), strict=True):
            validate_plan(plan_of(graph, soc, own, "moved"), graph, soc)
