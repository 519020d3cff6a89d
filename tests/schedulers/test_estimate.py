"""What plans take by the profile alone: every second of it by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from hetsim.plan.build import Block
from hetsim.schedulers.base import Problem
from hetsim.schedulers.estimate import (
    barrier_time,
    block_times,
    dataflow_spans,
    dataflow_time,
    predict,
    sequential_time,
)
from hetsim.workload.graph import Graph
from tests.schedulers.fakes import FakeProfile, make_graph, make_problem, make_soc

FORK = {"s": [], "a": ["s"], "b": ["s"], "j": ["a", "b"]}
COMM = {"in": 16.0, "s.out": 0.25, "a.out": 0.125, "j.out": 0.0625}
LEAVING = {"in": 2048.0, "s.out": 64.0, "a.out": 128.0, "b.out": 256.0, "j.out": 1024.0}


class Handing(FakeProfile):
    """A maker pays for each tensor it hands over, a reader a 32nd besides the crossing."""

    def handover(self, tensor: str, source: int, target: int) -> tuple[float, float]:
        return LEAVING[tensor], self.crossing(tensor, source, target) + 1 / 32


def problem_of(graph: Graph, execution: str = "dataflow") -> Problem:
    soc = make_soc(runtime={"thread_create": "1 s", "thread_join": "0.25 s"})
    times = {"s": [1, 10], "a": [2, 20], "b": [3, 30], "j": [4, 40]}
    return Problem(graph, soc, Handing(graph, soc, times, comm=COMM, call=0.5), execution, 0)


def test_a_block_pays_for_its_call_what_it_brings_in_and_what_it_leaves() -> None:
    problem = problem_of(make_graph(FORK, outputs=["j", "a"]))
    blocks = [Block((0, 1), 0), Block((2,), 1), Block((3,), 1)]
    each = 1 / 32
    assert block_times(problem, blocks) == [
        # The input is there; a reads s within. s is left for b; a, an output, is the host's anyway.
        0.5 + 1 + 2 + each + 64,
        0.5 + 30 + (0.25 + each) + 256,
        # Two inputs, one of the same unit; the result goes back.
        0.5 + 40 + (0.125 + each) + each + 0.0625,
    ]
    assert sequential_time(problem, blocks) == sum(block_times(problem, blocks))


def test_a_tensor_is_left_once_and_brought_to_every_block_that_reads_it() -> None:
    problem = problem_of(make_graph(FORK))
    blocks = [Block((0,), 1), Block((1,), 0), Block((2,), 0), Block((3,), 0)]
    each = 1 / 32
    assert block_times(problem, blocks) == [
        0.5 + 10 + (16 + each) + 64,
        0.5 + 2 + (0.25 + each) + 128,
        0.5 + 3 + (0.25 + each) + 256,
        0.5 + 4 + 2 * each,
    ]


def test_an_output_that_is_made_elsewhere_goes_back_even_if_it_is_read_within() -> None:
    problem = problem_of(make_graph(FORK, outputs=["j", "a"]))
    assert block_times(problem, [Block((0, 1, 2, 3), 1)]) == [
        0.5 + 100 + (16 + 1 / 32) + (0.125 + 0.0625)
    ]


SPREAD = {"s": [], "a": ["s"], "b": ["s"], "c": ["s"], "d": [], "j": ["a", "b", "c"]}
SPREAD_TIMES: Mapping[str, Sequence[float | None]] = {
    "s": [1, 9], "a": [9, 4], "b": [9, 2], "c": [3, 9], "d": [5, 9], "j": [1, 9],
}  # fmt: skip
SPREAD_BLOCKS = [
    Block((0,), 0), Block((1,), 1), Block((2,), 1), Block((3,), 0), Block((4,), 0), Block((5,), 0),
]  # fmt: skip


def test_a_block_starts_when_its_inputs_and_its_unit_are_there() -> None:
    problem = make_problem(make_graph(SPREAD), make_soc(), SPREAD_TIMES)
    assert dataflow_spans(problem, SPREAD_BLOCKS) == [
        (0, 1),
        (1, 5),  # behind s
        (5, 7),  # behind a, on one unit
        (1, 4),
        (4, 9),  # waits for nobody but its unit
        (9, 10),
    ]
    assert dataflow_time(problem, SPREAD_BLOCKS) == 10
    # What ends last need not stand last.
    assert dataflow_time(problem, SPREAD_BLOCKS[:3]) == 7
    assert dataflow_time(problem, SPREAD_BLOCKS[:4]) == 7
    assert dataflow_time(problem, []) == 0


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ((), 1 + 4 + 2 + 3 + 5 + 1),
        (((2, 3),), 1 + 4 + 3 + 5 + 1 + 2 * 1.25),
        (((1, 3), (2, 4)), 1 + 4 + 5 + 1 + 4 * 1.25),
    ],
)
def test_a_group_takes_as_long_as_its_longest_and_its_threads(
    groups: tuple[tuple[int, int], ...], expected: float
) -> None:
    runtime = {"thread_create": "1 s", "thread_join": "0.25 s"}
    problem = make_problem(
        make_graph(SPREAD), make_soc(runtime=runtime), SPREAD_TIMES, execution="barrier"
    )
    assert barrier_time(problem, SPREAD_BLOCKS, groups) == expected
    assert predict(problem, SPREAD_BLOCKS, groups) == expected


def test_groups_mean_nothing_to_a_runtime_that_does_not_fork() -> None:
    problem = make_problem(make_graph(SPREAD), make_soc(), SPREAD_TIMES)
    assert predict(problem, SPREAD_BLOCKS, ((2, 3),)) == 10
    assert predict(problem, SPREAD_BLOCKS) == 10
