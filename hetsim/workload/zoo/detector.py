"""Networks that find things in regions of an image.

Faster R-CNN (Ren et al., NeurIPS 2015) on FBNetV3 (Dai et al., CVPR 2021), as D2Go has it
(github.com/facebookresearch/d2go): regions are proposed on the features at a sixteenth of the size,
and each of them goes through the last stage by itself. Choosing among proposals, and among
overlapping boxes, is left out: the regions are an input. PlaneRCNN (Liu et al., CVPR 2019) without
what it does in regions: ResNet-101 and its feature pyramid (Lin et al., CVPR 2017).
"""

from __future__ import annotations

from collections.abc import Iterable

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder
from hetsim.workload.zoo.mobile import Block
from hetsim.workload.zoo.resnet import resnet101_stages

BODY = (
    (3, 1, 16, 2, 1, 0), (5, 4, 24, 1, 2, 0), (5, 3, 24, 3, 1, 0), (5, 4, 32, 1, 2, 24),
    (3, 3, 32, 3, 1, 24), (5, 4, 64, 1, 2, 0), (3, 3, 64, 3, 1, 0), (5, 4, 112, 1, 1, 64),
    (5, 3, 112, 10, 1, 88),
)  # fmt: skip
"""Kernel, expansion, channels, repeats, first stride, channels squeezed to."""

HEAD = ((5, 4, 184, 1, 2, 112), (3, 4, 184, 4, 1, 184), (5, 6, 200, 1, 1, 280))
"""The same, on each region of 6x6."""

ANCHORS, CLASSES = 15, 81


def d2go_rcnn(regions: int = 1) -> ModelProto:
    """The network on an image of 224x299 and ``regions`` of it; XRBench counts the work of one."""
    net = NetworkBuilder("d2go_rcnn", (1, 3, 224, 299))
    result = net.conv_bn("stem", net.input, 16, 3, stride=2, padding=1, activation="HardSwish")
    features = _stages(net, "body", result, BODY)
    scores = net.conv("proposals.scores", features, ANCHORS, 1, bias=True)
    boxes = net.conv("proposals.boxes", features, 4 * ANCHORS, 1, bias=True)
    rois = net.further_input("regions", (regions, 4))
    image = net.integers("image_of_region", [0] * regions)
    result = net.add(
        "RoiAlign", "crop", [features, rois, image], output_height=6, output_width=6,
        spatial_scale=1 / 16, sampling_ratio=0,
    )  # fmt: skip
    result = _stages(net, "head", result, HEAD)
    result = net.add("GlobalAveragePool", "pool", [result])
    result = net.add("Flatten", "flatten", [result], axis=1)
    refined = net.linear("boxes", result, 4 * (CLASSES - 1))
    return net.finish(
        net.linear("classes", result, CLASSES),
        (regions, CLASSES),
        {refined: (regions, 4 * (CLASSES - 1)), scores: (1, ANCHORS, 14, 19),
         boxes: (1, 4 * ANCHORS, 14, 19)},
    )  # fmt: skip


def _stages(
    net: NetworkBuilder, name: str, source: str, rows: Iterable[tuple[int, int, int, int, int, int]]
) -> str:
    result = source
    for stage, (kernel, expansion, channels, repeats, first_stride, squeezed) in enumerate(rows):
        for repeat in range(repeats):
            block = Block(
                kernel, net.channels[result] * expansion, channels, 1 if repeat else first_stride,
                squeezed, "HardSwish",
            )  # fmt: skip
            result = block.add(net, f"{name}{stage}.{repeat}", result)
    return result


def plane_rcnn_body() -> ModelProto:
    """ResNet-101 at 160x160 and a pyramid of 256 channels on each of its four levels."""
    width, finest = 256, 40
    net = NetworkBuilder("plane_rcnn_body", (1, 3, 160, 160))
    result, levels = "", {}
    for level, features in reversed([*enumerate(resnet101_stages(net))]):
        beside = net.conv(f"lateral{level}", features, width, 1, bias=True)
        if result:
            scales = net.floats(f"larger{level}.scales", [1.0, 1.0, 2.0, 2.0])
            larger = net.add(
                "Resize", f"larger{level}", [result, "", scales], mode="nearest",
                nearest_mode="floor", coordinate_transformation_mode="asymmetric",
            )  # fmt: skip
            beside = net.add("Add", f"join{level}", [beside, larger])
        result = beside
        extent = finest >> level
        output = net.conv(f"level{level}", result, width, 3, padding=1, bias=True)
        levels[output] = (1, width, extent, extent)
    last, shape = levels.popitem()
    return net.finish(last, shape, levels)
