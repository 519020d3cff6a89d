"""Weights for networks that come without: random ones, to run a network for its time."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto


def with_random_weights(model: ModelProto, seed: int = 0) -> ModelProto:
    """A copy of ``model`` with every ConstantOfShape weight of rank two or more drawn at random.

    Values are normal with deviation 1/sqrt(fan-in), so that activations stay in range. Vectors and
    scalars (biases, normalisation, bounds) become tensors of the value the file fills them with,
    except that a variance of zero becomes one. Deterministic for a seed.
    """
    import numpy as np
    from onnx import ModelProto, numpy_helper

    generator = np.random.default_rng(seed)
    result = ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    shapes = {t.name: t for t in graph.initializer}
    variances = {node.input[4] for node in graph.node if node.op_type == "BatchNormalization"}
    kept: list[NodeProto] = []
    made: list[TensorProto] = []
    for node in graph.node:
        if node.op_type != "ConstantOfShape" or node.input[0] not in shapes:
            kept.append(node)
            continue
        dims = [int(d) for d in numpy_helper.to_array(shapes[node.input[0]])]
        name = node.output[0]
        if len(dims) >= 2:
            deviation = 1 / np.sqrt(max(1, prod(dims[1:])))
            array = (generator.standard_normal(dims) * deviation).astype(np.float32)
        else:
            array = np.full(dims, _fill(node), dtype=np.float32)
            if name in variances and not array.any():
                array += 1
        made.append(numpy_helper.from_array(array, name))
    del graph.node[:]
    graph.node.extend(kept)
    still = {name for node in kept for name in node.input}
    rest = [t for t in graph.initializer if t.name in still]
    del graph.initializer[:]
    graph.initializer.extend([*rest, *made])
    known = {t.name for t in rest}
    inputs = [i for i in graph.input if i.name not in shapes or i.name in known]
    del graph.input[:]
    graph.input.extend(inputs)
    # Initialisers that are not inputs as well need this version of the format.
    result.ir_version = max(result.ir_version, 4)
    return result


def _fill(node: NodeProto) -> float:
    from onnx import numpy_helper

    for attribute in node.attribute:
        if attribute.name == "value":
            return float(numpy_helper.to_array(attribute.t).reshape(-1)[0])
    return 0.0
