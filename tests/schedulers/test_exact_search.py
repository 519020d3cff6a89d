"""What the search over plans leaves alone and enumerates, on graphs small enough to list."""

from __future__ import annotations

import random
from itertools import permutations
from types import SimpleNamespace
from typing import Any

import pytest

from hetsim.cost.profile import INFEASIBLE
from hetsim.schedulers.exact.profile import profile_floors
from hetsim.schedulers.exact.search import Candidate, _orders, spliced
from hetsim.schedulers.exact.sharing import HostSharing
from tests.schedulers.fakes import make_graph, make_problem, make_soc

SIZE = 5


def random_edges(seed: int) -> dict[str, list[str]]:
    draw = random.Random(seed)
    return {f"n{i}": [f"n{p}" for p in range(i) if draw.random() < 0.4] for i in range(SIZE)}


def problem_of(edges: dict[str, list[str]], **more: Any) -> Any:
    graph = make_graph(edges)
    times: dict[str, list[float | None]] = {name: [1.0, 2.0] for name in edges}
    return make_problem(graph, make_soc(npus=1), times, **more)


@pytest.mark.parametrize("seed", range(6))
def test_orders_are_all_that_respect_dependencies_each_once(seed: int) -> None:
    problem = problem_of(random_edges(seed))
    before = problem.graph.predecessors
    valid = {
        order for order in permutations(range(SIZE))
        if all(order.index(p) < order.index(op) for op in order for p in before[op])
    }  # fmt: skip
    found = [tuple(op for (op,) in o) for o in _orders(problem, [(op,) for op in range(SIZE)])]
    assert len(found) == len(valid)
    assert set(found) == valid


def test_orders_keep_kernels_whole_and_ignore_what_came_before_them() -> None:
    """a - (b | c) - d, b and d one kernel: c must come before it; a has run already."""
    problem = problem_of({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]})
    assert list(_orders(problem, [(1, 3), (2,)])) == [[(2,), (1, 3)]]


@pytest.mark.parametrize("execution", ["dataflow", "barrier"])
def test_splicing_changes_nothing_outside_its_window(execution: str) -> None:
    names = "abcdef"
    problem = problem_of({n: [] for n in names}, execution=execution)
    chains = tuple((op,) for op in range(6))
    base = Candidate(chains, (0, 1, 0, 1, 0, 1), frozenset({0, 2, 4}), frozenset({1, 3, 5}))
    every = list(spliced(problem, base, {2: 1, 3: 0}, [3, 2]))
    assert len(every) == (6 if problem.forks else 3)
    for found in every:
        assert [op for chain in found.chains for op in chain] == [0, 1, 3, 2, 4, 5]
        assert found.places == {0: 0, 1: 1, 2: 1, 3: 0, 4: 0, 5: 1}
        assert found.opening - {2, 3} == {0, 4}
        assert found.joined - {2, 3} == {1, 5}
    openings = {found.opening & {2, 3} for found in every}
    assert {frozenset({3}), frozenset({2, 3})} <= openings
    joins = {found.joined & {2, 3} for found in every}
    assert joins == ({frozenset(), frozenset({2, 3})} if problem.forks else {frozenset()})


def test_floors_of_a_profile_take_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = make_graph({"a": [], "b": ["a"]})
    soc = make_soc(npus=1)
    problem = make_problem(graph, soc, {"a": [1.0, 5.0], "b": [3.0, None]}, call=0.25)
    asked: list[tuple[str, int, int]] = []

    def crossing(tensor: str, source: int, target: int) -> float:
        asked.append((tensor, source, target))
        return 10.0 * source + target

    monkeypatch.setattr(problem.profile, "crossing", crossing)
    floors = profile_floors(problem)
    assert soc.host.index == 0
    assert [[p.least for p in row] for row in floors.ops] == [[1.0, 5.0], [3.0, INFEASIBLE]]
    assert floors.toll("a.out", 1, 0).least == 10.0
    assert floors.toll("a.out", 0, 1).least == 1.0
    # What comes from the application, or goes back to it, is with the host.
    assert floors.toll("a.out", None, 1).least == 1.0
    assert floors.toll("a.out", 1, None).least == 10.0
    assert asked == [("a.out", s, t) for s, t in ((1, 0), (0, 1), (0, 1), (1, 0))]
    assert floors.call == 0.25
    assert floors.leave == ((0.0, 0.0), (0.0, 0.0))
    assert floors.awake == (False, False)
    assert floors.crowded is None


@pytest.mark.parametrize("seed", range(6))
def test_reach_is_the_closure_of_the_dependencies_inside_the_window(seed: int) -> None:
    graph = make_graph(random_edges(seed))
    window: Any = SimpleNamespace(ops=tuple(range(1, SIZE)))
    nothing: Any = None
    reach = HostSharing(nothing, graph, nothing, window, (), 0)._reach()
    after = {op: set(graph.successors[op]) for op in window.ops}
    for middle in window.ops:  # Warshall
        for op in window.ops:
            if middle in after[op]:
                after[op] |= after[middle]
    assert reach == {op: sum(1 << s for s in after[op]) for op in window.ops}
