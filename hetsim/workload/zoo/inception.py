"""Inception-v3: Szegedy et al., "Rethinking the Inception Architecture", CVPR 2016.

Block widths as in the reference implementations; the auxiliary classifier, which serves
training only, is left out.
"""

from __future__ import annotations

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder


def _pooled(net: NetworkBuilder, name: str, source: str, channels: int) -> str:
    pooled = net.pool("AveragePool", f"{name}.avgpool", source, 3, padding=1)
    return net.conv_bn(f"{name}.pool", pooled, channels, 1)


def _block_a(net: NetworkBuilder, name: str, source: str, pool_channels: int) -> str:
    """35x35: 1x1, 5x5, double 3x3 and pooling branches."""
    single = net.conv_bn(f"{name}.b1", source, 64, 1)
    five = net.conv_bn(f"{name}.b5_1", source, 48, 1)
    five = net.conv_bn(f"{name}.b5_2", five, 64, 5, padding=2)
    three = net.conv_bn(f"{name}.b3_1", source, 64, 1)
    three = net.conv_bn(f"{name}.b3_2", three, 96, 3, padding=1)
    three = net.conv_bn(f"{name}.b3_3", three, 96, 3, padding=1)
    pooled = _pooled(net, name, source, pool_channels)
    return net.concat(f"{name}.concat", [single, five, three, pooled])


def _reduction_a(net: NetworkBuilder, name: str, source: str) -> str:
    """35x35 to 17x17."""
    three = net.conv_bn(f"{name}.b3", source, 384, 3, stride=2)
    double = net.conv_bn(f"{name}.d3_1", source, 64, 1)
    double = net.conv_bn(f"{name}.d3_2", double, 96, 3, padding=1)
    double = net.conv_bn(f"{name}.d3_3", double, 96, 3, stride=2)
    pooled = net.pool("MaxPool", f"{name}.maxpool", source, 3, stride=2)
    return net.concat(f"{name}.concat", [three, double, pooled])


def _block_b(net: NetworkBuilder, name: str, source: str, inner: int) -> str:
    """17x17: 7x7 convolutions factored into 1x7 and 7x1."""
    wide, tall = ((1, 7), (0, 3)), ((7, 1), (3, 0))
    single = net.conv_bn(f"{name}.b1", source, 192, 1)
    seven = net.conv_bn(f"{name}.b7_1", source, inner, 1)
    for step, ((kernel, padding), channels) in enumerate([(wide, inner), (tall, 192)], start=2):
        seven = net.conv_bn(f"{name}.b7_{step}", seven, channels, kernel, padding=padding)
    double = net.conv_bn(f"{name}.d7_1", source, inner, 1)
    steps = [(tall, inner), (wide, inner), (tall, inner), (wide, 192)]
    for step, ((kernel, padding), channels) in enumerate(steps, start=2):
        double = net.conv_bn(f"{name}.d7_{step}", double, channels, kernel, padding=padding)
    pooled = _pooled(net, name, source, 192)
    return net.concat(f"{name}.concat", [single, seven, double, pooled])


def _reduction_b(net: NetworkBuilder, name: str, source: str) -> str:
    """17x17 to 8x8."""
    three = net.conv_bn(f"{name}.b3_1", source, 192, 1)
    three = net.conv_bn(f"{name}.b3_2", three, 320, 3, stride=2)
    seven = net.conv_bn(f"{name}.b7_1", source, 192, 1)
    seven = net.conv_bn(f"{name}.b7_2", seven, 192, (1, 7), padding=(0, 3))
    seven = net.conv_bn(f"{name}.b7_3", seven, 192, (7, 1), padding=(3, 0))
    seven = net.conv_bn(f"{name}.b7_4", seven, 192, 3, stride=2)
    pooled = net.pool("MaxPool", f"{name}.maxpool", source, 3, stride=2)
    return net.concat(f"{name}.concat", [three, seven, pooled])


def _split(net: NetworkBuilder, name: str, source: str) -> list[str]:
    """The 1x3 and 3x1 convolutions that stand side by side in the last blocks."""
    return [
        net.conv_bn(f"{name}_1x3", source, 384, (1, 3), padding=(0, 1)),
        net.conv_bn(f"{name}_3x1", source, 384, (3, 1), padding=(1, 0)),
    ]


def _block_c(net: NetworkBuilder, name: str, source: str) -> str:
    """8x8: widened by parallel 1x3 and 3x1 convolutions."""
    single = net.conv_bn(f"{name}.b1", source, 320, 1)
    three = _split(net, f"{name}.b3", net.conv_bn(f"{name}.b3_0", source, 384, 1))
    double = net.conv_bn(f"{name}.d3_1", source, 448, 1)
    double = net.conv_bn(f"{name}.d3_2", double, 384, 3, padding=1)
    doubles = _split(net, f"{name}.d3", double)
    joined = [net.concat(f"{name}.b3_concat", three), net.concat(f"{name}.d3_concat", doubles)]
    pooled = _pooled(net, name, source, 192)
    return net.concat(f"{name}.concat", [single, *joined, pooled])


def inception_v3(extent: int = 299) -> ModelProto:
    """Inception-v3 at ``extent`` x ``extent``, without the auxiliary classifier."""
    net = NetworkBuilder("inception_v3", (1, 3, extent, extent))
    result = net.conv_bn("conv1", net.input, 32, 3, stride=2)
    result = net.conv_bn("conv2", result, 32, 3)
    result = net.conv_bn("conv3", result, 64, 3, padding=1)
    result = net.pool("MaxPool", "maxpool1", result, 3, stride=2)
    result = net.conv_bn("conv4", result, 80, 1)
    result = net.conv_bn("conv5", result, 192, 3)
    result = net.pool("MaxPool", "maxpool2", result, 3, stride=2)
    for label, pool_channels in (("5b", 32), ("5c", 64), ("5d", 64)):
        result = _block_a(net, f"mixed{label}", result, pool_channels)
    result = _reduction_a(net, "mixed6a", result)
    for label, inner in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
        result = _block_b(net, f"mixed{label}", result, inner)
    result = _reduction_b(net, "mixed7a", result)
    for label in ("7b", "7c"):
        result = _block_c(net, f"mixed{label}", result)
    return net.finish(net.classifier(result), (1, 1000))
