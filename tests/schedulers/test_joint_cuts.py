"""Networks that change their unit once: plans that hold, and no single change is better."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest

from hetsim.errors import PlanError, SchedulerError
from hetsim.plan.validate import validate_plan
from hetsim.runs.case import Case
from hetsim.runs.serving import Mix
from hetsim.scenario.loader import load_scenario
from hetsim.schedulers.joint.cuts import PLACES, Choice, Divisible, best_cuts
from hetsim.sim.simulate import execute
from hetsim.sim.source import Inference
from hetsim.soc.loader import load_soc
from hetsim.workload.networks import load_network

NAMES = ("resnet8", "ds_cnn")
SCENARIO = """
hetsim: scenario/1
name: two
soc: edge-dual
models: [resnet8, ds_cnn]
schedulers: [best_single_pu]
streams:
  - {model: resnet8, arrivals: {kind: closed}}
  - {model: ds_cnn, arrivals: {kind: closed}}
serve: {duration: 20 ms, plans: [each, cuts]}
"""


@pytest.fixture(scope="module")
def soc():
    return load_soc("edge-dual")


@pytest.fixture(scope="module")
def networks(soc):
    return {name: Divisible(load_network(name), soc) for name in NAMES}


@cache
def case(name):
    return Case(load_network(name), load_soc("edge-dual"))


def ends(soc, plans):
    """Seconds until each ends, side by side."""
    programs = [case(name).lowering.program(plan) for name, plan in plans.items()]
    trace = execute(soc, [Inference(program) for program in programs], trace=False)
    return dict(zip(plans, trace.finished, strict=True))


def test_every_choice_is_a_plan_that_changes_its_unit_once_at_most(soc, networks):
    for network in networks.values():
        assert 0 < len(network.places) <= 2 * PLACES
        for choice in network.choices:
            plan = network.plan(choice)
            validate_plan(plan, network.graph, soc)
            wanted = {soc.pus[choice.first].name, soc.pus[choice.second].name}
            order = [p.pu for p in plan.partitions if p.pu in wanted]
            assert sum(a != b for a, b in pairwise(order)) <= (choice.first != choice.second) + sum(
                p.pu not in wanted for p in plan.partitions
            ), "only what a unit cannot run lies between"


def test_the_host_computes_only_where_nothing_else_could(soc, networks):
    used = {u for c in networks["resnet8"].choices for u in (c.first, c.second)}
    assert soc.host.index not in used
    assert used == {pu.index for pu in soc.pus} - {soc.host.index}
    mcu = load_soc("nucleo-l4r5zi")
    assert {c.first for c in Divisible(load_network("ds_cnn"), mcu).choices} == {mcu.host.index}


def test_no_place_tears_a_kernel_apart(networks):
    graph = networks["resnet8"].graph
    for place in networks["resnet8"].places:
        assert graph.operators[place].kind not in ("Relu", "BatchNormalization")


@pytest.mark.slow
def test_no_network_would_let_the_last_one_end_sooner_by_another_choice(soc, networks):
    graphs = {name: network.graph for name, network in networks.items()}
    found = best_cuts(graphs, soc, lambda plans: ends(soc, plans))
    last = max(ends(soc, found).values())
    for name, network in networks.items():
        for choice in network.choices:
            other = {**found, name: network.plan(choice)}
            assert max(ends(soc, other).values()) >= last * (1 - 1e-12)
    first = {name: network.plan(network.choices[0]) for name, network in networks.items()}
    assert last < max(ends(soc, first).values())


def changed(network):
    """The first change of unit that makes a plan of its own."""
    whole = [network.plan(choice) for choice in network.whole]
    return next(choice for choice in network.choices if network.plan(choice) not in whole)


def test_a_change_is_made_where_each_unit_is_quick(soc, networks):
    network = networks["resnet8"]
    wanted = changed(network)
    names = [op.name for op in network.graph.operators]

    def seconds(plans):
        at = {op: p.pu for p in plans["resnet8"].partitions for op in p.operators}
        quick = [soc.pus[wanted.first].name] * wanted.cut
        quick += [soc.pus[wanted.second].name] * (len(names) - wanted.cut)
        return {"resnet8": sum(at[n] != q for n, q in zip(names, quick, strict=True))}

    found = best_cuts({"resnet8": network.graph}, soc, seconds)
    assert found["resnet8"] == network.plan(wanted)
    assert seconds(found)["resnet8"] == 0


def test_a_change_that_pays_only_after_another_ones_is_found(soc, networks):
    graphs = {name: network.graph for name, network in networks.items()}
    after = {name: network.plan(changed(network)) for name, network in networks.items()}

    def seconds(plans):
        first, second = (plans[name] == after[name] for name in NAMES)
        return dict.fromkeys(NAMES, 10.0 - second - (first and second) + (first and not second))

    assert best_cuts(graphs, soc, seconds) == after


def test_it_is_the_last_end_that_counts(soc, networks):
    graphs = {name: network.graph for name, network in networks.items()}
    even = {name: network.plan(network.whole[-1]) for name, network in networks.items()}

    def seconds(plans):
        return dict(zip(NAMES, (4.0, 4.0) if plans == even else (1.0, 5.0), strict=True))

    assert best_cuts(graphs, soc, seconds) == even


def test_what_cannot_run_is_left_out_and_told_when_nothing_can(soc, networks):
    graphs = {"ds_cnn": networks["ds_cnn"].graph}
    allowed = networks["ds_cnn"].plan(networks["ds_cnn"].choices[1])

    def only_one(plans):
        if plans["ds_cnn"] != allowed:
            raise PlanError("not that one")
        return {"ds_cnn": 1.0}

    assert best_cuts(graphs, soc, only_one) == {"ds_cnn": allowed}

    def none(plans):
        raise PlanError("nothing runs")

    with pytest.raises(SchedulerError, match="no plan of one unit or two"):
        best_cuts(graphs, soc, none)


@pytest.mark.slow
def test_streams_are_planned_by_it(tmp_path):
    file = tmp_path / "two.yaml"
    file.write_text(SCENARIO, encoding="utf-8")
    mix = Mix.of(load_scenario(file))
    each, cuts = (mix.run(contender) for contender in mix.scenario.contenders)
    assert cuts.error is None
    slowest = [max(s.metrics["latency_max_s"] for s in run.streams) for run in (each, cuts)]
    assert slowest[1] <= slowest[0]


def test_a_whole_network_is_one_partition_but_for_what_falls_back():
    soc = load_soc("jetson-xavier")
    network = Divisible(load_network("googlenet"), soc)
    dla = soc.by_name["dla0"].index
    plan = network.plan(Choice(dla, dla, len(network.graph)))
    assert plan.partitions[0].pu == "dla0"
    left = [op for p in plan.partitions if p.pu != "dla0" for op in p.operators]
    kinds = {op.name: op.kind for op in network.graph.operators}
    assert {kinds[name] for name in left} == {"Softmax"}


def test_where_a_single_unit_computes_a_network_is_all_its():
    soc = load_soc("nucleo-l4r5zi")
    graph = load_network("ds_cnn")
    found = best_cuts({"only": graph}, soc, lambda plans: dict.fromkeys(plans, 1.0))
    assert {p.pu for p in found["only"].partitions} == {soc.host.name}
