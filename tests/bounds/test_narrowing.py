"""Bounds of whole networks are the shortest way through windows at what they take at least."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from math import inf

import pytest

from hetsim.bounds.floors import Floors, Least
from hetsim.bounds.narrowing import narrowed
from hetsim.bounds.relaxation import closings
from hetsim.bounds.running import Forking
from hetsim.bounds.stages import Stage, stages_of
from hetsim.bounds.windows import Ladder, Step
from hetsim.workload.graph import Graph
from tests.bounds import labelled
from tests.bounds.labelled import network, random_floors
from tests.bounds.test_program import FORKING, NETWORKS
from tests.bounds.test_stages import CHAIN, SLOW_TURN, floors_of


def shortest(graph: Graph, floors: Floors, forking: Forking | None) -> float:
    """Seconds, over all placements at cuts, every window at what its best labels take."""
    reached: dict[tuple[int, ...], float] = {(): 0.0}
    for k, stage in enumerate(stages_of(graph, floors)):
        following: dict[tuple[int, ...], float] = {}
        for state, seconds in reached.items():
            entry = dict(zip(stage.before, state, strict=True))
            for pus in product(*(floors.feasible(op) for op in stage.after)):
                leave = dict(zip(stage.after, pus, strict=True))
                if all(entry.get(op, pu) == pu for op, pu in leave.items()):
                    step = Step(k, state, pus)
                    total = seconds + takes(graph, floors, stage, step, entry, leave, forking)
                    following[pus] = min(following.get(pus, inf), total)
        reached = following
    return reached.get((), inf)


def takes(
    graph: Graph, floors: Floors, stage: Stage, step: Step, entry: Mapping[int, int],
    leave: Mapping[int, int], forking: Forking | None,
) -> float:  # fmt: skip
    """Along its longest path, and as part of one partition or of several."""
    path = min(closings(graph, floors, Ladder(graph, floors).window(step)))
    if len(stage.ops) == 1:
        return path
    window = labelled.Window(graph, floors, stage, entry, leave)
    several = window.least(forking, True)
    if forking is not None:
        several = min(several, window.least(forking, False))
    one = inf
    if stage.cut is not None and not stage.last:
        pu = entry[stage.cut]
        if all(p == pu for op, p in leave.items() if op in stage.ops):
            one = sum(floors.ops[op][pu].least for op in stage.ops)
    return max(path, min(one, several))


@pytest.mark.parametrize(
    ("name", "seed"), [*product(NETWORKS, (1, 3, 5, 7, 9)), ("branches", 4), ("two results", 8)]
)
def test_a_network_takes_the_shortest_way_through_its_windows(name: str, seed: int) -> None:
    graph = NETWORKS[name]
    floors = random_floors(graph, seed, 3 if seed % 4 == 3 else 2)
    forking = FORKING if seed % 3 == 1 else None
    seconds, lacks = narrowed(graph, floors, forking)
    assert seconds == pytest.approx(shortest(graph, floors, forking), rel=1e-7)
    assert lacks.startswith("where every operator runs is decided")


BRANCHES = network((), (0,), (0,), (1, 2), (3,))


def test_what_one_unit_runs_it_runs_one_after_the_other() -> None:
    one = floors_of([1.0, inf], [2.0, inf], [Least(9.0, ((0, 3.0),)), inf], [4.0, inf], [5.0, inf])
    seconds, lacks = narrowed(BRANCHES, one, None)
    assert seconds == pytest.approx(0.5 + 1 + 2 + 3 + 4 + 5, rel=1e-9)
    assert seconds < 15.5  # rounded down
    assert lacks == (
        "where every operator runs is decided; waiting for the ends of partitions and for"
        " shared transfers would have to be argued"
    )


def test_what_runs_as_one_partition_or_not_at_all_runs_as_one() -> None:
    """Each of a chain runs only beside the one before it, so that nothing can be cut off."""
    floors = floors_of([1.0], [Least(inf, ((0, 2.0),))], [3.0], [Least(inf, ((1, 4.0),))], [5.0])
    seconds, lacks = narrowed(BRANCHES, floors, None)
    assert seconds == pytest.approx(0.5 + 1 + 2 + 3 + 4 + 5, rel=1e-9)
    assert lacks.startswith("where every operator runs is decided")


def test_the_bound_stands_at_paths_where_no_effort_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    floors = floors_of(*[[2.0, 2.0]] * 5, toll=0.0)
    full, _ = narrowed(BRANCHES, floors, None)
    monkeypatch.setattr("hetsim.bounds.narrowing.EFFORT", 0)
    seconds, lacks = narrowed(BRANCHES, floors, None)
    assert seconds == pytest.approx(0.5 + 4 * 2)  # both branches at once, and no second call
    assert full > seconds
    assert lacks.startswith("1 of them still divide operators among PUs in fractions")
    assert narrowed(CHAIN, SLOW_TURN, None)[1].startswith("where every operator runs is decided")


def test_a_stretch_that_is_too_large_counts_with_its_longest_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    floors = floors_of(*[[2.0, inf]] * 5)
    monkeypatch.setattr("hetsim.bounds.narrowing.MOST_PLACES", 6)
    assert narrowed(BRANCHES, floors, None)[0] == pytest.approx(0.5 + 5 * 2)
    monkeypatch.setattr("hetsim.bounds.narrowing.MOST_PLACES", 5)
    seconds, lacks = narrowed(BRANCHES, floors, None)
    assert seconds == pytest.approx(0.5 + 4 * 2)
    assert lacks.startswith("a stretch of 3 operators without a cut")
