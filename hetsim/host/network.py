"""A network ready to run: its operator graph beside an ONNX model whose nodes have the same names.

Published files name nodes loosely or not at all and come without weights. Here every node gets the
name that the graph's operator has, stripped weights become seeded random ones, and inputs are drawn
from the same seed, so that two measurements of one network run the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hetsim.errors import Location, WorkloadError
from hetsim.workload.formats import format_of, formats, names_file
from hetsim.workload.graph import Graph
from hetsim.workload.sizes import NO_SIZES, Sizes

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto

Feeds = dict[str, Any]
"""Input arrays by name."""


@dataclass(frozen=True)
class Network:
    """A graph, the model it was read from (with weights, named nodes, shapes) and its inputs."""

    graph: Graph
    model: ModelProto
    feeds: Feeds


def load_network(
    name_or_path: str | Path,
    *,
    sizes: Sizes = NO_SIZES,
    seed: int = 0,
) -> Network:
    """Loads a network of the zoo by name, or an ONNX file, in the ``sizes`` it leaves open.

    Raises:
        WorkloadError: no such network, or one that cannot be understood.
    """
    from hetsim.workload.onnx.read import read_model
    from hetsim.workload.zoo import build_model_proto, find_model

    path = Path(name_or_path)
    if names_file(path):
        form = format_of(path)
        if form is not formats()["onnx"]:
            raise WorkloadError(
                f"networks are run here by ONNX Runtime, which does not read {form.title}",
                where=Location(str(path)),
                hint="convert the network to ONNX, or import times that another tool measured"
                " (hetsim profile --import)",
            )
        import onnx

        model, name, source = read_model(path), path.stem, str(path)
        if all(_is_there(t, path.parent) for t in model.graph.initializer):
            onnx.load_external_data_for_model(model, str(path.parent))
    else:
        name = find_model(str(name_or_path)).name
        model, source = build_model_proto(name), f"zoo:{name}"
    return make_network(model, name, sizes=sizes, seed=seed, source=source)


def make_network(
    model: ModelProto,
    name: str,
    *,
    sizes: Sizes = NO_SIZES,
    seed: int = 0,
    source: str = "",
) -> Network:
    """Makes a model ready to run; ``model`` itself is not changed."""
    from hetsim.workload.onnx.loader import load_onnx
    from hetsim.workload.zoo import with_random_weights

    graph = load_onnx(model, name=name, source=source, **sizes.options())
    ready = with_random_weights(_named(model, name), seed)
    _fix_numbers(ready, sizes)
    _fill_stripped(ready, seed)
    _constants_are_no_inputs(ready)
    _fix_input_shapes(ready, graph)
    ready = _with_shapes(ready, name)
    return Network(graph, ready, _feeds(graph, ready, seed))


def _named(model: ModelProto, name: str) -> ModelProto:
    """A copy whose nodes have the names that the graph's operators get."""
    from onnx import ModelProto as Proto

    from hetsim.workload.onnx.read import inline_functions, parse

    where = Location(name)
    copy = Proto()
    copy.CopyFrom(inline_functions(model, where))
    fixed = {
        i.name: tuple(d.dim_value if d.dim_value > 0 else 1 for d in i.type.tensor_type.shape.dim)
        for i in copy.graph.input
        if i.name not in {t.name for t in copy.graph.initializer}
    }
    net = parse(copy, name=name, where=where, sizes=Sizes(input_shapes=fixed))
    for node, named in zip(copy.graph.node, net.nodes, strict=True):
        node.name = named.name
    return copy


def _is_there(tensor: TensorProto, folder: Path) -> bool:
    from onnx import TensorProto as Proto

    if tensor.data_location != Proto.EXTERNAL:
        return True
    place = str({entry.key: entry.value for entry in tensor.external_data}.get("location", ""))
    return (folder / place).is_file()


def _fill_stripped(model: ModelProto, seed: int) -> None:
    """Gives random values to initialisers whose data is elsewhere and not there."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    generator = np.random.default_rng(seed)
    for tensor in model.graph.initializer:
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        dims = tuple(tensor.dims)
        fan_in = max(1, int(np.prod(dims[1:])))
        values = generator.standard_normal(dims) / np.sqrt(fan_in)
        kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
        tensor.CopyFrom(numpy_helper.from_array(values.astype(kind), tensor.name))


def _constants_are_no_inputs(model: ModelProto) -> None:
    """Initialisers that are inputs as well could be replaced at run time: nothing is folded."""
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [i for i in model.graph.input if i.name not in constants]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    model.ir_version = max(model.ir_version, 4)


def _fix_numbers(model: ModelProto, sizes: Sizes) -> None:
    """Inputs of one whole number that ``sizes`` states become constants, as in the graph."""
    import numpy as np
    from onnx import helper, numpy_helper

    fixed = [i for i in model.graph.input if i.name in sizes.dims]
    for info in fixed:
        tensor = info.type.tensor_type
        kind = helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        value = np.full((1,) * len(tensor.shape.dim), sizes.dims[info.name], kind)
        model.graph.initializer.append(numpy_helper.from_array(value, info.name))
        model.graph.input.remove(info)


def _fix_input_shapes(model: ModelProto, graph: Graph) -> None:
    for info in model.graph.input:
        tensor = graph.tensors.get(info.name)
        if tensor is None:
            continue
        shape = info.type.tensor_type.shape
        fixed = [dim.dim_value for dim in shape.dim]
        if any(old and old != new for old, new in zip(fixed, tensor.shape, strict=False)):
            raise WorkloadError(
                f"input {info.name!r} has shape {fixed} in the file and cannot run as"
                f" {list(tensor.shape)}",
                where=Location(graph.source),
                hint="simulations may take another batch; to run one, export the file with it open",
            )
        del shape.dim[:]
        for dim in tensor.shape:
            shape.dim.add().dim_value = dim


def _with_shapes(model: ModelProto, name: str) -> ModelProto:
    """Every tensor's shape written down, for cutting the model later."""
    from onnx import shape_inference

    try:
        return shape_inference.infer_shapes(model, data_prop=True)
    except Exception as error:
        raise WorkloadError(f"shapes of {name} cannot be inferred: {error}") from error


def _feeds(graph: Graph, model: ModelProto, seed: int) -> Feeds:
    """Inputs drawn at random: normal floats, whole numbers 0 and 1, booleans that are true."""
    import numpy as np
    from onnx import helper

    generator = np.random.default_rng(seed + 1)
    feeds: Feeds = {}
    for info in model.graph.input:
        kind = helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type)
        shape = [d.dim_value for d in info.type.tensor_type.shape.dim]
        if np.issubdtype(kind, np.floating):
            feeds[info.name] = generator.standard_normal(shape).astype(kind)
        elif kind == np.bool_:
            feeds[info.name] = np.ones(shape, dtype=kind)
        else:
            feeds[info.name] = generator.integers(0, 2, shape).astype(kind)
    return feeds
