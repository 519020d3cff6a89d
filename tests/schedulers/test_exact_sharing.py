"""Sharing the host in the model of one window: whose time stretches, and by how much.

Unit 0 is the host, all of whose cores its kernels take. Floors are made up; calls and the ends of
partitions are free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from hetsim.bounds.floors import Floors, Least
from hetsim.bounds.relaxation import Window
from hetsim.schedulers.exact import sharing
from hetsim.schedulers.exact.model import WindowModel
from hetsim.schedulers.exact.proof import Budget
from hetsim.schedulers.exact.sharing import HostSharing, Item, _may_meet
from hetsim.workload.graph import Graph
from tests.sim.samples import make_graph

pytest.importorskip("ortools")
K = Least(4.0, drag=0.5)
"""A kernel that takes half a second longer for each second with another host thread."""
APART = make_graph(("k", ["x"], 1.0), ("o", ["y"], 1.0))


def length(
    graph: Graph,
    units: int,
    work: Mapping[tuple[int, int], Least],
    tolls: Mapping[Any, Least] | None = None,
    awake: Sequence[int] = (),
    crowded: int | None = 0,
) -> float:
    """Least seconds of the network with each operator on the one unit that ``work`` gives it."""
    at = dict(work)
    never = Least(float("inf"))
    floors = Floors(
        ops=tuple(tuple(at.get((op, p), never) for p in range(units)) for op in range(len(graph))),
        toll=lambda t, p, q: (tolls or {}).get((t, p, q), Least(0.0)),
        call=0.0,
        leave=((0.0,) * units,) * len(graph),
        awake=tuple(p in awake for p in range(units)),
        crowded=crowded,
    )
    found = WindowModel(graph, floors, Window(tuple(range(len(graph))))).solve(Budget(5.0, 60.0))
    assert found.closed
    return found.bound_s


@pytest.mark.parametrize(
    ("kernel", "other", "awake", "crowded", "expected"),
    [
        (K, 4.0, (1,), 0, 4 + 0.5 * 4),  # however they overlap
        (K, 0.5, (1,), 0, 4 + 0.5 * 0.5),
        (Least(4.0, delay=1.0, drag=0.5), 4.0, (1,), 0, 4 + 0.5 * (4 - 1)),
        (Least(4.0), 4.0, (1,), 0, 4),
        (K, 4.0, (), 0, 4),
        (K, 4.0, (1,), None, 4),
        (Least(9.0, drag=0.5), 4.0, (1,), 0, 9 + 0.5 * 4),
        (Least(1.0, drag=0.5), 4.0, (1,), 0, 4),  # within the other's time: 2 s at most
    ],
)
def test_a_kernel_beside_a_thread_that_polls(
    kernel: Least, other: float, awake: tuple[int, ...], crowded: int | None, expected: float
) -> None:
    work = {(0, 0): kernel, (1, 1): Least(other)}
    assert length(APART, 2, work, None, awake, crowded) == pytest.approx(expected, rel=1e-5)


def test_a_crossing_and_a_kernel_stretch_each_other() -> None:
    """x comes in on unit 1 while k runs: c = 4 + c / 4 is 16/3, k = 4 + c / 2 is 20/3."""
    work = {(0, 0): K, (1, 1): Least(1.0)}
    tolls = {("y", None, 1): Least(4.0, drag=0.25)}
    assert length(APART, 2, work, tolls) == pytest.approx(20 / 3, rel=1e-5)
    # What follows takes 3 s. k begins s later: c then ends after 16/3 - s/3, k after 20/3 + s/3,
    # and with s = 2.5 all is over at the same time.
    work[1, 1] = Least(3.0)
    assert length(APART, 2, work, tolls) == pytest.approx(7.5, rel=1e-5)


def test_crossings_to_the_host_itself_fill_its_lane_and_nobody_elses_time() -> None:
    """x takes the host 2 s, then k 4 s; unit 1 polls for 6 s, 4 of them beside k."""
    work = {(0, 0): K, (1, 1): Least(6.0)}
    tolls = {("x", None, 0): Least(2.0)}
    # Beside x it polls for t, beside k for 6 - t: all is over after 2 + 4 + (6 - t) / 2, t = 2.
    assert length(APART, 2, work, tolls, (1,)) == pytest.approx(8, rel=1e-5)


@pytest.mark.parametrize(("pairs", "expected"), [(0, 6), (1, 20 / 3)])
def test_too_many_pairs_leave_what_is_true_in_sum(
    pairs: int, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """k and the crossing of y, as above; in sum nobody asks how long y takes: 4 + 4 / 2."""
    monkeypatch.setattr(sharing, "MOST_PAIRS", pairs)
    work = {(0, 0): K, (1, 1): Least(1.0)}
    tolls = {("y", None, 1): Least(4.0, drag=0.25)}
    assert length(APART, 2, work, tolls) == pytest.approx(expected, rel=1e-5)


WIDE = make_graph(("k", ["x"], 1.0), ("l", ["x"], 1.0), ("o", ["y"], 1.0), ("p", ["y"], 1.0))


@pytest.mark.parametrize(
    ("drag", "delay", "brought", "expected"),
    [
        (0.25, 0.0, 0.0, 4 + 2 + 0.25 * (3 + 3)),
        (0.25, 1.0, 0.0, 4 + 2 + 0.25 * (3 + 3 - 1)),
        # Two units poll, for each 0.25 s in a second of the host's lane that is no kernel's.
        (0.25, 0.0, 2.0, 4 + 2 + 0.25 * (3 + 3) + (1 - 2 * 0.25) * 2),
        (0.5, 0.0, 0.0, 4 + 2),  # two units polling throughout may double what kernels take
        (0.4, 0.0, 0.0, 4 + 2 + 0.4 * (3 + 3)),
    ],
)
def test_the_sum_by_hand(
    drag: float, delay: float, brought: float, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kernels k, 4 s, and l, 2 s, of which the least drag counts; o and p poll for 3 s each."""
    monkeypatch.setattr(sharing, "MOST_PAIRS", 0)
    work = {
        (0, 0): Least(4.0, drag=0.6),
        (1, 0): Least(2.0, delay=delay, drag=drag),
        (2, 1): Least(3.0),
        (3, 2): Least(3.0),
    }
    tolls = {("x", None, 0): Least(brought)}
    assert length(WIDE, 3, work, tolls, (1, 2)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("made", "from_host", "expected"),
    [
        # Made on unit 2 only: y crosses for 4 s, during which k takes half as long again.
        ({2: 1.0}, 1.0, 4 + 0.5 * 4),
        # The host may make it, too, in 1 s: then it crosses for 1 s, and the host is busy for 5 s.
        ({0: 1.0, 2: 9.0}, 1.0, 4 + 1),
        # From the host it crosses in no time, but takes it 9 s.
        ({0: 9.0, 2: 1.0}, 0.0, 4 + 0.5 * 4),
    ],
)
def test_in_sum_a_crossing_counts_as_the_shortest_there_may_be(
    made: dict[int, float], from_host: float, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "MOST_PAIRS", 0)
    graph = make_graph(("k", ["x"], 1.0), ("y", ["x"], 1.0), ("o", ["y"], 1.0))
    work = {(0, 0): K, (2, 1): Least(0.25)} | {(1, p): Least(s) for p, s in made.items()}
    tolls = {("y", 2, 1): Least(4.0), ("y", 0, 1): Least(from_host)}
    assert length(graph, 3, work, tolls) == pytest.approx(expected, rel=1e-5)


def test_only_what_no_dependency_keeps_apart_may_meet() -> None:
    """a - b - c and d: a kernel b meets d, and what is brought from elsewhere for a reader c."""
    graph = make_graph(("a", ["x"], 1.0), ("b", ["a"], 1.0), ("c", ["b"], 1.0), ("d", ["x"], 1.0))
    nothing: Any = None
    reach = HostSharing(nothing, graph, nothing, Window((0, 1, 2, 3)), (), 0)._reach()

    def item(op: int | None, source: int | None = None, readers: tuple[int, ...] = ()) -> Item:
        return Item(0, None, None, None, None, Least(1.0), op, source, readers)

    b = item(1)
    assert [_may_meet(b, item(op), reach) for op in range(4)] == [False, False, False, True]
    crossings = {
        (0, (1, 3)): True,  # a, perhaps for d
        (1, (2,)): False,  # what b makes
        (2, (3,)): False,  # what is made from that
        (None, (0,)): False,  # for a, which b waits for
        (None, (0, 2)): True,
        (None, (2,)): True,
        (3, (2,)): True,
    }
    for (source, readers), expected in crossings.items():
        assert _may_meet(b, item(None, source, readers), reach) == expected, (source, readers)
