"""The network's inputs, and the dimensions a file leaves open.

An open dimension has a name: the file's, or ``INPUT.POSITION`` where the file has none. A name may
be a sum or product of names (``past + 1``), which follows from them.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral

import numpy as np
from onnx import ModelProto, TensorProto, ValueInfoProto

from hetsim.workload.onnx.ir import Net, Value, check_type, dimensions, make_type, nearest
from hetsim.workload.sizes import Sizes

BATCH = "batch"
"""What the first dimension is called where a file fixes it at one."""

_WHOLE = (TensorProto.INT32, TensorProto.INT64)


def open_names(model: ModelProto) -> list[str]:
    """What ``dims`` may bind: names of open dimensions, and inputs of one whole number."""
    names: dict[str, None] = {}
    for info in graph_inputs(model):
        if _is_whole_number(info):
            names[info.name] = None
        for dim in _named(info) or ():
            names.update(dict.fromkeys(_atoms(dim) if isinstance(dim, str) else ()))
    if BATCH not in names and _batch_inputs(graph_inputs(model)):
        names[BATCH] = None
    return list(names)


def graph_inputs(model: ModelProto) -> list[ValueInfoProto]:
    """The inputs that are not constants with a value."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return [info for info in model.graph.input if info.name not in constants]


def open_batch(inputs: Sequence[ValueInfoProto], dims: Mapping[str, int]) -> list[ValueInfoProto]:
    """``inputs`` with dimension 0 called ``batch`` where ``dims`` gives one and the file says 1.

    Such a file was exported for one sample at a time; what runs through it is checked at its other
    end (:func:`check_batch`).
    """
    named = {a for i in inputs for d in _named(i) or () if isinstance(d, str) for a in _atoms(d)}
    opened = _batch_inputs(inputs) if BATCH in dims and BATCH not in named else []
    result = []
    for info in inputs:
        copy = ValueInfoProto()
        copy.CopyFrom(info)
        if info.name in opened:
            copy.type.tensor_type.shape.dim[0].dim_param = BATCH
        result.append(copy)
    return result


def check_batch(net: Net, outputs: Sequence[ValueInfoProto]) -> None:
    """Whether a batch that was opened arrives at every output that had a batch of one.

    Raises:
        WorkloadError: the file fixes the batch somewhere on the way.
    """
    size = net.symbols.get(BATCH)
    for info in outputs:
        value = net.values.get(info.name)
        if value is None or not info.type.tensor_type.HasField("shape"):
            continue
        stated = dimensions(info.type)
        if len(stated) > 1 and stated[0] == 1 and value.rank > 1 and value.shape[0] != size:
            raise net.error(
                f"dims gives a batch of {size}, but output {info.name!r} has shape"
                f" {list(value.shape)}: the file fixes the batch on the way",
                hint="export it with an open batch dimension",
            )


def _batch_inputs(inputs: Sequence[ValueInfoProto]) -> list[str]:
    """Names of the inputs if all of them begin with a dimension of one, else none."""
    tensors = [i for i in inputs if not _is_whole_number(i)]
    shapes = [dimensions(i.type) for i in tensors if i.type.tensor_type.HasField("shape")]
    fits = len(shapes) == len(tensors) and all(len(s) > 1 and s[0] == 1 for s in shapes)
    return [info.name for info in tensors] if fits else []


def add_inputs(net: Net, inputs: Sequence[ValueInfoProto], sizes: Sizes) -> None:
    """Adds the network's inputs to ``net`` in the ``sizes`` that the user states.

    Raises:
        WorkloadError: an unknown input or dimension, a shape that contradicts the file, dimensions
            that stay open (all of them are listed).
    """
    _check_names(net, inputs, sizes.input_shapes)
    for name, size in sizes.dims.items():
        if not _is_extent(size):
            raise net.error(f"dims: {name!r} is given {size!r}, but it must be a positive number")
    bound, used = dict(sizes.dims), set()
    for info in inputs:
        if info.name in sizes.input_shapes:
            shape = _given_shape(net, info, sizes.input_shapes[info.name])
            _bind(net, info, shape, bound, sizes.dims)
    open_dims: dict[str, list[int | str] | None] = {}
    for info in inputs:
        if _is_whole_number(info) and info.name in sizes.dims:
            used.add(info.name)
            _fix(net, info, sizes.dims[info.name])
            continue
        elem_type = info.type.tensor_type.elem_type
        named = _named(info)
        if named is not None:
            used.update(a for d in named if isinstance(d, str) for a in _atoms(d))
        if info.name in sizes.input_shapes:
            dims: list[int | str] = list(map(int, sizes.input_shapes[info.name]))
        elif named is None:
            open_dims[info.name] = None
            continue
        else:
            dims = [_size(d, bound) if isinstance(d, str) else d for d in named]
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
        names = list(dict.fromkeys(a for i in inputs for d in _named(i) or ()
                                   if isinstance(d, str) for a in _atoms(d)))  # fmt: skip
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


