"""Swin: Liu et al., ICCV 2021: attention within windows, shifted in every second block."""

from __future__ import annotations

import math

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder
from hetsim.workload.zoo.tokens import dense, mlp, norm

WINDOW = 7
FAR = 2**31 - 1


def _slice(net: NetworkBuilder, name: str, source: str, axis: int, begin: int, end: int) -> str:
    bounds = [net.integers(f"{name}.{part}", [n]) for part, n in (("from", begin), ("to", end))]
    return net.add("Slice", name, [source, *bounds, net.integers(f"{name}.axis", [axis])])


def _rolled(net: NetworkBuilder, name: str, source: str, shift: int) -> str:
    """Rows and columns moved round by ``shift``."""
    for axis in (1, 2):
        parts = [
            _slice(net, f"{name}.{axis}.tail", source, axis, shift, FAR),
            _slice(net, f"{name}.{axis}.head", source, axis, 0, shift),
        ]
        width = net.channels[source]
        source = net.add("Concat", f"{name}.{axis}", parts, width, axis=axis)
    return source


def _attention(
    net: NetworkBuilder, name: str, source: str, windows: int, heads: int, shifted: bool
) -> str:
    """Within each of (windows, tokens, width), with a learned bias for each pair of places."""
    width, tokens = net.channels[source], WINDOW * WINDOW
    joined = dense(net, f"{name}.qkv", source, 3 * width)
    shape = [windows, tokens, 3, heads, width // heads]
    joined = net.reshape(f"{name}.heads", joined, shape)
    joined = net.transpose(f"{name}.parts", joined, [2, 0, 3, 1, 4])
    query, key, value = (
        net.reshape(f"{name}.{i}", part, [windows, heads, tokens, width // heads], width)
        for i, part in enumerate(net.split(f"{name}.split", joined, [1, 1, 1], axis=0))
    )
    factor = net.weight(f"{name}.factor", (1,), 1 / math.sqrt(width / heads))
    query = net.add("Mul", f"{name}.scale", [query, factor])
    key = net.transpose(f"{name}.key", key, [0, 1, 3, 2])
    scores = net.add("MatMul", f"{name}.scores", [query, key])
    table = net.weight(f"{name}.bias", ((2 * WINDOW - 1) ** 2, heads))
    bias = net.add("Gather", f"{name}.places", [table, net.integers(f"{name}.pairs", _pairs())])
    bias = net.transpose(f"{name}.turned", bias, [1, 0])
    bias = net.reshape(f"{name}.spread", bias, [1, heads, tokens, tokens])
    scores = net.add("Add", f"{name}.biased", [scores, bias])
    if shifted:
        mask = net.weight(f"{name}.mask", (windows, 1, tokens, tokens))
        scores = net.add("Add", f"{name}.masked", [scores, mask])
    scores = net.add("Softmax", f"{name}.softmax", [scores], axis=-1)
    mixed = net.add("MatMul", f"{name}.mix", [scores, value], width)
    mixed = net.transpose(f"{name}.merge", mixed, [0, 2, 1, 3])
    mixed = net.reshape(f"{name}.flatten", mixed, [windows, tokens, width])
    return dense(net, f"{name}.out", mixed, width)


def _pairs() -> list[int]:
    """For each pair of places in a window, where its bias stands in the table."""
    places = [divmod(place, WINDOW) for place in range(WINDOW * WINDOW)]
    reach = WINDOW - 1
    return [
        (a - c + reach) * (2 * WINDOW - 1) + b - d + reach for a, b in places for c, d in places
    ]


def _block(
    net: NetworkBuilder, name: str, source: str, extent: int, heads: int, *, shifted: bool
) -> str:
    width, across = net.channels[source], extent // WINDOW
    result = norm(net, f"{name}.norm1", source, 1e-5)
    if shifted:
        result = _rolled(net, f"{name}.roll", result, WINDOW // 2)
    result = net.reshape(f"{name}.cut", result, [1, across, WINDOW, across, WINDOW, width])
    result = net.transpose(f"{name}.windows", result, [0, 1, 3, 2, 4, 5])
    result = net.reshape(f"{name}.tokens", result, [across**2, WINDOW**2, width])
    result = _attention(net, f"{name}.attention", result, across**2, heads, shifted)
    result = net.reshape(f"{name}.apart", result, [1, across, across, WINDOW, WINDOW, width])
    result = net.transpose(f"{name}.image", result, [0, 1, 3, 2, 4, 5])
    result = net.reshape(f"{name}.pixels", result, [1, extent, extent, width])
    if shifted:
        result = _rolled(net, f"{name}.unroll", result, -(WINDOW // 2))
    result = net.add("Add", f"{name}.residual1", [source, result])
    inner = mlp(net, name, norm(net, f"{name}.norm2", result, 1e-5), 4 * width)
    return net.add("Add", f"{name}.residual2", [result, inner])


def _merged(net: NetworkBuilder, name: str, source: str) -> str:
    """Four neighbours to one token of twice the width."""
    width = net.channels[source]
    axes, steps = net.integers(f"{name}.axes", [1, 2]), net.integers(f"{name}.steps", [2, 2])
    ends = net.integers(f"{name}.ends", [FAR, FAR])
    parts = []
    for row, column in ((0, 0), (1, 0), (0, 1), (1, 1)):
        starts = net.integers(f"{name}.starts{row}{column}", [row, column])
        parts.append(
            net.add("Slice", f"{name}.slice{row}{column}", [source, starts, ends, axes, steps])
        )
    result = net.add("Concat", f"{name}.concat", parts, 4 * width, axis=3)
    return dense(net, name, norm(net, f"{name}.norm", result, 1e-5), 2 * width, bias=False)


def swin_t() -> ModelProto:
    """Swin-T at 224x224."""
    net = NetworkBuilder("swin_t", (1, 3, 224, 224))
    result = net.conv("patches", net.input, 96, 4, stride=4, bias=True)
    result = norm(net, "patches.norm", net.transpose("pixels", result, [0, 2, 3, 1]), 1e-5)
    extent = 56
    for stage, (blocks, heads) in enumerate(((2, 3), (2, 6), (6, 12), (2, 24))):
        if stage:
            result, extent = _merged(net, f"merge{stage}", result), extent // 2
        for block in range(blocks):
            shifted = bool(block % 2) and extent > WINDOW
            name = f"stage{stage}.{block}"
            result = _block(net, name, result, extent, heads, shifted=shifted)
    result = net.transpose("channels", norm(net, "norm", result, 1e-5), [0, 3, 1, 2])
    return net.finish(net.classifier(result), (1, 1000))
