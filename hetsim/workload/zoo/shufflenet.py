"""ShuffleNet-V2: Ma et al., ECCV 2018, table 5."""

from __future__ import annotations

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder


def _shuffled(net: NetworkBuilder, name: str, halves: list[str], extent: int) -> str:
    """The two halves of the channels, interleaved."""
    joined = net.concat(f"{name}.concat", halves)
    channels = net.channels[joined]
    result = net.reshape(f"{name}.halves", joined, [1, 2, channels // 2, extent, extent])
    result = net.transpose(f"{name}.shuffle", result, [0, 2, 1, 3, 4])
    return net.reshape(f"{name}.joined", result, [1, channels, extent, extent])


def _branch(net: NetworkBuilder, name: str, source: str, width: int, stride: int) -> str:
    result = net.conv_bn(f"{name}.1", source, width, 1)
    result = net.conv_bn(
        f"{name}.2", result, width, 3, stride=stride, padding=1, groups=width, activation=""
    )
    return net.conv_bn(f"{name}.3", result, width, 1)


def _unit(net: NetworkBuilder, name: str, source: str, extent: int) -> str:
    width = net.channels[source] // 2
    kept, changed = net.split(f"{name}.split", source, [width, width])
    return _shuffled(net, name, [kept, _branch(net, f"{name}.right", changed, width, 1)], extent)


def _first_unit(net: NetworkBuilder, name: str, source: str, channels: int, extent: int) -> str:
    before, width = net.channels[source], channels // 2
    left = net.conv_bn(
        f"{name}.left.1", source, before, 3, stride=2, padding=1, groups=before, activation=""
    )
    left = net.conv_bn(f"{name}.left.2", left, width, 1)
    return _shuffled(net, name, [left, _branch(net, f"{name}.right", source, width, 2)], extent)


def _shufflenet_v2(name: str, widths: tuple[int, int, int]) -> ModelProto:
    net = NetworkBuilder(name, (1, 3, 224, 224))
    result = net.conv_bn("stem", net.input, 24, 3, stride=2, padding=1)
    result = net.pool("MaxPool", "maxpool", result, 3, stride=2, padding=1)
    extent = 56
    for stage, (channels, units) in enumerate(zip(widths, (4, 8, 4), strict=True), start=2):
        extent //= 2
        result = _first_unit(net, f"stage{stage}.0", result, channels, extent)
        for unit in range(1, units):
            result = _unit(net, f"stage{stage}.{unit}", result, extent)
    return net.finish(net.classifier(net.conv_bn("head", result, 1024, 1)), (1, 1000))


def shufflenet_v2_x0_5() -> ModelProto:
    """ShuffleNet-V2 of half the width, at 224x224."""
    return _shufflenet_v2("shufflenet_v2_x0_5", (48, 96, 192))


def shufflenet_v2_x1_0() -> ModelProto:
    """ShuffleNet-V2 at 224x224."""
    return _shufflenet_v2("shufflenet_v2_x1_0", (116, 232, 464))
