"""What a genome means: partitions, their order, kernels, groups; on graphs small enough to draw."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pytest

from hetsim.schedulers.search.genome import Genome, decode, encode
from hetsim.schedulers.search.judge import Draft, Piece
from hetsim.schedulers.search.space import Space
from tests.schedulers.fakes import make_graph, make_soc

SOC = make_soc(npus=2, npu_operators={"Conv": {}, "Relu": {}}, npu_fuse=["Conv-Relu"])


def space_of(edges: Mapping[str, Sequence[str]], *, parallel: bool = False) -> Space:
    """Operators called r... are a Relu, s... a Softmax, which NPUs lack, all others a Conv."""
    kinds = {name: {"r": "Relu", "s": "Softmax"}.get(name[0], "Conv") for name in edges}
    return Space(make_graph(edges, kinds), SOC, parallel=parallel)


def genome_of(
    pu: Sequence[int],
    order: Sequence[int] | None = None,
    cut: Collection[int] = (),
    plain: Collection[int] = (),
    beside: Collection[int] = (),
) -> Genome:
    ops = range(len(pu))
    return Genome(
        list(ops if order is None else order),
        list(pu),
        [op in cut for op in ops],
        [op in plain for op in ops],
        [op in beside for op in ops],
    )


def pieces(space: Space, genome: Genome) -> list[tuple[int, tuple[int, ...]]]:
    draft = decode(space, genome)
    assert draft is not None
    return [(piece.pu, piece.operators) for piece in draft.pieces]


LINE = {"a": [], "b": ["a"], "c": ["b"], "d": ["c"]}
FREE: dict[str, list[str]] = {name: [] for name in "abcd"}


def test_operators_join_the_partition_last_opened_on_their_unit() -> None:
    line, free = space_of(LINE), space_of(FREE)
    assert pieces(line, genome_of([0, 0, 0, 0])) == [(0, (0, 1, 2, 3))]
    assert pieces(free, genome_of([0, 1, 0, 1])) == [(0, (0, 2)), (1, (1, 3))]
    assert pieces(free, genome_of([0, 1, 0, 1], [3, 2, 1, 0])) == [(1, (3, 1)), (0, (2, 0))]
    assert pieces(free, genome_of([0, 1, 0, 0], cut=[2])) == [(0, (0,)), (1, (1,)), (0, (2, 3))]
    # What reads another unit that reads this one begins anew; both would wait for each other.
    assert pieces(line, genome_of([0, 1, 0, 0])) == [(0, (0,)), (1, (1,)), (0, (2, 3))]
    assert pieces(line, genome_of([0, 1, 2, 0])) == [(0, (0,)), (1, (1,)), (2, (2,)), (0, (3,))]


def test_a_partition_stands_behind_all_that_it_waits_for() -> None:
    """c, in a's partition, reads b: so b's comes first, and what that needs."""
    space = space_of({"a": [], "b": [], "c": ["a", "b"]})
    assert pieces(space, genome_of([0, 1, 0])) == [(1, (1,)), (0, (0, 2))]
    # d joins c's partition and brings it behind e's, with which b's goes, too.
    space = space_of({"a": [], "c": ["a"], "b": [], "e": ["b"], "d": ["c", "e"]})
    assert pieces(space, genome_of([0, 1, 2, 0, 1], cut=[3])) == [
        (0, (0,)), (2, (2,)), (0, (3,)), (1, (1, 4)),
    ]  # fmt: skip


def test_what_a_partition_waits_for_by_way_of_others_counts() -> None:
    """a's partition waits for b's through c; so d of b's unit, which reads a's, may not join it."""
    edges = {"a": [], "b": [], "c": ["b"], "d": ["a"]}
    space = space_of(edges)
    assert pieces(space, genome_of([0, 1, 0, 1])) == [(1, (1,)), (0, (0, 2)), (1, (3,))]
    # By two steps: x on unit 2 reads b, y of a's partition reads x.
    edges = {"a": [], "b": [], "x": ["b"], "y": ["x"], "d": ["a"]}
    space = space_of(edges)
    assert pieces(space, genome_of([0, 1, 2, 0, 1])) == [
        (1, (1,)), (2, (2,)), (0, (0, 3)), (1, (4,)),
    ]  # fmt: skip


def test_who_waits_for_a_partition_waits_for_what_that_comes_to_wait_for() -> None:
    """x reads a, to whose partition c then brings b's; so d of b's unit, behind x, begins anew."""
    space = space_of({"a": [], "x": ["a"], "b": [], "c": ["b"], "d": ["x"]})
    assert pieces(space, genome_of([0, 1, 2, 0, 2])) == [
        (2, (2,)), (0, (0, 3)), (1, (1,)), (2, (4,)),
    ]  # fmt: skip


def test_a_partition_that_follows_on_its_unit_waits_for_what_the_one_before_waits_for() -> None:
    """p, in a's partition, waits for b's, and e, in that, for d's; c reads a and begins anew."""
    space = space_of({"a": [], "b": [], "p": ["b"], "c": ["a"], "d": [], "e": ["d"]})
    assert pieces(space, genome_of([0, 1, 0, 0, 2, 1], cut=[3])) == [
        (2, (4,)), (1, (1, 5)), (0, (0, 2)), (0, (3,)),
    ]  # fmt: skip


def test_partitions_fuse_unless_told_not_to_where_there_is_something_to_fuse() -> None:
    space = space_of({"a": [], "r": ["a"], "b": ["r"]})

    def fusing(pu: Sequence[int], plain: Collection[int]) -> list[bool]:
        draft = decode(space, genome_of(pu, plain=plain))
        assert draft is not None
        return [piece.fuse for piece in draft.pieces]

    assert fusing([1, 1, 1], ()) == [True]
    assert fusing([1, 1, 1], (0,)) == [False]
    assert fusing([1, 1, 1], (1, 2)) == [True]  # only the first of a partition tells
    assert fusing([0, 0, 0], (0,)) == [True]  # the CPU fuses nothing
    assert fusing([1, 2, 1], (0, 1, 2)) == [True] * 3


