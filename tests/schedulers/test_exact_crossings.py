"""What is brought to a unit, in the model of one window: when, how often, and beside what.

Floors are made up, so every length is a sum on paper. Unless a test says otherwise a call takes
1 s, a partition's end 0.25 s, and handing a result over 0.125 s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from hetsim.bounds.floors import NEVER, Floors, Least
from hetsim.bounds.relaxation import Window
from hetsim.schedulers.exact.model import WindowModel
from hetsim.schedulers.exact.proof import Budget, WindowProof
from hetsim.workload.graph import Graph
from tests.sim.samples import make_graph

pytest.importorskip("ortools")
Way = tuple[str, int | None, int | None]


def made(
    times: Sequence[Sequence[float | Least | None]],
    tolls: Mapping[Way, float] | None = None,
    *,
    call: float = 1.0,
    leave: float = 0.25,
    handing: float = 0.125,
) -> Floors:
    """Floors from a row of seconds for each operator; what is not in ``tolls`` is free."""
    units = len(times[0])
    known = tolls or {}

    def least(value: float | Least | None) -> Least:
        if value is None:
            return NEVER
        return value if isinstance(value, Least) else Least(value)

    return Floors(
        ops=tuple(tuple(map(least, row)) for row in times),
        toll=lambda tensor, source, target: Least(known.get((tensor, source, target), 0.0)),
        call=call,
        leave=((leave,) * units,) * len(times),
        awake=(False,) * units,
        handing=lambda tensor, source: Least(handing),
    )


def solved(graph: Graph, floors: Floors, window: Window) -> WindowProof:
    found = WindowModel(graph, floors, window).solve(Budget(5.0, 60.0))
    assert found.closed
    assert found.value_s == pytest.approx(found.bound_s, rel=1e-5)
    return found


def seconds(
    graph: Graph,
    floors: Floors,
    at: Sequence[int],
    known: Mapping[int, int] | None = None,
    cut: int | None = None,
    last: bool = True,
) -> float:
    """Length of the window of all operators that are not ``known``, on the units ``at``."""
    ops = tuple(op for op in range(len(graph)) if op not in (known or {}))
    fixed = dict(zip(ops, at, strict=True))
    return solved(graph, floors, Window(ops, known or {}, cut, fixed, last)).bound_s


PAIR = make_graph(("a", ["x"], 1.0), ("b", ["a"], 1.0))
PAIR_FLOORS = made(
    [[4.0, 4.0], [3.0, 3.0]],
    {
        ("x", None, 0): 0.5,
        ("x", None, 1): 5.0,
        ("a", 0, 1): 2.0,
        ("a", 1, 0): 1.5,
        ("b", 0, None): 0.1,
        ("b", 1, None): 0.7,
    },
)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        # A call, x, a, b, the partition's end, and b back.
        ((0, 0), 1 + 0.5 + 4 + 3 + 0.25 + 0.1),
        ((1, 1), 1 + 5 + 4 + 3 + 0.25 + 0.7),
        # Between a and b: the partition's end, handing a over, a call, a itself.
        ((0, 1), 1 + 0.5 + 4 + (0.25 + 0.125 + 1 + 2) + 3 + 0.25 + 0.7),
        ((1, 0), 1 + 5 + 4 + (0.25 + 0.125 + 1 + 1.5) + 3 + 0.25 + 0.1),
    ],
)
def test_a_chain_of_two_by_hand(at: tuple[int, int], expected: float) -> None:
    assert seconds(PAIR, PAIR_FLOORS, at) == pytest.approx(expected, rel=1e-5)
    ends = expected - 0.25 - (0.7 if at[1] else 0.1)
    assert seconds(PAIR, PAIR_FLOORS, at, last=False) == pytest.approx(ends, rel=1e-5)


def test_where_nothing_is_fixed_the_shortest_is_found() -> None:
    found = solved(PAIR, PAIR_FLOORS, Window((0, 1)))
    assert found.places == {0: 0, 1: 0}
    assert found.order == (0, 1)
    assert found.bound_s == pytest.approx(8.85, rel=1e-5)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (0, 3 + 0.25 + 0.1),  # perhaps in the partition that the window begins within
        (1, 0.25 + 0.125 + 1 + 2 + 3 + 0.25 + 0.7),
    ],
)
def test_behind_a_cut_only_another_unit_begins_with_a_call(at: int, expected: float) -> None:
    assert seconds(PAIR, PAIR_FLOORS, (at,), {0: 0}, 0) == pytest.approx(expected, rel=1e-5)


def test_what_is_older_than_the_cut_waits_for_nothing_and_may_be_there_already() -> None:
    """An old o and the cut c are read by d. Tolls: o takes 2 s, c 0.5 s."""
    graph = make_graph(("o", ["x"], 1.0), ("c", ["o"], 1.0), ("d", ["c", "o"], 1.0))
    tolls = {(t, p, 1 - p): s for t, s in (("o", 2.0), ("c", 0.5)) for p in (0, 1)}
    floors = made([[9.0, 9.0], [9.0, 9.0], [3.0, 3.0]], tolls)

    def behind(o: int, c: int, d: int) -> float:
        return seconds(graph, floors, (d,), {0: o, 1: c}, 1) - 0.25

    assert behind(0, 0, 0) == pytest.approx(3, rel=1e-5)
    # On the unit of the cut the partition may have begun before it, and brought o in.
    assert behind(1, 0, 0) == pytest.approx(3, rel=1e-5)
    assert behind(1, 0, 1) == pytest.approx(0.25 + 0.125 + 1 + 0.5 + 3, rel=1e-5)
    assert behind(0, 0, 1) == pytest.approx(0.25 + 0.125 + 1 + 0.5 + 2 + 3, rel=1e-5)


def test_a_partition_brings_everything_in_once_the_last_input_is_there() -> None:
    """a ends after 1 + 4, b after 1 + 6; then c's partition takes a, b and y in turn."""
    graph = make_graph(("a", ["x"], 1.0), ("b", ["x"], 1.0), ("c", ["a", "b", "y"], 1.0))
    tolls = {("a", 0, 2): 2.0, ("b", 1, 2): 1.0, ("y", None, 2): 0.75}
    floors = made([[4.0] * 3, [6.0] * 3, [1.0] * 3], tolls)
    expected = 1 + 6 + 0.375 + 1 + (2 + 1 + 0.75) + 1 + 0.25
    assert seconds(graph, floors, (0, 1, 2)) == pytest.approx(expected, rel=1e-5)


