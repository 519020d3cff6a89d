"""Merging operators into partitions: never a cycle, never a needless wait."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hetsim.plan.build import (
    block_needs,
    make_plan,
    merge_eager,
    merge_runs,
    overlapping_groups,
    single_units,
)
from hetsim.plan.validate import plan_problems
from tests.plan.samples import graph_of, random_graph, soc_of


def test_eager_merging_cuts_where_another_pu_waits_or_is_waited_for():
    # a feeds b on the other PU, so a's partition ends there although c follows on the same PU.
    graph = graph_of({"a": [], "b": ["a"], "c": ["a"], "d": ["c"], "e": ["b", "d"]})
    blocks = merge_eager(graph, single_units(graph), [0, 1, 0, 0, 0])
    assert [(b.operators, b.pu) for b in blocks] == [
        ((0,), 0), ((1,), 1), ((2, 3), 0), ((4,), 0),
    ]  # fmt: skip


def test_eager_merging_joins_across_other_pus_work_that_is_unrelated():
    graph = graph_of({"a": [], "x": [], "b": ["a"], "y": ["x"]})
    blocks = merge_eager(graph, single_units(graph), [0, 1, 0, 1])
    assert [b.operators for b in blocks] == [(0, 2), (1, 3)]


def test_runs_are_maximal_and_keep_the_order():
    graph = graph_of({"a": [], "b": ["a"], "c": ["a"], "d": ["c"], "e": ["b", "d"]})
    blocks = merge_runs(single_units(graph), [0, 0, 1, 1, 0])
    assert [(b.operators, b.pu) for b in blocks] == [((0, 1), 0), ((2, 3), 1), ((4,), 0)]
    assert block_needs(graph, blocks) == [(), (0,), (0, 1)]


def test_units_stay_whole():
    graph = graph_of({"a": [], "b": ["a"], "c": ["b"]})
    blocks = merge_eager(graph, [(0, 1), (2,)], [0, 1])
    assert [b.operators for b in blocks] == [(0, 1), (2,)]


def test_overlapping_independent_neighbours_on_different_pus_form_a_group():
    graph = graph_of({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]})
    blocks = merge_eager(graph, single_units(graph), [0, 0, 1, 0])
    # a | b, c | d
    spans = [(0.0, 1.0), (1.0, 3.0), (2.0, 4.0), (4.0, 5.0)]
    assert overlapping_groups(graph, blocks, spans) == [(1, 2)]
    disjoint = [(0.0, 1.0), (1.0, 2.0), (2.0, 4.0), (4.0, 5.0)]
    assert overlapping_groups(graph, blocks, disjoint) == []


def test_a_group_shares_one_stretch_of_time():
    """Each that joins narrows it; what ends as another starts shares nothing with it."""
    graph = graph_of({"a": [], "b": [], "c": []})
    blocks = merge_eager(graph, single_units(graph), [0, 1, 2])
    apart = [(0.0, 4.0), (2.0, 6.0), (4.0, 8.0)]  # a and b share 2 to 4, of which c has nothing
    assert overlapping_groups(graph, blocks, apart) == [(0, 1)]
    early = [(3.0, 9.0), (1.0, 4.0), (0.0, 3.0)]  # a and b share 3 to 4
    assert overlapping_groups(graph, blocks, early) == [(0, 1)]
    late = [(0.0, 4.0), (2.0, 9.0), (5.0, 8.0)]  # b and c share 5 to 8, in which a is over
    assert overlapping_groups(graph, blocks, late) == [(0, 1)]
    nested = [(0.0, 9.0), (1.0, 4.0), (3.0, 8.0)]
    assert overlapping_groups(graph, blocks, nested) == [(0, 1, 2)]


def test_partitions_of_one_pu_never_share_a_group():
    graph = graph_of({"a": [], "b": [], "c": []})
    blocks = [block for op in range(3) for block in merge_runs([(op,)], [op % 2])]
    assert overlapping_groups(graph, blocks, [(0.0, 3.0)] * 3) == [(0, 1)]


def test_dependent_partitions_never_share_a_group():
    graph = graph_of({"a": [], "b": ["a"]})
    blocks = merge_eager(graph, single_units(graph), [0, 1])
    assert overlapping_groups(graph, blocks, [(0.0, 2.0), (1.0, 3.0)]) == []


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 25), st.integers(1, 4))
def test_both_ways_of_merging_give_valid_plans(seed, size, pus):
    rng = random.Random(seed)
    graph, soc = random_graph(rng, size), soc_of(pus)
    placed = [rng.randrange(pus) for _ in range(size)]
    units = single_units(graph)
    for blocks in (merge_eager(graph, units, placed), merge_runs(units, placed)):
        spans = []
        for _ in blocks:
            start = rng.random()
            spans.append((start, start + rng.random()))
        groups = overlapping_groups(graph, blocks, spans)
        plan = make_plan(graph, soc, blocks, groups, scheduler="test")
        assert plan_problems(plan, graph, soc) == []


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 25), st.integers(2, 4))
def test_eager_merging_delays_nobody(seed, size, pus):
    """With unit times, free transfers and any placement, merging leaves every start as it was."""
    rng = random.Random(seed)
    graph = random_graph(rng, size)
    placed = [rng.randrange(pus) for _ in range(size)]
    units = single_units(graph)

    def makespan(blocks):
        free, done = [0.0] * pus, {}
        for block in blocks:
            inside = set(block.operators)
            inputs = [p for op in block.operators for p in graph.predecessors[op]]
            start = max([free[block.pu], *(done[p] for p in inputs if p not in inside)])
            free[block.pu] = start + len(block.operators)
            done |= dict.fromkeys(block.operators, free[block.pu])
        return max(done.values())

    unmerged = [b for i in range(size) for b in merge_runs([units[i]], [placed[i]])]
    assert makespan(merge_eager(graph, units, placed)) == makespan(unmerged)
