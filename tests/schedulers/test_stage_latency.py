"""Stages of IOS by hand: what one takes and where, how it is cut short, and the plan of several."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hetsim.schedulers.base import Problem
from hetsim.schedulers.list.heft import upward_ranks
from hetsim.schedulers.list.timeline import Schedule
from hetsim.schedulers.stages import iops, ios
from hetsim.schedulers.stages.iops import IOPS, paying
from hetsim.schedulers.stages.ios import IOS
from hetsim.schedulers.stages.merging import Merge
from hetsim.schedulers.stages.mosaic import Mosaic
from hetsim.schedulers.stages.stages import Stage, StageLatency, assignments, plan_of
from hetsim.schedulers.units import Units
from hetsim.workload.rewrite import Rewrite
from tests.schedulers.fakes import FakeProfile, make_graph, make_problem, make_soc, placement

FORK = {"s": [], "a": ["s"], "b": ["s"], "j": ["a", "b"]}
TIMES: dict[str, list[float | None]] = {"s": [1, 9], "a": [4, 4], "b": [4, 5], "j": [1, 9]}
COMM = {"in": 0.125, "s.out": 0.5, "a.out": 0.25, "b.out": 2.0, "j.out": 0.0625}


class Clashing(FakeProfile):
    """What runs side by side takes ``clash`` seconds longer than the longest alone."""

    clash = 0.0

    def concurrent_time(self, parts: Sequence[tuple[int, Sequence[int]]]) -> float:
        return super().concurrent_time(parts) + self.clash


def fork(clash: float = 0.0, execution: str = "dataflow", **more: Any) -> Problem:
    graph, soc = make_graph(FORK), make_soc(**more)
    profile = Clashing(graph, soc, TIMES, comm=COMM, call=0.5)
    profile.clash = clash
    return Problem(graph, soc, profile, execution, 0)


def test_a_fork_by_hand() -> None:
    """s; then a on the NPU, which s is brought to, beside b; then j, which a is brought to."""
    plan = IOS().plan(fork())
    assert placement(plan) == {"s": "cpu", "a": "npu", "b": "cpu", "j": "cpu"}
    assert plan.predicted_s == pytest.approx((0.5 + 1) + (0.5 + 0.5 + 4) + (0.5 + 0.25 + 1))
    assert plan.details == {"stages": 3, "merge_stages": 0}
    assert len(plan.parallel_groups) == 1


@pytest.mark.parametrize(
    ("clash", "thread", "expected", "groups"),
    [
        (1.0, 0.0, 8.25 + 1, 1),
        (0.0, 0.5, 8.25 + 2 * (0.5 + 0.25), 1),  # threads are made and joined for both
        # Side by side would take 10 s: s, a, b and then j follow each other on the CPU instead.
        (5.0, 0.0, (0.5 + 1 + 4 + 4) + (0.5 + 1), 0),
        (0.0, 5.0, (0.5 + 1 + 4 + 4) + (0.5 + 1), 0),
    ],
)
def test_running_side_by_side_has_its_price(
    clash: float, thread: float, expected: float, groups: int
) -> None:
    runtime = {"thread_create": f"{thread} s", "thread_join": f"{thread / 2} s"}
    plan = IOS().plan(fork(clash, "barrier", runtime=runtime))
    assert plan.predicted_s == pytest.approx(expected)
    assert len(plan.parallel_groups) == groups
    if thread:  # who does not fork pays for no threads
        assert IOS().plan(fork(clash, runtime=runtime)).predicted_s == pytest.approx(8.25)


def test_what_a_stage_reads_is_brought_from_where_it_was_left() -> None:
    """In this section or, committed, in an earlier one; network inputs and outputs by the host."""
    problem = fork()
    latency = StageLatency(problem, Units(problem))
    assert latency.of([(0,)], {}) == (0.5 + 1, Stage(((0, (0,)),)))
    assert latency.of([(1, 2)], {0: 1}) == (0.5 + 0.5 + 8, Stage(((0, (1, 2)),)))
    assert latency.of([(1,), (2,)], {0: 0}) == (5.0, Stage(((0, (2,)), (1, (1,)))))
    assert latency.of([(3,)], {1: 1, 2: 1}) == (0.5 + 1 + 0.25 + 2.0, Stage(((0, (3,)),)))
    latency.commit(Stage(((0, (1,)), (1, (2,)))))
    assert latency.of([(3,)], {}) == (0.5 + 1 + 2.0, Stage(((0, (3,)),)))
    assert latency.of([(3,)], {2: 0}) == (0.5 + 1, Stage(((0, (3,)),)))
    slow = Problem(
        problem.graph,
        problem.soc,
        FakeProfile(problem.graph, problem.soc, {**TIMES, "s": [9, 1], "j": [9, 1]}, comm=COMM),
        "dataflow",
        0,
    )
    latency = StageLatency(slow, Units(slow))
    assert latency.of([(0,)], {}) == (0.125 + 1, Stage(((1, (0,)),)))
    assert latency.of([(3,)], {1: 0, 2: 1}) == (0.25 + 1 + 0.0625, Stage(((1, (3,)),)))


def test_contention_is_simulated_once_and_only_where_it_may_matter() -> None:
    problem = fork(1.0)
    latency = StageLatency(problem, Units(problem))
    found = latency.of([(1,), (2,)], {0: 0})
    assert found[0] == 6.0
    # Both on the CPU takes 9 s, and turned round 6: of each kind only what may be better is tried.
    tried = latency.simulations
    assert 1 <= tried <= 3
    assert latency.of([(1,), (2,)], {0: 0}) == found
    assert latency.simulations == tried
    latency = StageLatency(problem, Units(problem))
    assert latency.of([(1,), (2,)], {0: 0}, limit=5.0)[0] >= 5.0
    assert latency.simulations == 0


def three(clash: float) -> Problem:
    """Three operators that wait for nobody, 4 s on either unit."""
    graph, soc = make_graph({"a": [], "b": [], "c": []}), make_soc()
    profile = Clashing(graph, soc, {name: [4.0, 4.0] for name in "abc"})
    profile.clash = clash
    return Problem(graph, soc, profile, "dataflow", 0)


def test_what_clashes_too_long_leaves_room_for_what_does_not() -> None:
    """Side by side a and b take 5 s and clash for 5; both on the CPU they take 9, below the limit.

    Where even 5 s are too long, nothing is looked at any further.
    """
    problem = fork(5.0)
    for limit, seconds, simulated in ((9.5, 9.0, 2), (5.0, 5.0, 0)):
        latency = StageLatency(problem, Units(problem))
        assert latency.of([(1,), (2,)], {0: 0}, limit)[0] == seconds
        assert latency.simulations == simulated


@pytest.mark.parametrize(("clash", "seconds", "simulated"), [(0.0, 8.0, 1), (3.0, 11.0, 3)])
def test_of_equal_assignments_three_are_simulated_or_one_that_nothing_clashes_in(
    clash: float, seconds: float, simulated: int
) -> None:
    problem = three(clash)
    latency = StageLatency(problem, Units(problem))
    assert latency.of([(0,), (1,), (2,)], {})[0] == seconds
    assert latency.simulations == simulated


def test_contention_counts_however_a_set_of_units_is_reached() -> None:
    """All three in one stage take 8 s and clash for 3; so do two, behind one that takes 4."""
    assert IOS().plan(three(3.0)).predicted_s == 11
    assert IOS().plan(three(9.0)).predicted_s == 12


def test_few_groups_are_assigned_in_every_way_and_many_longest_first() -> None:
    lengths = [7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]
    assert len(list(assignments([[s, s] for s in lengths[:6]]))) == 64
    # 7 | 6; 5 with 6, 4 with 7; 3 with the first of equals, 2 and 1 where less is.
    assert list(assignments([[s, s] for s in lengths])) == [((0, 1, 1, 0, 0, 1, 1), 14.0)]
    shuffled = [[s, s] for s in (1.0, 7.0, 2.0, 6.0, 3.0, 5.0, 4.0)]
    assert list(assignments(shuffled)) == [((1, 0, 1, 1, 0, 1, 0), 14.0)]
    # Who is quick somewhere is short; and goes there while that ends first.
    rows = [[9.0, 1.0]] * 5 + [[3.0, 9.0]] * 2
    assert list(assignments(rows)) == [((1, 1, 1, 1, 1, 0, 0), 6.0)]


def test_stages_on_one_unit_alone_are_one_partition() -> None:
    graph = make_graph({name: [] for name in "abcdef"})
    problem = make_problem(graph, make_soc(), {name: [1, 1] for name in "abcdef"})
    stages = [
        Stage(((0, (0,)),)), Stage(((0, (1,)),)), Stage(((1, (2,)),)),
        Stage(((0, (3,)), (1, (4,)))), Stage(((1, (5,)),)),
    ]  # fmt: skip
    plan = plan_of(
        problem, Units(problem), stages, scheduler="x", parameters={"r": 1}, predicted_s=2.0,
        details={"d": 1},
    )  # fmt: skip
    assert [(p.name, p.pu, p.operators) for p in plan.partitions] == [
        ("p0", "cpu", ("a", "b")), ("p1", "npu", ("c",)), ("p2", "cpu", ("d",)),
        ("p3", "npu", ("e",)), ("p4", "npu", ("f",)),
    ]  # fmt: skip
    assert plan.parallel_groups == (("p2", "p3"),)
    assert (plan.scheduler, plan.parameters, plan.predicted_s) == ("x", {"r": 1}, 2.0)
    assert plan.details == {"d": 1}


def test_sections_are_halved_where_they_are_too_long_or_take_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Halved down to single units: s, a, b and j in turn, each with a call."""
    turns = (0.5 + 1) + (0.5 + 4) + (0.5 + 4) + (0.5 + 1)
    problem = fork()
    assert IOS(max_transitions=1).plan(problem).predicted_s == pytest.approx(turns)
    monkeypatch.setattr(ios, "LONGEST_SECTION", 1)
    assert IOS().plan(problem).predicted_s == pytest.approx(turns)
    assert IOS().plan(problem).details["stages"] == 4
    monkeypatch.setattr(ios, "LONGEST_SECTION", 4)
    assert IOS().plan(problem).predicted_s == pytest.approx(8.25)