def test_a_unit_that_brings_something_in_does_nothing_else_and_does_it_once() -> None:
    """b and c read a on unit 1, where d runs, too: 10 + 2 + 3 + 3, with d before a arrives."""
    graph = make_graph(("a", ["x"], 1.0), ("b", ["a"], 1.0), ("c", ["a"], 1.0), ("d", ["x"], 1.0))
    rows = [[4.0, 4.0], [3.0, 3.0], [3.0, 3.0], [10.0, 10.0]]
    floors = made(rows, {("a", 0, 1): 2.0}, call=0.0, leave=0.0, handing=0.0)
    assert seconds(graph, floors, (0, 1, 1, 1)) == pytest.approx(18, rel=1e-5)
    # With a where they are, nothing is brought: 4 + 3 + 3 + 10.
    assert seconds(graph, floors, (1, 1, 1, 1)) == pytest.approx(20, rel=1e-5)
    # The application's x, 5 s, is brought for all of its readers at once.
    floors = made(rows, {("x", None, 1): 5.0}, call=0.0, leave=0.0, handing=0.0)
    assert seconds(graph, floors, (1, 1, 1, 1)) == pytest.approx(25, rel=1e-5)


@pytest.mark.parametrize("readers", [1, 2, 3])
def test_an_older_tensor_takes_the_unit_once_however_many_read_it(readers: int) -> None:
    """Old o on unit 0; cut c on unit 0; on unit 1 f reads c, which is free, the others o (2 s)."""
    names = [f"r{i}" for i in range(readers)]
    graph = make_graph(
        ("o", ["x"], 1.0), ("c", ["o"], 1.0), ("f", ["c"], 1.0), *((n, ["o"], 1.0) for n in names)
    )
    floors = made([[3.0, 3.0]] * len(graph), {("o", 0, 1): 2.0}, call=0, leave=0, handing=0)
    known, at = {0: 0, 1: 0}, (1,) * (1 + readers)
    assert seconds(graph, floors, at, known, 1) == pytest.approx(2 + 3 + 3 * readers, rel=1e-5)


