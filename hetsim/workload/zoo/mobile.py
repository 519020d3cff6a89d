"""Networks of inverted residuals: widen by 1x1, filter each channel, narrow by 1x1.

MobileNet-V2: Sandler et al., CVPR 2018. MNASNet: Tan et al., CVPR 2019. MobileNet-V3: Howard et
al., ICCV 2019. EfficientNet: Tan and Le, ICML 2019; EfficientNetV2, ICML 2021, whose first stages
widen by a 3x3 convolution instead (*fused*); its Lite models (2020) do without squeezing. FBNet:
Wu et al., CVPR 2019.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder


@dataclass(frozen=True)
class Block:
    """One block: ``wide`` channels inside, ``squeezed`` in its squeeze-and-excitation, if any."""

    kernel: int
    wide: int
    channels: int
    stride: int
    squeezed: int = 0
    activation: str = "Clip"
    gates: tuple[str, str] = ("Relu", "HardSigmoid")
    fused: bool = False

    def add(self, net: NetworkBuilder, name: str, source: str) -> str:
        """Appends it to ``net``."""
        padding, narrow = self.kernel // 2, net.channels[source]
        widen = 1 if not self.fused else self.kernel
        result = source
        if self.fused and self.wide == narrow:
            result = net.conv_bn(
                f"{name}.project", result, self.channels, self.kernel, stride=self.stride,
                padding=padding, activation=self.activation,
            )  # fmt: skip
        else:
            if self.wide != narrow:
                result = net.conv_bn(
                    f"{name}.expand", result, self.wide, widen, padding=widen // 2,
                    stride=self.stride if self.fused else 1, activation=self.activation,
                )  # fmt: skip
            if not self.fused:
                result = net.conv_bn(
                    f"{name}.depthwise", result, self.wide, self.kernel, stride=self.stride,
                    padding=padding, groups=self.wide, activation=self.activation,
                )  # fmt: skip
            if self.squeezed:
                result = net.squeeze_excite(f"{name}.squeeze", result, self.squeezed, *self.gates)
            result = net.conv_bn(f"{name}.project", result, self.channels, 1, activation="")
        if self.stride == 1 and narrow == self.channels:
            result = net.add("Add", f"{name}.add", [source, result])
        return result


def _body(
    name: str,
    stem: int,
    blocks: Iterable[Block],
    activation: str,
    height: int = 224,
    width: int = 0,
) -> tuple[NetworkBuilder, str]:
    net = NetworkBuilder(name, (1, 3, height, width or height))
    result = net.conv_bn("stem", net.input, stem, 3, stride=2, padding=1, activation=activation)
    for number, block in enumerate(blocks):
        result = block.add(net, f"block{number}", result)
    return net, result


def _headed(
    name: str, stem: int, blocks: Iterable[Block], activation: str, extent: int = 224
) -> ModelProto:
    """With a 1x1 convolution to 1280 channels and one fully connected layer at its end."""
    net, result = _body(name, stem, blocks, activation, extent)
    result = net.conv_bn("head", result, 1280, 1, activation=activation)
    return net.finish(net.classifier(result), (1, 1000))


MOBILENET_V2_STAGES = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
    (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip
"""Expansion, channels, repeats, first stride of each stage: table 2 of the paper."""


def mobilenet_v2() -> ModelProto:
    """MobileNet-V2, width 1.0, at 224x224."""
    return _headed("mobilenet_v2", 32, _mobilenet_v2_blocks(), "Clip")


def _mobilenet_v2_blocks() -> Iterator[Block]:
    before = 32
    for expansion, channels, repeats, first_stride in MOBILENET_V2_STAGES:
        for repeat in range(repeats):
            yield Block(3, before * expansion, channels, 1 if repeat else first_stride)
            before = channels


MNASNET_STAGES = (
    (3, 3, 24, 3, 2), (5, 3, 40, 3, 2), (5, 6, 80, 3, 2),
    (3, 6, 96, 2, 1), (5, 6, 192, 4, 2), (3, 6, 320, 1, 1),
)  # fmt: skip
"""Kernel, expansion, channels at width 1, repeats, first stride: figure 7 of the paper (B1)."""


def mnasnet0_5() -> ModelProto:
    """MNASNet-B1 at half its width, at 224x224."""
    stages = [_eights(channels / 2) for channels in (32, 16)]
    return _headed("mnasnet0_5", stages[0], _mnasnet_blocks(*stages), "Relu")


def _mnasnet_blocks(stem: int, before: int) -> Iterator[Block]:
    yield Block(3, stem, before, 1, activation="Relu")
    for kernel, expansion, channels, repeats, first_stride in MNASNET_STAGES:
        for repeat in range(repeats):
            stride, after = 1 if repeat else first_stride, _eights(channels / 2)
            yield Block(kernel, before * expansion, after, stride, activation="Relu")
            before = after


def _eights(channels: float) -> int:
    """The nearest multiple of eight that takes no more than a tenth away."""
    near = max(8, int(channels + 4) // 8 * 8)
    return near if near >= 0.9 * channels else near + 8


MOBILENET_V3_SMALL = (
    (3, 16, 16, True, "Relu", 2), (3, 72, 24, False, "Relu", 2), (3, 88, 24, False, "Relu", 1),
    (5, 96, 40, True, "HardSwish", 2), (5, 240, 40, True, "HardSwish", 1),
    (5, 240, 40, True, "HardSwish", 1), (5, 120, 48, True, "HardSwish", 1),
    (5, 144, 48, True, "HardSwish", 1), (5, 288, 96, True, "HardSwish", 2),
    (5, 576, 96, True, "HardSwish", 1), (5, 576, 96, True, "HardSwish", 1),
)  # fmt: skip
"""Kernel, width inside, channels, squeeze and excitation, activation, stride: table 2."""

MOBILENET_V3_LARGE = (
    (3, 16, 16, False, "Relu", 1), (3, 64, 24, False, "Relu", 2), (3, 72, 24, False, "Relu", 1),
    (5, 72, 40, True, "Relu", 2), (5, 120, 40, True, "Relu", 1), (5, 120, 40, True, "Relu", 1),
    (3, 240, 80, False, "HardSwish", 2), (3, 200, 80, False, "HardSwish", 1),
    (3, 184, 80, False, "HardSwish", 1), (3, 184, 80, False, "HardSwish", 1),
    (3, 480, 112, True, "HardSwish", 1), (3, 672, 112, True, "HardSwish", 1),
    (5, 672, 160, True, "HardSwish", 2), (5, 960, 160, True, "HardSwish", 1),
    (5, 960, 160, True, "HardSwish", 1),
)  # fmt: skip
"""The same of table 1."""


def mobilenet_v3_small() -> ModelProto:
    """MobileNet-V3-Small, width 1.0, at 224x224."""
    return _mobilenet_v3("mobilenet_v3_small", MOBILENET_V3_SMALL, 576, 1024)


def mobilenet_v3_large() -> ModelProto:
    """MobileNet-V3-Large, width 1.0, at 224x224."""
    return _mobilenet_v3("mobilenet_v3_large", MOBILENET_V3_LARGE, 960, 1280)


def _mobilenet_v3(
    name: str, rows: Iterable[tuple[int, int, int, bool, str, int]], last: int, features: int
) -> ModelProto:
    blocks = [
        Block(kernel, wide, channels, stride, _eights(wide / 4) if squeezes else 0, activation)
        for kernel, wide, channels, squeezes, activation, stride in rows
    ]
    net, result = _body(name, 16, blocks, "HardSwish")
    result = net.conv_bn("head", result, last, 1, activation="HardSwish")
    result = net.add("GlobalAveragePool", "avgpool", [result])
    result = net.add("Flatten", "flatten", [result], axis=1)
    result = net.activation("features", net.linear("features", result, features), "HardSwish")
    return net.finish(net.linear("fc", result, 1000), (1, 1000))


EFFICIENTNET_B0 = (
    (3, 1, 16, 1, 1, True), (3, 6, 24, 2, 2, True), (5, 6, 40, 2, 2, True), (3, 6, 80, 3, 2, True),
    (5, 6, 112, 3, 1, True), (5, 6, 192, 4, 2, True), (3, 6, 320, 1, 1, True),
)  # fmt: skip
"""Kernel, expansion, channels, repeats, first stride, separable with squeeze: table 1."""

EFFICIENTNET_V2_S = (
    (3, 1, 24, 2, 1, False), (3, 4, 48, 4, 2, False), (3, 4, 64, 4, 2, False),
    (3, 4, 128, 6, 2, True), (3, 6, 160, 9, 1, True), (3, 6, 256, 15, 2, True),
)  # fmt: skip
"""The same of table 4 of EfficientNetV2."""


def efficientnet_b0() -> ModelProto:
    """EfficientNet-B0 at 224x224."""
    blocks = _efficient_blocks(32, EFFICIENTNET_B0)
    return _headed("efficientnet_b0", 32, blocks, "Swish")


def efficientnet_v2_s(extent: int = 384) -> ModelProto:
    """EfficientNetV2-S at ``extent`` x ``extent``."""
    blocks = _efficient_blocks(24, EFFICIENTNET_V2_S)
    return _headed("efficientnet_v2_s", 24, blocks, "Swish", extent)


def _efficient_blocks(
    before: int, stages: Iterable[tuple[int, int, int, int, int, bool]]
) -> Iterator[Block]:
    for kernel, expansion, channels, repeats, first_stride, separable in stages:
        for repeat in range(repeats):
            yield Block(
                kernel, before * expansion, channels, 1 if repeat else first_stride,
                before // 4 if separable else 0, "Swish", ("Swish", "Sigmoid"), not separable,
            )  # fmt: skip
            before = channels


FBNET_C = (
    (3, 1, 16, 1, 1), (3, 6, 24, 1, 2), (3, 1, 24, 2, 1), (5, 6, 32, 1, 2), (5, 3, 32, 1, 1),
    (5, 6, 32, 1, 1), (3, 6, 32, 1, 1), (5, 6, 64, 1, 2), (5, 3, 64, 1, 1), (5, 6, 64, 2, 1),
    (5, 6, 112, 3, 1), (5, 3, 112, 1, 1), (5, 6, 184, 4, 2), (3, 6, 352, 1, 1),
)  # fmt: skip
"""Kernel, expansion, channels, repeats, first stride: figure 4 of the paper."""

EFFICIENTNET_LITE3 = (
    (3, 1, 24, 1, 1), (3, 6, 32, 3, 2), (5, 6, 48, 3, 2), (3, 6, 96, 5, 2), (5, 6, 136, 5, 1),
    (5, 6, 232, 6, 2), (3, 6, 384, 1, 1),
)  # fmt: skip
"""The same: B0's stages 1.2 times as wide and 1.4 times as deep, but for the first and the last."""


