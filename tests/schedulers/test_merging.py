"""Merged convolutions in IOS and IOPS: which are candidates, when they pay, and that they run."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from types import SimpleNamespace

import pytest

import hetsim
from hetsim.cost.profile import INFEASIBLE
from hetsim.errors import PlanError
from hetsim.plan.build import Block, make_plan
from hetsim.plan.files import dump_plan, parse_plan
from hetsim.plan.validate import plan_problems, validate_plan
from hetsim.runs.case import Case
from hetsim.schedulers.stages import merging
from hetsim.schedulers.stages.iops import IOPS, _kept, paying
from hetsim.schedulers.stages.ios import IOS, _ready_merges
from hetsim.schedulers.stages.merging import Merge, _candidates, _families, find_merges
from hetsim.schedulers.units import Units
from hetsim.workload.graph import Graph, LoopNest, Operator, Tensor
from hetsim.workload.rewrite import Rewrite
from tests.schedulers.fakes import make_graph, make_problem, make_soc


def fan(kernels, channels=16, size=8, in_c=16):
    """Convolutions of one tensor, a Relu behind each, and a Concat of all."""
    tensors = [Tensor("in", (1, in_c, size, size))]
    operators = []
    for i, k in enumerate(kernels):
        nest = LoopNest(1, 1, size, size, in_c, channels, k, k, in_h=size, in_w=size)
        attributes = {"kernel_shape": (k, k), "strides": (1, 1), "pads": (k // 2,) * 4}
        weights = (("float32", channels * in_c * k * k),)
        shape = (1, channels, size, size)
        operators += [
            Operator(
                f"c{i}", "Conv", ("in",), (f"c{i}.out",), weights, nest.macs, 0, nest, attributes,
                "pointwise" if k == 1 else "",
            ),
            Operator(f"r{i}", "Relu", (f"c{i}.out",), (f"r{i}.out",), element_ops=nest.out_h**2),
        ]  # fmt: skip
        tensors += [Tensor(f"c{i}.out", shape), Tensor(f"r{i}.out", shape)]
    ends = tuple(f"r{i}.out" for i in range(len(kernels)))
    operators.append(Operator("join", "Concat", ends, ("out",)))
    tensors.append(Tensor("out", (1, channels * len(kernels), size, size)))
    return Graph.create("fan", operators, tensors, ["in"], ["out"])


def case_of(kernels, changes=None, **shape):
    return Case(fan(kernels, **shape), hetsim.load_soc("zcu102-vta", changes))


def test_candidates_are_all_sets_of_convolutions_that_may_be_one():
    case = case_of([1, 1, 3])
    units = Units(case.problem())
    heads = {u: units.graph.operators[ops[0]].name for u, ops in enumerate(units.ops)}
    found = find_merges(case.problem(), units, 8)
    assert sorted("".join(heads[u] for u in members) for members in found) == [
        "c0c1", "c0c1c2", "c0c2", "c1c2",
    ]  # fmt: skip
    assert set(find_merges(case.problem(), units, 2)) == {m for m in found if len(m) == 2}
    for merge in found.values():
        assert merge.rewrite.tail == ("Relu",)
        assert merge.names == tuple(
            "&".join(f"{kind}{heads[u][1]}" for u in merge.units) for kind in "cr"
        )


def test_a_candidates_time_is_that_of_the_kernel_it_becomes():
    case = case_of([1, 3])
    problem = case.problem()
    (merge,) = find_merges(problem, Units(problem), 8).values()
    # By hand: the same network with the one wide convolution written out.
    other = case.rewritten([Rewrite("merge", ("c0", "c1"), ("Relu",))])
    assert [op.name for op in other.graph.operators] == ["c0&c1", "r0&r1", "join"]
    profile = other.problem().profile
    assert merge.time == tuple(profile.chain_time((0, 1), pu.index) for pu in case.soc.pus)
    assert min(merge.time) < INFEASIBLE


def test_nothing_is_merged_where_no_other_network_can_be_profiled():
    graph = make_graph({"a": [], "b": [], "j": ["a", "b"]})
    problem = make_problem(graph, make_soc(), {op: [1, 1] for op in "abj"})
    assert find_merges(problem, Units(problem), 8) == {}
    assert IOS().plan(problem).rewrites == ()
    assert IOPS().plan(problem).rewrites == ()


def every_plan(case, names):
    """The least simulated makespan when each of ``names`` is a partition, on every PU."""
    graph = case.graph
    chains = [tuple(graph.index[n] for n in chain) for chain in names]
    best = INFEASIBLE
    for pus in product([pu.index for pu in case.soc.pus], repeat=len(chains)):
        blocks = [Block(ops, pu) for ops, pu in zip(chains, pus, strict=True)]
        plan = make_plan(graph, case.soc, blocks, scheduler="brute force")
        if not plan_problems(plan, graph, case.soc):
            best = min(best, case.makespan(plan))
    return best


@pytest.mark.parametrize("scheduler", [IOS, IOPS])
def test_small_convolutions_are_merged_because_each_launch_costs(scheduler):
    """Three tiny convolutions: one launch on the NPU beats any placement of three."""
    slow = {"cpu.operating_points.nominal.clock": "0.1x"}
    case = case_of([1, 1, 1], slow, channels=32, in_c=64, size=14)
    plan = case.plan(scheduler())
    assert [r.operators for r in plan.rewrites] == [("c0", "c1", "c2")]
    apart = every_plan(case, [("c0", "r0"), ("c1", "r1"), ("c2", "r2"), ("join",)])
    assert case.makespan(plan) < apart
    switched_off = {IOS: {"merge": False}, IOPS: {"replace": False}}[scheduler]
    plain = case.plan(scheduler(**switched_off))
    assert plain.rewrites == ()
    assert case.makespan(plain) > case.makespan(plan)


@pytest.mark.parametrize("scheduler", [IOS(), IOPS()])
def test_a_padded_kernel_that_costs_more_than_it_saves_is_left_alone(scheduler):
    """Beside a 7x7, a wide 1x1 would do 49 times its work."""
    case = case_of([1, 7], channels=128, in_c=128, size=28)
    assert case.plan(scheduler).rewrites == ()


def test_paying_merges_do_not_overlap():
    case = case_of([1, 1, 1, 1])
    problem = case.problem()
    units = Units(problem)
    chosen = paying(units, find_merges(problem, units, 3))
    members = [u for merge in chosen for u in merge.units]
    assert members
    assert len(set(members)) == len(members)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scheduler", "name", "soc"),
    [(IOS(), "squeezenet", "zcu102-vta-4t"), (IOPS(), "squeezenet", "mobile-flagship")],
)
def test_plans_with_rewrites_are_valid_saved_and_run(scheduler, name, soc):
    case = Case(hetsim.load_model(name), hetsim.load_soc(soc))
    plan = case.plan(scheduler)
    assert plan.rewrites
    validate_plan(plan, case.graph, case.soc)
    again = parse_plan(dump_plan(plan))
    assert again.rewrites == plan.rewrites
    run = case.evaluate("x", again)
    merged = "&".join(plan.rewrites[0].operators)
    assert merged in run.graph.index
    assert any(merged in row.operators for row in run.operators)
    assert sum(row.macs for row in run.operators) == run.graph.macs
    assert 0 < run.lower_bound_s <= run.makespan_s
    assert run.makespan_s == pytest.approx(case.makespan(plan), rel=1e-12)
    # The bound speaks of the plans that leave the network alone, too.
    plain = max(bound.seconds for bound in case.bounds)
    assert run.lower_bound_s <= plain


def test_rewrites_that_do_not_fit_are_listed_with_all_else():
    case = case_of([1, 3])
    plan = case.plan(IOS(merge=False))
    text = dump_plan(plan).replace("model: fan\n", "model: other\n")
    text += "rewrites:\n- {kind: merge, operators: [c0, cx]}\n- {kind: pad, operators: [c0]}\n"
    with pytest.raises(PlanError) as caught:
        validate_plan(parse_plan(text), case.graph, case.soc)
    message = str(caught.value)
    assert "3 problems" in message
    assert "no operator 'cx'" in message
    assert "rewrite 2 (pad)" in message
    assert "network 'other'" in message


def test_units_are_merged_only_when_what_they_read_is_done_and_they_are_not():
    """Unit 0 feeds 1 and 2, which may be one; sets of units are bits."""
    merge = Merge((1, 2), Rewrite("merge", ("c1", "c2")), ("c1&c2",), (1.0,))

    def ready(done):
        return [mask for mask, _ in _ready_merges(done, [0b000, 0b001, 0b001], {0b110: merge})]

    assert ready(0b000) == []
    assert ready(0b001) == [0b110]
    assert ready(0b011) == []
    assert ready(0b111) == []


def test_merges_are_kept_in_the_blocks_that_take_less_time_with_them():
    """Blocks by hand: 4, 3 and 5 long without merges; 3, 4 and 5 with them."""
    merges = [
        Merge((first, first + 1), Rewrite("merge", (f"c{first}", f"c{first + 1}")), (), ())
        for first in (0, 3, 6)
    ]

    def search(ends, makespan):
        blocks = [[0, 1, 2], [3, 4, 5], [6, 7]]
        return SimpleNamespace(
            blocks=blocks, ends=dict(zip("ab", ends, strict=True)),
            last_operator=lambda block: "ab"[blocks.index(block)],
            schedule=SimpleNamespace(makespan=lambda: makespan),
        )  # fmt: skip

    assert _kept(search([4, 7], 12), search([3, 7], 12), merges) == merges[:1]
    assert _kept(search([4, 7], 12), search([4, 6], 10), merges) == merges[1:]
    assert _kept(search([4, 7], 12), search([4, 7], 12), merges) == []


def layers(*changes):
    """Convolutions of one tensor, equal but for ``changes`` of their loops, each with a Relu."""
    tensors = [Tensor("in", (1, 16, 8, 8)), Tensor("other", (1, 16, 8, 8))]
    operators = []
    for i, change in enumerate(changes):
        loops = {"stride_h": 1, "stride_w": 1, "dilation_h": 1, "dilation_w": 1}
        usual = {"source": "in", "kind": "Conv", "size": 8, "tail": "Relu", "groups": 1}
        source, kind, size, tail, groups = ((usual | change)[key] for key in usual)
        loops |= {key: value for key, value in change.items() if key in loops}
        nest = LoopNest(1, groups, size, size, 16, 16, 1, 1, in_h=8, in_w=8, **loops)
        tensors += [Tensor(f"{n}{i}.out", (1, 16, size, size)) for n in "cr"]
        operators += [
            Operator(f"c{i}", kind, (source,), (f"c{i}.out",), (), nest.macs, 0, nest, {}),
            Operator(f"r{i}", tail, (f"c{i}.out",), (f"r{i}.out",), element_ops=size**2),
        ]
    ends = [f"r{i}.out" for i in range(len(changes))]
    return Graph.create("layers", operators, tensors, ["in", "other"], ends)


@pytest.mark.parametrize(
    ("change", "alike"),
    [
        ({}, True), ({"stride_h": 2}, False), ({"stride_w": 2}, False), ({"dilation_h": 2}, False),
        ({"dilation_w": 2}, False), ({"size": 4}, False), ({"groups": 2}, False),
        ({"source": "other"}, False),
        ({"kind": "Gemm"}, False), ({"tail": "Sigmoid"}, False), ({"tail": "Softmax"}, False),
    ],
)  # fmt: skip
def test_a_family_reads_alike_steps_alike_and_ends_alike(change, alike):
    graph = layers({}, change)
    units = SimpleNamespace(ops=[(0, 1), (2, 3)])
    assert _families(graph, units) == ([(0, 1)] if alike else [])


def test_only_activations_may_follow():
    """A Softmax behind both is none; on their own the convolutions may be merged."""
    graph = layers({"tail": "Softmax"}, {"tail": "Softmax"})
    assert _families(graph, SimpleNamespace(ops=[(0, 1), (2, 3)])) == []
    assert _families(graph, SimpleNamespace(ops=[(0,), (1,), (2,), (3,)])) == [(0, 2)]


@pytest.mark.parametrize(("members", "most", "sizes"), [
    (3, 8, {3: 1, 2: 3}), (4, 3, {3: 4, 2: 6}), (6, 2, {2: 15}),
    (7, 8, {7: 1, 6: 2, 5: 3, 4: 4, 3: 5, 2: 6}), (7, 3, {3: 5, 2: 6}),  # neighbours only
])  # fmt: skip
def test_large_families_offer_neighbours_only(members, most, sizes):
    graph = fan([1] * members)
    units = SimpleNamespace(ops=[(2 * i, 2 * i + 1) for i in range(members)])
    found = [units for units, _ in _candidates(graph, units, range(members), most)]
    counted = {size: sum(len(units) == size for units in found) for size in sizes}
    assert counted == sizes
    assert len(found) == len(set(found)) == sum(sizes.values())
    assert [len(units) for units in found] == sorted(map(len, found), reverse=True)
    if members > 6:
        assert all(units[-1] - units[0] == len(units) - 1 for units in found)


def test_large_networks_get_fewer_candidates_but_one_of_each_family(monkeypatch):
    case = case_of([1, 1, 1])
    problem = case.problem()
    units = Units(problem)
    for operators, candidates in ((1, 1), (len(case.graph) * 3 - 1, 2), (10**6, 4)):
        monkeypatch.setattr(merging, "PROFILED_OPERATORS", operators)
        assert len(find_merges(problem, units, 8)) == candidates


def test_one_rewritten_network_serves_a_candidate_of_each_family_that_has_one_left(monkeypatch):
    graph = layers({}, {}, {}, {"source": "other"}, {"source": "other"})
    units = SimpleNamespace(ops=[(2 * i, 2 * i + 1) for i in range(5)], pus=range(1))
    offers = {(0, 1, 2): [(0, 1), (0, 2), (1, 2)], (3, 4): [(3, 4)]}
    asked = []

    def candidates(graph, units, family, most):
        return [(m, Rewrite("merge", tuple(f"c{u}" for u in m), ("Relu",))) for m in offers[family]]

    def rewritten(rewrites):
        asked.append([rewrite.operators for rewrite in rewrites])
        seconds = float(len(asked))
        return SimpleNamespace(
            graph=SimpleNamespace(index=defaultdict(int)),
            profile=SimpleNamespace(chain_time=lambda ops, pu: seconds),
        )

    monkeypatch.setattr(merging, "_candidates", candidates)
    found = find_merges(SimpleNamespace(graph=graph, rewritten=rewritten), units, 8)
    assert asked == [[("c0", "c1"), ("c3", "c4")], [("c0", "c2")], [("c1", "c2")]]
    assert {members: merge.time for members, merge in found.items()} == {
        (0, 1): (1.0,), (3, 4): (1.0,), (0, 2): (2.0,), (1, 2): (3.0,),
    }  # fmt: skip
    assert found[0, 1].names == ("c0&c1", "r0&r1")
