"""Networks on sound and on other series in time.

res8-narrow: Tang and Lin, ICASSP 2018. Emformer: Shi et al., ICASSP 2021. ED-TCN: Lea et al.,
CVPR 2017.
"""

from __future__ import annotations

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder
from hetsim.workload.zoo.tokens import dense, encoder_layer, norm


def res8_narrow() -> ModelProto:
    """A second of sound, 98 frames of 40 coefficients, through 19 maps to twelve keywords."""
    net = NetworkBuilder("res8_narrow", (1, 1, 98, 40))
    result = net.relu("stem.relu", net.conv("stem", net.input, 19, 3, padding=1))
    result = net.add(
        "AveragePool", "pool", [result], kernel_shape=[4, 3], strides=[4, 3], pads=[0] * 4
    )
    for block in range(3):
        before = result
        for part in (1, 2):
            result = net.conv(f"block{block}.{part}", result, 19, 3, padding=1)
            result = net.relu(f"block{block}.{part}.relu", result)
            if part == 2:
                result = net.add("Add", f"block{block}.add", [result, before])
            result = net.batch_norm(f"block{block}.{part}.norm", result)
    return net.finish(net.classifier(result, 12), (1, 12))


def emformer_24() -> ModelProto:
    """The encoder of Emformer with 24 layers of width 512, on 128 frames of sound at once.

    One segment without the memory of those before it, which is a handful of frames.
    """
    tokens, width = 128, 512
    net = NetworkBuilder("emformer_24", (1, tokens, 4 * 80))
    net.channels[net.input] = 4 * 80
    result = dense(net, "embed", net.input, width)
    for layer in range(24):
        result = encoder_layer(net, f"layer{layer}", result, tokens, 8)
    return net.finish(norm(net, "norm", result), (1, tokens, width))


def ed_tcn() -> ModelProto:
    """ED-TCN on 644 frames of 128 features: windows of 25, two poolings, two stretchings."""
    frames, features, actions = 644, 128, 18
    net = NetworkBuilder("ed_tcn", (1, features, frames))
    result = net.input
    for level, width in enumerate((64, 96)):
        result = net.relu(f"down{level}.relu", _window(net, f"down{level}", result, width))
        result = net.add("MaxPool", f"down{level}.pool", [result], kernel_shape=[2], strides=[2])
    for level, width in enumerate((96, 64)):
        scales = net.floats(f"up{level}.scales", [1.0, 1.0, 2.0])
        result = net.add(
            "Resize", f"up{level}.stretch", [result, "", scales], mode="nearest",
            nearest_mode="floor", coordinate_transformation_mode="asymmetric",
        )  # fmt: skip
        result = net.relu(f"up{level}.relu", _window(net, f"up{level}", result, width))
    return net.finish(net.conv("actions", result, actions, 1, bias=True), (1, actions, frames))


def _window(net: NetworkBuilder, name: str, source: str, width: int) -> str:
    return net.conv(name, source, width, 25, padding=12, bias=True)
