"""VPUNN files made for tests, field by field as the schema numbers them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import flatbuffers
import numpy as np

FULLY_CONNECTED, L2, NEIGHBOURS = 1, 2, 3
NONE, RELU, SIGMOID = 0, 1, 2


@dataclass(frozen=True)
class LayerToWrite:
    """A layer: its kind, constants in the order of the file, numbers it makes, what follows."""

    kind: int
    constants: Sequence[np.ndarray]
    width: int
    activation: int = NONE
    neighbours: int = 0


def write_vpunn(
    path: Path,
    layers: Sequence[LayerToWrite],
    inputs: int,
    name: str = "VPUNN-11-02",
    identifier: bytes = b"VPUN",
) -> Path:
    """Writes a network of ``layers`` that reads ``inputs`` numbers."""
    builder = flatbuffers.Builder(1024)
    buffers: list[np.ndarray | None] = [None]
    tensors: list[tuple[str, tuple[int, ...], int]] = [("input", (1, inputs), 0)]
    operators = []
    flowing = 0
    for i, layer in enumerate(layers):
        used = [flowing]
        for j, values in enumerate(layer.constants):
            buffers.append(np.asarray(values, dtype="<f4"))
            tensors.append((f"layer{i}/{j}", values.shape, len(buffers) - 1))
            used.append(len(tensors) - 1)
        tensors.append((f"layer{i}/out", (1, layer.width), 0))
        flowing = len(tensors) - 1
        operators.append((f"layer{i}", used, flowing, layer))

    made_buffers = [_buffer(builder, values) for values in buffers]
    made_tensors = [_tensor(builder, *tensor) for tensor in tensors]
    made_operators = [_operator(builder, *operator) for operator in operators]
    title = builder.CreateString(name)
    fields = {
        1: _offsets(builder, made_tensors),
        2: _integers(builder, [0]),
        3: _integers(builder, [flowing]),
        4: _offsets(builder, made_operators),
        5: _offsets(builder, made_buffers),
    }
    builder.StartObject(6)
    builder.PrependUOffsetTRelativeSlot(0, title, 0)
    for field, offset in fields.items():
        builder.PrependUOffsetTRelativeSlot(field, offset, 0)
    builder.Finish(builder.EndObject(), file_identifier=identifier)
    path.write_bytes(bytes(builder.Output()))
    return path


def _buffer(builder: flatbuffers.Builder, values: np.ndarray | None) -> int:
    data = builder.CreateByteVector(b"" if values is None else values.tobytes())
    builder.StartObject(1)
    builder.PrependUOffsetTRelativeSlot(0, data, 0)
    return int(builder.EndObject())


def _tensor(builder: flatbuffers.Builder, name: str, shape: tuple[int, ...], buffer: int) -> int:
    title, sizes = builder.CreateString(name), _integers(builder, shape)
    builder.StartObject(4)
    builder.PrependUOffsetTRelativeSlot(0, title, 0)
    builder.PrependUOffsetTRelativeSlot(1, sizes, 0)
    builder.PrependInt8Slot(2, 0, 0)
    builder.PrependUint32Slot(3, buffer, 0)
    return int(builder.EndObject())


def _operator(
    builder: flatbuffers.Builder, name: str, used: list[int], made: int, layer: LayerToWrite
) -> int:
    title = builder.CreateString(name)
    sources, results = _integers(builder, used), _integers(builder, [made])
    builder.StartObject(1)
    if layer.neighbours:
        builder.PrependUint32Slot(0, layer.neighbours, 0)
    settings = builder.EndObject()
    builder.StartObject(6)
    builder.PrependUOffsetTRelativeSlot(0, title, 0)
    builder.PrependUOffsetTRelativeSlot(1, sources, 0)
    builder.PrependUOffsetTRelativeSlot(2, results, 0)
    builder.PrependUint8Slot(3, layer.kind, 0)
    builder.PrependUOffsetTRelativeSlot(4, settings, 0)
    builder.PrependInt32Slot(5, layer.activation, 0)
    return int(builder.EndObject())


def _integers(builder: flatbuffers.Builder, values: Sequence[int]) -> int:
    return int(builder.CreateNumpyVector(np.array(values, dtype="<i4")))


def _offsets(builder: flatbuffers.Builder, values: Sequence[int]) -> int:
    builder.StartVector(4, len(values), 4)
    for value in reversed(values):
        builder.PrependUOffsetTRelative(value)
    return int(builder.EndVector())