def test_a_unit_that_lacks_an_operator_makes_it_no_plan() -> None:
    space = space_of({"a": [], "s": ["a"]})
    assert decode(space, genome_of([1, 1])) is None
    assert decode(space, genome_of([1, 0])) is not None


def test_groups_are_neighbours_that_want_to_and_can() -> None:
    edges = {"a": [], "b": [], "c": [], "d": ["c"]}

    def groups(pu: Sequence[int], beside: Collection[int], *, parallel: bool = True) -> object:
        draft = decode(
            space_of(edges, parallel=parallel), genome_of(pu, None, range(4), (), beside)
        )
        assert draft is not None
        return draft.groups

    assert groups([0, 1, 2, 0], ()) == ()
    assert groups([0, 1, 2, 0], (1, 2)) == ((0, 1, 2),)
    assert groups([0, 1, 2, 0], (1, 2), parallel=False) == ()
    assert groups([0, 1, 2, 0], (0, 2)) == ((1, 2),)  # nobody stands before the first
    assert groups([0, 1, 1, 0], (1, 2)) == ((0, 1),)  # c would have to wait for its unit
    assert groups([0, 1, 1, 0], (1, 2, 3)) == ((0, 1),)  # d reads c
    assert groups([0, 1, 0, 1], (1, 3)) == ((0, 1),)
    edges = {"a": [], "b": [], "c": ["b"], "d": []}
    assert groups([0, 1, 2, 0], (1, 2)) == ((0, 1),)  # c reads b
    # A group that ended is no matter: d may run beside another one than c's.
    edges = {"a": [], "b": [], "c": ["a"], "d": []}
    assert groups([0, 1, 2, 0], (1, 2, 3)) == ((0, 1), (2, 3))


def test_no_partition_goes_across_where_another_network_begins() -> None:
    space = space_of(FREE)
    space.begins = frozenset({2})
    assert pieces(space, genome_of([0, 1, 0, 1])) == [(0, (0,)), (1, (1,)), (0, (2,)), (1, (3,))]


def test_a_draft_is_encoded_operator_by_operator() -> None:
    draft = Draft((Piece(1, (2, 0)), Piece(0, (1,), False), Piece(2, (3,))), ((1, 2),))
    assert encode(draft, 4) == genome_of([1, 0, 1, 2], [2, 0, 1, 3], [2, 1, 3], [1], [3])


def test_splicing_takes_a_stretch_over_and_leaves_both_parents() -> None:
    one = genome_of([0, 0, 0, 0], [0, 1, 2, 3])
    other = genome_of([1, 1, 1, 1], [0, 2, 1, 3], range(4), range(4), range(4))
    child = one.spliced(other, 1, 3)
    assert child == genome_of([0, 1, 1, 0], [0, 2, 1, 3], [1, 2], [1, 2], [1, 2])
    assert one == genome_of([0, 0, 0, 0])
    for name in ("order", "pu", "cut", "plain", "beside"):
        getattr(one.copy(), name)[0] = 1
    assert one == genome_of([0, 0, 0, 0])


@pytest.mark.parametrize(
    ("edges", "cuts"),
    [
        (LINE, (0, 1, 2, 3)),
        (FREE, ()),
        ({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["d"]}, (0, 3, 4)),
        # a is read by d as well: b and c are cuts all the same.
        ({"a": [], "b": ["a"], "c": ["b"], "d": ["a", "c"]}, (0, 1, 2, 3)),
        ({"a": [], "b": [], "c": ["a", "b"], "d": ["c"]}, (2, 3)),
        ({"a": [], "b": ["a"], "c": ["a"], "d": ["b"]}, (0,)),
    ],
)
def test_every_other_operator_comes_before_or_after_a_cut(
    edges: dict[str, list[str]], cuts: tuple[int, ...]
) -> None:
    assert space_of(edges).cuts == cuts


def test_what_a_space_knows_of_its_network() -> None:
    """a is read by r and by b; c is behind b and fuses with its Relu; s is the CPU's alone."""
    edges = {"a": [], "q": ["a"], "b": ["a"], "r": ["b"], "s": ["q", "r"]}
    space = space_of(edges)
    assert space.chain == ((0,), (1,), (2, 3), (2, 3), (4,))
    assert space.homes == ((0, 1, 2),) * 4 + ((0,),)
    assert space.movable == (0, 1, 2, 3)
    assert space.forks == ((1, 2),)
    assert space.ancestors == (0b0, 0b1, 0b1, 0b101, 0b1111)
    assert sorted(op for branch in space.branches for op in branch) == list(range(5))
    assert all(op in space.branches[space.branch_of[op]] for op in range(5))
    assert space.runs(1, (2, 3))
    assert not space.runs(1, (2, 3, 4))
    assert space.fuses(1, (2, 3))
    assert not space.fuses(0, (2, 3))
    assert not space.fuses(1, (0, 1))


def test_a_relu_that_is_only_run_behind_its_conv_has_its_home_there() -> None:
    soc = make_soc(npus=1, npu_operators={"Conv": {}}, npu_fuse=["Conv-Relu"])
    graph = make_graph({"a": [], "r": ["a"], "q": ["r"]}, {"a": "Conv", "r": "Relu", "q": "Relu"})
    space = Space(graph, soc)
    assert space.chain == ((0, 1), (0, 1), (2,))
    assert space.homes == ((0, 1), (0, 1), (0,))
    assert space.piece(1, (0, 1), plain=True) is None
