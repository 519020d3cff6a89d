"""The network's inputs, in the sizes that the file and the user state."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral

import numpy as np
from onnx import ModelProto, ValueInfoProto

from hetsim.workload.onnx.batch import BATCH, batch_inputs
from hetsim.workload.onnx.dims import WHOLE, atoms, is_whole_number, named_dims, size_of
from hetsim.workload.onnx.ir import Net, Value, check_type, dimensions, make_type, nearest
from hetsim.workload.sizes import Sizes


def open_names(model: ModelProto) -> list[str]:
    """What ``dims`` may bind: names of open dimensions, and inputs of one whole number."""
    names: dict[str, None] = {}
    for info in graph_inputs(model):
        if is_whole_number(info):
            names[info.name] = None
        for dim in named_dims(info) or ():
            names.update(dict.fromkeys(atoms(dim) if isinstance(dim, str) else ()))
    if BATCH not in names and batch_inputs(graph_inputs(model)):
        names[BATCH] = None
    return list(names)


def graph_inputs(model: ModelProto) -> list[ValueInfoProto]:
    """The inputs that are not constants with a value."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return [info for info in model.graph.input if info.name not in constants]


def add_inputs(net: Net, inputs: Sequence[ValueInfoProto], sizes: Sizes) -> None:
    """Adds the network's inputs to ``net`` in the ``sizes`` that the user states.

    Raises:
        WorkloadError: an unknown input or dimension, a shape that contradicts the file, dimensions
            that stay open (all of them are listed).
    """
    _check_names(net, inputs, sizes.input_shapes)
    for name, size in sizes.dims.items():
        if not is_extent(size):
            raise net.error(f"dims: {name!r} is given {size!r}, but it must be a positive number")
    bound, used = dict(sizes.dims), set()
    for info in inputs:
        if info.name in sizes.input_shapes:
            shape = _given_shape(net, info, sizes.input_shapes[info.name])
            _bind(net, info, shape, bound, sizes.dims)
    open_dims: dict[str, list[int | str] | None] = {}
    for info in inputs:
        if is_whole_number(info) and info.name in sizes.dims:
            used.add(info.name)
            _fix(net, info, sizes.dims[info.name])
            continue
        elem_type = info.type.tensor_type.elem_type
        named = named_dims(info)
        if named is not None:
            used.update(a for d in named if isinstance(d, str) for a in atoms(d))
        if info.name in sizes.input_shapes:
            dims: list[int | str] = list(map(int, sizes.input_shapes[info.name]))
        elif named is None:
            open_dims[info.name] = None
            continue
        else:
            dims = [size_of(d, bound) if isinstance(d, str) else d for d in named]
        if any(isinstance(d, str) for d in dims):
            open_dims[info.name] = named
            continue
        known = tuple(int(d) for d in dims)
        net.values[info.name] = Value(
            info.name, known, elem_type, type_proto=make_type(elem_type, known)
        )
        net.inputs.append(info.name)
    unknown = [name for name in sizes.dims if name not in used]
    if unknown:
        names = list(dict.fromkeys(a for i in inputs for d in named_dims(i) or ()
                                   if isinstance(d, str) for a in atoms(d)))  # fmt: skip
        raise net.error(
            f"dims names {unknown[0]!r}, which is no open dimension of its inputs",
            hint=nearest(unknown[0], names)
            or (f"open are: {', '.join(names)}" if names else "the file fixes all its dimensions"),
        )
    if open_dims:
        raise _still_open(net, open_dims, bound)
    net.symbols = bound


def _check_names(
    net: Net, inputs: Sequence[ValueInfoProto], given: Mapping[str, Sequence[int]]
) -> None:
    names = [info.name for info in inputs]
    for name in given:
        if name not in names:
            hint = nearest(name, names) or f"its inputs are: {', '.join(names) or 'none'}"
            raise net.error(f"input_shapes names {name!r}, which is not an input", hint=hint)
    for info in inputs:
        if info.type.WhichOneof("value") not in ("tensor_type", None):
            kind = info.type.WhichOneof("value")
            raise net.error(f"input {info.name!r} is not a tensor but a {kind}")
        check_type(net, info.name, info.type.tensor_type.elem_type)