def line(problem: Problem, pus: Sequence[int]) -> float:
    """Mosaic's cost: units in a line, all that one reads being where the one before it ran."""
    units = Units(problem)
    total = units.entry(0, pus[0])
    for u, pu in enumerate(pus):
        if u and pu != pus[u - 1]:
            reads = units.reads(u)
            total += units.call + sum(problem.profile.crossing(t, pus[u - 1], pu) for t in reads)
        total += units.time[u][pu] + units.exit(u, pu)
    return total


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_mosaic_is_the_best_line_of_any_network(seed: int, size: int) -> None:
    draw = random.Random(seed)
    edges = {
        f"n{i}": [f"n{p}" for p in sorted(draw.sample(range(i), draw.randint(0, min(i, 2))))]
        for i in range(size)
    }
    times: dict[str, list[float | None]] = {
        name: [draw.uniform(1, 5), *(draw.choice([None, draw.uniform(0.1, 5)]) for _ in range(2))]
        for name in edges
    }
    graph = make_graph(edges, outputs=[f"n{size - 1}", "n0"][: min(size, 2)])
    comm = {tensor: draw.uniform(0, 2) for tensor in graph.tensors}
    problem = make_problem(graph, make_soc(npus=2), times, comm=comm, call=draw.random())
    plan = Mosaic().plan(problem)
    best = min(line(problem, pus) for pus in product(range(3), repeat=size))
    assert plan.predicted_s == pytest.approx(best)
    at = placement(plan)
    chosen = [problem.soc.by_name[at[f"n{i}"]].index for i in range(size)]
    assert line(problem, chosen) == pytest.approx(best)


