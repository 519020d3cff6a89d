"""Convolutions and matrix products: multiply-accumulates and their loop nest.

A constant bias costs nothing extra: it is what the accumulators start from. One- and
three-dimensional convolutions are written with two spatial loops (the depth loop merged into the
height), which keeps the product of the loops exact.
"""

from __future__ import annotations

from hetsim.errors import WorkloadError
from hetsim.workload.convolution import convolution_class
from hetsim.workload.costing.elementwise import SIGMOID
from hetsim.workload.costing.registry import Call, Cost, product, rule
from hetsim.workload.graph import LoopNest
from hetsim.workload.onnx.ir import Value


def convolution_nest(
    call: Call, data: Value, weight: Value, result: Value, *, transposed: bool = False
) -> LoopNest:
    """The loop nest of a convolution of ``data`` (N, C, spatial) with ``weight``.

    A transposed convolution applies its kernel at every *input* position, so its ``out_h, out_w``
    are the input's extents: the product of the loops is then the work it really does.
    """
    if call.integer("channels_last", 0):
        data, result = _channels_first(data), _channels_first(result)
    groups = call.integer("group", 1)
    fits = data.rank >= 3 and weight.rank == data.rank and groups >= 1
    if fits:
        expected = weight.shape[0] if transposed else weight.shape[1] * groups
        fits = data.shape[1] == expected and weight.shape[0] % groups == 0
    if not fits:
        raise WorkloadError(
            f"operator {call.name!r} ({call.kind}): data of shape {list(data.shape)}, weights of"
            f" shape {list(weight.shape)} and {groups} groups do not make a convolution"
        )
    positions = data if transposed else result
    out_h, out_w = _two(positions.shape[2:])
    in_h, in_w = _two(data.shape[2:])
    k_h, k_w = _two(weight.shape[2:])
    rank = data.rank - 2
    stride_h, stride_w = _step(call.integers("strides", (1,) * rank))
    dilation_h, dilation_w = _step(call.integers("dilations", (1,) * rank))
    return LoopNest(
        batch=data.shape[0],
        groups=groups,
        out_h=out_h,
        out_w=out_w,
        in_c=weight.shape[0] // groups if transposed else weight.shape[1],
        out_c=weight.shape[1] if transposed else weight.shape[0] // groups,
        k_h=k_h,
        k_w=k_w,
        stride_h=stride_h,
        stride_w=stride_w,
        dilation_h=dilation_h,
        dilation_w=dilation_w,
        in_h=in_h,
        in_w=in_w,
        weights_are_activations=not weight.constant,
    )


def _channels_first(value: Value) -> Value:
    batch, *spatial, channels = value.shape
    shape = (batch, channels, *spatial)
    return Value(value.name, shape, value.elem_type, constant=value.constant)


def _two(dims: tuple[int, ...]) -> tuple[int, int]:
    """Spatial extents as (height, width): a missing height is 1, leading dimensions merge."""
    return product(dims[:-1]), dims[-1]


def _step(values: tuple[int, ...]) -> tuple[int, int]:
    return (values[-2] if len(values) > 1 else 1), values[-1]


@rule("Conv")
def _conv(call: Call) -> Cost:
    nest = convolution_nest(call, call.input(0), call.input(1), call.output)
    return Cost.of_nest(nest, convolution_class(nest))


@rule("CausalConvWithState")
def _causal_conv(call: Call) -> Cost:
    """Each channel with its own kernel over the steps before it, which a cache extends."""
    (batch, channels, steps), reach = call.input(0).shape, call.input(1).shape[-1]
    nest = LoopNest(
        batch=batch,
        groups=channels,
        out_h=1,
        out_w=steps,
        in_c=1,
        out_c=1,
        k_w=reach,
        in_w=steps + reach - 1,
        weights_are_activations=not call.input(1).constant,
    )
    gated = call.text("activation", "none").lower() in ("silu", "swish")
    ops = (SIGMOID + 1) * call.result_elements if gated else 0
    return Cost.of_nest(nest, convolution_class(nest), ops)


@rule("ConvTranspose")
def _conv_transpose(call: Call) -> Cost:
    nest = convolution_nest(call, call.input(0), call.input(1), call.output, transposed=True)
    return Cost.of_nest(nest, convolution_class(nest))


@rule("DeformConv")
def _deform_conv(call: Call) -> Cost:
    """A convolution whose every tap is sampled from four neighbours: 4 multiplies and adds."""
    nest = convolution_nest(call, call.input(0), call.input(1), call.output)
    positions = nest.batch * nest.out_h * nest.out_w * nest.k_h * nest.k_w
    samples = positions * call.input(0).shape[1]
    return Cost.of_nest(nest, convolution_class(nest), 8 * samples)


@rule("Gemm")
def _gemm(call: Call) -> Cost:
    left, right = call.input(0), call.input(1)
    rows, inner = left.shape[::-1] if call.integer("transA", 0) else left.shape
    columns = call.output.shape[-1]
    nest = LoopNest(
        batch=1,
        groups=1,
        out_h=1,
        out_w=rows,
        in_c=inner,
        out_c=columns,
        in_w=rows,
        weights_are_activations=not (left.constant or right.constant),
    )
    added = call.has(2) and not call.input(2).constant
    return Cost.of_nest(nest, element_ops=call.result_elements if added else 0)


def matmul_nest(left: Value, right: Value) -> LoopNest:
    """The loop nest of numpy's ``left @ right``.

    Batches that share one right operand become rows of a single product. A constant on the left
    takes the weights' place: the product is then read transposed.
    """
    a = left.shape if left.rank > 1 else (1, *left.shape)
    b = right.shape if right.rank > 1 else (*right.shape, 1)
    swapped = left.constant and not right.constant
    if swapped:
        a, b = (*b[:-2], b[-1], b[-2]), (*a[:-2], a[-1], a[-2])
    rows, inner, columns = a[-2], a[-1], b[-1]
    batch = _broadcast(a[:-2], b[:-2])
    shared = product(b[:-2]) == 1
    return LoopNest(
        batch=1,
        groups=1 if shared else batch,
        out_h=batch if shared else 1,
        out_w=rows,
        in_c=inner,
        out_c=columns,
        in_h=batch if shared else 1,
        in_w=rows,
        weights_are_activations=not (left.constant or right.constant),
    )


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    length = max(len(a), len(b))
    a, b = (1,) * (length - len(a)) + a, (1,) * (length - len(b)) + b
    return product(tuple(y if x == 1 else x for x, y in zip(a, b, strict=True)))


@rule("MatMul")
def _matmul(call: Call) -> Cost:
    return Cost.of_nest(matmul_nest(call.input(0), call.input(1)))
