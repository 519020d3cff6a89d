"""A hand in three dimensions from an image: Ge et al., CVPR 2019.

Two stacked hourglasses (Newell et al., ECCV 2016) find 21 joints in the plane, residual modules
shrink what they saw to 4096 numbers, and convolutions on a graph make the mesh of them.
XRBench runs half the width and half the extent.
"""

from __future__ import annotations

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder
from hetsim.workload.zoo.tokens import dense

WIDTH, JOINTS, DEPTH = 256, 21, 4
GRAPH = ((80, 64, 64), (80, 64, 32), (320, 32, 32), (1280, 32, 3))
"""Vertices, features in, features out of each convolution on the graph."""


def hand_graph_cnn_half() -> ModelProto:
    """Hand shape and pose at 128x128."""
    net = NetworkBuilder("hand_graph_cnn_half", (1, 3, 128, 128))
    result = net.conv_bn("stem", net.input, 64, 7, stride=2, padding=3, bias=True)
    result = _pool(net, "stem.pool", _module(net, "stem.1", result, 128))
    result = _module(net, "stem.3", _module(net, "stem.2", result, 128), WIDTH)
    for stack in ("stack0", "stack1"):
        features = _modules(net, f"{stack}.out", _hourglass(net, stack, result, DEPTH))
        features = net.conv_bn(f"{stack}.features", features, WIDTH, 1, bias=True)
        heat = net.conv(f"{stack}.heat", features, JOINTS, 1, bias=True)
        features = net.conv(f"{stack}.keep", features, WIDTH, 1, bias=True)
        heat = net.conv(f"{stack}.back", heat, WIDTH, 1, bias=True)
        result = net.add("Add", f"{stack}.1", [result, features])
        result = net.add("Add", f"{stack}.2", [result, heat])
    for level in range(DEPTH):
        result = _modules(net, f"shrink{level}", result)
        if level < DEPTH - 1:
            result = _pool(net, f"shrink{level}.pool", result)
    result = net.add("Flatten", "flatten", [result], 4 * 4 * WIDTH, axis=1)
    result = net.relu("latent.relu", net.linear("latent", result, 512))
    return _mesh(net, result)


def _module(net: NetworkBuilder, name: str, source: str, width: int) -> str:
    """A residual module that normalises before each convolution."""
    result = source
    for part, (channels, kernel) in enumerate(((width // 2, 1), (width // 2, 3), (width, 1))):
        result = net.relu(f"{name}.relu{part}", net.batch_norm(f"{name}.norm{part}", result))
        result = net.conv(
            f"{name}.{part}", result, channels, kernel, padding=kernel // 2, bias=True
        )
    if net.channels[source] != width:
        source = net.conv(f"{name}.shortcut", source, width, 1, bias=True)
    return net.add("Add", f"{name}.add", [result, source])


def _modules(net: NetworkBuilder, name: str, source: str) -> str:
    return _module(net, f"{name}.b", _module(net, f"{name}.a", source, WIDTH), WIDTH)


def _pool(net: NetworkBuilder, name: str, source: str) -> str:
    return net.pool("MaxPool", name, source, 2, stride=2)


def _hourglass(net: NetworkBuilder, name: str, source: str, depth: int) -> str:
    """Two modules at this extent, and the same at half of it inside."""
    beside = _modules(net, f"{name}.{depth}.beside", source)
    result = _modules(net, f"{name}.{depth}.in", _pool(net, f"{name}.{depth}.pool", source))
    if depth > 1:
        result = _hourglass(net, name, result, depth - 1)
    else:
        result = _modules(net, f"{name}.{depth}.inmost", result)
    result = _modules(net, f"{name}.{depth}.up", result)
    scales = net.floats(f"{name}.{depth}.scales", [1.0, 1.0, 2.0, 2.0])
    larger = net.add(
        "Resize", f"{name}.{depth}.larger", [result, "", scales], mode="nearest",
        nearest_mode="floor", coordinate_transformation_mode="asymmetric",
    )  # fmt: skip
    return net.add("Add", f"{name}.{depth}.add", [beside, larger])


def _mesh(net: NetworkBuilder, latent: str) -> ModelProto:
    """Chebyshev polynomials of degree three on graphs that grow from 80 to 1280 vertices."""
    vertices, width, _ = GRAPH[0]
    result = net.linear("seed", latent, vertices * width)
    result = net.reshape("seed.nodes", result, [1, vertices, width], width)
    for number, (vertices, width, after) in enumerate(GRAPH):
        name = f"graph{number}"
        before = GRAPH[number - 1][0] if number else vertices
        if vertices != before:  # each vertex becomes four
            many = net.integers(f"{name}.many", [1, vertices // before, 1])
            result = net.add("Tile", f"{name}.grow", [result, many], width)
        laplacian = net.weight(f"{name}.laplacian", (1, vertices, vertices))
        first = net.add("MatMul", f"{name}.first", [laplacian, result], width)
        second = net.add("MatMul", f"{name}.second", [laplacian, first], width)
        terms = net.add("Concat", f"{name}.terms", [result, first, second], 3 * width, axis=2)
        result = dense(net, name, terms, after)
        if number < len(GRAPH) - 1:
            result = net.relu(f"{name}.relu", result)
    return net.finish(result, (1, vertices, GRAPH[-1][2]))