def test_of_equal_lines_the_unit_that_stands_first_wins() -> None:
    graph = make_graph({"a": [], "b": ["a"]})
    plan = Mosaic().plan(make_problem(graph, make_soc(npus=2), {"a": [2, 1, 1], "b": [2, 1, 1]}))
    assert placement(plan) == {"a": "npu0", "b": "npu0"}


def merge(saves: float, *members: int) -> tuple[tuple[int, ...], Merge]:
    """Of units that take 5 s each on their better PU."""
    rewrite = Rewrite("merge", tuple(f"c{u}" for u in members))
    return members, Merge(members, rewrite, (), (5.0 * len(members) - saves, 99.0))


def test_replacements_that_save_most_come_first_and_those_that_save_nothing_not_at_all() -> None:
    units: Any = SimpleNamespace(time=[(5.0, 7.0), (8.0, 5.0)] * 3)

    def chosen(*merges: tuple[tuple[int, ...], Merge]) -> list[tuple[int, ...]]:
        return [m.units for m in paying(units, dict(merges))]

    assert chosen(merge(1, 0, 1), merge(2, 1, 2), merge(0.5, 0, 3)) == [(0, 3), (1, 2)]
    assert chosen(merge(0, 0, 1), merge(-1, 2, 3)) == []
    assert chosen(merge(1, 0, 1), merge(1, 1, 2)) == [(0, 1)]  # the first of equals
    assert chosen(merge(1, 4, 5), merge(2, 2, 3), merge(3, 0, 1)) == [(0, 1), (2, 3), (4, 5)]


