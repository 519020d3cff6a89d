"""Made-up networks are well-formed, deterministic and as large as asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hetsim.workload.synthetic import chain_graph, random_graph


@pytest.mark.slow
@given(st.integers(0, 10**9), st.integers(1, 120))
def test_random_graphs_are_consistent(seed: int, size: int) -> None:
    graph = random_graph(seed, size)
    assert len(graph) == size
    assert random_graph(seed, size) == graph
    read = {t for operator in graph.operators for t in operator.inputs}
    for operator in graph.operators:
        shapes = [graph.tensors[t].shape for t in operator.inputs]
        result = graph.tensors[operator.outputs[0]]
        assert result.name in read or result.name in graph.outputs
        if operator.kind == "Conv":
            assert operator.nest is not None
            assert operator.macs == operator.nest.macs
            assert operator.nest.in_c == shapes[0][1]
            kernel = operator.nest.k_h
            assert operator.weight_elements == result.shape[1] * (shapes[0][1] * kernel**2 + 1)
        elif operator.kind == "Concat":
            assert result.shape[1] == sum(shape[1] for shape in shapes)
        else:
            assert all(shape == result.shape for shape in shapes)


@pytest.mark.slow
def test_shape_of_large_random_graphs() -> None:
    graph = random_graph(7, 10_000)
    assert len(graph) == 10_000
    assert len(graph.outputs) <= 8
    assert max(len(r) for r in graph.consumers.values()) < 100
    assert random_graph(8, 50) != random_graph(7, 50)


@pytest.mark.slow
def test_chain() -> None:
    graph = chain_graph(10_000)
    assert len(graph) == 10_000
    assert all(len(p) == 1 for p in graph.predecessors[1:])
    assert [operator.kind for operator in graph.operators[:3]] == ["Conv", "Relu", "Conv"]
    assert graph.operators[0].macs == 14 * 14 * 16 * 16 * 9


@pytest.mark.parametrize("make", [chain_graph, lambda n: random_graph(0, n)])
def test_empty_graphs_are_refused(make: object) -> None:
    with pytest.raises(ValueError, match="at least one"):
        make(0)  # type: ignore[operator]


def test_options_reach_the_tensors() -> None:
    graph = random_graph(1, 5, spatial=7, batch=2, dtype="int8")
    assert all(t.shape[0] == 2 and t.shape[2:] == (7, 7) for t in graph.tensors.values())
    assert {t.dtype for t in graph.tensors.values()} == {"int8"}
