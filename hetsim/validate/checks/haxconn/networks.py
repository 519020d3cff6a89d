"""The six networks of the pairs, in the structure of the authors' Caffe files.

Three are in the zoo. Three differ from it: GoogLeNet's pools round up, AlexNet takes 227x227, and
the VGG-19 of that repository ends in two small layers of 100 (2.5 M parameters where the published
network has 124 M), which decides what it asks of the memory.
"""

from __future__ import annotations

from functools import cache

from hetsim.workload.graph import Graph
from hetsim.workload.onnx.loader import load_onnx
from hetsim.workload.zoo import load_model
from hetsim.workload.zoo.builder import NetworkBuilder, Size
from hetsim.workload.zoo.googlenet import BLOCKS

VGG = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
"""Channels and convolutions of each stage of VGG-19."""


def _conv(
    net: NetworkBuilder, name: str, source: str, channels: int, kernel: Size, **options: int
) -> str:
    """A convolution with bias and its rectifier."""
    result = net.conv(name, source, channels, kernel, bias=True, **options)
    return net.relu(f"{name}.relu", result)


def _lrn(net: NetworkBuilder, name: str, source: str) -> str:
    return net.add("LRN", name, [source], size=5)


def _head(net: NetworkBuilder, source: str, widths: tuple[int, ...]) -> Graph:
    """Fully connected layers of ``widths`` with rectifiers between them, and a softmax."""
    for i, width in enumerate(widths, start=6):
        if i > 6:
            source = net.relu(f"relu{i - 1}", source)
        source = net.linear(f"fc{i}", source, width)
    result = net.add("Softmax", "prob", [source], axis=1)
    model = net.finish(result, (1, widths[-1]))
    return load_onnx(model, name=net.name, source="HaX-CoNN's prototxt")


def _flat(net: NetworkBuilder, source: str, features: int) -> str:
    return net.add("Flatten", "flatten", [source], features, axis=1)


def _googlenet() -> Graph:
    net = NetworkBuilder("googlenet", (1, 3, 224, 224))
    result = _conv(net, "conv1", net.input, 64, 7, stride=2, padding=3)
    result = net.pool("MaxPool", "pool1", result, 3, stride=2, ceil_mode=True)
    result = _conv(net, "conv2_reduce", _lrn(net, "norm1", result), 64, 1)
    result = _lrn(net, "norm2", _conv(net, "conv2", result, 192, 3, padding=1))
    result = net.pool("MaxPool", "pool2", result, 3, stride=2, ceil_mode=True)
    for label, (one, reduced, three, reduced5, five, pooled) in BLOCKS.items():
        if label in ("4a", "5a"):
            name = f"pool{int(label[0]) - 1}"
            result = net.pool("MaxPool", name, result, 3, stride=2, ceil_mode=True)
        branches = [
            _conv(net, f"{label}.1", result, one, 1),
            _conv(net, f"{label}.3", _conv(net, f"{label}.3r", result, reduced, 1), three, 3,
                  padding=1),
            _conv(net, f"{label}.5", _conv(net, f"{label}.5r", result, reduced5, 1), five, 5,
                  padding=2),
        ]  # fmt: skip
        pool = net.pool("MaxPool", f"{label}.pool", result, 3, padding=1)
        branches.append(_conv(net, f"{label}.proj", pool, pooled, 1))
        result = net.concat(f"{label}.output", branches)
    result = net.pool("AveragePool", "pool5", result, 7)
    return _head(net, _flat(net, result, 1024), (1000,))


def _alexnet() -> Graph:
    net = NetworkBuilder("alexnet", (1, 3, 227, 227))
    result = net.input
    for i, (channels, kernel, stride, padding, groups) in enumerate(
        ((96, 11, 4, 0, 1), (256, 5, 1, 2, 2), (384, 3, 1, 1, 1), (384, 3, 1, 1, 2),
         (256, 3, 1, 1, 2)), start=1
    ):  # fmt: skip
        result = _conv(
            net, f"conv{i}", result, channels, kernel,
            stride=stride, padding=padding, groups=groups,
        )  # fmt: skip
        if i < 3:
            result = _lrn(net, f"norm{i}", result)
        if i in (1, 2, 5):
            result = net.pool("MaxPool", f"pool{i}", result, 3, stride=2, ceil_mode=True)
    return _head(net, _flat(net, result, 256 * 6 * 6), (4096, 4096, 1000))


def _vgg19() -> Graph:
    net = NetworkBuilder("vgg19", (1, 3, 224, 224))
    result = net.input
    for stage, (channels, count) in enumerate(VGG, start=1):
        for i in range(1, count + 1):
            result = _conv(net, f"conv{stage}_{i}", result, channels, 3, padding=1)
        result = net.pool("MaxPool", f"pool{stage}", result, 2, stride=2)
    return _head(net, _flat(net, result, 512 * 7 * 7), (100, 100))


_BUILT = {"googlenet": _googlenet, "alexnet": _alexnet, "vgg19": _vgg19}


@cache
def network(name: str) -> Graph:
    """The graph of one of the pairs' networks; ``inception`` is Inception-v4.

    Raises:
        WorkloadError: no such network.
    """
    if name in _BUILT:
        return _BUILT[name]()
    return load_model("inception_v4" if name == "inception" else name)
