"""GoogLeNet: Szegedy et al., CVPR 2015, table 1, as later code has it.

With batch normalisation, pools that round up, and 3x3 convolutions where the table has 5x5 (a slip
of the reference implementation that everybody's weights have inherited). The auxiliary
classifiers, which serve training only, are left out.
"""

from __future__ import annotations

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder

BLOCKS = {
    "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64), "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64), "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128), "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}  # fmt: skip
"""Channels of the 1x1, 3x3 reduced and 3x3, "5x5" reduced and "5x5", and pooled branches."""


def _block(net: NetworkBuilder, name: str, source: str, channels: tuple[int, ...]) -> str:
    one, reduced, three, reduced_more, five, pooled = channels
    inner = net.conv_bn(f"{name}.3_reduce", source, reduced, 1)
    further = net.conv_bn(f"{name}.5_reduce", source, reduced_more, 1)
    pool = net.pool("MaxPool", f"{name}.maxpool", source, 3, padding=1)
    branches = [
        net.conv_bn(f"{name}.1", source, one, 1),
        net.conv_bn(f"{name}.3", inner, three, 3, padding=1),
        net.conv_bn(f"{name}.5", further, five, 3, padding=1),
        net.conv_bn(f"{name}.pool", pool, pooled, 1),
    ]
    return net.concat(f"{name}.concat", branches)


def googlenet_bn() -> ModelProto:
    """GoogLeNet at 224x224."""
    net = NetworkBuilder("googlenet_bn", (1, 3, 224, 224))
    result = net.conv_bn("conv1", net.input, 64, 7, stride=2, padding=3)
    result = net.pool("MaxPool", "maxpool1", result, 3, stride=2, ceil_mode=True)
    result = net.conv_bn("conv2", result, 64, 1)
    result = net.conv_bn("conv3", result, 192, 3, padding=1)
    result = net.pool("MaxPool", "maxpool2", result, 3, stride=2, ceil_mode=True)
    for label, channels in BLOCKS.items():
        if label in ("4a", "5a"):
            size = 3 if label == "4a" else 2
            result = net.pool("MaxPool", f"maxpool{label}", result, size, stride=2, ceil_mode=True)
        result = _block(net, f"block{label}", result, channels)
    return net.finish(net.classifier(result), (1, 1000))
