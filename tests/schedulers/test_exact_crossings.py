"""What is brought to a unit, in the model of one window: when, how often, and beside what.

Floors are made up, so every length is a sum on paper. Unless a test says otherwise a call takes
1 s, a partition's end 0.25 s, and handing a result over 0.125 s. Ticks are an eighth of a second,
and so exact that no length needs a tolerance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from hetsim.bounds.floors import NEVER, Floors, Least
from hetsim.bounds.relaxation import Window
from hetsim.schedulers.exact import model
from hetsim.schedulers.exact.model import WindowModel
from hetsim.schedulers.exact.proof import Budget, WindowProof
from hetsim.workload.graph import Graph
from tests.sim.samples import make_graph

pytest.importorskip("ortools")
HORIZON_S = 64.0


@pytest.fixture(autouse=True)
def _coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "TICKS", 8 * int(HORIZON_S))


def made(
    times: Sequence[Sequence[float | Least | None]],
    tolls: Mapping[Any, float] | None = None,
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


def solved(
    graph: Graph, floors: Floors, window: Window, horizon_s: float | None = HORIZON_S
) -> WindowProof:
    found = WindowModel(graph, floors, window, horizon_s).solve(Budget(5.0, 60.0))
    assert found.closed
    assert found.value_s == found.bound_s
    return found


def seconds(
    graph: Graph,
    floors: Floors,
    at: Sequence[int],
    known: Mapping[int, int] | None = None,
    cut: int | None = None,
    last: bool = True,
    horizon_s: float | None = HORIZON_S,
) -> float:
    """Length of the window of all operators that are not ``known``, on the units ``at``."""
    ops = tuple(op for op in range(len(graph)) if op not in (known or {}))
    fixed = dict(zip(ops, at, strict=True))
    return solved(graph, floors, Window(ops, known or {}, cut, fixed, last), horizon_s).bound_s


PAIR = make_graph(("a", ["x"], 1.0), ("b", ["a"], 1.0))
PAIR_FLOORS = made(
    [[4.0, 4.0], [3.0, 3.0]],
    {
        ("x", None, 0): 0.5,
        ("x", None, 1): 5.0,
        ("a", 0, 1): 2.0,
        ("a", 1, 0): 1.5,
        ("b", 0, None): 0.125,
        ("b", 1, None): 0.75,
    },
)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        # A call, x, a, b, the partition's end, and b back.
        ((0, 0), 1 + 0.5 + 4 + 3 + 0.25 + 0.125),
        ((1, 1), 1 + 5 + 4 + 3 + 0.25 + 0.75),
        # Between a and b: the partition's end, handing a over, a call, a itself.
        ((0, 1), 1 + 0.5 + 4 + (0.25 + 0.125 + 1 + 2) + 3 + 0.25 + 0.75),
        ((1, 0), 1 + 5 + 4 + (0.25 + 0.125 + 1 + 1.5) + 3 + 0.25 + 0.125),
    ],
)
def test_a_chain_of_two_by_hand(at: tuple[int, int], expected: float) -> None:
    assert seconds(PAIR, PAIR_FLOORS, at) == expected
    ends = expected - 0.25 - (0.75 if at[1] else 0.125)
    assert seconds(PAIR, PAIR_FLOORS, at, last=False) == ends


def test_where_nothing_is_fixed_the_shortest_is_found() -> None:
    found = solved(PAIR, PAIR_FLOORS, Window((0, 1)))
    assert found.places == {0: 0, 1: 0}
    assert found.order == (0, 1)
    assert found.bound_s == 8.875


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (0, 3 + 0.25 + 0.125),  # perhaps in the partition that the window begins within
        (1, 0.25 + 0.125 + 1 + 2 + 3 + 0.25 + 0.75),
    ],
)
def test_behind_a_cut_only_another_unit_begins_with_a_call(at: int, expected: float) -> None:
    assert seconds(PAIR, PAIR_FLOORS, (at,), {0: 0}, 0) == expected


def test_what_is_older_than_the_cut_waits_for_nothing_and_may_be_there_already() -> None:
    """An old o and the cut c are read by d. Tolls: o takes 2 s, c 0.5 s."""
    graph = make_graph(("o", ["x"], 1.0), ("c", ["o"], 1.0), ("d", ["c", "o"], 1.0))
    tolls = {(t, p, 1 - p): s for t, s in (("o", 2.0), ("c", 0.5)) for p in (0, 1)}
    floors = made([[9.0, 9.0], [9.0, 9.0], [3.0, 3.0]], tolls)

    def behind(o: int, c: int, d: int) -> float:
        return seconds(graph, floors, (d,), {0: o, 1: c}, 1) - 0.25

    assert behind(0, 0, 0) == 3
    # On the unit of the cut the partition may have begun before it, and brought o in.
    assert behind(1, 0, 0) == 3
    assert behind(1, 0, 1) == 0.25 + 0.125 + 1 + 0.5 + 3
    assert behind(0, 0, 1) == 0.25 + 0.125 + 1 + 0.5 + 2 + 3


def test_a_partition_brings_everything_in_once_the_last_input_is_there() -> None:
    """a ends after 1 + 4, b after 1 + 6; then c's partition takes a, b and y in turn."""
    graph = make_graph(("a", ["x"], 1.0), ("b", ["x"], 1.0), ("c", ["a", "b", "y"], 1.0))
    tolls = {("a", 0, 2): 2.0, ("b", 1, 2): 1.0, ("y", None, 2): 0.75}
    floors = made([[4.0] * 3, [6.0] * 3, [1.0] * 3], tolls)
    expected = 1 + 6 + 0.375 + 1 + (2 + 1 + 0.75) + 1 + 0.25
    assert seconds(graph, floors, (0, 1, 2)) == expected


