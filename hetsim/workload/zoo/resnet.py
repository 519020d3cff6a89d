"""Residual networks: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016.

The bottleneck variant has its stride in the 3x3 convolution ("v1.5"), as torchvision and most later
code do. ResNeXt: Xie et al., "Aggregated Residual Transformations", CVPR 2017.
"""

from __future__ import annotations

from collections.abc import Sequence

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder

STAGE_WIDTHS = (64, 128, 256, 512)


def _stem(net: NetworkBuilder) -> str:
    result = net.conv_bn("stem", net.input, 64, 7, stride=2, padding=3)
    return net.pool("MaxPool", "maxpool", result, 3, stride=2, padding=1)


def _shortcut(net: NetworkBuilder, name: str, source: str, channels: int, stride: int) -> str:
    if stride == 1 and net.channels[source] == channels:
        return source
    return net.conv_bn(f"{name}.shortcut", source, channels, 1, stride=stride, activation="")


def _basic_block(net: NetworkBuilder, name: str, source: str, width: int, stride: int) -> str:
    result = net.conv_bn(f"{name}.1", source, width, 3, stride=stride, padding=1)
    result = net.conv_bn(f"{name}.2", result, width, 3, padding=1, activation="")
    shortcut = _shortcut(net, name, source, width, stride)
    return net.relu(f"{name}.relu", net.add("Add", f"{name}.add", [result, shortcut]))


def _bottleneck(
    net: NetworkBuilder, name: str, source: str, width: int, stride: int, groups: int, inner: int
) -> str:
    result = net.conv_bn(f"{name}.1", source, inner, 1)
    result = net.conv_bn(f"{name}.2", result, inner, 3, stride=stride, padding=1, groups=groups)
    result = net.conv_bn(f"{name}.3", result, 4 * width, 1, activation="")
    shortcut = _shortcut(net, name, source, 4 * width, stride)
    return net.relu(f"{name}.relu", net.add("Add", f"{name}.add", [result, shortcut]))


def resnet18() -> ModelProto:
    """ResNet-18 at 224x224."""
    net = NetworkBuilder("resnet18", (1, 3, 224, 224))
    result = _stem(net)
    for stage, width in enumerate(STAGE_WIDTHS, start=1):
        for block in range(2):
            stride = 2 if stage > 1 and block == 0 else 1
            result = _basic_block(net, f"layer{stage}.{block}", result, width, stride)
    return net.finish(net.classifier(result), (1, 1000))


def _bottleneck_network(name: str, blocks: Sequence[int], groups: int, base: int) -> ModelProto:
    net = NetworkBuilder(name, (1, 3, 224, 224))
    result = _stem(net)
    for stage, (width, count) in enumerate(zip(STAGE_WIDTHS, blocks, strict=True), start=1):
        inner = width * base // 64 * groups
        for block in range(count):
            stride = 2 if stage > 1 and block == 0 else 1
            label = f"layer{stage}.{block}"
            result = _bottleneck(net, label, result, width, stride, groups, inner)
    return net.finish(net.classifier(result), (1, 1000))


def resnet50_v1_5() -> ModelProto:
    """ResNet-50 with the stride in the 3x3 convolutions, at 224x224."""
    return _bottleneck_network("resnet50_v1_5", (3, 4, 6, 3), groups=1, base=64)


def resnext50_32x4d() -> ModelProto:
    """ResNeXt-50, 32 groups of width 4, at 224x224."""
    return _bottleneck_network("resnext50_32x4d", (3, 4, 6, 3), groups=32, base=4)
