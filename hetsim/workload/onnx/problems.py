"""All that keeps a file from being loaded, where its structure alone shows it.

The loader stops at the first problem, since a shape that is not known makes the next one a guess.
What does not depend on shapes can be told together: which inputs are left open, and which operators
nobody models.
"""

from __future__ import annotations

from pathlib import Path

from hetsim.errors import Location, WorkloadError
from hetsim.workload.onnx.batch import open_batch
from hetsim.workload.onnx.inputs import add_inputs, graph_inputs
from hetsim.workload.onnx.ir import Net
from hetsim.workload.onnx.loader import check_kinds
from hetsim.workload.onnx.order import constant_tensors, live_nodes, sort_nodes
from hetsim.workload.onnx.read import CONTROL_FLOW, inline_functions, parse, read_model
from hetsim.workload.onnx.sequences import SEQUENCES
from hetsim.workload.sizes import NO_SIZES, Sizes


def structural_problems(path: str | Path, sizes: Sizes = NO_SIZES) -> list[WorkloadError]:
    """The problems of the ONNX file at ``path``, inputs first; those of shapes are not among them.

    Raises:
        WorkloadError: the file cannot be read at all.
    """
    where = Location(str(path))
    model = inline_functions(read_model(path), where)
    problems = []
    inputs = graph_inputs(model)
    net = Net("", where, [], {}, [], [], {})
    try:
        add_inputs(net, open_batch(inputs, sizes.dims), sizes)
    except WorkloadError as error:
        problems.append(error)
        # Kinds do not depend on it: any extent that the file allows will do.
        shapes = {
            info.name: tuple(max(int(dim.dim_value), 1) for dim in info.type.tensor_type.shape.dim)
            for info in inputs
        }
        sizes = Sizes(input_shapes=shapes, max_output=sizes.max_output)
    try:
        net = parse(model, name=None, where=where, sizes=sizes, folder=Path(path).parent)
        sort_nodes(net)
        running = live_nodes(net, constant_tensors(net), through_constants=False)
        check_kinds(net, [n for n in running if n.kind not in CONTROL_FLOW | SEQUENCES], "error")
    except WorkloadError as error:
        if str(error) not in {str(known) for known in problems}:
            problems.append(error)
    return problems
