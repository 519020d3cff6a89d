"""Residual networks on video: Tran et al., "A Closer Look at Spatiotemporal ...", CVPR 2018.

R3D convolves over time and space, MC3 over time only in its first stage, R(2+1)D over space and
then over time. Sixteen frames of 112x112, as the paper has them.
"""

from __future__ import annotations

from dataclasses import dataclass

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder
from hetsim.workload.zoo.resnet import STAGE_WIDTHS

SPACE, TIME = ((1, 3, 3), (0, 1, 1)), ((3, 1, 1), (1, 0, 0))
"""Kernel and padding of a convolution over space, and of one over time."""


@dataclass(frozen=True)
class _Form:
    """How a 3x3x3 convolution is written: whole, over space alone, or over space and then time."""

    name: str

    def conv(
        self, net: NetworkBuilder, name: str, source: str, width: int, between: int,
        *, stride: int = 1, activation: str = "Relu",
    ) -> str:  # fmt: skip
        """With normalisation; ``between``: channels after space and before time."""
        if self.name == "3d":
            return net.conv_bn(
                name, source, width, 3, stride=stride, padding=1, activation=activation
            )
        (kernel, padding), steps = SPACE, (1, stride, stride)
        if self.name == "2d":
            return net.conv_bn(
                name, source, width, kernel, stride=steps, padding=padding, activation=activation
            )
        result = net.conv_bn(
            f"{name}.space", source, between, kernel, stride=steps, padding=padding
        )
        kernel, padding = TIME
        return net.conv_bn(
            f"{name}.time", result, width, kernel, stride=(stride, 1, 1), padding=padding,
            activation=activation,
        )  # fmt: skip

    def block(self, net: NetworkBuilder, name: str, source: str, width: int, stride: int) -> str:
        """Two convolutions and what goes past them."""
        before = net.channels[source]
        between = before * width * 27 // (before * 9 + 3 * width)  # as many weights as 3x3x3 has
        result = self.conv(net, f"{name}.1", source, width, between, stride=stride)
        result = self.conv(net, f"{name}.2", result, width, between, activation="")
        shortcut = source
        if stride > 1 or before != width:
            steps = (1, stride, stride) if self.name == "2d" else stride
            shortcut = net.conv_bn(
                f"{name}.shortcut", source, width, 1, stride=steps, activation=""
            )
        return net.relu(f"{name}.relu", net.add("Add", f"{name}.add", [result, shortcut]))


def _eighteen(name: str, first: str, rest: str) -> ModelProto:
    """Eighteen layers; the form of the first stage and of the rest."""
    net = NetworkBuilder(name, (1, 3, 16, 112, 112))
    steps, reach = (1, 2, 2), (0, 3, 3)
    if first == "2+1d":
        result = net.conv_bn("stem.space", net.input, 45, (1, 7, 7), stride=steps, padding=reach)
        result = net.conv_bn("stem.time", result, 64, TIME[0], padding=TIME[1])
    else:
        result = net.conv_bn("stem", net.input, 64, (3, 7, 7), stride=steps, padding=(1, 3, 3))
    for stage, width in enumerate(STAGE_WIDTHS):
        for block in range(2):
            stride = 2 if stage and not block else 1
            form = _Form(rest if stage else first)
            result = form.block(net, f"layer{stage + 1}.{block}", result, width, stride)
    return net.finish(net.classifier(result, 400), (1, 400))


def r3d_18() -> ModelProto:
    """R3D: everything over time and space."""
    return _eighteen("r3d_18", "3d", "3d")


def mc3_18() -> ModelProto:
    """MC3: over time in the stem and the first stage only."""
    return _eighteen("mc3_18", "3d", "2d")


def r2plus1d_18() -> ModelProto:
    """R(2+1)D: over space, then over time."""
    return _eighteen("r2plus1d_18", "2+1d", "2+1d")
