"""ConvNeXt: Liu et al., CVPR 2022."""

from __future__ import annotations

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder
from hetsim.workload.zoo.tokens import mlp, norm

LAST, FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
"""Channels behind the pixels, where they are normalised and multiplied, and before them."""


def _norm(net: NetworkBuilder, name: str, source: str) -> str:
    """Normalises the channels of each pixel."""
    result = norm(net, name, net.transpose(f"{name}.last", source, LAST))
    return net.transpose(f"{name}.first", result, FIRST)


def _block(net: NetworkBuilder, name: str, source: str) -> str:
    width = net.channels[source]
    result = net.conv(f"{name}.depthwise", source, width, 7, padding=3, groups=width, bias=True)
    result = norm(net, f"{name}.norm", net.transpose(f"{name}.last", result, LAST))
    result = net.transpose(f"{name}.first", mlp(net, name, result, 4 * width), FIRST)
    factor = net.weight(f"{name}.factor", (width, 1, 1))
    result = net.add("Mul", f"{name}.scale", [result, factor])
    return net.add("Add", f"{name}.add", [source, result])


def _convnext(name: str, blocks: tuple[int, ...], width: int) -> ModelProto:
    net = NetworkBuilder(name, (1, 3, 224, 224))
    result = net.conv("stem", net.input, width, 4, stride=4, bias=True)
    result = _norm(net, "stem.norm", result)
    for stage, count in enumerate(blocks):
        if stage:
            down = f"down{stage}"
            result = _norm(net, f"{down}.norm", result)
            result = net.conv(down, result, width << stage, 2, stride=2, bias=True)
        for block in range(count):
            result = _block(net, f"stage{stage}.{block}", result)
    result = net.add("GlobalAveragePool", "avgpool", [result])
    result = net.add("Flatten", "flatten", [result], axis=1)
    return net.finish(net.linear("fc", norm(net, "norm", result), 1000), (1, 1000))


def convnext_tiny() -> ModelProto:
    """ConvNeXt-T at 224x224."""
    return _convnext("convnext_tiny", (3, 3, 9, 3), 96)


def convnext_base() -> ModelProto:
    """ConvNeXt-B at 224x224."""
    return _convnext("convnext_base", (3, 3, 27, 3), 128)
