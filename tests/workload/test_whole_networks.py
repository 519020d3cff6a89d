"""Whole networks: read the same everywhere, in linear time, and as shape inference of the whole."""

from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, numpy_helper

from hetsim.workload.onnx import infer as onnx_infer
from hetsim.workload.onnx.loader import load_onnx
from tests.workload.samples import FLOAT, IMAGE, ints, model, node, weight


@pytest.mark.slow
def test_graph_is_the_same_in_every_process() -> None:
    program = (
        "from hetsim.workload.zoo import load_model\n"
        "import hashlib\n"
        "g = [load_model(n) for n in ('googlenet', 'shufflenet', 'randwire')]\n"
        "text = repr([(x.operators, dict(x.tensors)) for x in g])\n"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    results = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "77")
    }  # fmt: skip
    assert len(results) == 1


def long_model(length: int) -> ModelProto:
    """Convolution, normalisation, rectifier, and a reshape through shape arithmetic, repeated."""
    nodes, current = [], "x"
    for i in range(length):
        nodes += [
            node("Conv", [current, "w"], f"a{i}", pads=[1, 1, 1, 1]),
            node("BatchNormalization", [f"a{i}", "s", "b", "m", "v"], f"c{i}"),
            node("Shape", [f"c{i}"], f"s{i}"),
            node("Reshape", [f"c{i}", f"s{i}"], f"r{i}"),
            node("Relu", [f"r{i}"], f"y{i}"),
        ]
        current = f"y{i}"
    constants = {"w": weight(8, 8, 3, 3), **{n: weight(8) for n in "sbmv"}}
    return model(nodes, IMAGE, [current], constants)


def count_calls(length: int) -> int:
    """Function calls (Python and C) that one load makes: work, not time."""
    proto = long_model(length)
    calls = 0

    def profile(_frame: object, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        load_onnx(proto)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.slow
def test_loading_is_linear_in_the_number_of_operators() -> None:
    load_onnx(long_model(2))
    small, large = count_calls(50), count_calls(200)
    assert large < 4.4 * small


@pytest.mark.slow
def test_a_chain_longer_than_python_recurses_loads() -> None:
    length = sys.getrecursionlimit() // 2 + 50
    graph = load_onnx(long_model(length))
    assert len(graph) == 2 * length
    assert graph.macs == length * 36 * 8 * 8 * 9


def test_shapes_are_inferred_once_a_node(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = onnx.shape_inference.infer_node_outputs

    def counting(*args: object, **options: object) -> object:
        calls.append(1)
        return original(*args, **options)

    monkeypatch.setattr(onnx_infer.shape_inference, "infer_node_outputs", counting)
    load_onnx(long_model(20))
    assert len(calls) == 5 * 20


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 25))
def test_random_networks_agree_with_whole_model_inference(seed: int, size: int) -> None:
    proto = random_model(random.Random(seed), size)
    graph = load_onnx(proto, fold_batch_norm=False)
    inferred = onnx.shape_inference.infer_shapes(proto, strict_mode=True, data_prop=True)
    shapes = {
        v.name: tuple(d.dim_value for d in v.type.tensor_type.shape.dim)
        for v in [*inferred.graph.value_info, *inferred.graph.output]
    }
    initial = {t.name: t for t in proto.graph.initializer}
    macs = 0
    for n in proto.graph.node:
        if n.op_type == "Conv":
            macs += int(np.prod(shapes[n.output[0]][2:])) * int(np.prod(initial[n.input[1]].dims))
    assert graph.macs == macs
    assert graph.parameters == sum(numpy_helper.to_array(t).size for t in initial.values()
                                   if t.data_type == FLOAT)  # fmt: skip
    for operator in graph.operators:
        for tensor in operator.outputs:
            assert graph.tensors[tensor].shape == shapes[tensor]
    views = ("Reshape", "Identity", "Dropout")
    assert len(graph) == sum(n.op_type not in views for n in proto.graph.node)
    assert repr(load_onnx(proto, fold_batch_norm=False)) == repr(graph)


def random_model(generator: random.Random, size: int) -> ModelProto:
    """A random network in which every result is an output, so that nothing is dead."""
    channels, nodes, constants = {"x": 8}, [], {}
    for i in range(size):
        source = generator.choice(list(channels))
        c, name = channels[source], f"t{i}"
        kind = generator.choice(["Conv", "Relu", "Add", "Concat", "Reshape", "Identity", "Dropout"])
        if kind == "Conv":
            out = generator.choice([4, 8, 12])
            constants[f"w{i}"] = weight(out, c, 3, 3)
            nodes.append(node("Conv", [source, f"w{i}"], name, pads=[1, 1, 1, 1]))
            channels[name] = out
        elif kind == "Concat":
            other = generator.choice(list(channels))
            nodes.append(node("Concat", [source, other], name, axis=1))
            channels[name] = c + channels[other]
        elif kind == "Add":
            other = generator.choice([t for t in channels if channels[t] == c])
            nodes.append(node("Add", [source, other], name))
            channels[name] = c
        elif kind == "Reshape":
            constants[f"s{i}"] = ints(1, c, 6, -1)
            nodes.append(node("Reshape", [source, f"s{i}"], name))
            channels[name] = c
        else:
            nodes.append(node(kind, [source], name))
            channels[name] = c
    constants["last"] = weight(4, 8, 3, 3)
    nodes.append(node("Conv", ["x", "last"], "end"))
    generator.shuffle(nodes)
    return model(sort_for_onnx(nodes), IMAGE, [n.output[0] for n in nodes], constants)


def sort_for_onnx(nodes: list[object]) -> list[object]:
    """ONNX's own inference wants topological order; any will do."""
    done, left, result = {"x"}, list(nodes), []
    while left:
        ready = next(
            n for n in left
            if all(i in done or i[0] in "ws" or i == "last" for i in n.input)  # type: ignore[attr-defined]
        )  # fmt: skip
        left.remove(ready)
        result.append(ready)
        done.update(ready.output)  # type: ignore[attr-defined]
    return result
