"""Small changes of a genome: what each may bring about, seen over many draws, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from random import Random

import pytest

from hetsim.schedulers.search.genome import Genome
from hetsim.schedulers.search.moves import Moves
from hetsim.schedulers.search.space import Space
from tests.schedulers.fakes import make_graph, make_soc
from tests.schedulers.test_genome import genome_of, space_of

FORK = {"s": [], "a": ["s"], "b": ["s"], "c": ["s"], "j": ["a", "b", "c"]}
Move = Callable[[Moves, Random, Genome], bool]


def convs(edges: Mapping[str, Sequence[str]], *, parallel: bool = False) -> Space:
    return Space(make_graph(edges), make_soc(npus=1), parallel=parallel)


def wide(count: int) -> Space:
    return convs({f"n{i}": [] for i in range(count)})


def tried(moves: Moves, move: Move, genome: Genome, draws: int = 300) -> list[tuple[bool, Genome]]:
    """What comes of ``move`` from ``genome``, by seed."""
    found = []
    for seed in range(draws):
        child = genome.copy()
        found.append((move(moves, Random(seed), child), child))
    return found


def flipped(before: Sequence[bool], after: Sequence[bool]) -> tuple[int, ...]:
    return tuple(i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b)


def only(child: Genome, before: Genome, *names: str) -> bool:
    """Whether nothing but ``names`` changed."""
    every = ("order", "pu", "cut", "plain", "beside")
    return all(getattr(child, n) == getattr(before, n) for n in every if n not in names)


@pytest.mark.parametrize(
    ("move", "name"), [(Moves._split_or_merge, "cut"), (Moves._fuse_or_not, "plain")]
)
def test_one_boundary_or_one_kernel_is_turned_over_within_the_region(move: Move, name: str) -> None:
    space = convs({f"n{i}": [f"n{i - 1}"] if i else [] for i in range(6)})
    before = genome_of([0] * 6, cut=[3], plain=[3])
    turned = set()
    for done, child in tried(Moves(space, 2, 5), move, before):
        assert done
        assert only(child, before, name)
        turned.add(flipped(getattr(before, name), getattr(child, name)))
    assert turned == {(2,), (3,), (4,)}


def test_what_runs_beside_another_begins_a_partition() -> None:
    before = genome_of([0, 0, 0], cut=[1], beside=[1])
    found = set()
    for done, child in tried(Moves(wide(3)), Moves._parallel_or_not, before):
        assert done
        assert only(child, before, "cut", "beside")
        found.add((tuple(child.cut), tuple(child.beside)))
    assert found == {
        ((True, True, False), (True, True, False)),
        ((False, True, False), (False, False, False)),
        ((False, True, True), (False, True, True)),
    }


def test_an_operator_goes_to_another_unit_perhaps_as_a_partition_apart() -> None:
    """On the NPU it may begin a partition, and so may what follows it there, c behind a."""
    before = genome_of([0, 0, 1])
    found = set()
    for done, child in tried(Moves(wide(3)), Moves._place_operator, before):
        assert done
        assert only(child, before, "pu", "cut")
        found.add((tuple(child.pu), flipped(before.cut, child.cut)))
    assert found == {
        ((1, 0, 1), ()), ((1, 0, 1), (0,)), ((1, 0, 1), (2,)), ((1, 0, 1), (0, 2)),
        ((0, 1, 1), ()), ((0, 1, 1), (1,)), ((0, 1, 1), (2,)), ((0, 1, 1), (1, 2)),
        ((0, 0, 0), ()), ((0, 0, 0), (2,)),
    }  # fmt: skip


def test_placing_begins_a_partition_or_goes_on_as_often_and_only_within_the_region() -> None:
    """a is placed; the first on its unit behind it, c, lies outside of a region of two."""
    before = genome_of([0, 0, 1], cut=[0])
    moves = Moves(convs({"a": [], "b": ["a"], "c": ["b"]}), 0, 2)
    begins = []
    for seed in range(400):
        child = before.copy()
        assert moves._place(Random(seed), child, (0,), 1)
        assert only(child, before, "pu", "cut")
        assert not child.cut[2]
        begins.append(child.cut[0])
    assert 150 < sum(begins) < 250
    assert not moves._place(Random(0), before.copy(), (2,), 1)  # it is outside


def test_only_what_a_unit_can_run_goes_there() -> None:
    """q is a Relu of its own: alone or behind a, the NPU runs it; s is for the CPU alone."""
    space = space_of({"a": [], "s": ["a"], "b": ["s"]})
    child = genome_of([0, 0, 0])
    assert Moves(space)._place(Random(0), child, (0, 1, 2), 1)
    assert child.pu == [1, 0, 1]
    assert not Moves(space)._place(Random(0), child, (1,), 2)
    movers = {pu for _, c in tried(Moves(space), Moves._place_operator, genome_of([0] * 3))
              for pu in c.pu}  # fmt: skip
    assert movers == {0, 1, 2}


def placed(space: Space, move: Move, pu: Sequence[int]) -> set[tuple[int, ...]]:
    """The sets of operators that change units."""
    before = genome_of(pu)
    return {
        tuple(i for i, (a, b) in enumerate(zip(before.pu, child.pu, strict=True)) if a != b)
        for _, child in tried(Moves(space), move, before)
    }


def test_chains_branches_and_stretches_go_as_a_whole() -> None:
    space = space_of({"a": [], "r": ["a"], "b": ["r"]})
    assert placed(space, Moves._place_chain, [0, 0, 0]) == {(0, 1), (2,)}
    # A branch of three, from its beginning to one of them, from one to its end, or all of it.
    line = convs({"a": [], "b": ["a"], "c": ["b"]})
    assert line.branches == ((0, 1, 2),)
    assert placed(line, Moves._place_branch, [0, 0, 0]) == {
        (0,), (0, 1), (0, 1, 2), (1, 2), (2,)
    }  # fmt: skip
    # From one of them on, two to twelve in the order.
    found = placed(wide(30), Moves._place_stretch, [0] * 30)
    assert all(ops == tuple(range(ops[0], ops[-1] + 1)) for ops in found)
    assert {len(ops) for ops in found if ops[-1] < 29} == set(range(2, 13))
    assert {len(ops) for ops in found if ops[-1] == 29} >= {1}


def test_a_long_branch_goes_in_part() -> None:
    space = convs({f"n{i}": [f"n{i - 1}"] if i else [] for i in range(20)})
    assert max(map(len, placed(space, Moves._place_branch, [0] * 20))) == 12


def test_two_chains_on_different_units_change_places() -> None:
    space = space_of({"a": [], "r": ["a"], "b": [], "q": ["b"], "s": ["b"]})
    before = genome_of([0, 0, 1, 1, 0])
    found = {tuple(c.pu) for _, c in tried(Moves(space), Moves._swap_chains, before)}
    # a and r, a chain, with b or with q; s, whose only home is the CPU, with nobody.
    assert found == {(1, 1, 0, 1, 0), (1, 1, 1, 0, 0)}
    alone = tried(Moves(space), Moves._swap_chains, genome_of([0] * 5), 20)
    assert all(not done and child == genome_of([0] * 5) for done, child in alone)


def test_readers_of_one_tensor_are_gathered_in_one_partition() -> None:
    space = convs(FORK)
    assert Moves(space).forks == ((1, 2, 3),)
    before = genome_of([0, 0, 1, 0, 1], cut=[1, 2, 3])
    found = set()
    for done, child in tried(Moves(space), Moves._gather, before):
        assert done
        inside = child.order[1:4]
        assert sorted(inside) == [1, 2, 3]
        for pu in (0, 1):
            group = [op for op in inside if child.pu[op] == pu]
            found.add(tuple(sorted(group)))
        assert child.order[0] == 0
        assert child.order[4] == 4
        together = [op for op in (1, 2, 3) if not child.cut[op]]
        assert len(together) in (1, 2, 3)
    assert (1, 2, 3) in found
    assert {(1, 2), (1, 3), (2, 3)} <= found


def test_cuts_are_cleared_in_a_stretch() -> None:
    before = genome_of([0] * 60, cut=range(60))
    lengths = set()
    for done, child in tried(Moves(wide(60)), Moves._clear_cuts, before, 1500):
        assert done
        assert only(child, before, "cut")
        cleared = flipped(before.cut, child.cut)
        assert cleared == tuple(range(cleared[0], cleared[-1] + 1))
        if cleared[-1] < 59:
            lengths.add(len(cleared))
    assert lengths == set(range(2, 25))


def test_cuts_lie_where_another_unit_waits_or_is_waited_for() -> None:
    """b reads a from elsewhere, so c, behind a on its unit, begins anew; d and e need not."""
    space = convs({"a": [], "b": ["a"], "c": [], "d": ["b"], "e": []})
    before = genome_of([0, 1, 0, 1, 0], cut=[3, 4])
    found = set()
    for done, child in tried(Moves(space), Moves._cut_eagerly, before):
        assert done
        assert only(child, before, "cut")
        found.add(tuple(i for i in range(5) if child.cut[i]))
    assert found == {
        (1, 3, 4), (1, 2, 3, 4), (1, 2, 4), (1, 2),  # from a on: two operators, three, four, five
        (1, 4), (1,),  # from b on, where nobody looks at a: two like the first, three, four
        (4,), (),  # from c or d on
        (3,),  # e alone
    }  # fmt: skip


def test_no_cut_is_made_within_a_chain_on_one_unit() -> None:
    space = space_of({"a": [], "r": ["a"], "b": [], "q": ["b"]})
    # On the NPU a - r stay together; r elsewhere begins a partition, as it reads a from there.
    whole = [c.cut[1] for _, c in tried(Moves(space), Moves._cut_eagerly, genome_of([1, 1, 0, 0]))]
    assert not any(whole)
    torn = [c.cut[1] for _, c in tried(Moves(space), Moves._cut_eagerly, genome_of([1, 0, 0, 0]))]
    assert any(torn)


def moved(
    edges: Mapping[str, Sequence[str]], ops: Collection[int], target: int, *, later: bool
) -> list[int]:
    moves = Moves(convs(edges))
    genome = genome_of([0] * len(edges))
    change = moves._put_off if later else moves._bring_forward
    assert change(genome, tuple(ops), target)
    return genome.order


def test_operators_come_forward_with_what_they_need_and_are_put_off_with_what_needs_them() -> None:
    edges = {"a": [], "b": [], "c": ["a"], "d": [], "e": ["c"], "f": []}
    assert moved(edges, [4], 0, later=False) == [0, 2, 4, 1, 3, 5]
    assert moved(edges, [4], 1, later=False) == [0, 2, 4, 1, 3, 5]
    assert moved(edges, [3, 5], 1, later=False) == [0, 3, 5, 1, 2, 4]
    assert moved(edges, [1], 1, later=False) == [0, 1, 2, 3, 4, 5]
    assert moved(edges, [0], 6, later=True) == [1, 3, 5, 0, 2, 4]
    assert moved(edges, [0], 4, later=True) == [1, 3, 0, 2, 4, 5]
    assert moved(edges, [1, 3], 5, later=True) == [0, 2, 4, 1, 3, 5]
    assert moved(edges, [5], 6, later=True) == [0, 1, 2, 3, 4, 5]


def test_a_shift_keeps_to_the_region_and_to_dependencies() -> None:
    """An operator goes as far as 24 places, either way."""
    before = genome_of([0] * 60)
    distances = set()
    for done, child in tried(Moves(wide(60)), Moves._shift, before, 2000):
        assert done
        assert only(child, before, "order")
        assert sorted(child.order) == before.order
        at = [child.order.index(op) - op for op in range(60)]
        distances |= {d for d in at if abs(d) > 12}
    assert min(distances) == -24
    assert 12 < max(distances) <= 24
    space = convs({f"n{i}": [] if i in (0, 2, 3) else ["n0"] for i in range(4)})
    for _, child in tried(Moves(space), Moves._shift, genome_of([0] * 4)):
        assert child.order.index(0) < child.order.index(1)


def test_a_shift_may_take_along_what_follows_on_its_unit() -> None:
    """Of six that wait for nobody, on two units in turn."""
    found = tried(Moves(wide(6)), Moves._shift, genome_of([0, 1] * 3), 600)
    orders = {tuple(child.order) for _, child in found}
    assert {(1, 3, 5, 0, 2, 4), (2, 4, 0, 1, 3, 5)} <= orders  # several, later and earlier
    assert {(1, 2, 3, 4, 5, 0), (2, 0, 1, 3, 4, 5)} <= orders  # or one alone
    assert not {(2, 3, 4, 5, 0, 1), (2, 3, 0, 1, 4, 5)} & orders


def test_changes_are_those_that_mean_something() -> None:
    def names(moves: Moves) -> set[str]:
        return {move.__name__.strip("_") for move in moves._moves}

    always = {"split_or_merge", "shift"}
    placing = {
        "place_operator", "place_chain", "place_branch", "place_stretch", "swap_chains",
        "cut_eagerly", "clear_cuts",
    }  # fmt: skip
    softmax = make_graph({"s": [], "t": ["s"]}, {"s": "Softmax", "t": "Softmax"})
    assert names(Moves(Space(softmax, make_soc(npus=1)))) == always
    assert names(Moves(convs({"a": [], "b": ["a"]}))) == always | placing
    assert names(Moves(convs(FORK))) == always | placing | {"gather"}
    assert names(Moves(convs(FORK), 1, 2)) == always | placing  # one reader of s alone
    assert names(Moves(convs({"a": []}, parallel=True))) == always | placing | {"parallel_or_not"}
    fusing = space_of({"a": [], "r": ["a"]})
    assert names(Moves(fusing)) == always | placing | {"fuse_or_not"}


def test_a_proposal_is_one_change_or_now_and_then_two_or_three(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = 0

    def count(self: Moves, draw: Random, genome: Genome) -> bool:
        nonlocal made
        made += 1
        return True

    moves = Moves(wide(3))
    monkeypatch.setattr(moves, "_moves", [count] * len(moves._moves))
    before = genome_of([0] * 3)
    seen = []
    for seed in range(600):
        made = 0
        child = moves.propose(Random(seed), before)
        assert child == before
        assert child is not before
        seen.append(made)
    assert set(seen) == {1, 2, 3}
    assert seen.count(1) > seen.count(2) > seen.count(3) > 0