def test_a_unit_that_brings_something_in_does_nothing_else_and_does_it_once() -> None:
    """b and c read a on unit 1, where d runs, too: 10 + 2 + 3 + 3, with d before a arrives."""
    graph = make_graph(("a", ["x"], 1.0), ("b", ["a"], 1.0), ("c", ["a"], 1.0), ("d", ["x"], 1.0))
    rows = [[4.0, 4.0], [3.0, 3.0], [3.0, 3.0], [10.0, 10.0]]
    floors = made(rows, {("a", 0, 1): 2.0}, call=0.0, leave=0.0, handing=0.0)
    assert seconds(graph, floors, (0, 1, 1, 1)) == 18
    # With a where they are, nothing is brought: 4 + 3 + 3 + 10.
    assert seconds(graph, floors, (1, 1, 1, 1)) == 20
    # The application's x, 5 s, is brought for all of its readers at once.
    floors = made(rows, {("x", None, 1): 5.0}, call=0.0, leave=0.0, handing=0.0)
    assert seconds(graph, floors, (1, 1, 1, 1)) == 25


def test_nothing_is_brought_before_it_is_there_however_idle_its_reader_is() -> None:
    """On unit 1 b and c read a (2 s to bring), and d reads e; both are there after 4 s."""
    graph = make_graph(
        ("a", ["x"], 1.0), ("e", ["x"], 1.0), ("b", ["a"], 1.0), ("c", ["a"], 1.0),
        ("d", ["e"], 1.0),
    )  # fmt: skip
    rows = [[4.0] * 3, [4.0] * 3, [3.0] * 3, [3.0] * 3, [3.0] * 3]
    floors = made(rows, {("a", 0, 1): 2.0}, call=0.0, leave=0.0, handing=0.0)
    assert seconds(graph, floors, (0, 2, 1, 1, 1)) == 4 + 2 + 3 + 3 + 3


@pytest.mark.parametrize("readers", [1, 2, 3])
def test_an_older_tensor_takes_the_unit_once_however_many_read_it(readers: int) -> None:
    """Old o on unit 0; cut c on unit 0; on unit 1 f reads c, which is free, the others o (2 s)."""
    names = [f"r{i}" for i in range(readers)]
    graph = make_graph(
        ("o", ["x"], 1.0), ("c", ["o"], 1.0), ("f", ["c"], 1.0), *((n, ["o"], 1.0) for n in names)
    )
    floors = made([[3.0, 3.0]] * len(graph), {("o", 0, 1): 0.5}, call=0, leave=0, handing=0)
    known, at = {0: 0, 1: 0}, (1,) * (1 + readers)
    assert seconds(graph, floors, at, known, 1) == 0.5 + 3 + 3 * readers


@pytest.mark.parametrize(("c_reads", "expected"), [("x", 4.5 + 2 + 3 + 3), ("o", 4.5 + 3 + 3)])
def test_only_what_others_may_have_needed_is_there_before_it_is_waited_for(
    c_reads: str, expected: float
) -> None:
    """Old o and cut c on unit 0, where w takes 4 s; on unit 1 then f reads w, and d w and o.

    If d alone reads o, its partition brings o in (2 s) once w is there, and unit 1 runs nothing
    meanwhile. If c does, too, it may have come for another partition, with d as the last to run.
    """
    graph = make_graph(
        ("o", ["x"], 1.0), ("c", [c_reads], 1.0), ("w", ["c"], 1.0), ("f", ["w"], 1.0),
        ("d", ["w", "o"], 1.0),
    )  # fmt: skip
    floors = made(
        [[4.0, 4.0]] * 3 + [[3.0, 3.0]] * 2, {("o", 0, 1): 2.0}, leave=0, handing=0, call=0.5
    )
    assert seconds(graph, floors, (0, 1, 1), {0: 0, 1: 0}, 1) == expected


