"""A model that can be run, beside the operator graph that stands for it.

Published files name nodes loosely or not at all, and some come without weights. Here every node has
the name that the graph's operator has, inputs have the shapes that the graph was made for, and
weights that are nowhere are random ones from a seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hetsim.errors import Location, WorkloadError
from hetsim.workload.formats import format_of, formats, names_file
from hetsim.workload.graph import Graph
from hetsim.workload.sizes import NO_SIZES, Sizes

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto


@dataclass(frozen=True)
class Runnable:
    """A graph and the model it was read from, with weights and named nodes.

    ``invented`` names the weights that nobody had: their values are random.
    """

    graph: Graph
    model: ModelProto
    invented: tuple[str, ...] = ()


def load_runnable(
    name_or_path: str | Path,
    *,
    sizes: Sizes = NO_SIZES,
    seed: int = 0,
) -> Runnable:
    """Loads a network of the zoo by name, or an ONNX file.

    Raises:
        WorkloadError: no such network, one that cannot be understood, or a file that is not ONNX.
    """
    from hetsim.workload.onnx.read import read_model
    from hetsim.workload.zoo import build_model_proto, find_model

    path = Path(name_or_path)
    if names_file(path):
        form = format_of(path)
        if form is not formats()["onnx"]:
            raise WorkloadError(
                f"networks are run here, and handed to runtimes, as ONNX; this is {form.title}",
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
    return make_runnable(model, name, sizes=sizes, seed=seed, source=source)


def make_runnable(
    model: ModelProto,
    name: str,
    *,
    sizes: Sizes = NO_SIZES,
    seed: int = 0,
    source: str = "",
) -> Runnable:
    """Makes a model ready to run; ``model`` itself is not changed."""
    from hetsim.workload.onnx.loader import load_onnx
    from hetsim.workload.zoo import with_random_weights

    graph = load_onnx(model, name=name, source=source, **sizes.options())
    named = _named(model, name)
    ready = with_random_weights(named, seed)
    had = {tensor.name for tensor in named.graph.initializer}
    invented = [t.name for t in ready.graph.initializer if t.name not in had]
    invented += _fill_stripped(ready, seed)
    _fix_numbers(ready, sizes)
    _constants_are_no_inputs(ready)
    _fix_input_shapes(ready, graph)
    return Runnable(graph, ready, tuple(invented))


def write_types(model: ModelProto) -> None:
    """Writes the type and shape of every tensor into a runnable ``model``, as hetsim infers them.

    Raises:
        WorkloadError: see :func:`~hetsim.workload.onnx.infer.infer`.
    """
    from onnx import helper

    from hetsim.workload.onnx.infer import infer
    from hetsim.workload.onnx.order import constant_tensors, live_nodes, sort_nodes
    from hetsim.workload.onnx.read import parse

    where = Location(model.graph.name)
    net = parse(model, name=None, where=where)
    sort_nodes(net)
    constant = constant_tensors(net)
    live = live_nodes(net, constant, through_constants=True)
    infer(net, live, {t for node in live for t in node.inputs}.union(net.outputs))
    ends = {info.name for info in (*model.graph.input, *model.graph.output)}
    made = {tensor for node in model.graph.node for tensor in node.output}
    del model.graph.value_info[:]
    model.graph.value_info.extend(
        helper.make_tensor_value_info(value.name, value.elem_type, value.shape)
        for value in net.values.values()
        if value.name in made and value.name not in ends
    )
    for info in model.graph.output:
        if info.name in net.values:
            found = net.values[info.name]
            info.CopyFrom(helper.make_tensor_value_info(info.name, found.elem_type, found.shape))


def _named(model: ModelProto, name: str) -> ModelProto:
    """A copy whose nodes have the names that the graph's operators get."""
    from onnx import ModelProto as Proto

    from hetsim.workload.onnx.read import inline_functions, node_names

    copy = Proto()
    copy.CopyFrom(inline_functions(model, Location(name)))
    for node, label in zip(copy.graph.node, node_names(copy.graph.node), strict=True):
        node.name = label
    return copy


def _is_there(tensor: TensorProto, folder: Path) -> bool:
    from onnx import TensorProto as Proto

    if tensor.data_location != Proto.EXTERNAL:
        return True
    place = str({entry.key: entry.value for entry in tensor.external_data}.get("location", ""))
    return (folder / place).is_file()


def _fill_stripped(model: ModelProto, seed: int) -> list[str]:
    """Gives random values to initialisers whose data is elsewhere and not there; names them."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    generator = np.random.default_rng(seed)
    filled = []
    for tensor in model.graph.initializer:
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        dims = tuple(tensor.dims)
        fan_in = max(1, int(np.prod(dims[1:])))
        values = generator.standard_normal(dims) / np.sqrt(fan_in)
        kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
        tensor.CopyFrom(numpy_helper.from_array(values.astype(kind), tensor.name))
        filled.append(tensor.name)
    return filled


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
