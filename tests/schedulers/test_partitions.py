"""The graph partitioner: which lines go on with what stands before them; and what T(n) is."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hetsim.plan.build import Block
from hetsim.schedulers.branches import Branch
from hetsim.schedulers.partitions import Merge, Partitions, cut_at_branches, levels
from hetsim.schedulers.transfers import Transfers
from tests.schedulers.fakes import chain, make_graph, make_problem, make_soc

Parts = Sequence[tuple[tuple[int, ...], int]]


def parts(draft: Partitions) -> list[tuple[tuple[int, ...], int]]:
    return [(block.operators, block.pu) for block in draft.blocks]


@pytest.mark.parametrize(
    ("merge", "behind_one", "behind_two"),
    [
        ("none", [((0, 1), 0), ((2,), 1), ((3,), 1)], [((0, 1), 0), ((2,), 1), ((3,), 1)]),
        ("single", [((0, 1), 0), ((2, 3), 1)], [((0, 1), 0), ((2,), 1), ((3,), 1)]),
        ("all", [((0, 1), 0), ((2, 3), 1)], [((0, 1), 0), ((2, 3), 1)]),
    ],
)
def test_a_line_goes_on_where_it_may(merge: Merge, behind_one: Parts, behind_two: Parts) -> None:
    for branches, expected in ((1, behind_one), (2, behind_two)):
        draft = Partitions(merge)
        draft.add_line([(0, 0), (1, 0), (2, 1)], branches=1)
        draft.add_line([(3, 1)], branches=branches)
        assert parts(draft) == expected
        draft.add_line([], branches=1)  # nothing: what stands there stays as it is
        draft.add_line([(4, 0), (5, 1)], branches=branches)
        assert parts(draft) == [*expected, ((4,), 0), ((5,), 1)]
        assert draft.pu_of == {0: 0, 1: 0, 2: 1, 3: 1, 4: 0, 5: 1}
        assert draft.groups == []


def test_nothing_goes_on_with_what_runs_in_parallel() -> None:
    draft = Partitions("all")
    draft.add_line([(0, 0)], branches=1)
    draft.add_parallel([((1, 2), 0), ((3,), 1)])
    draft.add_line([(4, 1), (5, 0)], branches=1)
    draft.add_parallel([((6,), 1), ((7,), 0)])
    assert parts(draft) == [
        ((0,), 0), ((1, 2), 0), ((3,), 1), ((4,), 1), ((5,), 0), ((6,), 1), ((7,), 0),
    ]  # fmt: skip
    assert draft.groups == [(1, 2), (5, 6)]
    assert draft.pu_of == {0: 0, 1: 0, 2: 0, 3: 1, 4: 1, 5: 0, 6: 1, 7: 0}


def test_levels_are_runs_of_branches() -> None:
    several = [Branch((0,), 2), Branch((1,), 1, 0), Branch((2,), 1, 0), Branch((3,), 0)]
    assert list(levels(several)) == [several[:1], several[1:3], several[3:]]


def test_a_static_plan_is_cut_at_branches_and_units_stand_where_they_end() -> None:
    """s; r beside a - b, which is one unit; then j."""
    graph = make_graph({"s": [], "a": ["s"], "r": ["s"], "b": ["a"], "j": ["b", "r"]})
    units = [(0,), (1, 3), (2,), (4,)]
    assert cut_at_branches(graph, units, [0, 0, 0, 0]) == [
        Block((0,), 0), Block((2, 1, 3, 4), 0),
    ]  # fmt: skip
    assert cut_at_branches(graph, units, [0, 1, 1, 0]) == [
        Block((0,), 0), Block((2, 1, 3), 1), Block((4,), 0),
    ]  # fmt: skip


def test_a_copy_is_one_number_and_a_crossing_is_the_dearest() -> None:
    graph = chain("Conv", "Conv")
    problem = make_problem(
        graph, make_soc(npus=2), {"n0": [1, 1, 1], "n1": [1, 1, 1]}, copies={"n0": 3, "n1": 5},
        transfers={"n0": [0, 2, 7], "n1": [0.5, float("inf"), 0.25]},
    )  # fmt: skip
    copied, crossed = Transfers(problem, "memcpy"), Transfers(problem, "crossing")
    assert [copied.paid(op) for op in (0, 1)] == [3, 5]
    assert [copied.saved(op) for op in (0, 1)] == [[3, 3, 3], [5, 5, 5]]
    assert [crossed.paid(op) for op in (0, 1)] == [7, 0.5]
    assert [crossed.saved(op) for op in (0, 1)] == [[0, 2, 7], [0.5, 0, 0.25]]
    asked = problem.profile.asked
    assert (crossed.paid(0), crossed.saved(1), copied.paid(1)) == (7, [0.5, 0, 0.25], 5)
    assert problem.profile.asked == asked  # nothing is looked up twice
