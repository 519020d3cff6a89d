"""What an operator is to a VPU's array: its operation and loops, and whether it can be asked about.

A tile's array (DPU) convolves, pools, and adds two tensors. Anything else belongs to the vector
processors, and a shape that the model was not trained on is told, not guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hetsim.learn.vpunn.workloads import (
    AVEPOOL,
    COMPRESSED,
    CONVOLUTION,
    DEPTHWISE,
    DTYPES,
    ELTWISE,
    MAXPOOL,
)
from hetsim.soc.model import PU
from hetsim.workload.graph import Graph, LoopNest, Operator

MOST_KERNEL, MOST_STRIDE, MOST_EXTENT = 11, 8, 8192
"""The largest kernel, stride and extent that the array runs (``device_valid_values`` of both)."""

CHANNELS = 16
"""Channels come in sixteens; a first layer with fewer is packed (``CM_CONVOLUTION``)."""

COLUMN = 16
"""Pixels that nothing ties together (a matrix product's rows) stand in rows of so many."""

_STORED: Mapping[str, str] = {
    "int8": "UINT8", "uint8": "UINT8", "float16": "FLOAT16", "bfloat16": "BFLOAT16",
}  # fmt: skip
_POOLS: Mapping[str, int] = {
    "MaxPool": MAXPOOL, "GlobalMaxPool": MAXPOOL,
    "AveragePool": AVEPOOL, "GlobalAveragePool": AVEPOOL,
}  # fmt: skip
_SUMS = frozenset({"Add", "Sub", "Mul"})


@dataclass(frozen=True, slots=True)
class Layer:
    """Loops of one operator on the array; ``products`` such, one after the other.

    ``operation`` and ``dtype`` are positions in the names of :mod:`hetsim.learn.vpunn.workloads`.
    Where ``by_channel`` holds, an output channel reads its own input channel alone.
    """

    operation: int
    dtype: int
    products: int
    in_c: int
    out_c: int
    out_h: int
    out_w: int
    in_h: int
    in_w: int
    k_h: int = 1
    k_w: int = 1
    stride_h: int = 1
    stride_w: int = 1

    @property
    def by_channel(self) -> bool:
        """Whether channels are apart."""
        return self.operation not in (CONVOLUTION, COMPRESSED)


def layer_of(graph: Graph, op: Operator, pu: PU) -> Layer | str | None:
    """The layer; why it cannot be asked about; ``None`` if it is not one for the array."""
    made: Layer | None
    stored = _STORED.get(pu.stored_dtype(op.dtype))
    dtype = DTYPES.index(stored) if stored else -1
    if op.nest is not None:
        if op.kind == "ConvTranspose":
            return "transposed convolutions"
        made = _product(op.nest, dtype)
    elif op.kind in _POOLS:
        made = _pool(graph, op, dtype)
    elif op.kind in _SUMS and len(op.inputs) == 2:
        made = _sum(graph, op, dtype)
    else:
        return None
    if made is None:
        return f"{op.kind} of this form"
    if dtype < 0:
        return f"{pu.stored_dtype(op.dtype)}"
    if max(made.k_h, made.k_w) > MOST_KERNEL:
        return f"kernels of more than {MOST_KERNEL}"
    if max(made.stride_h, made.stride_w) > MOST_STRIDE:
        return f"strides of more than {MOST_STRIDE}"
    if max(made.in_h, made.in_w, made.in_c, made.out_c) > MOST_EXTENT:
        return f"extents of more than {MOST_EXTENT}"
    return made


def _product(nest: LoopNest, dtype: int) -> Layer | None:
    if max(nest.dilation_h, nest.dilation_w) > 1:
        return None
    pixels = nest.batch * nest.out_h * nest.out_w
    untied = (nest.k_h, nest.k_w, nest.stride_h, nest.stride_w) == (1, 1, 1, 1)
    if nest.groups > 1 and nest.in_c == nest.out_c == 1:
        operation, products, in_c, out_c = DEPTHWISE, nest.batch, nest.groups, nest.groups
    else:
        operation = COMPRESSED if nest.in_c < CHANNELS and nest.groups == 1 else CONVOLUTION
        products, in_c, out_c = nest.groups * nest.batch, nest.in_c, nest.out_c
    if untied and (nest.out_h == 1 or nest.out_w == 1) and operation == CONVOLUTION:
        width = min(COLUMN, pixels)
        height = -(-pixels // width)
        return Layer(CONVOLUTION, dtype, nest.groups, in_c, out_c, height, width, height, width)
    return Layer(
        operation, dtype, products, in_c, out_c, nest.out_h, nest.out_w, nest.in_h, nest.in_w,
        nest.k_h, nest.k_w, nest.stride_h, nest.stride_w,
    )  # fmt: skip


def _pool(graph: Graph, op: Operator, dtype: int) -> Layer | None:
    data, result = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    # A global pool has none of these attributes.
    kernel, stride = _pair(op, "kernel_shape", data[2:]), _pair(op, "strides", (1, 1))
    if len(kernel) != 2 or len(stride) != 2 or max(_pair(op, "dilations", (1, 1))) > 1:
        return None
    images, channels, height, width = data
    out_h, out_w = result[2:]
    return Layer(
        _POOLS[op.kind], dtype, images, channels, channels, out_h, out_w, height, width,
        *kernel, *stride,
    )  # fmt: skip


def _pair(op: Operator, name: str, otherwise: Sequence[int]) -> tuple[int, ...]:
    value = op.attributes.get(name)
    return tuple(int(v) for v in value) if isinstance(value, list | tuple) else tuple(otherwise)


def _sum(graph: Graph, op: Operator, dtype: int) -> Layer | None:
    first, second = (graph.tensors[name].shape for name in op.inputs)
    if first != second or len(first) not in (3, 4):
        return None
    if len(first) == 4:
        images, channels, height, width = first
        return Layer(ELTWISE, dtype, images, channels, channels, height, width, height, width)
    pixels, channels = first[0] * first[1], first[2]
    width = min(COLUMN, pixels)
    height = -(-pixels // width)
    return Layer(ELTWISE, dtype, 1, channels, channels, height, width, height, width)
