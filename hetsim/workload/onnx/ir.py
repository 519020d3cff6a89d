"""The loader's own picture of an ONNX file while it works on it.

A :class:`Net` is mutable and lives only inside the loader: each step (constants, shapes, views,
folding) reads and rewrites it, and the last one turns it into the frozen
:class:`~hetsim.workload.graph.Graph`. Weights appear as values without data.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

from onnx import NodeProto, TensorProto, TypeProto

from hetsim.errors import Location, WorkloadError
from hetsim.numeric import Array

DTYPES: Mapping[int, str] = {
    TensorProto.FLOAT: "float32", TensorProto.DOUBLE: "float64", TensorProto.FLOAT16: "float16",
    TensorProto.BFLOAT16: "bfloat16", TensorProto.INT8: "int8", TensorProto.UINT8: "uint8",
    TensorProto.INT16: "int16", TensorProto.UINT16: "uint16", TensorProto.INT32: "int32",
    TensorProto.UINT32: "uint32", TensorProto.INT64: "int64", TensorProto.UINT64: "uint64",
    TensorProto.BOOL: "bool", TensorProto.INT4: "int4", TensorProto.UINT4: "uint4",
    TensorProto.FLOAT8E4M3FN: "float8", TensorProto.FLOAT8E4M3FNUZ: "float8",
    TensorProto.FLOAT8E5M2: "float8", TensorProto.FLOAT8E5M2FNUZ: "float8",
    **{
        TensorProto.DataType.Value(name): dtype
        for name, dtype in (
            ("FLOAT4E2M1", "float4"), ("FLOAT8E8M0", "float8"), ("INT2", "int2"), ("UINT2", "uint2")
        )
        if name in TensorProto.DataType.keys()  # noqa: SIM118 - the newer ones of the installed onnx
    },
}  # fmt: skip
"""ONNX element types hetsim can size, and their names in ``DTYPE_BYTES``."""


MODELLED_DOMAINS = frozenset(
    {"", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc", "com.ms.internal.nhwc", "tflite"}
)
"""Domains whose operators are known by their kind alone; those of others keep their domain."""

MAX_DIMENSION = 2**31
MAX_ELEMENTS = 2**48
"""What no tensor has: more than any memory holds, and products of it are still exact in a float."""


@dataclass(slots=True)
class Value:
    """A tensor of the file: an activation, or a constant whose data is kept only when small.

    ``stored`` is the data type a constant has in memory when that differs from ``dtype`` (int8
    weights behind a DequantizeLinear). ``root`` names the constant that holds the elements when
    this one only rearranges them, so that shared weights are counted once. Along ``sparse_axes`` a
    constant is 2:4 sparse (:mod:`hetsim.workload.onnx.zeros`).
    """

    name: str
    shape: tuple[int, ...]
    elem_type: int
    constant: bool = False
    data: Array | None = None
    stored: str = ""
    root: str = ""
    sparse_axes: tuple[int, ...] = ()
    type_proto: TypeProto | None = None

    def __post_init__(self) -> None:
        # Every dimension comes by here, whoever stated it: constants, inputs, inference.
        wrong = next((dim for dim in self.shape if not 0 <= dim < MAX_DIMENSION), None)
        if wrong is not None or self.elements > MAX_ELEMENTS:
            shown = "x".join(map(str, self.shape[:8])) + ("..." if len(self.shape) > 8 else "")
            what = f"{self.elements} elements" if wrong is None else f"dimension {wrong}"
            raise WorkloadError(
                f"tensor {self.name!r} has shape {shown}, and so {what}",
                hint=f"a dimension is at least 0 and below 2^31, a tensor has at most"
                f" {MAX_ELEMENTS:,} elements",
            )

    @property
    def dtype(self) -> str:
        """Name of the element type, a key of ``DTYPE_BYTES``."""
        return DTYPES[self.elem_type]

    @property
    def elements(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def rank(self) -> int:
        """Number of dimensions."""
        return len(self.shape)


@dataclass(slots=True)
class Node:
    """An operator of the file, with attributes as plain Python values ('' = absent tensor)."""

    name: str
    kind: str
    domain: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, object]
    proto: NodeProto


class Names:
    """Gives out names once each; a repeat gets the first free numbered suffix."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}

    def unique(self, wish: str) -> str:
        """``wish``, or ``wish`` with a number."""
        result = wish
        while result in self._taken:
            number = self._next.get(wish, 1)
            self._next[wish] = number + 1
            result = f"{wish}_{number}"
        self._taken.add(result)
        return result