def _is_extent(value: object) -> bool:
    # numpy's integers are welcome, True is not
    return type(value) is not bool and isinstance(value, Integral) and int(value) > 0


def _is_whole_number(info: ValueInfoProto) -> bool:
    tensor = info.type.tensor_type
    if tensor.elem_type not in _WHOLE or not tensor.HasField("shape"):
        return False
    return dimensions(info.type) in ([], [1])


def _fix(net: Net, info: ValueInfoProto, number: int) -> None:
    """An input of one whole number that the user states is a constant of the network."""
    kind = info.type.tensor_type.elem_type
    shape = (1,) * len(dimensions(info.type))
    data = np.full(shape, number, np.int32 if kind == _WHOLE[0] else np.int64)
    net.values[info.name] = Value(info.name, data.shape, kind, constant=True, data=data)
    net.notes.append(f"input {info.name} is fixed to {number}")


def _named(info: ValueInfoProto) -> list[int | str] | None:
    """The dimensions of an input, those without a name or number called ``INPUT.POSITION``."""
    if not info.type.tensor_type.HasField("shape"):
        return None
    dims = dimensions(info.type)
    return [f"{info.name}.{i}" if d in ("?", 0) else d for i, d in enumerate(dims)]


def _given_shape(net: Net, info: ValueInfoProto, given: Sequence[int]) -> tuple[int, ...]:
    if not all(_is_extent(d) for d in given):
        raise net.error(
            f"input_shapes: {info.name!r} is given {list(given)}, but every dimension must be"
            " a positive whole number"
        )
    shape = tuple(int(d) for d in given)
    dims = _named(info)
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
    for name, size in zip(_named(info) or (), shape, strict=False):
        if not isinstance(name, str):
            continue
        if dims.get(name, size) != size:
            raise net.error(
                f"dims gives {name!r} {dims[name]}, and input_shapes {size} in {info.name!r}"
            )
        bound.setdefault(name, size)


# -- sums and products of names -------------------------------------------------------------------

_OPERATORS: dict[type, Callable[[int, int], int]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv, ast.Div: operator.floordiv,
}  # fmt: skip
_ARITHMETIC = re.compile(r"[\w\s()+*/-]*[+*/\s(][\w\s()+*/-]*")


def _expression(name: str) -> ast.expr | None:
    if not _ARITHMETIC.fullmatch(name):
        return None
    try:
        return ast.parse(name.replace("floor", ""), mode="eval").body
    except SyntaxError:
        return None


def _atoms(name: str) -> list[str]:
    """The names in a sum or product of names, or ``name`` itself."""
    tree = _expression(name)
    if tree is None:
        return [name]
    return [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]


def _size(name: str, bound: Mapping[str, int]) -> int | str:
    """The number that ``name`` stands for, or ``name`` when that is not known."""
    if name in bound:
        return bound[name]
    tree = _expression(name)
    found = None if tree is None else _number(tree, bound)
    return name if found is None else found


def _number(tree: ast.expr, bound: Mapping[str, int]) -> int | None:
    if isinstance(tree, ast.Constant) and isinstance(tree.value, int):
        return tree.value
    if isinstance(tree, ast.Name):
        return bound.get(tree.id)
    if isinstance(tree, ast.BinOp) and type(tree.op) in _OPERATORS:
        left, right = _number(tree.left, bound), _number(tree.right, bound)
        if left is not None and right is not None:
            return _OPERATORS[type(tree.op)](left, right)
    return None


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
            for atom in _atoms(dim) if isinstance(dim, str) else ():
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
