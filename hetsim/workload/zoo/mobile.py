"""Small networks: MobileNet-V2 (Sandler et al., CVPR 2018) and SqueezeNet 1.1 (Iandola et al.)."""

from __future__ import annotations

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder

MOBILENET_V2_STAGES = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
    (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip
"""Expansion, channels, repeats, first stride of each stage: table 2 of the paper."""


def mobilenet_v2() -> ModelProto:
    """MobileNet-V2, width 1.0, at 224x224."""
    net = NetworkBuilder("mobilenet_v2", (1, 3, 224, 224))
    result = net.conv_bn("stem", net.input, 32, 3, stride=2, padding=1, activation="Clip")
    number = 0
    for expansion, channels, repeats, first_stride in MOBILENET_V2_STAGES:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            result = _inverted_residual(net, f"block{number}", result, expansion, channels, stride)
            number += 1
    result = net.conv_bn("head", result, 1280, 1, activation="Clip")
    return net.finish(net.classifier(result), (1, 1000))


def _inverted_residual(
    net: NetworkBuilder, name: str, source: str, expansion: int, channels: int, stride: int
) -> str:
    wide = net.channels[source] * expansion
    result = source
    if expansion != 1:
        result = net.conv_bn(f"{name}.expand", result, wide, 1, activation="Clip")
    result = net.conv_bn(
        f"{name}.depthwise", result, wide, 3, stride=stride, padding=1, groups=wide,
        activation="Clip",
    )  # fmt: skip
    result = net.conv_bn(f"{name}.project", result, channels, 1, activation="")
    if stride == 1 and net.channels[source] == channels:
        result = net.add("Add", f"{name}.add", [source, result])
    return result


def squeezenet1_1() -> ModelProto:
    """SqueezeNet 1.1 at 224x224, with the early pooling that makes it cheaper than 1.0."""
    net = NetworkBuilder("squeezenet1_1", (1, 3, 224, 224))
    result = net.relu("relu1", net.conv("conv1", net.input, 64, 3, stride=2, bias=True))
    result = net.pool("MaxPool", "pool1", result, 3, stride=2)
    for number, (squeeze, expand) in enumerate(
        [(16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256)],
        start=2,
    ):
        result = _fire(net, f"fire{number}", result, squeeze, expand)
        if number in (3, 5):
            result = net.pool("MaxPool", f"pool{number}", result, 3, stride=2)
    result = net.relu("relu10", net.conv("conv10", result, 1000, 1, bias=True))
    result = net.add("GlobalAveragePool", "avgpool", [result])
    return net.finish(net.add("Flatten", "flatten", [result], axis=1), (1, 1000))


def _fire(net: NetworkBuilder, name: str, source: str, squeeze: int, expand: int) -> str:
    inner = net.conv(f"{name}.squeeze", source, squeeze, 1, bias=True)
    inner = net.relu(f"{name}.squeeze_relu", inner)
    one = net.conv(f"{name}.expand1x1", inner, expand, 1, bias=True)
    three = net.conv(f"{name}.expand3x3", inner, expand, 3, padding=1, bias=True)
    one, three = net.relu(f"{name}.relu1x1", one), net.relu(f"{name}.relu3x3", three)
    return net.concat(f"{name}.concat", [one, three])
