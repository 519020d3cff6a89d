"""Which networks are near copies of each other, and what class a network is of.

A model that has seen ResNet-50 knows ResNet-101, whatever is claimed of "networks kept aside". So
networks are kept aside by family. Two are of one family where their names begin alike (the letters
before the first digit or separator: ``resnet18``, ``resnet50``, ``resnet_3d``), or where
:data:`ALIKE` of the multiply-accumulates of both lie in layers of the same kind, kernel and
channels (at any resolution), so a detector is of its backbone's family; and families are closed
under both.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from hetsim.workload.graph import Graph

ALIKE = 0.7
"""Share of the work in common from which two networks are near copies."""

DEPTHWISE = 0.1
"""Share of depthwise among the convolutions from which a network is a depthwise one."""

LARGE_PIXELS = 512 * 512
"""Pixels of an image from which a convolutional network is one of large images."""

CLASSES = (
    "convolutional", "depthwise", "large images", "video", "transformer", "signal", "language",
)  # fmt: skip
"""All that :func:`class_of` tells."""


def stem(name: str) -> str:
    """The letters a network's name begins with, lower case: ``mobilenet`` of ``MobileNet-v2``."""
    found = re.match(r"[^\W\d_]+", name.strip().lower())
    return found[0] if found else name.strip().lower()


def families(networks: Mapping[str, Sequence[Graph]]) -> dict[str, str]:
    """The family of each network, called like most of its members (their first letters).

    ``networks`` are graphs (of several components) by name.
    """
    names = sorted(networks)
    head = {name: name for name in names}

    def root(name: str) -> str:
        while head[name] != name:
            name = head[name]
        return name

    work = {name: _work(networks[name]) for name in names}
    for i, one in enumerate(names):
        for other in names[:i]:
            if stem(one) == stem(other) or _alike(work[one], work[other]):
                first, second = sorted((root(one), root(other)))
                head[second] = first
    members: dict[str, list[str]] = {}
    for name in names:
        members.setdefault(root(name), []).append(stem(name))
    called = {first: Counter(stems).most_common(1)[0][0] for first, stems in members.items()}
    return {name: called[root(name)] for name in names}


def _work(graphs: Sequence[Graph]) -> Mapping[tuple[object, ...], float]:
    """Shares of the multiply-accumulates by layers' kind, kernel and channels."""
    counts: Counter[tuple[object, ...]] = Counter()
    for graph in graphs:
        for op in graph.operators:
            if (nest := op.nest) is not None and not nest.weights_are_activations:
                counts[op.kind, op.variant, nest.in_c, nest.out_c, nest.k_h, nest.k_w] += op.macs
    total = sum(counts.values())
    return {key: count / total for key, count in counts.items()} if total else {}


def _alike(
    one: Mapping[tuple[object, ...], float], other: Mapping[tuple[object, ...], float]
) -> bool:
    return sum(min(share, other.get(key, 0.0)) for key, share in one.items()) >= ALIKE


def class_of(graph: Graph) -> str:
    """The class of a network, from its graph alone; the first that fits of:

    * *video*: an input has five axes;
    * *language*: an input is of integers (tokens);
    * *signal*: no input has more than three axes (sound, features over time);
    * *depthwise*: at least :data:`DEPTHWISE` of its convolutions are depthwise;
    * *transformer*: half of its multiply-accumulates are in matrix products;
    * *large images*: an input has at least :data:`LARGE_PIXELS` pixels;
    * *convolutional*: all others.
    """
    inputs = [graph.tensors[name] for name in graph.inputs]
    ranks = [len(tensor.shape) for tensor in inputs]
    if 5 in ranks:
        return "video"
    if any("int" in tensor.dtype for tensor in inputs):
        return "language"
    if max(ranks, default=0) <= 3:
        return "signal"
    convolutions = [op.variant for op in graph.operators if op.kind == "Conv"]
    if sum("depthwise" in name for name in convolutions) >= max(1, DEPTHWISE * len(convolutions)):
        return "depthwise"
    products = sum(op.macs for op in graph.operators if op.kind in ("MatMul", "Gemm"))
    if 2 * products >= sum(op.macs for op in graph.operators) > 0:
        return "transformer"
    pixels = max((t.shape[-1] * t.shape[-2] for t in inputs if len(t.shape) == 4), default=0)
    return "large images" if pixels >= LARGE_PIXELS else "convolutional"