def is_extent(value: object) -> bool:
    """Whether a user's number can be a dimension."""
    # numpy's integers are welcome, True is not
    return type(value) is not bool and isinstance(value, Integral) and int(value) > 0


def _fix(net: Net, info: ValueInfoProto, number: int) -> None:
    """An input of one whole number that the user states is a constant of the network."""
    kind = info.type.tensor_type.elem_type
    shape = (1,) * len(dimensions(info.type))
    data = np.full(shape, number, np.int32 if kind == WHOLE[0] else np.int64)
    net.values[info.name] = Value(info.name, data.shape, kind, constant=True, data=data)
    net.notes.append(f"input {info.name} is fixed to {number}")


def _given_shape(net: Net, info: ValueInfoProto, given: Sequence[int]) -> tuple[int, ...]:
    if not all(is_extent(d) for d in given):
        raise net.error(
            f"input_shapes: {info.name!r} is given {list(given)}, but every dimension must be"
            " a positive whole number"
        )
    shape = tuple(int(d) for d in given)
    dims = named_dims(info)
    fits = dims is None or (
        len(dims) == len(shape)
        and all(isinstance(d, str) or d == s for d, s in zip(dims, shape, strict=True))
    )
    if not fits:
        shown = "[" + ", ".join(map(str, dims or ())) + "]"
        raise net.error(
            f"input_shapes: {info.name!r} is given {list(shape)}, but the file fixes {shown}",
            hint="keep the rank and the numbered dimensions; only named ones are free",
        )
    return shape


def _bind(
    net: Net, info: ValueInfoProto, shape: Sequence[int], bound: dict[str, int],
    dims: Mapping[str, int],
) -> None:  # fmt: skip
    """What a whole shape says about names; the first input that says it counts for the others."""
    for name, size in zip(named_dims(info) or (), shape, strict=False):
        if not isinstance(name, str):
            continue
        if dims.get(name, size) != size:
            raise net.error(
                f"dims gives {name!r} {dims[name]}, and input_shapes {size} in {info.name!r}"
            )
        bound.setdefault(name, size)


# -- what is missing ------------------------------------------------------------------------------

_BATCH = re.compile(r"(?i)n|b|bs|.*batch.*")
_LENGTH = re.compile(r"(?i).*(seq|len|time|token|step).*|t|s|l")
_EXTENT = re.compile(r"(?i).*(height|width).*|h|w")


def _still_open(
    net: Net, open_dims: Mapping[str, list[int | str] | None], bound: Mapping[str, int]
) -> Exception:
    """Every input that has open dimensions, and what binds them."""
    lines = []
    asked: dict[str, str] = {}
    for name, dims in open_dims.items():
        if dims is None:
            lines.append(f"{name!r} states no shape")
            continue
        lines.append(f"{name!r} is [{', '.join(map(str, dims))}]")
        for position, dim in enumerate(dims):
            for atom in atoms(dim) if isinstance(dim, str) else ():
                if atom not in bound:
                    asked.setdefault(atom, _example(atom, position, dims))
    ways = []
    if asked:
        options = " ".join(f"--dim {name}={size}" for name, size in asked.items())
        entries = ", ".join(f"{name}: {size}" for name, size in asked.items())
        ways.append(f"say how large they are: {options}, in a scenario dims: {{{entries}}}")
    if "?" in asked.values():
        ways.append("numbers in place of '?'")
    unshaped = [name for name, dims in open_dims.items() if dims is None]
    ways += [f"--input-shape {name}=AxBxC with its whole shape" for name in unshaped]
    return net.error(f"dimensions of its inputs are open: {'; '.join(lines)}", hint="; ".join(ways))


def _example(name: str, position: int, dims: Iterable[int | str]) -> str:
    """A size that makes sense for a dimension of this name at this place; ``?`` if none does."""
    dims = list(dims)
    if _BATCH.fullmatch(name) or (position == 0 and len(dims) > 1):
        return "1"
    if _EXTENT.fullmatch(name):
        return "224"
    if _LENGTH.fullmatch(name):
        return "128"
    spatial = {1: (2, 3), 3: (1, 2)}
    image = len(dims) == 4 and any(
        dims[channel] in (1, 3) and position in places for channel, places in spatial.items()
    )
    return "224" if image else "?"
