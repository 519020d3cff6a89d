"""RITnet, which tells pupil, iris and white of an eye: Chaudhary et al., ICCV Workshops 2019.

Five levels down and four up, all of 32 channels; inside a level each convolution reads all that
came before it, narrowed by a 1x1.
"""

from __future__ import annotations

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder

WIDTH, LEVELS, CLASSES = 32, 5, 4


def ritnet(height: int = 160, width: int = 100) -> ModelProto:
    """RITnet on a grey image; published for 640x400, run by XRBench at a quarter of both."""
    net = NetworkBuilder("ritnet", (1, 1, height, width))
    result, levels = net.input, []
    for level in range(LEVELS):
        if level:
            levels.append((result, height, width))
            result = net.pool(
                "AveragePool", f"down{level}.pool", result, 2, stride=2, ceil_mode=True
            )
            height, width = -(-height // 2), -(-width // 2)
        result = _down(net, f"down{level}", result)
    for level, (beside, height, width) in enumerate(reversed(levels)):
        larger = _resized(net, f"up{level}.larger", result, height, width)
        result = _up(net, f"up{level}", beside, larger)
    return net.finish(
        net.conv("classes", result, CLASSES, 1, bias=True), (1, CLASSES, height, width)
    )


def _conv(net: NetworkBuilder, name: str, sources: list[str], kernel: int) -> str:
    source = net.concat(f"{name}.concat", sources) if len(sources) > 1 else sources[0]
    return net.conv(name, source, WIDTH, kernel, padding=kernel // 2, bias=True)


def _leaky(net: NetworkBuilder, name: str, source: str) -> str:
    return net.add("LeakyRelu", f"{name}.relu", [source], alpha=0.01)


def _down(net: NetworkBuilder, name: str, source: str) -> str:
    first = _leaky(net, f"{name}.1", _conv(net, f"{name}.1", [source], 3))
    second = _conv(net, f"{name}.2b", [_conv(net, f"{name}.2a", [source, first], 1)], 3)
    second = _leaky(net, f"{name}.2", second)
    third = _conv(net, f"{name}.3b", [_conv(net, f"{name}.3a", [source, first, second], 1)], 3)
    return net.batch_norm(f"{name}.norm", _leaky(net, f"{name}.3", third))


def _up(net: NetworkBuilder, name: str, beside: str, source: str) -> str:
    first = _conv(net, f"{name}.1b", [_conv(net, f"{name}.1a", [source, beside], 1)], 3)
    first = _leaky(net, f"{name}.1", first)
    second = _conv(net, f"{name}.2b", [_conv(net, f"{name}.2a", [source, beside, first], 1)], 3)
    return _leaky(net, f"{name}.2", second)


def _resized(net: NetworkBuilder, name: str, source: str, height: int, width: int) -> str:
    """The nearest pixels of a smaller level; odd extents need the very size."""
    sizes = net.integers(f"{name}.sizes", [1, net.channels[source], height, width])
    return net.add(
        "Resize", name, [source, "", "", sizes], mode="nearest", nearest_mode="floor",
        coordinate_transformation_mode="asymmetric",
    )  # fmt: skip
