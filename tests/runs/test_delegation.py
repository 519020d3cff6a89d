"""What to delegate: the parts add up, the verdicts are right, nothing is worse than a rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

import hetsim
from hetsim.errors import ConfigError
from hetsim.plan.build import Block, make_plan
from hetsim.runs.case import Case
from hetsim.runs.delegation.work import delegation
from hetsim.soc.loader import load_soc
from hetsim.workload.synthetic import chain_graph, random_graph

QUICK = {"evaluations": 300, "tuning": 0}


def answer(soc, graph, **changes):
    return delegation(Case(graph, load_soc(soc, changes), execution="barrier"), **QUICK)


@pytest.fixture(scope="module")
def squeezenet():
    return delegation(
        Case(hetsim.load_model("squeezenet"), load_soc("zcu102-vta"), execution="barrier"),
        **QUICK,
    )  # fmt: skip


@pytest.mark.slow
def test_the_advice_is_no_worse_than_any_rule_and_nothing_is_below_the_bound(squeezenet):
    found = squeezenet
    labels = [option.label for option in found.options]
    assert labels == [
        "nothing", "largest on npu", "3 largest on npu", "all on npu", "advice", "best plan",
    ]  # fmt: skip
    for option in found.rules:
        assert found.advice.makespan_s <= option.makespan_s * (1 + 1e-9), option.label
    assert found.best.makespan_s <= found.advice.makespan_s
    for option in found.options:
        assert option.makespan_s >= found.bound.seconds * (1 - 1e-9), option.label


def test_gains_are_differences_of_whole_simulations(squeezenet):
    found = squeezenet
    case, graph = found.case, found.case.graph
    nothing = found.rules[0].makespan_s
    for candidate in found.candidates:
        inside = {graph.index[name] for name in candidate.part.operators}
        first, last = min(inside), max(inside)
        before = Block(tuple(range(first)), case.soc.by_name["cpu"].index)
        there = Block(tuple(sorted(inside)), case.soc.by_name["npu"].index)
        # What stands between and does not belong there is a branch beside it: run it before.
        beside = tuple(op for op in range(first, last) if op not in inside)
        after = Block(tuple(range(last + 1, len(graph))), case.soc.by_name["cpu"].index)
        assert not beside
        blocks = [block for block in (before, there, after) if block.operators]
        alone = case.simulate(make_plan(graph, case.soc, blocks, scheduler="by hand"), trace=False)
        assert candidate.part.gain_s == pytest.approx(nothing - alone.makespan_s, rel=1e-9)


def test_time_is_accounted_for(squeezenet):
    for part in [*squeezenet.parts, *(c.part for c in squeezenet.candidates)]:
        total = part.there_s + part.transfer_s + part.calls_s + part.gain_s
        assert part.here_s == pytest.approx(total, rel=1e-12)
        assert part.calls_s > -1e-9, "a call cannot give time back"
        assert part.calls_s < 2e-3


def test_bytes_are_those_of_the_tensors_that_cross(squeezenet):
    graph = squeezenet.case.graph
    part = squeezenet.candidates[0].part
    inside = set(part.operators)
    made = {t for name in inside for t in graph.operator(name).outputs}
    read = {t for name in inside for t in graph.operator(name).inputs} - made
    outside = {t for op in graph.operators if op.name not in inside for t in op.inputs}
    assert part.bytes_in == sum(graph.tensors[t].elements * 4 for t in read)
    assert part.bytes_out == sum(graph.tensors[t].elements * 4 for t in made & outside)
    assert part.macs == sum(graph.operator(name).macs for name in inside)


def test_the_advice_is_made_of_what_the_candidates_say(squeezenet):
    taken = {name for candidate in squeezenet.candidates for name in candidate.taken}
    assert taken == {name for part in squeezenet.parts for name in part.operators}
    assert len(taken) == squeezenet.advice.operators
    for part in squeezenet.parts:
        assert part.gain_s > 0.0


def test_what_divides_the_parts_is_named(squeezenet):
    [support] = squeezenet.support
    assert support.reasons["npu does not run Concat"] == {"Concat": 8}
    assert len(support.takes) + len(support.refuses) == len(squeezenet.case.graph)


@pytest.mark.parametrize(
    ("changes", "verdict", "because"),
    [
        ({}, "pays", "alone"),
        ({"npu.operating_points.nominal.clock": "100 kHz"}, "slower there", "there"),
        ({"npu.crossing.quantise": "1 us"}, "transfer", "KiB cross"),
        ({"runtime.partition_call": "1 s"}, "too small", "calls and cuts"),
    ],
)
def test_a_part_that_does_not_pay_says_why(changes, verdict, because):
    chain = chain_graph(6, channels=64, spatial=28)
    first, *others = chain.operators
    pool = replace(first, kind="MaxPool", nest=None, macs=0, weights=())
    found = answer("zcu102-vta", replace(chain, operators=(pool, *others[1:])), **changes)
    [candidate] = found.candidates
    assert candidate.verdict == verdict
    assert because in candidate.reason
    if verdict != "pays":
        assert found.advice.operators == 0
        assert found.advice.makespan_s == pytest.approx(found.rules[0].makespan_s, rel=1e-9)


@pytest.mark.slow
def test_several_accelerators_are_compared_alone_and_together():
    found = answer("mobile-flagship", random_graph(5, 30, spatial=56))
    assert [o.label for o in found.single] == ["advice for npu only", "advice for gpu only"]
    assert {c.part.pu for c in found.candidates} == {"npu", "gpu"}
    for option in (*found.rules, *found.single):
        assert found.advice.makespan_s <= option.makespan_s * (1 + 1e-9), option.label


@pytest.mark.slow
def test_the_answer_is_always_the_same():
    first, second = (answer("edge-mcu", random_graph(3, 16)) for _ in range(2))
    assert first.advice == second.advice
    assert first.candidates == second.candidates


def test_a_soc_without_accelerators_is_refused():
    from tests.sim.samples import make_soc

    with pytest.raises(ConfigError, match="no accelerator"):
        delegation(Case(chain_graph(3), make_soc()), **QUICK)
