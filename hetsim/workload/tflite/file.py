"""A TFLite file as plain data: tensors, operators with their options, constants that are small.

FlatBuffers are read in place and nothing checks them before: a damaged file shows in an offset that
points nowhere, so whatever reading it raises means that. Sizes are held against the file's before
anything is counted up to them. Weights are looked at only to see that they are there.

The schema is that of TensorFlow Lite (``schema.fbs``, version 3), in the accessors of the package
``tflite``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import numpy as np
from onnx import TensorProto

from hetsim.errors import Location, MissingExtraError, WorkloadError
from hetsim.infiles import read_bytes
from hetsim.numeric import Array
from hetsim.workload.onnx.ir import MAX_DIMENSION

VERSION = 3
"""The only version of the schema there has been since 2017."""

MAX_BYTES = 2**31
"""A FlatBuffer's offsets reach no further; weights of larger models stand behind it."""

KEEP_DATA = 1024
"""Constants up to this many elements keep their values: axes, pads, permutations."""

MOST_RANK = 8
"""Dimensions that TFLite's kernels know at most."""

ELEM_TYPES: Mapping[str, int] = {
    "FLOAT32": TensorProto.FLOAT, "FLOAT16": TensorProto.FLOAT16, "FLOAT64": TensorProto.DOUBLE,
    "BFLOAT16": TensorProto.BFLOAT16, "INT4": TensorProto.INT4, "INT8": TensorProto.INT8,
    "UINT8": TensorProto.UINT8, "INT16": TensorProto.INT16, "UINT16": TensorProto.UINT16,
    "INT32": TensorProto.INT32, "UINT32": TensorProto.UINT32, "INT64": TensorProto.INT64,
    "UINT64": TensorProto.UINT64, "BOOL": TensorProto.BOOL, "STRING": TensorProto.STRING,
}  # fmt: skip
"""ONNX's element type of each of TFLite's; what is missing (resources, complex) is no tensor."""

_NUMPY = {"INT32": np.int32, "INT64": np.int64, "FLOAT32": np.float32}
DAMAGED = (
    struct.error, ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError
)  # fmt: skip
"""What reading a FlatBuffer raises whose offsets, sizes or numbers are not what they were."""

_T = TypeVar("_T")


@dataclass(frozen=True)
class FileTensor:
    """A tensor of the file. ``shape`` is the one the interpreter starts with.

    ``type_name`` is the schema's, ``elem_type`` ONNX's or undefined.
    ``open_dims`` are the positions that the file leaves to the application. ``data`` are the values
    of a small constant; ``constant`` tells that there are any. ``state``: kept between runs.
    """

    name: str
    shape: tuple[int, ...]
    type_name: str
    elem_type: int
    constant: bool = False
    state: bool = False
    data: Array | None = None
    open_dims: tuple[int, ...] = ()


@dataclass(frozen=True)
class FileOperator:
    """An operator: TFLite's name of its kind, tensors by position (-1 where left out), options.

    ``options`` has the accessors of the kind's table (``StrideW()``...), or is ``None``.
    ``custom`` marks operators whose kind is the application's own.
    """

    name: str
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Any = None
    custom: bool = False