def pairs(count: int) -> Mapping[str, list[str]]:
    """``count`` forks of two, one behind the other."""
    edges: dict[str, list[str]] = {"s0": []}
    for i in range(count):
        edges |= {f"a{i}": [f"s{i}"], f"b{i}": [f"s{i}"], f"s{i + 1}": [f"a{i}", f"b{i}"]}
    return edges


def test_blocks_are_searched_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block is a fork with its join; the first cut stands alone."""
    edges = pairs(3)
    problem = make_problem(make_graph(edges), make_soc(), {n: [2, 2] for n in edges})
    details = IOPS().plan(problem).details
    assert details == {
        "blocks": 4, "blocks_searched_to_the_end": 4,
        "replacements": 0, "replacements_considered": 0,
    }  # fmt: skip
    monkeypatch.setattr(iops, "LONGEST_BLOCK", 2)
    assert IOPS().plan(problem).details["blocks"] == 1 + 3 * 2


def test_larger_networks_get_fewer_nodes_in_proportion(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(5)
    edges: dict[str, list[str]] = {f"n{i}": [] for i in range(8)}
    times: dict[str, list[float | None]] = {
        name: [draw.uniform(1, 9), draw.uniform(1, 9)] for name in edges
    }
    problem = make_problem(make_graph(edges), make_soc(), times)

    def ended(nodes: int) -> tuple[float, object]:
        plan = IOPS(max_nodes=nodes).plan(problem)
        assert plan.predicted_s is not None
        return plan.predicted_s, plan.details["blocks_searched_to_the_end"]

    few, many = ended(10), ended(80)
    assert many[0] < few[0]
    assert few[1] == 0
    monkeypatch.setattr(iops, "LARGE", 8)
    assert ended(80) == many
    monkeypatch.setattr(iops, "LARGE", 1)
    assert ended(80) == few


def test_a_search_that_needs_all_of_its_nodes_has_come_to_its_end() -> None:
    """HEFT sees the NPU end after 1 s; with the way back it takes 6. One placement says 2."""
    graph = make_graph({"a": []})
    problem = make_problem(graph, make_soc(), {"a": [2, 1]}, comm={"a.out": 5})
    plan = IOPS(max_nodes=1).plan(problem)
    assert (placement(plan), plan.predicted_s) == ({"a": "cpu"}, 2)
    assert plan.details["blocks_searched_to_the_end"] == 1


def test_a_block_knows_the_least_that_must_follow_each_unit() -> None:
    """a, then b and c, then d; each as quick as it is anywhere. d's own follower is outside."""
    edges = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["d"]}
    times = {"a": [9, 1], "b": [2, 3], "c": [7, 5], "d": [4, 6], "e": [8, 8]}
    units = Units(make_problem(make_graph(edges), make_soc(), times))
    search = iops._BlockSearch(Schedule(units), [0, 1, 2, 3], upward_ranks(units), 10)
    assert search.tail == {3: 0, 2: 4, 1: 4, 0: 5 + 4}
