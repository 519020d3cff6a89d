"""All that keeps a file from being loaded, where its structure alone shows it.

The loader stops at the first problem, since a shape that is not known makes the next one a guess.
What does not depend on shapes can be told together: which inputs are left open, and which operators
nobody models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hetsim.errors import Location, WorkloadError
from hetsim.workload.onnx.inputs import add_inputs
from hetsim.workload.onnx.ir import Net
from hetsim.workload.onnx.loader import check_kinds
from hetsim.workload.onnx.order import constant_tensors, live_nodes, sort_nodes
from hetsim.workload.onnx.read import inline_functions, parse, read_model


def structural_problems(
    path: str | Path, input_shapes: Mapping[str, Sequence[int]] | None = None
) -> list[WorkloadError]:
    """The problems of the ONNX file at ``path``, inputs first; those of shapes are not among them.

    Raises:
        WorkloadError: the file cannot be read at all.
    """
    where = Location(str(path))
    model = inline_functions(read_model(path), where)
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [info for info in model.graph.input if info.name not in constants]
    names = {info.name for info in inputs}
    given = {name: tuple(s) for name, s in (input_shapes or {}).items() if name in names}
    problems = []
    for info in inputs:
        net = Net("", where, [], {}, [], [], {})
        mine = {info.name: given[info.name]} if info.name in given else {}
        try:
            add_inputs(net, [info], mine)
        except WorkloadError as error:
            problems.append(error)
            # Kinds do not depend on it: any extent that the file allows will do.
            dims = info.type.tensor_type.shape.dim
            given[info.name] = tuple(max(int(dim.dim_value), 1) for dim in dims)
    try:
        net = parse(model, name=None, where=where, input_shapes=given, folder=Path(path).parent)
        sort_nodes(net)
        running = live_nodes(net, constant_tensors(net), through_constants=False)
        check_kinds(net, running, "error")
    except WorkloadError as error:
        if str(error) not in {str(known) for known in problems}:
            problems.append(error)
    return problems
