"""The network's inputs, and the dimensions a file leaves open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral

from onnx import ValueInfoProto

from hetsim.workload.onnx.ir import Net, Value, check_type, make_type, nearest


def add_inputs(
    net: Net, inputs: Sequence[ValueInfoProto], given: Mapping[str, Sequence[int]]
) -> None:
    """Adds the network's inputs to ``net``; ``given`` are the shapes a scenario states.

    Raises:
        WorkloadError: an unknown input, a shape that contradicts the file or is incomplete.
    """
    names = [info.name for info in inputs]
    for name in given:
        if name not in names:
            hint = nearest(name, names) or f"its inputs are: {', '.join(names) or 'none'}"
            raise net.error(f"input_shapes names {name!r}, which is not an input", hint=hint)
    for info in inputs:
        if info.type.WhichOneof("value") not in ("tensor_type", None):
            kind = info.type.WhichOneof("value")
            raise net.error(f"input {info.name!r} is not a tensor but a {kind}")
        elem_type = info.type.tensor_type.elem_type
        check_type(net, info.name, elem_type)
        shape = _input_shape(net, info, given.get(info.name))
        net.values[info.name] = Value(
            info.name, shape, elem_type, type_proto=make_type(elem_type, shape)
        )
        net.inputs.append(info.name)


def is_extent(value: object) -> bool:
    """Whether a user's number can be a dimension."""
    # numpy's integers are welcome, True is not
    return type(value) is not bool and isinstance(value, Integral) and int(value) > 0


def _input_shape(net: Net, info: ValueInfoProto, given: Sequence[int] | None) -> tuple[int, ...]:
    tensor = info.type.tensor_type
    dims: list[int | str] | None = None
    if tensor.HasField("shape"):
        dims = [
            int(d.dim_value) if d.HasField("dim_value") and d.dim_value > 0 else d.dim_param or "?"
            for d in tensor.shape.dim
        ]
    shown = "[" + ", ".join(map(str, dims)) + "]" if dims is not None else "unknown"
    if given is not None:
        if not all(is_extent(d) for d in given):
            raise net.error(
                f"input_shapes: {info.name!r} is given {list(given)}, but every dimension must be"
                " a positive whole number"
            )
        shape = tuple(int(d) for d in given)
        fits = dims is None or (
            len(dims) == len(shape)
            and all(isinstance(d, str) or d == s for d, s in zip(dims, shape, strict=True))
        )
        if not fits:
            raise net.error(
                f"input_shapes: {info.name!r} is given {list(shape)}, but the file fixes {shown}",
                hint="keep the rank and the numbered dimensions; only named ones are free",
            )
        return shape
    example = [d if isinstance(d, int) else 1 for d in dims] if dims is not None else [1, 3, 224]
    how = f"give it: input_shapes: {{{info.name}: {example}}}"
    if dims is None:
        raise net.error(f"the shape of input {info.name!r} is not in the file", hint=how)
    for position, dim in enumerate(dims):
        if isinstance(dim, str):
            label = f"{position} ({dim!r})" if dim != "?" else f"{position}"
            raise net.error(
                f"dimension {label} of input {info.name!r} is symbolic: {shown}", hint=how
            )
    return tuple(int(d) for d in dims)