def test_an_input_is_brought_in_again_behind_what_is_waited_for() -> None:
    """y came in for d long before a did, but c's partition brings it in with a."""
    graph = make_graph(("a", ["x"], 1.0), ("d", ["y"], 1.0), ("c", ["a", "y"], 1.0))
    floors = made([[4.0] * 2, [1.0] * 2, [1.0] * 2], {("a", 0, 1): 2.0, ("y", None, 1): 0.5})
    expected = 1 + 4 + 0.375 + 1 + (2 + 0.5) + 1 + 0.25
    assert seconds(graph, floors, (0, 1, 1)) == expected


def test_what_takes_less_than_a_tick_takes_nothing() -> None:
    """Floors are rounded down, or they would be none."""
    tolls = {("x", None, 1): 0.06, ("a", 1, 0): 0.12, ("b", 0, None): 0.05}
    floors = made([[0.1, 0.1], [0.0, 0.1]], tolls, call=0.12, leave=0.05, handing=0.02)
    assert [seconds(PAIR, floors, at) for at in ((0, 0), (1, 1), (1, 0))] == [0, 0, 0]
    free = made([[0.0, 0.0], [0.0, 0.0]], call=0.0, leave=0.0, handing=0.0)
    assert seconds(PAIR, free, (1, 0)) == 0


def test_a_neighbour_is_close_only_if_everything_is_there_before_both() -> None:
    """b takes 3 s, or 1 s in one partition with a. It also reads f, which another unit makes.

    A call takes 0.5 s. Apart: f ends at 6.5 and is there at 8. Together: a waits for it, too.
    """
    graph = make_graph(("a", ["x"], 1.0), ("f", ["x"], 1.0), ("b", ["a", "f"], 1.0))

    def length(b: Least, at: tuple[int, ...]) -> float:
        rows: list[list[float | Least | None]] = [[4.0, 4.0], [6.0, 6.0], [b, 3.0]]
        floors = made(rows, {("f", 1, 0): 1.0}, call=0.5, leave=0.0, handing=0.0)
        return seconds(graph, floors, at)

    assert length(Least(3.0, ((0, 1.0),)), (0, 1, 0)) == 6.5 + 1.5 + 3
    assert length(Least(float("inf"), ((0, 1.0),)), (0, 1, 0)) == 6.5 + 1.5 + 4 + 1
    # All on one unit.
    assert length(Least(3.0, ((0, 1.0),)), (0, 0, 0)) == 0.5 + 4 + 6 + 1
    # a elsewhere is there before f ends, and b is on its own.
    assert length(Least(3.0, ((0, 1.0),)), (1, 0, 0)) == 6.5 + 3


def test_a_neighbour_on_another_unit_is_none_even_where_nothing_is_read_from_it() -> None:
    """a - b - c may be one kernel, headed by a, in which c takes 1 s instead of 3."""
    graph = make_graph(("a", ["x"], 1.0), ("b", ["a"], 1.0), ("c", ["b"], 1.0))
    rows: list[list[float | Least | None]] = [
        [4.0, 4.0],
        [4.0, 4.0],
        [Least(3.0, ((0, 1.0),)), 3.0],
    ]
    floors = made(rows, call=0.0, leave=0.0, handing=0.0)
    assert seconds(graph, floors, (0, 0, 0)) == 4 + 4 + 1
    assert seconds(graph, floors, (1, 0, 0)) == 4 + 4 + 3
    assert seconds(graph, floors, (0, 0), {0: 1}, 0) == 4 + 3
    assert seconds(graph, floors, (0, 0), {0: 0}, 0) == 4 + 1


def test_a_neighbour_before_the_cut_is_close_only_if_nothing_foreign_is_read() -> None:
    """As above with a the cut: the window begins as a ends."""
    graph = make_graph(("a", ["x"], 1.0), ("f", ["a"], 1.0), ("b", ["a", "f"], 1.0))
    rows: list[list[float | Least | None]] = [
        [4.0, 4.0],
        [6.0, 6.0],
        [Least(3.0, ((0, 1.0),)), 3.0],
    ]
    floors = made(rows, {("f", 1, 0): 1.0}, call=0.0, leave=0.0, handing=0.0)
    assert seconds(graph, floors, (1, 0), {0: 0}, 0) == 6 + 1 + 3
    assert seconds(graph, floors, (0, 0), {0: 0}, 0) == 6 + 1
    assert seconds(graph, floors, (0, 0), {0: 1}, 0) == 6 + 3


@pytest.mark.parametrize("dear", ["call", "leave", "handing", "work", "x", "a", "b"])
def test_the_models_own_horizon_holds_whatever_is_dear(
    dear: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One cost is a million times all others, and paid in full."""
    monkeypatch.setattr(model, "TICKS", 10**7)

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
    assert seconds(PAIR, floors, (1, 0), horizon_s=None) == pytest.approx(expected, rel=1e-5)
