"""DUET by hand: what a placement of sub-graphs takes, and that no move or swap makes it shorter."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hetsim.schedulers.base import Problem
from hetsim.schedulers.branches import extract_branches
from hetsim.schedulers.stages import duet
from hetsim.schedulers.stages.duet import Duet
from hetsim.workload.graph import Graph, Operator, Tensor
from tests.schedulers.fakes import make_graph, make_problem, make_soc, placement, random_problem

FORK = {"s": [], "a": ["s"], "b": ["s"], "c": ["s"], "j": ["a", "b", "c"]}


def test_a_fork_by_hand() -> None:
    times = {"s": [1, 9], "a": [6, 5], "b": [3, 3], "c": [2, 2], "j": [1, 9]}
    comm = {"in": 8.0, "s.out": 0.5, "a.out": 0.25, "j.out": 8.0}
    problem = make_problem(make_graph(FORK), make_soc(), times, comm=comm, call=0.5)
    for evaluations in (0, 1000):
        plan = Duet(max_evaluations=evaluations).plan(problem)
        assert placement(plan) == {"s": "cpu", "a": "npu", "b": "cpu", "c": "cpu", "j": "cpu"}
        # Every sub-graph is a call of 0.5. s ends at 1.5; a brings s in and ends at 7.5, as do
        # b and then c; j brings a in.
        assert plan.predicted_s == pytest.approx(7.5 + 0.5 + 0.25 + 1)
        assert plan.details == {"subgraphs": 5}


def test_the_longest_are_placed_first_where_they_end_first() -> None:
    """a has its faster unit; then b, by itself faster there, too, ends first on the other."""
    times = {"s": [1, 9], "a": [9, 5], "b": [4, 3], "c": [2, 2], "j": [1, 9]}
    problem = make_problem(make_graph(FORK), make_soc(), times)
    plan = Duet(max_evaluations=0).plan(problem)
    assert placement(plan) == {"s": "cpu", "a": "npu", "b": "cpu", "c": "cpu", "j": "cpu"}
    assert plan.predicted_s == pytest.approx(1 + 6 + 1)


def test_who_is_longest_is_told_by_the_faster_unit() -> None:
    """b, which takes 3 s at the least, is placed before a with its one second."""
    times = {"s": [1, 9], "a": [1, 10], "b": [3, 3.5], "j": [1, 9]}
    graph = make_graph({"s": [], "a": ["s"], "b": ["s"], "j": ["a", "b"]})
    problem = make_problem(graph, make_soc(), times)
    plan = Duet(max_evaluations=0).plan(problem)
    assert set(placement(plan).values()) == {"cpu"}
    plan = Duet().plan(problem)  # which moving b mends
    assert placement(plan) == {"s": "cpu", "a": "cpu", "b": "npu", "j": "cpu"}


def test_what_gains_nothing_is_not_moved_to_and_fro() -> None:
    """a takes longest; b, behind it in the list, is as well off on either NPU."""
    times = {"a": [5, 9, 9], "b": [3, 2, 2]}
    problem = make_problem(make_graph({"a": [], "b": []}), make_soc(npus=2), times)
    for evaluations in (0, 1, 2, 3, 4, 50):
        plan = Duet(max_evaluations=evaluations).plan(problem)
        assert placement(plan) == {"a": "cpu", "b": "npu0"}
        assert plan.predicted_s == 5


def test_an_evaluation_suffices_where_the_first_move_helps() -> None:
    """a and b side by side, then j on the NPU, which a takes 10 s to reach: a joins b there.

    Then b changes to the CPU.
    """
    times = {"a": [2, 2], "b": [2, 2], "j": [3, 1]}
    graph = make_graph({"a": [], "b": [], "j": ["a", "b"]})
    problem = make_problem(graph, make_soc(), times, comm={"a.out": 10.0})
    found = [Duet(max_evaluations=n).plan(problem).predicted_s for n in (0, 1, 2)]
    assert found == [2 + 10 + 1, 2 + 2 + 1, 2 + 1]


TORN = {"s": [], "a": ["s"], "m": ["a"], "z": ["m"], "b": ["s"], "j": ["z", "b"]}


def torn(edges: dict[str, list[str]]) -> Problem:
    """The NPU cannot run m, in the middle of a - m - z."""
    kinds = {"m": "Softmax"}
    times: dict[str, list[float | None]] = {
        "s": [2, 1], "a": [9, 1], "m": [1, None], "z": [9, 1], "b": [1.5, 2], "j": [1, 4],
    }  # fmt: skip
    comm = {"in": 0.125, "s.out": 0.0625, "a.out": 0.5, "m.out": 0.25, "z.out": 0.03125}
    graph = make_graph(edges, {k: v for k, v in kinds.items() if k in edges})
    mine = {name: row for name, row in times.items() if name in edges}
    return make_problem(graph, make_soc(), mine, comm=comm, call=0.5)


def test_what_a_unit_cannot_run_goes_elsewhere_and_is_brought_there_and_back() -> None:
    plan = Duet().plan(torn({"a": [], "m": ["a"], "z": ["m"]}))
    assert placement(plan) == {"a": "npu", "m": "cpu", "z": "npu"}
    # in, a; a's result, m; m's result, z; z's result back to the host. Three calls.
    assert plan.predicted_s == pytest.approx(
        0.5 + 0.125 + 1 + (0.5 + 0.5 + 1) + (0.5 + 0.25 + 1) + 0.03125
    )


def test_an_input_that_a_torn_sub_graph_reads_in_its_midst_comes_from_the_host() -> None:
    """m, on the CPU between a and z on the NPU, reads y, too: there it is at hand."""
    tensors = [Tensor(name, (1,)) for name in ("x", "y", "a", "m", "z")]
    operators = [
        Operator("a", "Conv", ("x",), ("a",)),
        Operator("m", "Softmax", ("a", "y"), ("m",)),
        Operator("z", "Conv", ("m",), ("z",)),
    ]
    graph = Graph.create("net", operators, tensors, ["x", "y"], ["z"])
    times: dict[str, list[float | None]] = {"a": [9, 0.125], "m": [0.125, None], "z": [9, 0.125]}
    problem = make_problem(graph, make_soc(), times, comm={"x": 0.0625, "y": 4.0})
    # Under a second in all.
    assert Duet().plan(problem).predicted_s == pytest.approx(3 * 0.125 + 0.0625)


def test_a_sub_graph_on_two_units_keeps_both_from_others() -> None:
    plan = Duet().plan(torn(TORN))
    assert placement(plan)["a"] == placement(plan)["z"] == "npu"
    assert placement(plan)["b"] == "cpu"
    # s on the NPU: in, 1. a - m - z there, 5.25 with calls and what is brought; b, which brings s,
    # waits for it all; j on the CPU brings z.
    s = 0.5 + 0.125 + 1
    middle = (0.5 + 1) + (0.5 + 0.5 + 1) + (0.5 + 0.25 + 1)
    b = 0.5 + 0.0625 + 1.5
    assert plan.predicted_s == pytest.approx(s + middle + b + 0.5 + 0.03125 + 1)


def length(problem: Problem, ops: list[tuple[int, ...]], where: tuple[int, ...]) -> float:
    """When all is done: sub-graphs in turn, each when its inputs and its unit are there."""
    graph, profile = problem.graph, problem.profile
    home = {op: s for s, several in enumerate(ops) for op in several}
    free = [0.0] * len(problem.soc.pus)
    ends: list[float] = []
    for s, (several, pu) in enumerate(zip(ops, where, strict=True)):
        seconds = profile.call() + profile.chain_time(several, pu)
        ready, brought = free[pu], set()
        for op in several:
            for tensor in graph.operators[op].inputs:
                maker = graph.producer.get(tensor)
                if maker is None:
                    seconds += profile.crossing(tensor, 0, pu)
                elif home[maker] != s:
                    ready = max(ready, ends[home[maker]])
                    brought.add((tensor, where[home[maker]]))
            for tensor in graph.operators[op].outputs:
                seconds += profile.crossing(tensor, pu, 0) if tensor in graph.outputs else 0.0
        seconds += sum(profile.crossing(tensor, source, pu) for tensor, source in brought)
        ends.append(ready + seconds)
        free[pu] = ends[-1]
    return max(ends)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 10), st.integers(1, 2))
def test_no_move_and_no_swap_of_parallel_ones_ends_earlier(seed: int, size: int, npus: int) -> None:
    draw = random.Random(seed)
    edges = {
        f"n{i}": [f"n{p}" for p in sorted(draw.sample(range(i), draw.randint(0, min(i, 2))))]
        for i in range(size)
    }
    graph = make_graph(edges)
    times = {name: [draw.uniform(0.5, 5) for _ in range(1 + npus)] for name in edges}
    comm = {name: draw.uniform(0, 2) for name in graph.tensors}
    problem = make_problem(graph, make_soc(npus), times, comm=comm, call=draw.random())
    plan = Duet(max_evaluations=10**6).plan(problem)
    branches = extract_branches(graph)
    ops = [branch.operators for branch in branches]
    at = {graph.index[name]: problem.soc.by_name[pu].index for name, pu in placement(plan).items()}
    where = tuple(at[several[0]] for several in ops)
    assert plan.predicted_s is not None
    assert plan.predicted_s == pytest.approx(length(problem, ops, where))
    others = [(*where[:s], pu, *where[s + 1 :]) for s in range(len(ops)) for pu in range(1 + npus)]
    for a, b in combinations(range(len(ops)), 2):
        if branches[a].group is not None and branches[a].group == branches[b].group:
            swapped = list(where)
            swapped[a], swapped[b] = where[b], where[a]
            others.append(tuple(swapped))
    assert min(length(problem, ops, other) for other in others) >= plan.predicted_s - 1e-9


def test_larger_networks_get_fewer_evaluations_in_proportion(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = random_problem(random.Random(3), 30, npus=3)
    count = len(extract_branches(problem.graph))

    def found(evaluations: int) -> float | None:
        return Duet(max_evaluations=evaluations).plan(problem).predicted_s

    few, many = found(10), found(10 * count)
    assert few is not None
    assert many is not None
    assert many < few
    monkeypatch.setattr(duet, "LARGE", count)
    assert found(10 * count) == many
    monkeypatch.setattr(duet, "LARGE", 1)
    assert found(10 * count) == few
