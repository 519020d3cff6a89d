"""Keys: what two operators must have in common for one measurement to speak of both.

A key is short text that a person can read and write, such as
``Conv[n1 c64 h56 w56 o64 k3x3 s1x1 d1x1 g1 y56x56] float32``. It says everything that decides how
long an operator takes, and nothing about the network it stands in: no names, no weights' values,
no bias (whose time is not measurable beside the products). A fused group joins keys with `` + ``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from hetsim.workload.graph import Graph, LoopNest, Operator

JOIN = " + "
"""Between the keys of a group's operators, in execution order."""

_TIMED_ATTRIBUTES = (
    "kernel_shape", "strides", "pads", "dilations", "ceil_mode", "axis", "axes", "perm", "size",
    "mode", "keepdims", "direction", "hidden_size", "blocksize", "group",
)  # fmt: skip
"""Attributes that can change the time of an operator without changing its tensors' shapes."""

_CONVOLUTIONS = frozenset({"Conv", "ConvTranspose"})


def operator_key(graph: Graph, op: Operator) -> str:
    """The key of one operator of ``graph``."""
    if op.nest is not None:
        return nest_key(op.kind, op.nest, op.dtype)
    read = "|".join(_shape(graph, name) for name in op.inputs)
    made = "|".join(_shape(graph, name) for name in op.outputs)
    words = [f"{read}>{made}"]
    if op.weights:
        words.append(f"const={op.weight_elements}")
    for name in _TIMED_ATTRIBUTES:
        if name in op.attributes:
            words.append(f"{name}={_text(op.attributes[name])}")
    return f"{op.kind}[{' '.join(words)}] {op.dtype}"


def nest_key(kind: str, nest: LoopNest, dtype: str) -> str:
    """The key of a convolution or matrix product, from its loops alone."""
    words: tuple[str, ...]
    if kind in _CONVOLUTIONS:
        words = (
            f"n{nest.batch}", f"c{nest.in_c * nest.groups}", f"h{nest.in_h}", f"w{nest.in_w}",
            f"o{nest.out_c * nest.groups}", f"k{nest.k_h}x{nest.k_w}",
            f"s{nest.stride_h}x{nest.stride_w}", f"d{nest.dilation_h}x{nest.dilation_w}",
            f"g{nest.groups}", f"y{nest.out_h}x{nest.out_w}",
        )  # fmt: skip
    else:
        rows = nest.batch * nest.out_h * nest.out_w
        words = (f"b{nest.groups}", f"m{rows}", f"k{nest.in_c}", f"n{nest.out_c}")
        if nest.weights_are_activations:
            words = (*words, "computed")
    return f"{kind}[{' '.join(words)}] {dtype}"


def convolution_key(
    *, n: int, c: int, h: int, w: int, o: int, kernel: Sequence[int], stride: Sequence[int],
    pads: Sequence[int], dilation: Sequence[int], groups: int, dtype: str,
) -> str:  # fmt: skip
    """The key of a ``Conv`` given as foreign files do; ``pads`` are top, left, bottom, right.

    Raises:
        ValueError: channels that the groups do not divide, a kernel larger than the padded input.
    """
    if groups < 1 or c % groups or o % groups:
        raise ValueError(f"{c} and {o} channels cannot be divided into {groups} groups")
    extents = []
    for size, k, s, d, before, after in zip(
        (h, w), kernel, stride, dilation, pads[:2], pads[2:], strict=True
    ):
        extents.append((size + before + after - d * (k - 1) - 1) // s + 1)
    if min(extents) < 1:
        raise ValueError(f"a {kernel[0]}x{kernel[1]} kernel leaves no output of a {h}x{w} input")
    nest = LoopNest(
        n, groups, extents[0], extents[1], c // groups, o // groups, kernel[0], kernel[1],
        stride[0], stride[1], dilation[0], dilation[1], h, w,
    )  # fmt: skip
    return nest_key("Conv", nest, dtype)


def group_key(graph: Graph, operators: Iterable[Operator]) -> str:
    """The key of a kernel: of its operators in execution order."""
    return JOIN.join(operator_key(graph, op) for op in operators)


def kinds_of(key: str) -> tuple[str, ...]:
    """The operator kinds that a key speaks of.

    Raises:
        ValueError: it is not a key.
    """
    kinds = []
    for part in key.split(JOIN):
        kind, bracket, rest = part.partition("[")
        if not (kind and bracket and "]" in rest and rest.rpartition("]")[2].strip()):
            raise ValueError(
                f"{part!r} is not an operator key; one looks like 'Relu[1x64x56x56>1x64x56x56]"
                " float32'"
            )
        kinds.append(kind)
    return tuple(kinds)


_CONVOLUTION = re.compile(
    r"n(\d+) c(\d+) h(\d+) w(\d+) o(\d+) k(\d+)x(\d+) s(\d+)x(\d+) d(\d+)x(\d+) g(\d+)"
    r" y(\d+)x(\d+)"
)
_PRODUCT = re.compile(r"b(\d+) m(\d+) k(\d+) n(\d+)( computed)?")


def nests_of(key: str) -> list[tuple[LoopNest, str]]:
    """The convolutions and matrix products that a key speaks of, with their data types.

    The other way of :func:`nest_key`; the rows of a product are taken for its batch.
    """
    found = []
    for part in key.split(JOIN):
        words, _, dtype = part.partition("[")[2].rpartition("]")
        if match := _CONVOLUTION.fullmatch(words):
            n, c, h, w, o, k_h, k_w, s_h, s_w, d_h, d_w, g, y_h, y_w = map(int, match.groups())
            groups = max(g, 1)
            nest = LoopNest(
                n, groups, y_h, y_w, c // groups, o // groups, k_h, k_w, s_h, s_w, d_h, d_w, h, w
            )
        elif match := _PRODUCT.fullmatch(words):
            b, m, k, n = map(int, match.groups()[:4])
            nest = LoopNest(m, b, 1, 1, k, n, weights_are_activations=bool(match[5]))
        else:
            continue
        found.append((nest, dtype.strip()))
    return found


def _shape(graph: Graph, tensor: str) -> str:
    shape = graph.tensors[tensor].shape
    return "x".join(map(str, shape)) if shape else "scalar"


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value)
