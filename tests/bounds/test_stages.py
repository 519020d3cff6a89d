"""Where networks fall apart, and the shortest way through their stages."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import pytest

from hetsim.bounds.floors import Floors, Least
from hetsim.bounds.narrowing import narrowed
from hetsim.bounds.relaxation import Window
from hetsim.bounds.stages import Stage, stages_of
from hetsim.bounds.windows import Ladder, Step
from hetsim.workload.graph import Graph
from tests.bounds.labelled import network


def floors_of(*rows: Sequence[float | Least], toll: float = 1.0, **options: object) -> Floors:
    """By operator and unit; from unit to unit it takes ``toll`` seconds for each tensor."""
    ops = tuple(tuple(s if isinstance(s, Least) else Least(s) for s in row) for row in rows)
    nothing = tuple((0.0,) * len(row) for row in rows)
    settings = {"call": 0.5, "leave": nothing, "awake": (False,) * len(rows[0])} | options
    return Floors(
        ops,
        toll=lambda t, a, b: Least(0.0 if a == b or None in (a, b) else toll),
        **settings,  # type: ignore[arg-type]
    )


def plain(graph: Graph, units: int = 2) -> Floors:
    return floors_of(*[[1.0] * units] * len(graph))


def test_stages_end_where_everything_comes_before_or_after() -> None:
    graph = network((), (0,), (0,), (1, 2))
    assert stages_of(graph, plain(graph)) == [
        Stage((0,), (), (0,), None, last=False, closes=True),
        Stage((1, 2, 3), (0,), (), 0, last=True, closes=True),
    ]
    longer = network((), (0,), (0, 1), (2,))
    assert stages_of(longer, plain(longer)) == [
        Stage((0,), (), (0,), None, last=False, closes=True),
        Stage((1,), (0,), (0, 1), 0, last=False, closes=True),
        Stage((2,), (0, 1), (2,), 1, last=False, closes=True),
        Stage((3,), (2,), (), 2, last=True, closes=True),
    ]


def test_branches_that_never_meet_are_one_stage_that_nothing_closes() -> None:
    graph = network((), ())
    assert stages_of(graph, plain(graph)) == [Stage((0, 1), (), (), None, last=True, closes=False)]


def test_a_stage_goes_on_while_a_later_floor_depends_on_what_is_no_longer_read() -> None:
    graph = network((), (0,), (1,), (2,))
    near = floors_of([1.0], [1.0], [Least(1.0, ((0, 0.5),))], [1.0])
    assert [stage.ops for stage in stages_of(graph, near)] == [(0,), (1, 2), (3,)]
    own = floors_of([1.0], [Least(1.0, ((0, 0.5),))], [1.0], [1.0])
    assert [stage.ops for stage in stages_of(graph, own)] == [(0,), (1,), (2,), (3,)]


def test_a_cut_that_too_many_placements_cross_is_not_used() -> None:
    """All operators are read by the last: two units make 64 placements of six, 128 of seven."""
    graph = network((), *((i,) for i in range(7)), range(8))
    ends = [stage.ops[-1] for stage in stages_of(graph, plain(graph))]
    assert ends == [0, 1, 2, 3, 4, 5, 8]
    assert [s.ops[-1] for s in stages_of(graph, plain(graph, 1))] == list(range(9))


CHAIN = network((), (0,), (1,))
SLOW_TURN = floors_of([2.0, 9.0], [9.0, 1.0], [3.0, 9.0], toll=1.5)
"""Units 0, 1, 0 take 2 + 1 + 3 seconds, three calls and two tolls."""


def test_the_shortest_way_changes_units_where_that_pays() -> None:
    ladder = Ladder(CHAIN, SLOW_TURN)
    seconds, path = ladder.shortest()
    assert seconds == pytest.approx((0.5 + 2) + (0.5 + 1.5 + 1) + (0.5 + 1.5 + 3))
    assert path == [Step(0, (), (0,)), Step(1, (0,), (1,)), Step(2, (1,), ())]
    stay = Ladder(CHAIN, floors_of([2.0, 9.0], [4.0, 1.5], [3.0, 9.0], toll=1.5))
    assert stay.shortest()[0] == pytest.approx(0.5 + 2 + 4 + 3)
    assert narrowed(CHAIN, SLOW_TURN, None)[0] == pytest.approx(10.5)


def test_what_is_proven_of_a_step_sends_the_way_round_it() -> None:
    ladder = Ladder(CHAIN, SLOW_TURN)
    before = ladder.cost(Step(1, (0,), (1,)))
    assert before == pytest.approx(0.5 + 1.5 + 1)
    ladder.raise_cost(Step(1, (0,), (1,)), 2.0)
    assert ladder.cost(Step(1, (0,), (1,))) == before  # nothing is forgotten
    ladder.raise_cost(Step(1, (0,), (1,)), 50.0)
    seconds, path = ladder.shortest()
    assert path[1] == Step(1, (0,), (0,))
    assert seconds == pytest.approx(0.5 + 2 + 9 + 3)


def test_what_no_unit_runs_takes_for_ever() -> None:
    never = floors_of([2.0, 9.0], [inf, inf], [3.0, 9.0])
    assert Ladder(CHAIN, never).shortest() == (inf, [])
    ruled_out = Ladder(CHAIN, SLOW_TURN)
    for unit in (0, 1):
        ruled_out.raise_cost(Step(0, (), (unit,)), inf)
    assert ruled_out.shortest() == (inf, [])


def test_who_crosses_two_cuts_stays_where_it_ran() -> None:
    graph = network((), (0,), (0, 1))
    ladder = Ladder(graph, floors_of([1.0, 9.0], [9.0, 1.0], [1.0, 9.0]))
    seconds, path = ladder.shortest()
    # Unit 0 makes the first and the last; the second runs on 1, whose result comes back alone.
    assert seconds == pytest.approx(0.5 + 1 + (0.5 + 1 + 1) + (0.5 + 1 + 1))
    assert path == [Step(0, (), (0,)), Step(1, (0,), (0, 1)), Step(2, (0, 1), ())]
    assert ladder.window(path[1]) == Window((1,), {0: 0}, 0, {1: 1}, last=False)
    assert ladder.window(path[2]) == Window((2,), {0: 0, 1: 1}, 1, {}, last=True)
