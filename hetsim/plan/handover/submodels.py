"""The partitions of an assignment as models of their own, with the weights in one file beside them.

A part holds the nodes that the assignment gives to it and a copy of the constant ones they read.
Weights are not copied: every model names their place in the one file, which must therefore stand in
the same directory. Small constants stay in the models, where shape inference needs their values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hetsim.errors import Location, PlanError
from hetsim.plan.handover.assignment import Assignment, members

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, TensorProto, ValueInfoProto

WHOLE = "model.onnx"
"""Name of the file that holds the whole network."""

WEIGHTS = "weights.bin"
"""Name of the file that holds the weights of all models of a directory."""

INSIDE = 1024
"""Constants of at most so many bytes stay in the models."""

ALIGNED = 64
"""Weights begin at multiples of so many bytes, as vector units like it."""


def part_file(position: int) -> str:
    """The file of the part at ``position``."""
    return f"part-{position:03d}.onnx"


def move_weights(model: ModelProto) -> bytes:
    """Takes the large initialisers out of ``model``; the content of the file that it then names."""
    from onnx import TensorProto, numpy_helper

    chunks: list[bytes] = []
    offset = 0
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.STRING:
            continue
        if not tensor.HasField("raw_data"):
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor), tensor.name))
        content = tensor.raw_data
        if len(content) <= INSIDE:
            continue
        gap = -offset % ALIGNED
        chunks += [bytes(gap), content]
        _point(tensor, offset + gap, len(content))
        offset += gap + len(content)
    return b"".join(chunks)


def _point(tensor: TensorProto, offset: int, length: int) -> None:
    from onnx import TensorProto as Proto

    tensor.ClearField("raw_data")
    tensor.data_location = Proto.EXTERNAL
    del tensor.external_data[:]
    for key, value in (("location", WEIGHTS), ("offset", offset), ("length", length)):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)


def cut(model: ModelProto, assignment: Assignment) -> list[ModelProto]:
    """A model for every part, in order; ``model`` was assigned and has its types written down.

    Raises:
        PlanError: the type of a tensor that passes between parts is not known.
    """
    infos = (*model.graph.value_info, *model.graph.input, *model.graph.output)
    types = {info.name: info for info in infos}
    by_name = {node.name: node for node in model.graph.node}
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    sparse = {tensor.values.name: tensor for tensor in model.graph.sparse_initializer}
    models = []
    inside = members(assignment.nodes, len(assignment.parts))
    for part, nodes in zip(assignment.parts, inside, strict=True):
        cut_out = _empty(model, f"{assignment.model}/{part.name}")
        body = cut_out.graph
        body.node.extend(by_name[node.name] for node in nodes)
        read = dict.fromkeys(t for node in body.node for t in node.input if t)
        body.initializer.extend(weights[t] for t in read if t in weights)
        body.sparse_initializer.extend(sparse[t] for t in read if t in sparse)
        _ends(body, part.inputs, part.outputs, types, part.name)
        models.append(cut_out)
    return models


def _ends(
    body: GraphProto,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    types: Mapping[str, ValueInfoProto],
    part: str,
) -> None:
    for names, place in ((inputs, body.input), (outputs, body.output)):
        for name in names:
            if name not in types:
                raise PlanError(
                    f"partition {part!r} cannot be cut out: nothing tells the type"
                    f" of tensor {name!r}, which passes between partitions",
                    where=Location(body.name),
                )
            place.append(types[name])


def _empty(model: ModelProto, name: str) -> ModelProto:
    from onnx import ModelProto as Proto

    result = Proto()
    result.ir_version = model.ir_version
    result.producer_name = model.producer_name
    result.opset_import.extend(model.opset_import)
    result.graph.name = name
    return result
