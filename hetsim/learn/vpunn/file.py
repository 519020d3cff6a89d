"""A ``.vpunn`` file as plain data: layers with their weights, in the order in which they run.

A FlatBuffer with the identifier ``VPUN``, read through the package ``flatbuffers`` with the few
tables of its schema that there are. Nothing checks a FlatBuffer before it is read: a damaged file
shows in an offset that points nowhere, and every size is held against what the file has for it.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hetsim.errors import ConfigError, Location
from hetsim.infiles import MIB, read_bytes
from hetsim.learn.vpunn.network import ACTIVATIONS, LAYERS, Activation, Layer, Network

IDENTIFIER = b"VPUN"
FILE_LIMIT = 64 * MIB
"""Largest file that is read, bytes; those that are public have less than four million."""

MOST_LAYERS = 1000
_FLOAT32 = 0
_DAMAGED = (struct.error, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_HINT = "take the file from its source again: models/ of intel/npu-nn-cost-model"
_NAME = re.compile(r"^[^-]*-(\d+)-(\d+)")
"""``VPUNN-11-02``: the versions of what goes in and of what comes out; text may follow."""


@dataclass(frozen=True)
class VPUNNFile:
    """What stands in a file.

    ``descriptor`` is the version of the layout of its input, ``answer`` that of its output.
    """

    where: Location
    name: str
    descriptor: int
    answer: int
    network: Network

    def error(self, message: str, hint: str = _HINT) -> ConfigError:
        """A :class:`ConfigError` that names this file."""
        return ConfigError(message, where=self.where, hint=hint)


def is_vpunn(content: bytes) -> bool:
    """Whether these first bytes of a file are those of a ``.vpunn``."""
    return content[4:8] == IDENTIFIER


def read_vpunn(path: str | Path) -> VPUNNFile:
    """Reads the file at ``path``.

    Raises:
        ConfigError: missing, truncated or damaged, of another identifier, with a layer or an
            activation that is not known.
    """
    where = Location(str(path))
    content = read_bytes(path, limit=FILE_LIMIT)
    if not is_vpunn(content):
        what = "the file is empty" if not content else f"the identifier is {content[4:8]!r}"
        raise ConfigError(
            f"not a VPUNN model: {what}",
            where=where,
            hint=f"expected a FlatBuffer with {IDENTIFIER!r} in bytes 4 to 8; {_HINT}",
        )
    from flatbuffers.table import Table  # takes its time, and few runs need it

    try:
        root = _Table(Table(bytearray(content), struct.unpack_from("<I", content)[0]))
        return _file(root, where)
    except _DAMAGED as error:
        raise ConfigError(
            f"the file is damaged or cut off ({type(error).__name__}: {error})",
            where=where,
            hint=_HINT,
        ) from None


class _Table:
    """Fields of one table of a FlatBuffer, by their position in the schema."""

    def __init__(self, table: Any) -> None:
        self.table = table

    def _place(self, field: int) -> int:
        offset = int(self.table.Offset(4 + 2 * field))
        return self.table.Pos + offset if offset else 0

    def number(self, field: int, kind: str) -> int:
        """A scalar; zero where it is left out."""
        place = self._place(field)
        return int(struct.unpack_from(kind, self.table.Bytes, place)[0]) if place else 0

    def text(self, field: int) -> str:
        """A string; empty where it is left out."""
        place = self._place(field)
        return bytes(self.table.String(place)).decode("utf-8", "replace") if place else ""

    def array(self, field: int, dtype: str) -> np.ndarray[Any, Any]:
        """A vector of scalars."""
        place, count = self._vector(field, np.dtype(dtype).itemsize)
        return np.frombuffer(self.table.Bytes, dtype, count, place) if count else np.zeros(0, dtype)

    def tables(self, field: int) -> list[_Table]:
        """A vector of tables."""
        place, count = self._vector(field, 4)
        made = type(self.table)
        return [
            _Table(made(self.table.Bytes, self.table.Indirect(place + 4 * i))) for i in range(count)
        ]

    def table_of(self, field: int) -> _Table | None:
        """A table; ``None`` where it is left out."""
        place = self._place(field)
        return (
            _Table(type(self.table)(self.table.Bytes, self.table.Indirect(place)))
            if place
            else None
        )

    def _vector(self, field: int, size: int) -> tuple[int, int]:
        offset = int(self.table.Offset(4 + 2 * field))
        if not offset:
            return 0, 0
        place, count = int(self.table.Vector(offset)), int(self.table.VectorLen(offset))
        if place + count * size > len(self.table.Bytes):
            raise ValueError(f"{count} entries at byte {place} reach beyond the end")
        return place, count


@dataclass(frozen=True)
class _Tensor:
    name: str
    shape: tuple[int, ...]
    data: np.ndarray[Any, Any] | None


def _file(root: _Table, where: Location) -> VPUNNFile:
    name = root.text(0)
    versions = _NAME.match(name)
    if versions is None:
        raise ConfigError(
            f"its name {name!r} does not tell the version of its descriptor",
            where=where,
            hint="expected NAME-DESCRIPTOR-ANSWER, such as VPUNN-11-02",
        )
    buffers = root.tables(5)
    tensors = [_tensor(table, buffers) for table in root.tables(1)]
    inputs, outputs = root.array(2, "<i4").tolist(), root.array(3, "<i4").tolist()
    if len(inputs) != 1 or len(outputs) != 1:
        raise ValueError(f"it has {len(inputs)} inputs and {len(outputs)} outputs, not one of each")
    operators = root.tables(4)
    if not 0 < len(operators) <= MOST_LAYERS:
        raise ValueError(f"it has {len(operators)} layers")
    layers: list[tuple[Layer, Activation]] = []
    flowing, width = inputs[0], tensors[inputs[0]].shape[-1]
    for operator in operators:
        layer, activation, flowing = _layer(operator, tensors, flowing, width, where)
        layers.append((layer, activation))
        width = layer.width
    if flowing != outputs[0] or width != 1:
        raise ValueError("its layers do not end in one number")
    network = Network(tensors[inputs[0]].shape[-1], tuple(layers))
    return VPUNNFile(where, name, int(versions[1]), int(versions[2]), network)


def _tensor(table: _Table, buffers: list[_Table]) -> _Tensor:
    name, shape = table.text(0), tuple(table.array(1, "<u4").tolist())
    if not shape or min(shape) < 1:
        raise ValueError(f"tensor {name!r} has the shape {shape}")
    number = table.number(3, "<I")
    if number == 0:  # what runs through the network has no data
        return _Tensor(name, shape, None)
    data = buffers[number].array(0, "<u1")
    if table.number(2, "<b") != _FLOAT32:
        raise ValueError(f"tensor {name!r} is not of 32-bit floats")
    elements = int(np.prod(shape, dtype=np.int64))
    if len(data) != 4 * elements:
        raise ValueError(f"tensor {name!r} has {len(data)} bytes and needs {4 * elements}")
    values = data.view("<f4").astype(np.float32)
    if not np.isfinite(values).all():
        raise ValueError(f"tensor {name!r} holds something else than numbers")
    return _Tensor(name, shape, values)


def _layer(
    operator: _Table, tensors: list[_Tensor], flowing: int, width: int, where: Location
) -> tuple[Layer, Activation, int]:
    """One layer, what follows it, and the position of the tensor that they make."""
    name, kind, activation = operator.text(0), operator.number(3, "<B"), operator.number(5, "<i")
    if kind not in LAYERS:
        raise ConfigError(
            f"layer {name!r} is of kind {kind}, which is not known",
            where=where,
            hint=f"known: {', '.join(f'{n} ({c.title})' for n, c in LAYERS.items())}",
        )
    if activation not in ACTIVATIONS:
        raise ConfigError(
            f"layer {name!r} has the activation {activation}, which is not known",
            where=where,
            hint="known: 0 (none), 1 (ReLU), 2 (sigmoid)",
        )
    used, made = operator.array(1, "<i4").tolist(), operator.array(2, "<i4").tolist()
    if len(made) != 1 or not used or used[0] != flowing or min(used) < 0:
        raise ValueError(f"layer {name!r} does not follow the one before it")
    constants = []
    for position in used[1:]:
        tensor = tensors[position]
        if tensor.data is None:
            raise ValueError(f"layer {name!r} uses {tensor.name!r}, which has no values")
        constants.append(tensor.data)
    settings = operator.table_of(4)
    neighbours = settings.number(0, "<I") if settings else 0
    layer = LAYERS[kind].of(constants, width, tensors[made[0]].shape[-1], neighbours)
    return layer, ACTIVATIONS[activation], made[0]
