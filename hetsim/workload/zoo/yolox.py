"""YOLOX: Ge et al., 2021: CSPDarknet with a focus stem, a feature pyramid, decoupled heads.

Decoding boxes and suppressing the overlapping ones is left out, as in the authors' export.
"""

from __future__ import annotations

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder

FAR = 2**31 - 1


def _conv(
    net: NetworkBuilder, name: str, source: str, width: int, kernel: int = 1, stride: int = 1
) -> str:
    return net.conv_bn(
        name, source, width, kernel, stride=stride, padding=kernel // 2, activation="Swish"
    )


def _focus(net: NetworkBuilder, name: str, source: str, channels: int) -> str:
    """Every second row and column apart: four images of a quarter the size, side by side."""
    axes, steps = net.integers(f"{name}.axes", [2, 3]), net.integers(f"{name}.steps", [2, 2])
    ends = net.integers(f"{name}.ends", [FAR, FAR])
    parts = []
    for row, column in ((0, 0), (1, 0), (0, 1), (1, 1)):
        starts = net.integers(f"{name}.starts{row}{column}", [row, column])
        parts.append(
            net.add("Slice", f"{name}.slice{row}{column}", [source, starts, ends, axes, steps])
        )
    return _conv(net, f"{name}.conv", net.concat(f"{name}.concat", parts), channels, 3)


def _stage(
    net: NetworkBuilder,
    name: str,
    source: str,
    channels: int,
    depth: int = 1,
    *,
    shortcut: bool = False,
) -> str:
    """Half of the channels through bottlenecks, half past them (Wang et al., CSPNet, 2020)."""
    inner = channels // 2
    result = _conv(net, f"{name}.1", source, inner)
    for number in range(depth):
        before = result
        result = _conv(net, f"{name}.m{number}.1", result, inner)
        result = _conv(net, f"{name}.m{number}.2", result, inner, 3)
        if shortcut:
            result = net.add("Add", f"{name}.m{number}.add", [before, result])
    past = _conv(net, f"{name}.2", source, inner)
    return _conv(net, f"{name}.3", net.concat(f"{name}.concat", [result, past]), channels)


def _pyramid_pool(net: NetworkBuilder, name: str, source: str, channels: int) -> str:
    result = _conv(net, f"{name}.1", source, channels // 2)
    pools = [
        net.pool("MaxPool", f"{name}.pool{size}", result, size, padding=size // 2)
        for size in (5, 9, 13)
    ]
    return _conv(net, f"{name}.2", net.concat(f"{name}.concat", [result, *pools]), channels)


def _twice(net: NetworkBuilder, name: str, source: str) -> str:
    """Rows and columns doubled."""
    scales = net.floats(f"{name}.scales", [1.0, 1.0, 2.0, 2.0])
    return net.add(
        "Resize", name, [source, "", scales], mode="nearest", nearest_mode="floor",
        coordinate_transformation_mode="asymmetric",
    )  # fmt: skip


def _features(net: NetworkBuilder) -> list[str]:
    """Features at an eighth, a sixteenth and a thirty-second of the size."""
    result = _focus(net, "stem", net.input, 32)
    levels = []
    for number, (channels, depth) in enumerate(((64, 1), (128, 3), (256, 3), (512, 1)), start=2):
        name = f"dark{number}"
        result = _conv(net, f"{name}.conv", result, channels, 3, 2)
        if number == 5:
            result = _pyramid_pool(net, f"{name}.spp", result, channels)
        result = _stage(net, f"{name}.csp", result, channels, depth, shortcut=number < 5)
        levels.append(result)
    _, eighth, sixteenth, last = levels
    top = _conv(net, "lateral0", last, 256)
    middle = net.concat("cat0", [_twice(net, "up0", top), sixteenth])
    middle = _conv(net, "reduce1", _stage(net, "p4", middle, 256), 128)
    low = _stage(net, "p3", net.concat("cat1", [_twice(net, "up1", middle), eighth]), 128)
    down = net.concat("cat2", [_conv(net, "down0", low, 128, 3, 2), middle])
    down = _stage(net, "n3", down, 256)
    deepest = net.concat("cat3", [_conv(net, "down1", down, 256, 3, 2), top])
    return [low, down, _stage(net, "n4", deepest, 512)]


def _head(net: NetworkBuilder, name: str, source: str, cells: int, classes: int) -> str:
    """Box, object or none, and class of each cell."""
    stem = _conv(net, f"{name}.stem", source, 128)
    branches = []
    for branch in ("class", "box"):
        result = stem
        for number in range(2):
            result = _conv(net, f"{name}.{branch}{number}", result, 128, 3)
        branches.append(result)
    kind = net.conv(f"{name}.kind", branches[0], classes, 1, bias=True)
    box = net.conv(f"{name}.position", branches[1], 4, 1, bias=True)
    there = net.conv(f"{name}.there", branches[1], 1, 1, bias=True)
    scores = [net.add("Sigmoid", f"{part}.sigmoid", [part]) for part in (there, kind)]
    result = net.concat(f"{name}.concat", [box, *scores])
    return net.reshape(f"{name}.cells", result, [1, classes + 5, cells])


def yolox_s() -> ModelProto:
    """YOLOX-s at 640x640, 80 classes."""
    net = NetworkBuilder("yolox_s", (1, 3, 640, 640))
    heads = [
        _head(net, f"head{i}", features, (80 >> i) ** 2, 80)
        for i, features in enumerate(_features(net))
    ]
    result = net.add("Concat", "cells", heads, 85, axis=2)
    return net.finish(net.transpose("rows", result, [0, 2, 1]), (1, 8400, 85))
