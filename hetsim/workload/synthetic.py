"""Made-up networks for property tests and benchmarks: consistent shapes, any size, from a seed."""

from __future__ import annotations

import random

from hetsim.workload.convolution import convolution_class
from hetsim.workload.graph import Graph, LoopNest, Operator, Tensor

_KINDS = ("Conv", "Conv", "Conv", "Relu", "Relu", "Add", "Concat", "MaxPool")
_CHANNELS = (16, 32, 64, 128)
_WINDOW = 8
"""How far back a random operator looks for its inputs; keeps graphs deep as well as wide."""
_MAX_CHANNELS = 512


class _Writer:
    """Collects operators; every method appends one and returns its result."""

    def __init__(self, name: str, shape: tuple[int, ...], dtype: str) -> None:
        self.name = name
        self.dtype = dtype
        self.input = Tensor("input", shape, dtype)
        self.tensors: list[Tensor] = [self.input]
        self.operators: list[Operator] = []
        self.unread: dict[str, Tensor] = {self.input.name: self.input}

    def conv(self, source: Tensor, channels: int, kernel: int) -> Tensor:
        batch, in_c, height, width = source.shape
        nest = LoopNest(
            batch, 1, height, width, in_c, channels, kernel, kernel, in_h=height, in_w=width
        )
        result = (batch, channels, height, width)
        weights = ((self.dtype, channels * in_c * kernel * kernel + channels),)
        pad = kernel // 2
        attributes: dict[str, object] = {
            "kernel_shape": (kernel, kernel), "strides": (1, 1), "pads": (pad, pad, pad, pad),
        }  # fmt: skip
        return self._append(
            "Conv", (source,), result, weights=weights, macs=nest.macs, nest=nest,
            attributes=attributes, variant=convolution_class(nest),
        )  # fmt: skip

    def relu(self, source: Tensor) -> Tensor:
        return self._append("Relu", (source,), source.shape, element_ops=source.elements)

    def add(self, left: Tensor, right: Tensor) -> Tensor:
        return self._append("Add", (left, right), left.shape, element_ops=left.elements)

    def concat(self, sources: tuple[Tensor, ...]) -> Tensor:
        batch, _, height, width = sources[0].shape
        channels = sum(source.shape[1] for source in sources)
        attributes: dict[str, object] = {"axis": 1}
        return self._append(
            "Concat", sources, (batch, channels, height, width), attributes=attributes
        )

    def max_pool(self, source: Tensor) -> Tensor:
        attributes: dict[str, object] = {
            "kernel_shape": (3, 3), "strides": (1, 1), "pads": (1, 1, 1, 1),
        }  # fmt: skip
        return self._append(
            "MaxPool", (source,), source.shape, element_ops=9 * source.elements,
            attributes=attributes,
        )  # fmt: skip

    def _append(
        self,
        kind: str,
        inputs: tuple[Tensor, ...],
        shape: tuple[int, ...],
        *,
        weights: tuple[tuple[str, int], ...] = (),
        macs: int = 0,
        element_ops: int = 0,
        nest: LoopNest | None = None,
        attributes: dict[str, object] | None = None,
        variant: str = "",
    ) -> Tensor:
        number = len(self.operators)
        result = Tensor(f"t{number}", shape, self.dtype)
        self.tensors.append(result)
        for tensor in inputs:
            self.unread.pop(tensor.name, None)
        self.unread[result.name] = result
        self.operators.append(
            Operator(
                f"{kind}_{number}", kind, tuple(dict.fromkeys(t.name for t in inputs)),
                (result.name,), weights, macs, element_ops, nest, attributes or {}, variant,
                self.dtype,
            )
        )  # fmt: skip
        return result

    def finish(self, source: str) -> Graph:
        """The graph whose outputs are all tensors that nothing reads."""
        outputs = list(self.unread)
        parameters = sum(operator.weight_elements for operator in self.operators)
        return Graph.create(
            self.name, self.operators, self.tensors, [self.input.name], outputs,
            parameters=parameters, source=source,
        )  # fmt: skip


def random_graph(
    seed: int,
    operators: int,
    *,
    spatial: int = 14,
    batch: int = 1,
    dtype: str = "float32",
) -> Graph:
    """A random acyclic network of ``operators`` convolutions, rectifiers, sums, joins and pools.

    All activations share ``spatial`` x ``spatial`` extents, so any two of equal channels can be
    added and any can be joined. Inputs are drawn from the last few results, with an
    occasional far one (a long skip). The same arguments always give the same graph.
    """
    if operators < 1:
        raise ValueError(f"a graph needs at least one operator, not {operators}")
    generator = random.Random(seed)
    shape = (batch, generator.choice(_CHANNELS), spatial, spatial)
    net = _Writer(f"random{seed}_{operators}", shape, dtype)
    for _ in range(operators):
        _append_random(net, generator)
    return net.finish(f"synthetic:random_graph(seed={seed}, operators={operators})")


def _append_random(net: _Writer, generator: random.Random) -> None:
    recent = net.tensors[-_WINDOW:]
    source = _draw(net, generator, recent)
    kind = generator.choice(_KINDS)
    if kind == "Add":
        partners = [t for t in recent if t.shape == source.shape and t is not source]
        if partners:
            net.add(source, generator.choice(partners))
            return
        kind = "Relu"
    if kind == "Concat":
        room = _MAX_CHANNELS - source.shape[1]
        partners = [t for t in recent if t is not source and t.shape[1] <= room]
        if partners:
            net.concat((source, generator.choice(partners)))
            return
        kind = "Conv"
    if kind == "Conv":
        net.conv(source, generator.choice(_CHANNELS), generator.choice((1, 3)))
    elif kind == "Relu":
        net.relu(source)
    else:
        net.max_pool(source)


def _draw(net: _Writer, generator: random.Random, recent: list[Tensor]) -> Tensor:
    """Mostly a result nobody has read yet, so that few operators end up without a consumer."""
    if len(net.unread) >= _WINDOW:
        return next(iter(net.unread.values()))
    if generator.random() < 0.7:
        return generator.choice(list(net.unread.values()))
    if generator.random() < 0.05:
        return generator.choice(net.tensors)
    return generator.choice(recent)


def chain_graph(n: int, *, channels: int = 16, spatial: int = 14, dtype: str = "float32") -> Graph:
    """A straight line of ``n`` operators: 3x3 convolutions alternating with rectifiers."""
    if n < 1:
        raise ValueError(f"a graph needs at least one operator, not {n}")
    net = _Writer(f"chain{n}", (1, channels, spatial, spatial), dtype)
    current = net.input
    for number in range(n):
        current = net.relu(current) if number % 2 else net.conv(current, channels, 3)
    return net.finish(f"synthetic:chain_graph({n})")