def test_a_neighbour_is_close_only_if_everything_is_there_before_both() -> None:
    """b takes 3 s, or 1 s in one partition with a. It also reads f, which another unit makes.

    Apart: f ends after 6, is brought in by 7, b ends at 10. Together: a waits, too, 7 + 4 + 1.
    """
    graph = make_graph(("a", ["x"], 1.0), ("f", ["x"], 1.0), ("b", ["a", "f"], 1.0))

    def length(b: Least, at: tuple[int, ...]) -> float:
        rows: list[list[float | Least | None]] = [[4.0, 4.0], [6.0, 6.0], [b, 3.0]]
        floors = made(rows, {("f", 1, 0): 1.0}, call=0.0, leave=0.0, handing=0.0)
        return seconds(graph, floors, at)

    assert length(Least(3.0, ((0, 1.0),)), (0, 1, 0)) == pytest.approx(10, rel=1e-5)
    assert length(Least(float("inf"), ((0, 1.0),)), (0, 1, 0)) == pytest.approx(12, rel=1e-5)
    # All on one unit: 4 + 6 + 1.
    assert length(Least(3.0, ((0, 1.0),)), (0, 0, 0)) == pytest.approx(11, rel=1e-5)
    # a elsewhere: after 4 it is there, f at 6, and b is on its own.
    assert length(Least(3.0, ((0, 1.0),)), (1, 0, 0)) == pytest.approx(9, rel=1e-5)


def test_a_neighbour_before_the_cut_is_close_only_if_nothing_foreign_is_read() -> None:
    """As above with a the cut: the window begins as a ends."""
    graph = make_graph(("a", ["x"], 1.0), ("f", ["a"], 1.0), ("b", ["a", "f"], 1.0))
    rows = [[4.0, 4.0], [6.0, 6.0], [Least(3.0, ((0, 1.0),)), 3.0]]
    floors = made(rows, {("f", 1, 0): 1.0}, call=0.0, leave=0.0, handing=0.0)
    assert seconds(graph, floors, (1, 0), {0: 0}, 0) == pytest.approx(6 + 1 + 3, rel=1e-5)
    assert seconds(graph, floors, (0, 0), {0: 0}, 0) == pytest.approx(6 + 1, rel=1e-5)
    assert seconds(graph, floors, (0, 0), {0: 1}, 0) == pytest.approx(6 + 3, rel=1e-5)


@pytest.mark.parametrize("dear", ["call", "leave", "handing", "work", "x", "a", "b"])
def test_the_models_own_horizon_holds_whatever_is_dear(dear: str) -> None:
    """One cost is a million times all others, and paid in full."""

    def cost(name: str) -> float:
        return 1e3 if name == dear else 1e-3

    tolls = {("x", None, 1): cost("x"), ("a", 1, 0): cost("a"), ("b", 0, None): cost("b")}
    floors = made(
        [[cost("work")] * 2] * 2,
        tolls,
        call=cost("call"),
        leave=cost("leave"),
        handing=cost("handing"),
    )
    expected = 2 * sum(map(cost, ("call", "leave", "work")))
    expected += sum(map(cost, ("handing", "x", "a", "b")))
    assert seconds(PAIR, floors, (1, 0)) == pytest.approx(expected, rel=1e-5)
