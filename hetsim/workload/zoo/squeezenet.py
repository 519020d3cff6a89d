"""SqueezeNet 1.1: Iandola et al., "SqueezeNet", 2016, with the earlier pooling of its authors."""

from __future__ import annotations

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder


def squeezenet1_1() -> ModelProto:
    """SqueezeNet 1.1 at 224x224, with the early pooling that makes it cheaper than 1.0."""
    net = NetworkBuilder("squeezenet1_1", (1, 3, 224, 224))
    result = net.relu("relu1", net.conv("conv1", net.input, 64, 3, stride=2, bias=True))
    result = net.pool("MaxPool", "pool1", result, 3, stride=2)
    for number, (squeeze, expand) in enumerate(
        [(16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256)],
        start=2,
    ):
        result = _fire(net, f"fire{number}", result, squeeze, expand)
        if number in (3, 5):
            result = net.pool("MaxPool", f"pool{number}", result, 3, stride=2)
    result = net.relu("relu10", net.conv("conv10", result, 1000, 1, bias=True))
    result = net.add("GlobalAveragePool", "avgpool", [result])
    return net.finish(net.add("Flatten", "flatten", [result], axis=1), (1, 1000))


def _fire(net: NetworkBuilder, name: str, source: str, squeeze: int, expand: int) -> str:
    inner = net.conv(f"{name}.squeeze", source, squeeze, 1, bias=True)
    inner = net.relu(f"{name}.squeeze_relu", inner)
    one = net.conv(f"{name}.expand1x1", inner, expand, 1, bias=True)
    three = net.conv(f"{name}.expand3x3", inner, expand, 3, padding=1, bias=True)
    one, three = net.relu(f"{name}.relu1x1", one), net.relu(f"{name}.relu3x3", three)
    return net.concat(f"{name}.concat", [one, three])
