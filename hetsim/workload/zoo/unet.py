"""U-Net: Ronneberger et al., MICCAI 2015, figure 1.

As it is used today: convolutions padded, so that the mask has the image's size, and normalised.
"""

from __future__ import annotations

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder

WIDTHS = (64, 128, 256, 512, 1024)


def _double(net: NetworkBuilder, name: str, source: str, channels: int) -> str:
    result = net.conv_bn(f"{name}.1", source, channels, 3, padding=1)
    return net.conv_bn(f"{name}.2", result, channels, 3, padding=1)


def unet() -> ModelProto:
    """U-Net of 31 M parameters at 640x1280, two classes."""
    net = NetworkBuilder("unet", (1, 3, 640, 1280))
    result = _double(net, "down0", net.input, WIDTHS[0])
    levels = []
    for level, channels in enumerate(WIDTHS[1:], start=1):
        levels.append(result)
        result = net.pool("MaxPool", f"down{level}.pool", result, 2, stride=2)
        result = _double(net, f"down{level}", result, channels)
    for level, (beside, channels) in enumerate(
        zip(reversed(levels), reversed(WIDTHS[:-1]), strict=True)
    ):
        weights = net.weight(f"up{level}.weight", (net.channels[result], channels, 2, 2))
        bias = net.weight(f"up{level}.bias", (channels,))
        result = net.add(
            "ConvTranspose", f"up{level}.conv", [result, weights, bias], channels,
            kernel_shape=[2, 2], strides=[2, 2],
        )  # fmt: skip
        result = net.concat(f"up{level}.concat", [beside, result])
        result = _double(net, f"up{level}", result, channels)
    return net.finish(net.conv("mask", result, 2, 1, bias=True), (1, 2, 640, 1280))
