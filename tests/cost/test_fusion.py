"""Which operators run as one kernel, and when it is its turn."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hetsim.cost.fusion import fuse, is_fusable, match, sole_reader
from hetsim.workload.graph import Graph, Operator, Tensor
from hetsim.workload.synthetic import random_graph

PATTERNS = (("Conv", "Add", "Relu"), ("Conv", "Add"), ("Conv", "Relu"))


def network(*operators: tuple[str, str, str], outputs: Sequence[str] = ()) -> Graph:
    """Of (results, kind, tensors read), names apart by blanks; the last result is an output."""
    made = [
        Operator(results.split()[0], kind, tuple(reads.split()), tuple(results.split()))
        for results, kind, reads in operators
    ]
    tensors = dict.fromkeys(t for op in made for t in (*op.inputs, *op.outputs))
    written = {t for op in made for t in op.outputs}
    ends = dict.fromkeys([*outputs, *made[-1].outputs])
    inputs = [t for t in tensors if t not in written]
    return Graph.create("n", made, [Tensor(t, (1, 4)) for t in tensors], inputs, ends)


BLOCK = network(("c", "Conv", "x"), ("s", "Sin", "y"), ("a", "Add", "c s"), ("r", "Relu", "a"))


def test_a_kernel_runs_when_its_last_operator_would() -> None:
    """What joins the chain halfway must be there: the sine comes before all of the chain."""
    assert fuse(BLOCK, range(4), PATTERNS) == [(1,), (0, 2, 3)]
    assert fuse(BLOCK, range(4), PATTERNS[1:]) == [(1,), (0, 2), (3,)]
    assert fuse(BLOCK, range(4), ()) == [(0,), (1,), (2,), (3,)]


def test_the_longest_chain_inside_the_partition_is_taken() -> None:
    assert match(BLOCK, 0, PATTERNS) == (0, 2, 3)
    assert fuse(BLOCK, (0, 1, 2), PATTERNS) == [(1,), (0, 2)]
    assert fuse(BLOCK, (0, 1), PATTERNS) == [(0,), (1,)]
    assert fuse(BLOCK, (2, 3), PATTERNS) == [(2,), (3,)]


def test_nobody_runs_in_two_kernels() -> None:
    """Both convolutions could take the sum: who comes first does, and the other runs alone."""
    graph = network(("c", "Conv", "x"), ("d", "Conv", "y"), ("a", "Add", "c d"), ("r", "Relu", "a"))
    assert fuse(graph, range(4), PATTERNS) == [(1,), (0, 2, 3)]
    assert fuse(graph, (1, 0, 2, 3), PATTERNS) == [(0,), (1, 2, 3)]


@pytest.mark.parametrize(
    "graph",
    [
        network(("c", "Conv", "x"), ("r", "Relu", "c"), outputs=["c"]),
        network(("c", "Conv", "x"), ("r", "Relu", "c"), ("s", "Sin", "c"), outputs=["r"]),
        network(("c d", "Conv", "x"), ("r", "Relu", "c"), outputs=["d"]),
        network(("c", "Conv", "x"), ("r", "Relu", "y"), outputs=["c"]),
    ],
    ids=["an output", "two readers", "two results", "no reader"],
)
def test_a_result_that_is_needed_elsewhere_ends_its_kernel(graph: Graph) -> None:
    assert sole_reader(graph, 0) is None
    assert match(graph, 0, PATTERNS) == (0,)
    assert not is_fusable(graph, (0, 1), PATTERNS)


def test_only_a_chain_of_a_pattern_may_run_as_one() -> None:
    assert sole_reader(BLOCK, 0) == 2
    assert is_fusable(BLOCK, (0, 2, 3), PATTERNS)
    assert is_fusable(BLOCK, (0, 2), PATTERNS)
    assert not is_fusable(BLOCK, (0, 2, 3), PATTERNS[1:])
    assert not is_fusable(BLOCK, (0, 3), PATTERNS)  # the sum lies between them
    assert not is_fusable(BLOCK, (2, 3), PATTERNS)
    assert not is_fusable(BLOCK, (0,), (*PATTERNS, ("Conv",)))


@pytest.mark.parametrize("seed", range(6))
def test_kernels_are_chains_and_read_what_is_there(seed: int) -> None:
    graph = random_graph(seed, 60)
    kinds = {op.kind for op in graph.operators}
    patterns = [(a, b, c) for a in kinds for b in kinds for c in kinds]
    patterns += [(a, b) for a in kinds for b in kinds]
    kernels = fuse(graph, range(len(graph)), patterns)
    assert sorted(op for kernel in kernels for op in kernel) == list(range(len(graph)))
    assert max(map(len, kernels)) == 3
    ready = set(graph.inputs)
    for kernel in kernels:
        operators = [graph.operators[op] for op in kernel]
        inside = {t for op in operators for t in op.outputs}
        assert {t for op in operators for t in op.inputs} <= ready | inside
        assert len(kernel) == 1 or is_fusable(graph, kernel, patterns)
        ready |= inside
