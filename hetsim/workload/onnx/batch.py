"""A batch for networks whose file fixes it at one.

Many files were exported for one sample at a time although what they compute does not care. The
batch is opened at the inputs, target shapes that begin with 1 let it through
(:mod:`hetsim.workload.onnx.infer`), and it must arrive at the outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from onnx import ValueInfoProto

from hetsim.workload.onnx.dims import atoms, is_whole_number, named_dims
from hetsim.workload.onnx.ir import Net, dimensions

BATCH = "batch"
"""What the first dimension is called where a file fixes it at one."""


def open_batch(inputs: Sequence[ValueInfoProto], dims: Mapping[str, int]) -> list[ValueInfoProto]:
    """``inputs`` with dimension 0 called ``batch`` where ``dims`` gives one and the file says 1.

    Such a file was exported for one sample at a time; what runs through it is checked at its other
    end (:func:`check_batch`).
    """
    names = {a for i in inputs for d in named_dims(i) or () if isinstance(d, str) for a in atoms(d)}
    opened = batch_inputs(inputs) if BATCH in dims and BATCH not in names else []
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


def batch_inputs(inputs: Sequence[ValueInfoProto]) -> list[str]:
    """Names of the inputs if all of them begin with a dimension of one, else none."""
    tensors = [i for i in inputs if not is_whole_number(i)]
    shapes = [dimensions(i.type) for i in tensors if i.type.tensor_type.HasField("shape")]
    fits = len(shapes) == len(tensors) and all(len(s) > 1 and s[0] == 1 for s in shapes)
    return [info.name for info in tensors] if fits else []
