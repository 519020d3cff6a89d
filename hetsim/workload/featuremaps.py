"""Which tensors are feature maps: N, C and then positions, as convolutions read and make them.

A layout that keeps channels in blocks pads the channels of these, and of a product's tensor its
last dimension. Convolutions, pools and resizes say it of their own tensors; element-wise operators
carry it on, and so do concatenation and the like where channels or positions are all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

SPATIAL = frozenset(
    {"Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool",
     "Resize", "BatchNormalization", "InstanceNormalization"}
)  # fmt: skip
"""Kinds whose tensors are N, C and positions."""

ELEMENTWISE = frozenset(
    {"Add", "Sub", "Mul", "Div", "Neg", "Relu", "LeakyRelu", "PRelu", "Clip", "Sigmoid", "Tanh",
     "HardSwish", "HardSigmoid", "Gelu", "Cast"}
)  # fmt: skip

CUTTING = frozenset({"Concat", "Slice", "Split", "Pad"})


def feature_maps(
    operators: Iterable[tuple[str, Iterable[str]]], shapes: Mapping[str, tuple[int, ...]]
) -> frozenset[str]:
    """Names of the feature maps, from the kind and all tensors of every operator."""
    found: set[str] = set()
    joined: list[set[str]] = []
    for kind, named in operators:
        tensors = set(named)
        if kind in SPATIAL:
            found |= tensors
        elif kind in ELEMENTWISE or (kind in CUTTING and _alike(shapes[t] for t in tensors)):
            joined.append(tensors)
    # To and fro, so a chain of any length is carried along in a few passes.
    grew = True
    while grew:
        before = len(found)
        for tensors in (*joined, *reversed(joined)):
            if not tensors.isdisjoint(found):
                found |= tensors
        grew = len(found) > before
    return frozenset(t for t in found if len(shapes[t]) >= 4)


def _alike(shapes: Iterable[tuple[int, ...]]) -> bool:
    """Whether they are maps cut or joined along one dimension: a view of another order is none."""
    every = list(shapes)
    channels, positions = {shape[1:2] for shape in every}, {shape[2:] for shape in every}
    batches = {(len(shape), shape[:1]) for shape in every}
    return len(batches) == 1 and 1 in (len(channels), len(positions))
