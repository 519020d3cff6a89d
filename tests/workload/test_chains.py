"""Chains recognised by what they compute, and those that compute something else."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from hetsim.workload.costing.elementwise import GELU, TANH_GELU
from hetsim.workload.graph import Graph
from hetsim.workload.onnx.loader import load_onnx
from tests.workload.samples import model, node, weight

SHAPE = [2, 10, 8]


def f(value: float) -> np.ndarray:
    return np.array(value, dtype=np.float32)


CONSTANTS: dict[str, np.ndarray] = {
    "sqrt2": f(math.sqrt(2)), "half_root": f(1 / math.sqrt(2)), "one": f(1), "half": f(0.5),
    "two": f(2), "three": f(3), "c": f(0.044715), "k": f(math.sqrt(2 / math.pi)), "eps": f(1e-5),
    "g": weight(8), "b": weight(8), "w": weight(8, 8),
}  # fmt: skip


def load(nodes: list[Any], outputs: list[str] | None = None, opset: int = 17) -> Graph:
    used = {t for n in nodes for t in n.input}
    constants = {name: value for name, value in CONSTANTS.items() if name in used}
    first = node("MatMul", ["in", "w"], "x")
    last = node("Neg", ["y"], "z")
    constants["w"] = CONSTANTS["w"]
    return load_onnx(
        model([first, *nodes, last], {"in": SHAPE}, outputs or ["z"], constants, opset=opset)
    )


def erf(order: int) -> list[Any]:
    """The ways in which exporters have written GELU through erf."""
    scaled = [
        node("Div", ["x", "sqrt2"], "a"), node("Mul", ["half_root", "x"], "a"),
    ][order % 2]  # fmt: skip
    start = [scaled, node("Erf", ["a"], "e"), node("Add", ["e", "one"], "p")]
    return (
        start
        + [
            [node("Mul", ["x", "p"], "q"), node("Mul", ["q", "half"], "y")],
            [node("Mul", ["x", "half"], "h"), node("Mul", ["h", "p"], "y")],
            [node("Mul", ["half", "p"], "h"), node("Mul", ["x", "h"], "y")],
            [node("Mul", ["p", "x"], "q"), node("Div", ["q", "two"], "y")],
        ][order]
    )


TANH = [
    node("Pow", ["x", "three"], "cube"), node("Mul", ["cube", "c"], "bent"),
    node("Add", ["x", "bent"], "sum"), node("Mul", ["sum", "k"], "inner"),
    node("Tanh", ["inner"], "t"), node("Add", ["t", "one"], "p"),
    node("Mul", ["x", "half"], "h"), node("Mul", ["h", "p"], "y"),
]  # fmt: skip


@pytest.mark.parametrize("order", range(4))
def test_gelu_through_erf_however_it_is_written(order: int) -> None:
    graph = load(erf(order))
    assert [op.kind for op in graph.operators] == ["MatMul", "Gelu", "Neg"]
    assert graph.operators[1].element_ops == GELU * 160
    assert graph.operators[1].name == "y_op"
    assert graph.notes == ("chains run as one operator, as runtimes fuse them: Gelu (1)",)
    assert graph.absorbed["e_op"] == "y_op"


def test_gelu_through_tanh() -> None:
    graph = load(TANH)
    assert [op.kind for op in graph.operators] == ["MatMul", "Gelu", "Neg"]
    assert graph.operators[1].element_ops == TANH_GELU * 160
    assert graph.operators[1].attributes == {"approximate": "tanh"}


def norm(reduce: Any, square: Any, root: list[Any], affine: list[Any]) -> list[Any]:
    return [reduce, node("Sub", ["x", "mean"], "d"), square, *root, *affine]


MEAN = node("ReduceMean", ["x"], "mean", axes=[-1])
VARIANCE = node("ReduceMean", ["sq"], "var", axes=[2])
ROOT = [VARIANCE, node("Add", ["var", "eps"], "v"), node("Sqrt", ["v"], "r")]


@pytest.mark.parametrize("square", [["d", "two"], ["d", "d"]])
@pytest.mark.parametrize("inverse", [True, False])
def test_layer_normalisation(square: list[str], inverse: bool) -> None:
    squared = node("Pow" if square[1] == "two" else "Mul", square, "sq")
    if inverse:
        divided = [node("Reciprocal", ["r"], "i"), node("Mul", ["d", "i"], "n")]
    else:
        divided = [node("Div", ["d", "r"], "n")]
    affine = [*divided, node("Mul", ["n", "g"], "s"), node("Add", ["b", "s"], "y")]
    graph = load(norm(MEAN, squared, ROOT, affine))
    assert [op.kind for op in graph.operators] == ["MatMul", "LayerNormalization", "Neg"]
    assert graph.operators[1].weights == (("float32", 16),)
    assert graph.operators[1].element_ops == 7 * 160


def test_rms_normalisation() -> None:
    nodes = [
        node("Pow", ["x", "two"], "sq"), *ROOT, node("Div", ["one", "r"], "i"),
        node("Mul", ["x", "i"], "n"), node("Mul", ["g", "n"], "y"),
    ]  # fmt: skip
    graph = load(nodes)
    assert [op.kind for op in graph.operators] == ["MatMul", "RMSNormalization", "Neg"]
    assert graph.operators[1].weights == (("float32", 8),)


def without(nodes: list[Any], name: str, other: Any) -> list[Any]:
    return [other if n.output[0] == name else n for n in nodes]


@pytest.mark.parametrize(
    "nodes",
    [
        without(erf(0), "p", node("Sub", ["e", "one"], "p")),  # another function
        without(erf(0), "a", node("Div", ["x", "two"], "a")),  # another scale
        without(TANH, "inner", node("Mul", ["sum", "half"], "inner")),
        without(norm(MEAN, node("Mul", ["d", "d"], "sq"), ROOT, [node("Div", ["d", "r"], "y")]),
                "var", node("ReduceMean", ["sq"], "var", axes=[1])),  # other elements
    ],
)  # fmt: skip
def test_what_computes_something_else_stays_as_it_is(nodes: list[Any]) -> None:
    graph = load(nodes)
    assert len(graph) == len(nodes) + 2
    assert graph.notes == ()


def test_a_chain_whose_inner_result_somebody_reads_stays() -> None:
    outside = load([*erf(0), node("Abs", ["e"], "other")], ["z", "other"])
    assert "Gelu" not in [op.kind for op in outside.operators]
    beside = load([*erf(1), node("Abs", ["h"], "other")], ["z", "other"])
    assert "Gelu" not in [op.kind for op in beside.operators]
    kept = load(erf(0), ["z", "p"])
    assert "Gelu" not in [op.kind for op in kept.operators]


def test_two_chains_in_a_row() -> None:
    again = [
        node("Div", ["y0", "sqrt2"], "a2"), node("Erf", ["a2"], "e2"),
        node("Add", ["e2", "one"], "p2"),
        node("Mul", ["y0", "p2"], "q2"), node("Mul", ["q2", "half"], "y"),
    ]  # fmt: skip
    first = without(erf(0), "y", node("Mul", ["q", "half"], "y0"))
    graph = load(first + again)
    assert [op.kind for op in graph.operators] == ["MatMul", "Gelu", "Gelu", "Neg"]
    assert graph.operators[2].inputs == ("y0",)
