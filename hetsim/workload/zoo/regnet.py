"""RegNet: Radosavovic et al., "Designing Network Design Spaces", CVPR 2020.

Widths of the stages follow from the four numbers of equations 2 to 4; group widths and the numbers
are those of the paper's figures 16 (X) and 17 (Y).
"""

from __future__ import annotations

import math
from itertools import groupby

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder


def widths(depth: int, first: int, slope: float, ratio: float, group: int) -> list[int]:
    """The width of each block: a line, rounded to powers of ``ratio``, then to whole groups."""
    result = []
    for block in range(depth):
        power = round(math.log((first + slope * block) / first) / math.log(ratio))
        width = round(first * ratio**power / 8) * 8
        result.append(max(1, (width + group // 2) // group) * group)
    return result


def _block(
    net: NetworkBuilder, name: str, source: str, width: int, stride: int, group: int, squeezes: bool
) -> str:
    before = net.channels[source]
    result = net.conv_bn(f"{name}.1", source, width, 1)
    result = net.conv_bn(
        f"{name}.2", result, width, 3, stride=stride, padding=1, groups=width // group
    )
    if squeezes:  # a quarter of what comes in
        result = net.squeeze_excite(f"{name}.squeeze", result, round(before / 4))
    result = net.conv_bn(f"{name}.3", result, width, 1, activation="")
    shortcut = source
    if stride > 1 or before != width:
        shortcut = net.conv_bn(f"{name}.shortcut", source, width, 1, stride=stride, activation="")
    return net.relu(f"{name}.relu", net.add("Add", f"{name}.add", [shortcut, result]))


def _regnet(name: str, blocks: list[int], group: int, squeezes: bool) -> ModelProto:
    net = NetworkBuilder(name, (1, 3, 224, 224))
    result = net.conv_bn("stem", net.input, 32, 3, stride=2, padding=1)
    for stage, (width, members) in enumerate(groupby(blocks)):
        for block, _ in enumerate(members):
            stride = 1 if block else 2
            result = _block(net, f"stage{stage}.{block}", result, width, stride, group, squeezes)
    return net.finish(net.classifier(result), (1, 1000))


def regnet_x_3_2gf() -> ModelProto:
    """RegNetX-3.2GF at 224x224."""
    return _regnet("regnet_x_3_2gf", widths(25, 88, 26.31, 2.25, 48), 48, squeezes=False)


def regnet_y_800mf() -> ModelProto:
    """RegNetY-800MF at 224x224: with squeeze and excitation."""
    return _regnet("regnet_y_800mf", widths(14, 56, 38.84, 2.4, 16), 16, squeezes=True)
