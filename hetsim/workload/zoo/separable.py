"""Plain chains of separable convolutions.

MobileNet (V1): Howard et al., 2017; YAMNet is one on spectrograms, and MLPerf Tiny (Banbury et al.,
NeurIPS Datasets and Benchmarks 2021) has one of a quarter of its width for visual wake words.
DS-CNN: Zhang et al., "Hello Edge", 2017, in the size of MLPerf Tiny's keyword spotting.
The two of MLPerf Tiny have biases before their normalisation, as its reference models do.
"""

from __future__ import annotations

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder

MOBILENET_V1 = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
    *[(512, 1)] * 5, (1024, 2), (1024, 1),
)  # fmt: skip
"""Channels at width 1 and stride of each separable convolution: table 1 of the paper."""


def _separable(
    net: NetworkBuilder, name: str, source: str, channels: int, stride: int, bias: bool
) -> str:
    result = net.conv_bn(
        f"{name}.depthwise", source, net.channels[source], 3, stride=stride, padding=1,
        groups=net.channels[source], bias=bias,
    )  # fmt: skip
    return net.conv_bn(f"{name}.pointwise", result, channels, 1, bias=bias)


def _mobilenet_v1(
    name: str, shape: tuple[int, int, int], quarters: int, classes: int, *, bias: bool = False
) -> ModelProto:
    net = NetworkBuilder(name, (1, *shape))
    result = net.conv_bn("stem", net.input, 8 * quarters, 3, stride=2, padding=1, bias=bias)
    for number, (channels, stride) in enumerate(MOBILENET_V1):
        result = _separable(net, f"block{number}", result, channels * quarters // 4, stride, bias)
    return net.finish(net.classifier(result, classes), (1, classes))


def yamnet() -> ModelProto:
    """YAMNet: MobileNet on 96 frames of 64 mel bands, 521 classes of sound."""
    return _mobilenet_v1("yamnet", (1, 96, 64), 4, 521)


def mobilenet_v1_025() -> ModelProto:
    """MobileNet of width 0.25 at 96x96, two classes: is there a person."""
    return _mobilenet_v1("mobilenet_v1_025", (3, 96, 96), 1, 2, bias=True)


def ds_cnn() -> ModelProto:
    """DS-CNN on 49 frames of 10 cepstral coefficients, 12 words."""
    net = NetworkBuilder("ds_cnn", (1, 1, 49, 10))
    padded = net.integers("pads", [0, 0, 4, 1, 0, 0, 5, 1])
    result = net.add("Pad", "pad", [net.input, padded])
    result = net.conv_bn("stem", result, 64, (10, 4), stride=2, bias=True)
    for number in range(4):
        result = _separable(net, f"block{number}", result, 64, 1, bias=True)
    return net.finish(net.classifier(result, 12), (1, 12))
