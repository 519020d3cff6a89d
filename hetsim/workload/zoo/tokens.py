"""What networks on tokens, (batch, tokens, width), are made of.

Written as exporters write it: separate MatMul and Add, attention as Reshape, Transpose, MatMul,
Softmax, and Gelu through Erf, which the loader recognises as the one operator that runtimes run
(:mod:`hetsim.workload.onnx.chains`).
"""

from __future__ import annotations

import math

from hetsim.workload.zoo.builder import NetworkBuilder


def dense(net: NetworkBuilder, name: str, source: str, features: int, *, bias: bool = True) -> str:
    """A product along the last dimension."""
    weights = net.weight(f"{name}.w", (net.channels[source], features))
    product = net.add("MatMul", f"{name}.matmul", [source, weights], features)
    if not bias:
        return product
    return net.add("Add", f"{name}.add", [product, net.weight(f"{name}.b", (features,))])


def norm(net: NetworkBuilder, name: str, source: str, epsilon: float = 1e-6) -> str:
    """Layer normalisation over the last dimension."""
    width = net.channels[source]
    scale, shift = net.weight(f"{name}.w", (width,), 1.0), net.weight(f"{name}.b", (width,))
    return net.add("LayerNormalization", name, [source, scale, shift], axis=-1, epsilon=epsilon)


def gelu(net: NetworkBuilder, name: str, source: str) -> str:
    """Gelu, through Erf."""
    root, one, half = (
        net.weight(f"{name}.{label}", (1,), value)
        for label, value in (("sqrt2", math.sqrt(2)), ("one", 1.0), ("half", 0.5))
    )
    inner = net.add("Erf", f"{name}.erf", [net.add("Div", f"{name}.div", [source, root])])
    inner = net.add("Add", f"{name}.add", [inner, one])
    product = net.add("Mul", f"{name}.mul", [source, inner])
    return net.add("Mul", f"{name}.halve", [product, half])


def mlp(net: NetworkBuilder, name: str, source: str, hidden: int) -> str:
    """Two products with Gelu between them, called ``name`` 1 and 2."""
    width = net.channels[source]
    inner = dense(net, f"{name}.mlp1", source, hidden)
    return dense(net, f"{name}.mlp2", gelu(net, f"{name}.gelu", inner), width)


def attention(
    net: NetworkBuilder, name: str, source: str, tokens: int, heads: int,
    *, mask: str = "", key_bias: bool = True,
) -> str:  # fmt: skip
    """Attention of all ``tokens`` to one another; ``mask`` is added to the scores.

    Queries are scaled before the product, as exports of today do; there are fewer of them than of
    scores.
    """
    width = net.channels[source]

    def head(part: str, order: tuple[int, ...], bias: bool = True) -> str:
        result = dense(net, f"{name}.{part}", source, width, bias=bias)
        shape = [1, tokens, heads, width // heads]
        return net.transpose(
            f"{name}.{part}.transpose", net.reshape(f"{name}.{part}.reshape", result, shape), order
        )

    query, key = head("q", (0, 2, 1, 3)), head("k", (0, 2, 3, 1), key_bias)
    value = head("v", (0, 2, 1, 3))
    factor = net.weight(f"{name}.factor", (1,), 1 / math.sqrt(width / heads))
    query = net.add("Mul", f"{name}.scale", [query, factor])
    scores = net.add("MatMul", f"{name}.scores", [query, key])
    if mask:
        scores = net.add("Add", f"{name}.masked", [scores, mask])
    scores = net.add("Softmax", f"{name}.softmax", [scores], axis=-1)
    mixed = net.add("MatMul", f"{name}.mix", [scores, value], width)
    mixed = net.transpose(f"{name}.merge", mixed, (0, 2, 1, 3))
    mixed = net.reshape(f"{name}.flatten", mixed, [1, tokens, width])
    return dense(net, f"{name}.out", mixed, width)


def encoder_layer(
    net: NetworkBuilder, name: str, source: str, tokens: int, heads: int, *, key_bias: bool = True
) -> str:
    """Attention, then two products four times as wide inside, each behind its normalisation."""
    before = norm(net, f"{name}.norm1", source)
    attended = attention(net, f"{name}.attention", before, tokens, heads, key_bias=key_bias)
    result = net.add("Add", f"{name}.residual1", [source, attended])
    inner = mlp(net, name, norm(net, f"{name}.norm2", result), 4 * net.channels[source])
    return net.add("Add", f"{name}.residual2", [result, inner])
