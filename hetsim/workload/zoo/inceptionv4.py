"""Inception-v4: Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual
Connections on Learning", AAAI 2017, figures 3 to 9.
"""

from __future__ import annotations

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder, Size

WIDE, TALL = (1, 7), (7, 1)


def _conv(net: NetworkBuilder, name: str, source: str, channels: int, kernel: Size) -> str:
    """A convolution that keeps the extent."""
    sizes = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    padding = tuple(size // 2 for size in sizes)
    return net.conv_bn(name, source, channels, kernel, padding=padding)


def _chain(
    net: NetworkBuilder, name: str, source: str, steps: list[tuple[int, Size]], first: int = 1
) -> str:
    """Convolutions one after the other, each given by its channels and its kernel."""
    for step, (channels, kernel) in enumerate(steps, start=first):
        source = _conv(net, f"{name}_{step}", source, channels, kernel)
    return source


def _pooled(net: NetworkBuilder, name: str, source: str, channels: int) -> str:
    pooled = net.pool("AveragePool", f"{name}.avgpool", source, 3, padding=1)
    return net.conv_bn(f"{name}.pool", pooled, channels, 1)


def _stem(net: NetworkBuilder) -> str:
    """Figure 3: 299x299x3 to 35x35x384."""
    result = net.conv_bn("stem.1", net.input, 32, 3, stride=2)
    result = net.conv_bn("stem.2", result, 32, 3)
    result = _conv(net, "stem.3", result, 64, 3)
    pooled = net.pool("MaxPool", "stem.maxpool1", result, 3, stride=2)
    halved = net.conv_bn("stem.4", result, 96, 3, stride=2)
    result = net.concat("stem.concat1", [pooled, halved])
    short = net.conv_bn("stem.a_2", _conv(net, "stem.a_1", result, 64, 1), 96, 3)
    long = _chain(net, "stem.b", result, [(64, 1), (64, WIDE), (64, TALL)])
    result = net.concat("stem.concat2", [short, net.conv_bn("stem.b_4", long, 96, 3)])
    halved = net.conv_bn("stem.5", result, 192, 3, stride=2)
    pooled = net.pool("MaxPool", "stem.maxpool2", result, 3, stride=2)
    return net.concat("stem.concat3", [halved, pooled])


def _block_a(net: NetworkBuilder, name: str, source: str) -> str:
    """Figure 4, 35x35."""
    pooled = _pooled(net, name, source, 96)
    single = _conv(net, f"{name}.b1", source, 96, 1)
    three = _chain(net, f"{name}.b3", source, [(64, 1), (96, 3)])
    double = _chain(net, f"{name}.d3", source, [(64, 1), (96, 3), (96, 3)])
    return net.concat(f"{name}.concat", [pooled, single, three, double])


def _reduction_a(net: NetworkBuilder, name: str, source: str) -> str:
    """Figure 7 with k, l, m, n = 192, 224, 256, 384: 35x35 to 17x17."""
    pooled = net.pool("MaxPool", f"{name}.maxpool", source, 3, stride=2)
    three = net.conv_bn(f"{name}.b3", source, 384, 3, stride=2)
    double = _chain(net, f"{name}.d3", source, [(192, 1), (224, 3)])
    double = net.conv_bn(f"{name}.d3_3", double, 256, 3, stride=2)
    return net.concat(f"{name}.concat", [three, double, pooled])


def _block_b(net: NetworkBuilder, name: str, source: str) -> str:
    """Figure 5, 17x17."""
    pooled = _pooled(net, name, source, 128)
    single = _conv(net, f"{name}.b1", source, 384, 1)
    seven = _chain(net, f"{name}.b7", source, [(192, 1), (224, WIDE), (256, TALL)])
    steps: list[tuple[int, Size]] = [(192, 1), (192, WIDE), (224, TALL), (224, WIDE), (256, TALL)]
    double = _chain(net, f"{name}.d7", source, steps)
    return net.concat(f"{name}.concat", [pooled, single, seven, double])


def _reduction_b(net: NetworkBuilder, name: str, source: str) -> str:
    """Figure 8: 17x17 to 8x8."""
    pooled = net.pool("MaxPool", f"{name}.maxpool", source, 3, stride=2)
    three = net.conv_bn(
        f"{name}.b3_2", _conv(net, f"{name}.b3_1", source, 192, 1), 192, 3, stride=2
    )
    seven = _chain(net, f"{name}.b7", source, [(256, 1), (256, WIDE), (320, TALL)])
    seven = net.conv_bn(f"{name}.b7_4", seven, 320, 3, stride=2)
    return net.concat(f"{name}.concat", [three, seven, pooled])


def _split(net: NetworkBuilder, name: str, source: str) -> list[str]:
    """The 1x3 and 3x1 convolutions that stand side by side in the last blocks."""
    return [
        _conv(net, f"{name}_1x3", source, 256, (1, 3)),
        _conv(net, f"{name}_3x1", source, 256, (3, 1)),
    ]


def _block_c(net: NetworkBuilder, name: str, source: str) -> str:
    """Figure 6, 8x8."""
    pooled = _pooled(net, name, source, 256)
    single = _conv(net, f"{name}.b1", source, 256, 1)
    three = _split(net, f"{name}.b3", _conv(net, f"{name}.b3_1", source, 384, 1))
    double = _chain(net, f"{name}.d3", source, [(384, 1), (448, (1, 3)), (512, (3, 1))])
    return net.concat(
        f"{name}.concat", [pooled, single, *three, *_split(net, f"{name}.d3", double)]
    )


def inception_v4() -> ModelProto:
    """Inception-v4 at 299x299."""
    net = NetworkBuilder("inception_v4", (1, 3, 299, 299))
    result = _stem(net)
    for block in range(1, 5):
        result = _block_a(net, f"a{block}", result)
    result = _reduction_a(net, "reduction_a", result)
    for block in range(1, 8):
        result = _block_b(net, f"b{block}", result)
    result = _reduction_b(net, "reduction_b", result)
    for block in range(1, 4):
        result = _block_c(net, f"c{block}", result)
    return net.finish(net.classifier(result), (1, 1000))
