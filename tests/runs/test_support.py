"""What units take of a network, and why they refuse the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

import hetsim
from hetsim.runs.case import Case
from hetsim.runs.support import support_of
from hetsim.soc.loader import load_soc
from hetsim.workload.synthetic import chain_graph


def support(graph, pu="npu", soc="zcu102-vta", **changes):
    case = Case(graph, load_soc(soc, changes))
    return support_of(case.lowering, case.problem().profile, case.soc.by_name[pu])


def test_what_is_fused_behind_another_is_taken():
    found = support(chain_graph(4, channels=32))
    assert found.takes == (0, 1, 2, 3)
    assert not found.refuses


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "MaxPool", "nest": None, "macs": 0}, "npu does not run MaxPool"),
        ({"dtype": "int64"}, "npu does not compute in int64"),
    ],
)
def test_kinds_and_data_types_are_reasons(change, reason):
    chain = chain_graph(3, channels=32)
    first, *others = chain.operators
    found = support(replace(chain, operators=(replace(first, **change), *others)))
    assert found.refuses[0] == reason


def test_rules_are_reasons_and_what_is_torn_off_says_so():
    found = support(chain_graph(2, channels=12))
    assert found.refuses[0] == "12 input channels are not a multiple of 16"
    assert found.refuses[1] == "npu does not run Relu (only fused, as in Conv-Relu)"
    assert found.reasons == {found.refuses[0]: {"Conv": 1}, found.refuses[1]: {"Relu": 1}}
    assert found.seconds == 0.0


def test_what_does_not_fit_the_buffers_is_told_by_the_cost_model():
    found = support(chain_graph(1, channels=64), **{"npu.sram.weight": "16 B"})
    assert list(found.refuses) == [0]
    assert found.refuses[0].startswith("cannot run on npu: its smallest tile")


def test_seconds_are_those_of_the_kernels_alone():
    chain = chain_graph(5, channels=32)
    case = Case(chain, load_soc("zcu102-vta"))
    profile = case.problem().profile
    for pu in case.soc.pus:
        found = support_of(case.lowering, profile, pu)
        kernels = ((0, 1), (2, 3), (4,)) if pu.name == "npu" else ((0,), (1,), (2,), (3,), (4,))
        if pu.spec.fuse_patterns:
            kernels = ((0, 1), (2, 3), (4,))
        assert found.seconds == pytest.approx(
            sum(profile.chain_time(kernel, pu.index) for kernel in kernels)
        )


@pytest.mark.slow
def test_every_operator_is_taken_or_refused():
    case = Case(hetsim.load_model("squeezenet"), load_soc("mobile-flagship"))
    profile = case.problem().profile
    for pu in case.soc.pus:
        found = support_of(case.lowering, profile, pu)
        assert sorted([*found.takes, *found.refuses]) == list(range(len(case.graph)))
        for op in found.takes:
            alone = profile.time(op, pu.index) < float("inf")
            assert alone or pu.spec.fuse_patterns
