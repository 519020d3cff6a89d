"""Short ways to write ONNX models for the workload tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

FLOAT, INT64, INT8, UINT8 = (
    TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT8, TensorProto.UINT8,
)  # fmt: skip


def node(kind: str, inputs: Sequence[str], outputs: str | Sequence[str], **attributes: Any) -> Any:
    outputs = [outputs] if isinstance(outputs, str) else list(outputs)
    attributes.setdefault("name", outputs[0] + "_op")
    return helper.make_node(kind, list(inputs), outputs, **attributes)


def weight(*shape: int, kind: type = np.float32) -> np.ndarray:
    return np.ones(shape, dtype=kind)


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def model(
    nodes: Sequence[Any],
    inputs: Mapping[str, Sequence[Any] | tuple[int, Sequence[Any]]],
    outputs: Sequence[str],
    constants: Mapping[str, np.ndarray] | None = None,
    *,
    opset: int = 17,
    domains: Mapping[str, int] | None = None,
    value_info: Mapping[str, Sequence[int]] | None = None,
) -> ModelProto:
    """A model; an input is a shape (float32) or a pair of element type and shape."""

    def info(name: str, spec: Any) -> Any:
        kind, shape = spec if len(spec) == 2 and isinstance(spec[1], list) else (FLOAT, spec)
        return helper.make_tensor_value_info(name, kind, shape)

    graph = helper.make_graph(
        list(nodes),
        "test",
        [info(name, spec) for name, spec in inputs.items()],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
        value_info=[
            helper.make_tensor_value_info(name, FLOAT, shape)
            for name, shape in (value_info or {}).items()
        ],
    )
    opsets = [helper.make_opsetid("", opset)]
    opsets += [helper.make_opsetid(domain, v) for domain, v in (domains or {}).items()]
    result = helper.make_model(graph, opset_imports=opsets)
    result.ir_version = 8
    return result


IMAGE = {"x": [1, 8, 6, 6]}
BN = {name: weight(4) for name in "sbmv"}
CONV = {"w": weight(4, 8, 3, 3)}


def kinds(graph: object) -> list[str]:
    return [operator.kind for operator in graph.operators]  # type: ignore[attr-defined]


def conv_bn(extra: list[object] | None = None, outputs: list[str] | None = None) -> ModelProto:
    nodes = [
        node("Conv", ["x", "w"], "a"),
        node("BatchNormalization", ["a", "s", "b", "m", "v"], "c"),
        node("Relu", ["c"], "y"),
        *(extra or []),
    ]
    return model(nodes, IMAGE, outputs or ["y"], CONV | BN)