@dataclass(slots=True)
class Net:
    """A file on its way to a graph.

    ``declared`` holds the shapes the file itself states, ``symbols`` what its named dimensions are
    bound to, ``folder`` where side files lie. ``max_output`` is what the user states of tensors
    whose shape nothing else tells, by tensor, operator or kind, and ``stated`` the names of it that
    were used. ``batch_opened``: the file is for a batch of one and is given another, so that
    shapes it states are not believed. ``absorbed``: nodes that steps have taken into another one,
    by name; that one may go in turn. ``sequences``: the tensors of each list of tensors.
    """

    name: str
    where: Location
    nodes: list[Node]
    values: dict[str, Value]
    inputs: list[str]
    outputs: list[str]
    opsets: dict[str, int]
    declared: dict[str, TypeProto] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    symbols: dict[str, int] = field(default_factory=dict)
    max_output: Mapping[str, int | Sequence[int]] = field(default_factory=dict)
    stated: set[str] = field(default_factory=set)
    folder: Path | None = None
    batch_opened: bool = False
    sequences: dict[str, list[str]] = field(default_factory=dict)
    names: Names = field(default_factory=Names)
    absorbed: dict[str, str] = field(default_factory=dict)

    def error(self, message: str, hint: str | None = None) -> WorkloadError:
        """A :class:`WorkloadError` that names this file."""
        return WorkloadError(message, where=self.where, hint=hint)


def element_type_name(elem_type: int) -> str:
    """ONNX's name of an element type, for messages."""
    try:
        return str(TensorProto.DataType.Name(elem_type)).lower()
    except ValueError:
        return f"type {elem_type}"


def check_type(net: Net, tensor: str, elem_type: int) -> None:
    """Refuses an element type that hetsim cannot size."""
    if elem_type not in DTYPES:
        raise net.error(
            f"tensor {tensor!r} has data type {element_type_name(elem_type)}, which hetsim cannot"
            " size",
            hint=f"known data types: {', '.join(dict.fromkeys(DTYPES.values()))}",
        )


def static_shape(type_proto: TypeProto) -> tuple[int, ...] | None:
    """The shape of a tensor type when every dimension is a known positive or zero number."""
    tensor = type_proto.tensor_type
    if not tensor.HasField("shape"):
        return None
    dims = []
    for dim in tensor.shape.dim:
        if not dim.HasField("dim_value") or dim.dim_value < 0:
            return None
        dims.append(int(dim.dim_value))
    return tuple(dims)


def dimensions(type_proto: TypeProto) -> list[int | str]:
    """The dimensions of a tensor type: numbers, names, and ``"?"`` for those without either."""
    return [
        int(d.dim_value) if d.HasField("dim_value") and d.dim_value >= 0 else d.dim_param or "?"
        for d in type_proto.tensor_type.shape.dim
    ]


def make_type(elem_type: int, shape: Iterable[int]) -> TypeProto:
    """A tensor type with a static shape."""
    result = TypeProto()
    result.tensor_type.elem_type = elem_type
    result.tensor_type.shape.SetInParent()
    for dim in shape:
        result.tensor_type.shape.dim.add().dim_value = dim
    return result


def nearest(word: str, choices: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` when something close exists, otherwise an empty string."""
    found = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.5)
    return f"did you mean {found[0]!r}?" if found else ""
