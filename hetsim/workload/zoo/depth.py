"""Networks that tell how far away things are.

Sparse-to-dense: Ma and Karaman, ICRA 2018. MiDaS: Ranftl et al., TPAMI 2022, its small model of
version 2.1: EfficientNet-Lite3 and a decoder of refinement blocks.
"""

from __future__ import annotations

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder
from hetsim.workload.zoo.mobile import lite3_levels
from hetsim.workload.zoo.resnet import basic_stages


def sparse_to_dense() -> ModelProto:
    """An image and some measured depths, 228x912, to all depths: ResNet-18, then up-projections."""
    net = NetworkBuilder("sparse_to_dense", (1, 4, 228, 912))
    result = net.conv_bn("narrow", basic_stages(net), 256, 1, activation="")
    extent = (8, 29)
    for level, width in enumerate((128, 64, 32, 16)):
        extent = (2 * extent[0], 2 * extent[1])
        result = _projected(net, f"up{level}", result, width, extent)
    result = net.conv("depth", result, 1, 3, padding=1)
    sizes = net.integers("full.sizes", [1, 1, 228, 912])
    result = net.add("Resize", "full", [result, "", "", sizes], mode="linear")
    return net.finish(result, (1, 1, 228, 912))


def _projected(
    net: NetworkBuilder, name: str, source: str, width: int, extent: tuple[int, int]
) -> str:
    """Twice the extent with zeros between, and two ways through it (Laina et al., 3DV 2016)."""
    zeros = net.weight(f"{name}.stretch", (net.channels[source], 1, 2, 2))
    wide = net.add(
        "ConvTranspose", f"{name}.unpool", [source, zeros], group=net.channels[source],
        kernel_shape=[2, 2], strides=[2, 2],
    )  # fmt: skip
    result = net.conv_bn(f"{name}.1", wide, width, 5, padding=2)
    result = net.conv_bn(f"{name}.2", result, width, 3, padding=1, activation="")
    beside = net.conv_bn(f"{name}.3", wide, width, 5, padding=2, activation="")
    return net.relu(f"{name}.relu", net.add("Add", f"{name}.add", [result, beside]))


def midas_small() -> ModelProto:
    """MiDaS v2.1 small at 192x256."""
    height, width = 192, 256
    net = NetworkBuilder("midas_small", (1, 3, height, width))
    levels = lite3_levels(net)
    widths = (64, 128, 256, 512)
    shaped = [
        net.conv(f"level{i}.shape", level, channels, 3, padding=1)
        for i, (level, channels) in enumerate(zip(levels, widths, strict=True))
    ]
    result = ""
    for i in reversed(range(len(shaped))):
        result = _refined(net, f"refine{i}", shaped[i], result, widths[max(i - 1, 0)])
    result = net.conv("head.1", result, 32, 3, padding=1, bias=True)
    result = _doubled(net, "head.larger", result)
    result = net.relu("head.relu1", net.conv("head.2", result, 32, 3, padding=1, bias=True))
    result = net.relu("head.relu2", net.conv("head.3", result, 1, 1, bias=True))
    return net.finish(result, (1, 1, height, width))


def _refined(net: NetworkBuilder, name: str, source: str, deeper: str, narrowed: int) -> str:
    """A level with what came from below, twice as large (Lin et al., RefineNet, CVPR 2017)."""
    result = source
    if deeper:
        result = net.add("Add", f"{name}.join", [deeper, _unit(net, f"{name}.a", source)])
    result = _doubled(net, f"{name}.larger", _unit(net, f"{name}.b", result))
    return net.conv(f"{name}.narrow", result, narrowed, 1, bias=True)


def _unit(net: NetworkBuilder, name: str, source: str) -> str:
    """Two convolutions around which the source goes."""
    result = source
    for part in (1, 2):
        result = net.relu(f"{name}.relu{part}", result)
        result = net.conv(f"{name}.{part}", result, net.channels[source], 3, padding=1, bias=True)
    return net.add("Add", f"{name}.add", [result, source])


def _doubled(net: NetworkBuilder, name: str, source: str) -> str:
    scales = net.floats(f"{name}.scales", [1.0, 1.0, 2.0, 2.0])
    return net.add("Resize", name, [source, "", scales], mode="linear")
