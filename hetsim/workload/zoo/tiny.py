"""Two networks of MLPerf Tiny (Banbury et al., NeurIPS Datasets and Benchmarks 2021).

ResNet-8 on CIFAR-10, three residual stages of one block each; the autoencoder of ToyADMOS, fully
connected. The other two are in :mod:`hetsim.workload.zoo.separable`.
"""

from __future__ import annotations

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder


def resnet8() -> ModelProto:
    """ResNet-8 at 32x32, ten classes; shortcuts have no normalisation, all convolutions a bias."""
    net = NetworkBuilder("resnet8", (1, 3, 32, 32))
    result = net.conv_bn("stem", net.input, 16, 3, padding=1, bias=True)
    for stage, (channels, stride) in enumerate(((16, 1), (32, 2), (64, 2))):
        name = f"stage{stage}"
        inner = net.conv_bn(f"{name}.1", result, channels, 3, stride=stride, padding=1, bias=True)
        inner = net.conv_bn(f"{name}.2", inner, channels, 3, padding=1, bias=True, activation="")
        if stride > 1:
            result = net.conv(f"{name}.shortcut", result, channels, 1, stride=stride, bias=True)
        result = net.relu(f"{name}.relu", net.add("Add", f"{name}.add", [result, inner]))
    return net.finish(net.classifier(result, 10), (1, 10))


def toy_autoencoder() -> ModelProto:
    """Five frames of 128 mel bands through 128, 128, 128, 128, 8 and back."""
    net = NetworkBuilder("toy_autoencoder", (1, 640))
    result = net.input
    for layer, features in enumerate((*[128] * 4, 8, *[128] * 4)):
        result = net.batch_norm(f"bn{layer}", net.linear(f"fc{layer}", result, features))
        result = net.relu(f"relu{layer}", result)
    return net.finish(net.linear("fc9", result, 640), (1, 640))
