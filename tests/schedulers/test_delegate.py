"""Delegating runtimes: how they divide a network, LiteRT's rule, and the choice found by trying."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hetsim.errors import PlanError, SchedulerError
from hetsim.runs.case import Case
from hetsim.schedulers.delegate.subsets import Delegating
from hetsim.schedulers.delegate.tuned import DelegateTuned, _Search
from hetsim.schedulers.estimate import predict
from hetsim.schedulers.registry import create
from hetsim.soc.loader import load_soc
from hetsim.workload.synthetic import random_graph
from tests.schedulers.fakes import chain, make_graph, make_problem, make_soc, random_problem

BRANCHES = make_graph(
    {"a": [], "b": ["a"], "c": ["a"], "d": ["b"], "e": ["c", "d"], "f": ["e"]},
    {"b": "Softmax", "f": "Softmax"},
)
"""``a`` feeds ``b`` (for the CPU only) and ``c``; ``d`` follows ``b``; ``e`` joins."""


def problem_of(graph, soc=None, seconds=(2.0, 1.0), **profile):
    soc = soc or make_soc()
    able = {"Softmax": (seconds[0], *[None] * (len(seconds) - 1))}
    times = {op.name: list(able.get(op.kind, seconds)) for op in graph.operators}
    return make_problem(graph, soc, times, **profile)


def names(graph, block):
    return "".join(graph.operators[op].name for op in block.operators)


def test_a_subset_takes_all_that_is_or_becomes_ready():
    ground = Delegating(problem_of(BRANCHES))
    blocks = ground.blocks(ground.everything(1))
    # c does not wait for b, so it goes with a, although b stands between them in the file.
    assert [(names(BRANCHES, b), b.pu) for b in blocks] == [
        ("ac", 1), ("b", 0), ("de", 1), ("f", 0),
    ]  # fmt: skip


def passes(units, placement):
    """The published procedure, pass over pass, as slow as it reads."""
    epoch = [-1] * len(units)
    subsets = []
    while -1 in epoch:
        kind, members, went_on = None, [], True
        while went_on:
            went_on = False
            for u in range(len(units)):
                ready = epoch[u] < 0 and all(epoch[p] >= 0 for p in units.preds[u])
                if not ready or kind not in (None, placement[u]):
                    continue
                kind, epoch[u], went_on = placement[u], len(subsets), True
                members.append(u)
        subsets.append((kind, members))
    return subsets


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 25))
def test_subsets_are_those_of_the_published_procedure(seed, size):
    rng = random.Random(seed)
    ground = Delegating(random_problem(rng, size, npus=2, gpus=1))
    units = ground.units
    placement = tuple(rng.choice(units.feasible(u)) for u in range(len(units)))
    found = [(b.pu, list(b.units)) for b in ground.blocks(placement)]
    assert found == passes(units, placement)


def parts(problem, **parameters):
    plan = create("delegate_largest", parameters).plan(problem)
    return ["".join(p.operators) for p in plan.partitions if p.pu != "cpu"]


def test_the_largest_subsets_are_kept():
    line = chain("Conv", "Softmax", "Conv", "Conv", "Conv", "Softmax", "Conv", "Conv")
    problem = problem_of(line)
    assert parts(problem) == ["n2n3n4"]
    assert parts(problem, partitions=2) == ["n2n3n4", "n6n7"]
    assert parts(problem, partitions=None) == ["n0", "n2n3n4", "n6n7"]
    assert parts(problem, partitions=None, min_nodes=2) == ["n2n3n4", "n6n7"]
    assert parts(problem, min_nodes=4) == []


def test_of_equal_subsets_the_first_is_kept():
    assert parts(problem_of(chain("Conv", "Softmax", "Conv"))) == ["n0"]


def test_each_accelerator_is_offered_what_those_before_it_left():
    line = chain("Conv", "Softmax", "Conv", "Conv", "Softmax", "Conv")
    times = {op.name: [3.0, None if op.kind == "Softmax" else 2.0, 1.0] for op in line.operators}
    problem = make_problem(line, make_soc(gpus=1), times)

    def placed(**parameters):
        return "".join(
            p.pu[0] for p in create("delegate_largest", parameters).plan(problem).partitions
        )

    assert placed(partitions=None) == "ngngn"  # NPUs first, the GPU what they refuse
    assert placed(accelerator="gpu") == "g"
    assert placed(accelerator="npu", partitions=None) == "ncncn"
    # The NPU keeps its largest subset; of what is left, the GPU's largest are the first two.
    plan = create("delegate_largest").plan(problem)
    assert [(p.pu, p.operators) for p in plan.partitions] == [
        ("gpu", ("n0", "n1")), ("npu", ("n2", "n3")), ("cpu", ("n4", "n5")),
    ]  # fmt: skip


def test_an_accelerator_must_be_there():
    problem = problem_of(chain("Conv", "Conv"), make_soc(gpus=1), (3.0, 2.0, 1.0))
    for name in ("delegate_largest", "delegate_tuned"):
        for wrong in ("gpux", "cpu"):
            with pytest.raises(SchedulerError, match="no accelerator"):
                create(name, {"accelerator": wrong}).plan(problem)


@pytest.mark.parametrize("parameters", [{"partitions": 0}, {"min_nodes": 0}])
def test_numbers_out_of_range_are_refused(parameters):
    with pytest.raises(SchedulerError, match="at least 1"):
        create("delegate_largest", parameters)


def test_what_no_cpu_runs_is_delegated_in_any_case():
    graph = chain("Conv", "Conv")
    times = {"n0": [None, 5.0], "n1": [1.0, 5.0]}
    problem = make_problem(graph, make_soc(cpu_exclude=["Conv"]), times)
    plan = create("delegate_largest", {"min_nodes": 9}).plan(problem)
    assert [p.pu for p in plan.partitions] == ["npu", "cpu"]


def every_choice(problem):
    ground = Delegating(problem)
    options = [
        sorted({home, *(a for a in ground.accelerators if ground.takes(u, a))})
        for u, home in enumerate(ground.host)
    ]
    return [predict(problem, ground.blocks(placement)) for placement in product(*options)]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("execution", ["dataflow", "barrier"])
def test_where_choices_are_few_the_best_is_found(seed, execution):
    problem = replace(random_problem(random.Random(seed), 7, gpus=seed % 2), execution=execution)
    found = DelegateTuned().plan(problem).predicted_s
    assert found == pytest.approx(min(every_choice(problem)), rel=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_the_search_finds_the_best_without_trying_all(seed):
    problem = replace(random_problem(random.Random(seed), 11), execution="barrier")
    choices = every_choice(problem)
    plan = DelegateTuned(evaluations=len(choices) - 1).plan(problem)
    assert plan.predicted_s == pytest.approx(min(choices), rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("soc", ["zcu102-vta", "edge-mcu", "mobile-flagship"])
def test_the_choice_is_never_worse_than_any_default_rule(soc):
    case = Case(random_graph(11, 24), load_soc(soc), execution="barrier")

    def seconds(name, **parameters):
        return case.simulate(case.plan(create(name, parameters)), trace=False).makespan_s

    advice = seconds("delegate_tuned", evaluations=1)
    units = [pu.name for pu in case.soc.pus if pu.spec.role != "cpu"]
    for unit in (None, *units):
        for rule in product((1, 2, 3, None), (1, 2)):
            given = dict(zip(("partitions", "min_nodes"), rule, strict=True))
            other = seconds("delegate_largest", accelerator=unit, **given)
            assert advice <= other * (1 + 1e-9), (unit, given)
    assert advice <= seconds("cpu_only") * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_every_choice_of_the_rule_is_a_start(seed):
    rng = random.Random(seed)
    problem = replace(random_problem(rng, 25, gpus=seed % 2), execution="barrier")
    ground = Delegating(problem)
    rules = [ground.host]
    for pus in (ground.accelerators, *((pu,) for pu in ground.accelerators)):
        rules += [ground.largest(pus, n, least) for n in (1, 2, 3, 4, None) for least in (1, 2)]
    best_s = DelegateTuned(evaluations=1).plan(problem).details["best_rule_us"] * 1e-6
    assert best_s <= min(predict(problem, ground.blocks(rule)) for rule in rules) * (1 + 1e-9)


def test_what_others_place_well_is_a_start():
    # The best choice cuts the middle out of a subset, which no rule does.
    graph = chain("Conv", "Conv", "Conv", "Softmax", "Conv", "Conv")
    times = {f"n{i}": [2.0, 1.0] for i in (0, 1, 2, 4, 5)} | {"n3": [1.0, None]}
    times["n1"] = [2.0, 9.0]
    problem = make_problem(graph, make_soc(), times, default_comm=0.1, execution="barrier")
    best = DelegateTuned(evaluations=1).plan(problem)
    assert best.predicted_s == pytest.approx(create("mosaic").plan(problem).predicted_s)
    assert best.predicted_s < best.details["best_rule_us"] * 1e-6


def test_a_border_that_costs_more_than_it_saves_is_trimmed():
    # The first operator is dear there and its input costs nothing; the rule takes it all the same.
    graph = chain("Conv", "Conv", "Conv")
    times = {"n0": [1.0, 9.0], "n1": [9.0, 1.0], "n2": [9.0, 1.0]}
    problem = make_problem(graph, make_soc(), times, default_comm=0.5)
    plan = create("delegate_tuned").plan(problem)
    assert [(p.pu, p.operators) for p in plan.partitions] == [
        ("cpu", ("n0",)), ("npu", ("n1", "n2")),
    ]  # fmt: skip


def test_a_move_takes_along_what_the_accelerator_runs_and_leaves_the_rest_at_home():
    problem = problem_of(chain("Conv", "Softmax", "Conv"))
    search = _Search(problem, Delegating(problem))
    assert search.best == (0, 0, 0)
    assert search._moved((0, 1, 2), 1) == (1, 0, 1)
    search.best = (1, 0, 1)
    assert search._moved((1, 2), None) == (1, 0, 0)


@pytest.mark.parametrize("seed", [3, 29])
def test_the_search_ends_where_no_move_gains(seed):
    problem = replace(random_problem(random.Random(seed), 14, gpus=1), execution="barrier")
    search = _Search(problem, Delegating(problem))
    search.run(3000)  # of more than ten thousand choices
    assert len(search.known) < 3000
    found = [search._worth(search.ground.blocks(search._moved(*m))) for m in search._moves()]
    assert min(found) >= search.seconds * (1 - 1e-9)


def test_what_is_delegated_for_nothing_stays_at_home():
    """As quick there, or quicker by what the order of additions makes of it."""
    for seconds in ([1.0, 1.0], [0.1 + 0.2, 0.3]):
        problem = problem_of(chain("Conv", "Conv", "Conv"), seconds=seconds, execution="barrier")
        plan = DelegateTuned().plan(problem)
        assert [p.pu for p in plan.partitions] == ["cpu"]


def test_where_there_is_a_simulator_it_decides_and_what_it_refuses_is_no_choice():
    """Delegating an operator saves half a second; n1 alone, and all three, are refused."""
    problem = problem_of(chain("Conv", "Conv", "Conv"), seconds=(1.0, 9.0))
    asked = []

    def evaluate(plan):
        there = [op for p in plan.partitions if p.pu == "npu" for op in p.operators]
        asked.append(there)
        if there in (["n1"], ["n0", "n1", "n2"]):
            raise PlanError("it cannot run")
        return 3.0 - 0.5 * len(there)

    plan = DelegateTuned().plan(replace(problem, evaluate=evaluate))
    assert plan.predicted_s == 2.0
    assert plan.details == {"best_rule_us": 3e6, "evaluations": 8, "simulated": True}
    assert len(asked) == 8  # each choice once
    assert DelegateTuned().plan(problem).details["simulated"] is False

    def refuse(plan):
        raise PlanError("it cannot run")

    with pytest.raises(SchedulerError, match="nothing that can be delegated"):
        DelegateTuned().plan(replace(problem, evaluate=refuse))
