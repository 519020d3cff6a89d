"""Memory and summaries of networks, against a count that looks at every moment anew."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hetsim
from hetsim.workload.footprint import live_bytes, weight_bytes
from hetsim.workload.graph import DTYPE_BYTES, Graph, Operator, Tensor
from hetsim.workload.summary import summarise
from hetsim.workload.synthetic import random_graph


def alive_at(graph: Graph, step: int) -> int:
    """Bytes of every tensor that exists while operator ``step`` runs, asked tensor by tensor."""
    total = 0
    for name, tensor in graph.tensors.items():
        born = graph.producer.get(name, -1)
        readers = [i for i, op in enumerate(graph.operators) if name in op.inputs]
        dies = max([born, *readers])
        outside = name in graph.inputs or name in graph.outputs
        if outside or born <= step <= dies:
            total += tensor.nbytes
    return total


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 30))
def test_live_tensors_are_those_that_exist(seed, size):
    graph = random_graph(seed, size)
    assert live_bytes(graph) == [alive_at(graph, step) for step in range(len(graph))]


def test_a_chain_by_hand():
    tensors = [Tensor("x", (10,)), Tensor("a", (100,)), Tensor("b", (7,)), Tensor("y", (1,))]
    operators = [
        Operator("p", "Relu", ("x",), ("a",)),
        Operator("q", "Relu", ("a",), ("b",)),
        Operator("r", "Relu", ("b",), ("y",)),
    ]
    graph = Graph.create("net", operators, tensors, ["x"], ["y"])
    # x and y belong to the application and are there all the time.
    assert live_bytes(graph) == [44 + 400, 44 + 400 + 28, 44 + 28]
    found = summarise(graph, largest=2)
    assert (found.peak_bytes, found.peak_at) == (472, "q")
    assert [(tensor.name, maker) for tensor, maker in found.largest] == [("a", "p"), ("x", None)]


def test_a_result_that_nobody_reads_takes_its_place_for_a_moment():
    tensors = [Tensor("x", (1,)), Tensor("a", (50,)), Tensor("b", (2,))]
    operators = [Operator("p", "Split", ("x",), ("a", "b")), Operator("q", "Relu", ("b",), ("c",))]
    graph = Graph.create("net", operators, [*tensors, Tensor("c", (1,))], ["x"], ["c"])
    assert live_bytes(graph) == [4 + 4 + 200 + 8, 4 + 4 + 8]


def test_weights_are_rounded_up_for_each_operator():
    reads = (("int4", 3), ("float32", 2))
    operators = [Operator(n, "MatMul", (a,), (n,), weights=reads) for a, n in ("xa", "ab")]
    graph = Graph.create("net", operators, [Tensor(t, (1,)) for t in "xab"], ["x"], ["b"])
    assert weight_bytes(graph) == {"int4": 4, "float32": 16}
    [row] = summarise(graph).kinds
    assert row.weight_bytes == 20


@pytest.mark.slow
@pytest.mark.parametrize("name", ["squeezenet", "mobilenet_v2"])
def test_rows_add_up_to_the_network(name):
    graph = hetsim.load_model(name)
    found = summarise(graph)
    assert sum(row.count for row in found.kinds) == len(graph)
    assert sum(row.macs for row in found.kinds) == graph.macs
    assert found.element_ops == sum(op.element_ops for op in graph.operators)
    stored = sum(
        math.ceil(n * DTYPE_BYTES[dtype]) for op in graph.operators for dtype, n in op.weights
    )
    assert sum(row.weight_bytes for row in found.kinds) == stored == sum(found.weights.values())
    assert found.peak_bytes == max(alive_at(graph, step) for step in range(len(graph)))