@dataclass(frozen=True)
class File:
    """The first subgraph of a file, which is what an interpreter runs."""

    where: Location
    tensors: tuple[FileTensor, ...]
    operators: tuple[FileOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    notes: list[str] = field(default_factory=list)

    def error(self, message: str, hint: str | None = None) -> WorkloadError:
        """A :class:`WorkloadError` that names this file."""
        return WorkloadError(message, where=self.where, hint=hint)


def accessors() -> ModuleType:
    """The package ``tflite``.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import tflite
    except ImportError:
        raise MissingExtraError.for_extra("tflite", "tflite", "reading TFLite files") from None
    module: ModuleType = tflite
    return module


def read_file(path: str | Path) -> File:
    """Reads the file at ``path``.

    Raises:
        WorkloadError: missing, unreadable, truncated or damaged, not TFLite, of another version of
            the schema.
        MissingExtraError: the package ``tflite`` is not installed.
    """
    where = Location(str(path))
    content = read_bytes(path, limit=MAX_BYTES, error=WorkloadError)
    if content[4:8] != b"TFL3":
        what = "the file is empty" if not content else "not a TFLite model"
        raise WorkloadError(
            what, where=where, hint="expected a FlatBuffer with the identifier TFL3 (bytes 4 to 8)"
        )
    tflite = accessors()
    try:
        reader = _Reader(tflite, content, where)
        return reader.file()
    except DAMAGED as problem:
        raise WorkloadError(
            f"the file is truncated or damaged ({type(problem).__name__}: {problem})", where=where
        ) from None


class _Reader:
    def __init__(self, tflite: ModuleType, content: bytes, where: Location) -> None:
        self._tflite = tflite
        self._where = where
        self._size = len(content)
        self._model = tflite.Model.GetRootAs(content, 0)
        self._types = names_of(tflite.TensorType)
        self._options = names_of(tflite.BuiltinOptions)

    def file(self) -> File:
        model = self._model
        if model.Version() != VERSION:
            raise WorkloadError(
                f"its schema has version {model.Version()}, and {VERSION} is read",
                where=self._where,
                hint="convert the model anew, with a TensorFlow of this decade",
            )
        if model.SubgraphsLength() < 1:
            raise WorkloadError("it holds no network (no subgraph)", where=self._where)
        graph = model.Subgraphs(0)
        names: set[str] = set()
        tensors = tuple(
            self._tensor(graph.Tensors(i), i, names) for i in self._range(graph.TensorsLength())
        )
        kinds = [self._kind(model.OperatorCodes(i)) for i in
                 self._range(model.OperatorCodesLength())]  # fmt: skip
        operators = tuple(
            self._operator(graph.Operators(i), i, kinds, len(tensors))
            for i in self._range(graph.OperatorsLength())
        )
        file = File(
            self._where, tensors, operators,
            self._indices(graph.InputsLength(), graph.Inputs, len(tensors)),
            self._indices(graph.OutputsLength(), graph.Outputs, len(tensors)),
        )  # fmt: skip
        if model.SubgraphsLength() > 1:
            more = model.SubgraphsLength() - 1
            file.notes.append(f"{more} further subgraphs of the file are not read")
        return file

    def _range(self, count: int) -> range:
        """Positions of a vector, whose entries take four bytes at least."""
        if not 0 <= count * 4 <= self._size:
            raise ValueError(f"a list of {count} entries in a file of {self._size} bytes")
        return range(count)

    def _several(self, count: int, get: Callable[[int], _T]) -> tuple[_T, ...]:
        return tuple(get(i) for i in self._range(count))

    def _indices(self, count: int, get: Callable[[int], int], most: int) -> tuple[int, ...]:
        found = self._several(count, get)
        wrong = next((i for i in found if not -1 <= i < most), None)
        if wrong is not None:
            raise IndexError(f"tensor {wrong} of {most}")
        return found

    def _kind(self, code: Any) -> tuple[str, bool]:
        """The name of an operator code, and whether it is a custom one."""
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        known: Mapping[int, str] = self._tflite.BUILTIN_OPCODE2NAME
        if number not in known:
            raise WorkloadError(
                f"operator code {number} is newer than the package tflite knows",
                where=self._where,
                hint="pip install --upgrade tflite",
            )
        if known[number] == "CUSTOM":
            return _text(code.CustomCode()) or "CUSTOM", True
        return known[number], False

    def _operator(
        self, op: Any, index: int, kinds: Sequence[tuple[str, bool]], tensors: int
    ) -> FileOperator:
        kind, custom = kinds[op.OpcodeIndex()]
        table, made = op.BuiltinOptions(), None
        name = self._options.get(op.BuiltinOptionsType(), "NONE")
        if table is not None and name != "NONE" and not custom:
            made = getattr(self._tflite, name)()
            made.Init(table.Bytes, table.Pos)
        return FileOperator(
            f"{kind}_{index}",
            kind,
            self._indices(op.InputsLength(), op.Inputs, tensors),
            self._indices(op.OutputsLength(), op.Outputs, tensors),
            made,
            custom,
        )

    def _tensor(self, tensor: Any, index: int, names: set[str]) -> FileTensor:
        name = _text(tensor.Name()) or f"tensor_{index}"
        if name in names:
            name = f"{name}#{index}"
        names.add(name)
        shape = self._several(tensor.ShapeLength(), tensor.Shape)
        signature = self._several(tensor.ShapeSignatureLength(), tensor.ShapeSignature)
        if len(shape) > MOST_RANK or any(not 0 <= d < MAX_DIMENSION for d in shape):
            raise ValueError(f"tensor {name!r} has shape {list(shape)}")
        kind = self._types.get(tensor.Type(), "")
        raw = self._constant(tensor.Buffer())
        data: Array | None = None
        count = int(np.prod(shape, dtype=np.float64))
        if raw is not None and kind in _NUMPY and 0 < count <= KEEP_DATA:
            data = np.frombuffer(raw.tobytes(), _NUMPY[kind], count).reshape(shape)
        return FileTensor(
            name,
            shape,
            kind or f"type {tensor.Type()}",
            ELEM_TYPES.get(kind, TensorProto.UNDEFINED),
            raw is not None,
            bool(tensor.IsVariable()),
            data,
            tuple(i for i, d in enumerate(signature) if d < 0) if len(signature) == len(shape)
            else (),
        )  # fmt: skip

    def _constant(self, index: int) -> Array | None:
        """The bytes of a constant; ``None`` for what the network computes."""
        if not 0 <= index < self._model.BuffersLength():
            raise IndexError(f"buffer {index} of {self._model.BuffersLength()}")
        buffer = self._model.Buffers(index)
        if buffer.DataLength():
            return np.asarray(buffer.DataAsNumpy())
        if buffer.Offset() > 1:  # behind the FlatBuffer, in files larger than its offsets reach
            if buffer.Offset() + buffer.Size() > self._size:
                raise ValueError(f"buffer {index} ends behind the file")
            return np.zeros(0, np.uint8)
        return None


def names_of(enumeration: Any) -> dict[int, str]:
    """The names of an enumeration of the schema by their numbers."""
    return {number: name for name, number in vars(enumeration).items() if isinstance(number, int)}


def _text(raw: bytes | None) -> str:
    return raw.decode("utf-8") if raw else ""
