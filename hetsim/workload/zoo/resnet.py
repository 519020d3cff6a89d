"""Residual networks: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016.

The bottleneck network exists with its stride in the 1x1 convolutions, as first published, and in
the 3x3 ("v1.5"), as torchvision and most later code have it.
ResNeXt: Xie et al., "Aggregated Residual Transformations", CVPR 2017. Wide ResNet: Zagoruyko and
Komodakis, BMVC 2016.
"""

from __future__ import annotations

from dataclasses import dataclass

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder

STAGE_WIDTHS = (64, 128, 256, 512)
RESNET101 = (3, 4, 23, 3)


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


@dataclass(frozen=True)
class _Bottleneck:
    """A family of three-convolution blocks: ``groups`` of ``base`` channels at width 64.

    ``early_stride``: the stride sits in the first 1x1 convolution instead of the 3x3.
    """

    groups: int = 1
    base: int = 64
    early_stride: bool = False

    def block(self, net: NetworkBuilder, name: str, source: str, width: int, stride: int) -> str:
        inner = width * self.base // 64 * self.groups
        first, second = (stride, 1) if self.early_stride else (1, stride)
        result = net.conv_bn(f"{name}.1", source, inner, 1, stride=first)
        result = net.conv_bn(
            f"{name}.2", result, inner, 3, stride=second, padding=1, groups=self.groups
        )
        result = net.conv_bn(f"{name}.3", result, 4 * width, 1, activation="")
        shortcut = _shortcut(net, name, source, 4 * width, stride)
        return net.relu(f"{name}.relu", net.add("Add", f"{name}.add", [result, shortcut]))


def resnet18() -> ModelProto:
    """ResNet-18 at 224x224."""
    net = NetworkBuilder("resnet18", (1, 3, 224, 224))
    return net.finish(net.classifier(basic_stages(net)), (1, 1000))


def basic_stages(net: NetworkBuilder) -> str:
    """ResNet-18 without its classifier, on the input of ``net``."""
    result = _stem(net)
    for stage, width in enumerate(STAGE_WIDTHS, start=1):
        for block in range(2):
            stride = 2 if stage > 1 and block == 0 else 1
            result = _basic_block(net, f"layer{stage}.{block}", result, width, stride)
    return result


def _bottleneck_stages(
    net: NetworkBuilder, family: _Bottleneck, blocks: tuple[int, ...] = (3, 4, 6, 3)
) -> list[str]:
    """The deeper networks without their classifier, on the input of ``net``: each stage's end."""
    result, found = _stem(net), []
    for stage, (width, count) in enumerate(zip(STAGE_WIDTHS, blocks, strict=True), start=1):
        for block in range(count):
            stride = 2 if stage > 1 and block == 0 else 1
            result = family.block(net, f"layer{stage}.{block}", result, width, stride)
        found.append(result)
    return found


def resnet101_stages(net: NetworkBuilder) -> list[str]:
    """Those of ResNet-101 with the stride in the 3x3 convolutions."""
    return _bottleneck_stages(net, _Bottleneck(), RESNET101)


def _deep(name: str, family: _Bottleneck, blocks: tuple[int, ...] = (3, 4, 6, 3)) -> ModelProto:
    net = NetworkBuilder(name, (1, 3, 224, 224))
    result = _bottleneck_stages(net, family, blocks)[-1]
    return net.finish(net.classifier(result), (1, 1000))


def resnet50_v1() -> ModelProto:
    """ResNet-50 as first published, with the stride in the 1x1 convolutions, at 224x224."""
    return _deep("resnet50_v1", _Bottleneck(early_stride=True))


def resnet50_v1_5() -> ModelProto:
    """ResNet-50 with the stride in the 3x3 convolutions, at 224x224."""
    return _deep("resnet50_v1_5", _Bottleneck())


def resnet101() -> ModelProto:
    """ResNet-101 with the stride in the 3x3 convolutions, at 224x224."""
    return _deep("resnet101", _Bottleneck(), RESNET101)


def resnet152() -> ModelProto:
    """ResNet-152 with the stride in the 3x3 convolutions, at 224x224."""
    return _deep("resnet152", _Bottleneck(), (3, 8, 36, 3))


def wide_resnet50_2() -> ModelProto:
    """Wide ResNet-50-2, twice the width in the 3x3 convolutions, at 224x224."""
    return _deep("wide_resnet50_2", _Bottleneck(base=128))


def resnext50_32x4d() -> ModelProto:
    """ResNeXt-50, 32 groups of width 4, at 224x224."""
    return _deep("resnext50_32x4d", _Bottleneck(groups=32, base=4))


def resnext101_32x8d() -> ModelProto:
    """ResNeXt-101, 32 groups of width 8, at 224x224."""
    return _deep("resnext101_32x8d", _Bottleneck(groups=32, base=8), (3, 4, 23, 3))
