"""Branch extraction: the worked examples, and what must hold for any graph."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hetsim.schedulers.branches import extract_branches
from tests.schedulers.fakes import make_graph


def branches_of(edges, **options):
    """``(level, names, group)`` of every branch, in execution order."""
    graph = make_graph(edges, **options)
    names = [op.name for op in graph.operators]
    return [
        (b.level, " ".join(names[i] for i in b.operators), b.group) for b in extract_branches(graph)
    ]


def test_a_chain_is_one_branch():
    assert branches_of({"a": [], "b": ["a"], "c": ["b"]}) == [(0, "a b c", None)]


def test_inception_has_a_stem_four_parallel_branches_and_a_join():
    edges = {
        "stem": [], "a": ["stem"], "b1": ["stem"], "b2": ["b1"], "c1": ["stem"], "c2": ["c1"],
        "d1": ["stem"], "d2": ["d1"], "concat": ["a", "b2", "c2", "d2"], "next": ["concat"],
    }  # fmt: skip
    assert branches_of(edges) == [
        (2, "stem", None), (1, "a", 0), (1, "b1 b2", 0), (1, "c1 c2", 0), (1, "d1 d2", 0),
        (0, "concat next", None),
    ]  # fmt: skip


def test_residual_with_a_projection_has_two_parallel_branches():
    edges = {"in": [], "a": ["in"], "b": ["a"], "proj": ["in"], "add": ["b", "proj"], "r": ["add"]}
    assert branches_of(edges) == [
        (2, "in", None), (1, "a b", 0), (1, "proj", 0), (0, "add r", None),
    ]  # fmt: skip


def test_residual_with_an_identity_shortcut_is_sequential():
    edges = {"in": [], "a": ["in"], "b": ["a"], "add": ["b", "in"], "r": ["add"]}
    assert branches_of(edges) == [(0, "in a b add r", None)]


def test_dense_block_is_sequential():
    edges = {"x": [], "a": ["x"], "ca": ["x", "a"], "b": ["ca"], "cb": ["ca", "b"], "end": ["cb"]}
    assert branches_of(edges) == [(0, "x a ca b cb end", None)]


def test_a_fork_inside_a_branch_lies_deeper_than_all_that_read_it():
    # Inception-v3's last blocks: f feeds two of the join's branches, s feeds f and another one.
    edges = {"s": [], "a": ["s"], "f": ["s"], "g": ["f"], "h": ["f"], "join": ["a", "g", "h"]}
    assert branches_of(edges) == [
        (3, "s", None), (2, "f", None), (1, "a", 0), (1, "g", 0), (1, "h", 0), (0, "join", None),
    ]  # fmt: skip


def test_nested_forks_keep_both_groups():
    edges = {
        "s": [], "a": ["s"], "f": ["s"], "g": ["f"], "h": ["f"], "inner": ["g", "h"],
        "outer": ["a", "inner"],
    }  # fmt: skip
    assert branches_of(edges) == [
        (4, "s", None), (3, "f", None), (2, "g", 1), (2, "h", 1), (1, "a", 0), (1, "inner", 0),
        (0, "outer", None),
    ]  # fmt: skip


def test_a_join_that_feeds_a_join_or_the_output_keeps_its_group():
    edges = {"a": [], "b": [], "j": ["a", "b"], "c": [], "k": ["j", "c"]}
    assert branches_of(edges) == [
        (2, "a", 0), (2, "b", 0), (1, "j", 1), (1, "c", 1), (0, "k", None),
    ]  # fmt: skip
    assert branches_of({"a": [], "b": [], "j": ["a", "b"]}) == [
        (1, "a", 0), (1, "b", 0), (0, "j", None),
    ]  # fmt: skip


def test_several_outputs_each_end_a_branch():
    edges = {"s": [], "a": ["s"], "b": ["s"], "c": ["b"]}
    assert branches_of(edges) == [(1, "s", None), (0, "a", None), (0, "b c", None)]


def test_an_output_in_the_middle_does_not_cut():
    edges = {"a": [], "b": ["a"], "c": ["b"]}
    assert branches_of(edges, outputs=["b", "c"]) == [(0, "a b c", None)]


def reachable(graph):
    below = [set() for _ in graph.operators]
    for op in reversed(range(len(graph))):
        for s in graph.successors[op]:
            below[op] |= {s} | below[s]
    return below


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(1, 4))
def test_any_graph_falls_into_chains_whose_levels_respect_dependencies(seed, size, width):
    rng = random.Random(seed)
    edges = {
        f"n{i}": [f"n{p}" for p in rng.sample(range(i), rng.randint(0, min(i, width)))]
        for i in range(size)
    }
    graph = make_graph(edges)
    branches = extract_branches(graph)
    assert sorted(op for b in branches for op in b.operators) == list(range(size))
    done: set[int] = set()
    for branch in branches:
        for i, op in enumerate(branch.operators):
            assert done.issuperset(graph.predecessors[op])
            assert i == 0 or branch.operators[i - 1] in graph.predecessors[op]
            done.add(op)
    home = {op: i for i, b in enumerate(branches) for op in b.operators}
    for op in range(size):
        for p in graph.predecessors[op]:
            if home[p] != home[op]:
                assert branches[home[p]].level > branches[home[op]].level
    below = reachable(graph)
    for group in {b.group for b in branches} - {None}:
        members = [b for b in branches if b.group == group]
        assert len(members) > 1
        assert len({b.level for b in members}) == 1
        for a in members:
            for b in members:
                if a is not b:
                    assert not any(below[x].intersection(b.operators) for x in a.operators)