def fbnet_c(height: int = 224, width: int = 224) -> ModelProto:
    """FBNet-C."""
    blocks = (b for stage in _stages(16, FBNET_C, "Relu") for b in stage)
    net, result = _body("fbnet_c", 16, blocks, "Relu", height, width)
    result = net.conv_bn("head", result, 1984, 1, activation="Relu")
    return net.finish(net.classifier(result), (1, 1000))


def lite3_levels(net: NetworkBuilder) -> list[str]:
    """EfficientNet-Lite3 on the input of ``net``: its features at a 4th, 8th, 16th and 32nd."""
    result = net.conv_bn("stem", net.input, 32, 3, stride=2, padding=1, activation="Clip")
    found = []
    for number, stage in enumerate(_stages(32, EFFICIENTNET_LITE3, "Clip")):
        for repeat, block in enumerate(stage):
            result = block.add(net, f"stage{number}.{repeat}", result)
        found.append(result)
    return [found[number] for number in (1, 2, 4, 6)]


def _stages(
    before: int, rows: Iterable[tuple[int, int, int, int, int]], activation: str
) -> Iterator[list[Block]]:
    for kernel, expansion, channels, repeats, first_stride in rows:
        stage = []
        for repeat in range(repeats):
            stride = 1 if repeat else first_stride
            wide = before * expansion
            stage.append(Block(kernel, wide, channels, stride, activation=activation))
            before = channels
        yield stage
