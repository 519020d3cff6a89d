"""Candidates of the exact scheduler: what plan each stands for, and which are one decision away."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest

from hetsim.plan.build import Block
from hetsim.plan.model import Partition, Plan
from hetsim.schedulers.base import Problem
from hetsim.schedulers.exact.search import (
    Candidate,
    _eager,
    blocks_of,
    candidate_from_plan,
    candidate_of,
    groups_of,
    neighbours,
    spliced,
    transplanted,
)
from hetsim.schedulers.registry import create
from tests.schedulers.fakes import make_graph, make_problem, make_soc, random_problem

FUSING = make_soc(npus=1, npu_operators={"Conv": {}, "Relu": {}}, npu_fuse=["Conv-Relu"])


def problem_of(edges: Mapping[str, Sequence[str]], npus: int = 1, **more: Any) -> Problem:
    """Operators called r... are a Relu, others a Conv; with one NPU, it fuses the two."""
    kinds = {name: "Relu" if name.startswith("r") else "Conv" for name in edges}
    soc = FUSING if npus == 1 else make_soc(npus, npu_operators={"Conv": {}, "Relu": {}})
    times: dict[str, list[float | None]] = {name: [1.0] * (1 + npus) for name in edges}
    return make_problem(make_graph(edges, kinds), soc, times, **more)


def singles(
    pus: Sequence[int], opening: Collection[int] = (), joined: Collection[int] = ()
) -> Candidate:
    chains = tuple((op,) for op in range(len(pus)))
    return Candidate(chains, tuple(pus), frozenset(opening), frozenset(joined))


def test_kernels_are_what_a_unit_fuses_and_stand_where_their_last_operator_does() -> None:
    problem = problem_of({"a": [], "r": ["a"], "c": []})
    found = candidate_of(problem, {0: 1, 1: 1, 2: 0}, [0, 2, 1])
    assert found == Candidate(((2,), (0, 1)), (0, 1), frozenset())
    found = candidate_of(problem, {0: 0, 1: 0, 2: 1}, [0, 2, 1])  # the CPU does not fuse
    assert found == Candidate(((0,), (2,), (1,)), (0, 1, 0), frozenset())
    assert found.places == {0: 0, 1: 0, 2: 1}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["heft", "ios", "duet", "partition_tuner"])
def test_a_plan_is_the_plan_of_its_candidate(name: str, seed: int) -> None:
    problem = random_problem(random.Random(seed), 12, npus=2)
    problem = Problem(problem.graph, problem.soc, problem.profile, "barrier", 0)
    plan = create(name, {"max_transitions": 200} if name == "ios" else {}).plan(problem)
    candidate = candidate_from_plan(problem, plan)
    blocks = blocks_of(problem, candidate)
    index = problem.graph.index
    assert blocks == [
        Block(tuple(index[op] for op in p.operators), problem.soc.by_name[p.pu].index)
        for p in plan.partitions
    ]
    groups = groups_of(problem, candidate, blocks)
    at = {partition.name: i for i, partition in enumerate(plan.partitions)}
    assert groups == [[at[name] for name in group] for group in plan.parallel_groups]


def test_a_partition_that_does_not_fuse_has_kernels_of_one_operator() -> None:
    problem = problem_of({"a": [], "r": ["a"]})
    candidate = Candidate(((0, 1),), (1,), frozenset())
    plan = create("best_single_pu").plan(problem)
    (part,) = plan.partitions
    assert part.pu == "cpu"
    for fuse, chains in ((True, ((0, 1),)), (False, ((0,), (1,)))):
        moved = Partition(part.name, "npu", part.operators, fuse)
        found = candidate_from_plan(problem, Plan(plan.model, (moved,)))
        assert found.chains == chains
        assert found.pus == (1,) * len(chains)
        assert found.opening == {0}
    assert blocks_of(problem, candidate) == [Block((0, 1), 1)]


def test_of_a_group_all_but_the_first_run_beside_the_one_before() -> None:
    problem = problem_of({"a": [], "b": [], "c": [], "d": []}, npus=2)
    rows = (("p", "cpu", "a"), ("q", "npu0", "b"), ("r", "npu1", "c"), ("s", "cpu", "d"))
    parts = tuple(Partition(name, pu, (op,)) for name, pu, op in rows)
    found = candidate_from_plan(problem, Plan("net", parts, (("q", "r", "s"),)))
    assert found == singles([0, 1, 2, 0], range(4), [2, 3])


def test_a_kernel_joins_the_latest_partition_of_its_unit_unless_it_may_not() -> None:
    problem = problem_of({"a": [], "b": ["a"], "c": ["b"], "d": [], "e": ["d"]})

    def parts(
        pus: Sequence[int], opening: Collection[int] = ()
    ) -> list[tuple[tuple[int, ...], int]]:
        return [(b.operators, b.pu) for b in blocks_of(problem, singles(pus, opening))]

    assert parts([0, 0, 0, 0, 0]) == [((0, 1, 2, 3, 4), 0)]
    assert parts([0, 0, 0, 0, 0], {2, 4}) == [((0, 1), 0), ((2, 3), 0), ((4,), 0)]
    # c reads of b, whose partition comes after a's; d reads of nobody and goes on with c.
    assert parts([0, 1, 0, 0, 1]) == [((0,), 0), ((1,), 1), ((2, 3), 0), ((4,), 1)]
    # d joins a's partition, and e, which reads d, b's, which comes after it.
    assert parts([0, 1, 1, 0, 1]) == [((0, 3), 0), ((1, 2, 4), 1)]


def test_groups_are_neighbours_on_different_units_that_do_not_read_each_other() -> None:
    problem = problem_of({"a": [], "b": [], "c": ["a"], "d": [], "e": []}, npus=2)

    def groups(pus: Sequence[int], joined: Collection[int]) -> list[list[int]]:
        candidate = singles(pus, range(5), joined)
        return groups_of(problem, candidate, blocks_of(problem, candidate))

    assert groups([0, 1, 2, 0, 1], ()) == []
    assert groups([0, 1, 2, 0, 1], {1, 4}) == [[0, 1], [3, 4]]
    assert groups([0, 1, 2, 0, 1], {0}) == []  # there is nothing before the first
    assert groups([0, 1, 2, 0, 1], {1, 2}) == [[0, 1]]  # c reads a
    assert groups([0, 1, 2, 0, 1], {2, 3}) == [[1, 2, 3]]
    assert groups([0, 1, 2, 1, 0], {2, 3, 4}) == [[1, 2], [3, 4]]  # b and d are on one unit


def changes(problem: Problem, candidate: Candidate, ops: Sequence[int]) -> list[tuple[Any, ...]]:
    """Kernels, their units, what opens partitions and what is joined, sorted."""
    found = neighbours(problem, candidate, ops)
    return sorted((c.chains, c.pus, sorted(c.opening), sorted(c.joined)) for c in found)


@pytest.mark.parametrize("execution", ["dataflow", "barrier"])
def test_neighbours_differ_in_one_decision(execution: str) -> None:
    """b reads a, c reads nobody: c may stand anywhere, b and a may not change places."""
    problem = problem_of({"a": [], "b": ["a"], "c": []}, npus=1, execution=execution)
    base = singles([0, 0, 1], {0, 2}, {2})
    a, b, c = (0,), (1,), (2,)
    expected: list[tuple[Any, ...]] = [
        ((a, b, c), (0, 0, 1), [2], [2]),
        ((a, b, c), (0, 0, 1), [0, 1, 2], [2]),
        ((a, b, c), (0, 0, 1), [0], [2]),
        ((a, c, b), (0, 1, 0), [0, 2], [2]),  # b behind c
        ((a, c, b), (0, 1, 0), [0, 2], [2]),  # c before b
        ((c, a, b), (1, 0, 0), [0, 2], [2]),
        ((a, b, c), (1, 0, 1), [0, 2], [2]),
        ((a, b, c), (0, 1, 1), [0, 2], [2]),
        ((a, b, c), (0, 0, 0), [0, 2], [2]),
    ]
    if execution == "barrier":
        expected += [
            ((a, b, c), (0, 0, 1), [0, 2], [0, 2]),
            ((a, b, c), (0, 0, 1), [0, 2], [1, 2]),
            ((a, b, c), (0, 0, 1), [0, 2], []),
        ]
    assert changes(problem, base, [0, 1, 2]) == sorted(expected)
    # Those that concern c alone; it changes places with nobody outside.
    own = [(base.chains, (0, 0, 1), [0], [2]), (base.chains, (0, 0, 0), [0, 2], [2])]
    if execution == "barrier":
        own.append((base.chains, (0, 0, 1), [0, 2], []))
    assert changes(problem, base, [2]) == sorted(own)


def test_kernels_are_torn_and_joined_where_their_units_allow_it() -> None:
    """On the NPU a Conv and its Relu are one kernel."""
    problem = problem_of({"a": [], "r": ["a"], "c": []})
    whole = Candidate(((0, 1), (2,)), (1, 0), frozenset())
    assert changes(problem, whole, [0]) == sorted([
        (((0, 1), (2,)), (1, 0), [0], []),
        (((0, 1), (2,)), (0, 0), [], []),
        (((0,), (1,), (2,)), (1, 0, 0), [], []),
    ])  # fmt: skip
    for pus, joined in (((1, 0), True), ((1, 1), True), ((0, 1), False)):
        found = changes(problem, singles((*pus, 0)), [0])
        assert ((((0, 1), (2,)), (1, 0), [], []) in found) == joined


def test_where_another_unit_waits_or_must_be_waited_for_a_partition_begins() -> None:
    """a - b on another unit; c and d follow on the unit of a, e on that of b."""
    problem = problem_of({"a": [], "b": ["a"], "c": [], "d": [], "e": []})
    assert _eager(problem, singles([0, 1, 0, 0, 1])) == {1, 2}
    assert _eager(problem, singles([0, 0, 0, 0, 0])) == set()
    problem = problem_of({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]})
    # b reads a from elsewhere, c follows a, d reads b.
    assert _eager(problem, singles([0, 1, 0, 0])) == {1, 2, 3}
    # d waits for b, so c begins another one.
    assert _eager(problem, singles([1, 1, 1, 0])) == {2, 3}


def test_splicing_begins_partitions_at_the_first_at_each_or_where_somebody_waits() -> None:
    problem = problem_of({"a": [], "b": ["a"], "c": ["b"], "d": ["c"]})
    base = singles([0, 0, 0, 0], {0})
    found = list(spliced(problem, base, {1: 0, 2: 1}, [1, 2]))
    assert {c.pus for c in found} == {(0, 0, 1, 0)}
    # With the first of the window, with each of it, or with c, which reads b from elsewhere.
    assert [c.opening for c in found] == [{0, 1}, {0, 1, 2}, {0, 2}]


def test_a_window_is_arranged_as_another_one_of_its_kind() -> None:
    """Two forks, a (b | c) and d (e | f); the first has c before b, on the NPU, apart."""
    edges = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["d"], "f": ["d"]}
    problem = problem_of(edges, execution="barrier")
    chains = ((0,), (2,), (1,), (3,), (4,), (5,))
    base = Candidate(chains, (0, 1, 0, 0, 0, 0), frozenset({2, 3, 4}), frozenset({1, 5}))
    found = transplanted(problem, base, [0, 1, 2], [3, 4, 5])
    assert found is not None
    assert found.chains == ((0,), (2,), (1,), (3,), (5,), (4,))
    assert found.pus == (0, 1, 0, 0, 1, 0)
    assert found.opening == {2, 5}  # as c does; d and e no longer
    assert found.joined == {1, 4}
    back = transplanted(problem, base, [3, 4, 5], [0, 1, 2])
    assert back is not None
    assert back.chains == ((0,), (1,), (2,), (3,), (4,), (5,))
    assert back.pus == (0,) * 6
    assert back.opening == {0, 1, 3, 4}
    assert back.joined == {2, 5}


def test_windows_of_other_kinds_or_dependencies_are_not_arranged_alike() -> None:
    problem = problem_of({"a": [], "b": [], "r": [], "c": ["r"], "d": ["c"]})
    base = Candidate(((1,), (0,), (2,), (3,), (4,)), (0,) * 5, frozenset())
    assert transplanted(problem, base, [0, 1], [2, 3]) is None  # a Relu is no Conv
    assert transplanted(problem, base, [0, 1], [3, 4]) is None  # d would come before c
    assert transplanted(problem, base, [3, 4], [0, 1]) is not None
