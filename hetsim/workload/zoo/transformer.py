"""ViT-B/16: Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021.

Written as exporters write it: separate MatMul and Add, attention as Reshape, Transpose, MatMul,
Softmax, and Gelu through Erf.
"""

from __future__ import annotations

import math

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder

WIDTH = 768
HEADS = 12
LAYERS = 12
HIDDEN = 3072
PATCH = 16
TOKENS = (224 // PATCH) ** 2 + 1


def _dense(net: NetworkBuilder, name: str, source: str, inputs: int, outputs: int) -> str:
    product = net.add(
        "MatMul", f"{name}.matmul", [source, net.weight(f"{name}.w", (inputs, outputs))]
    )
    return net.add("Add", f"{name}.add", [product, net.weight(f"{name}.b", (outputs,))])


def _norm(net: NetworkBuilder, name: str, source: str) -> str:
    scale, shift = net.weight(f"{name}.w", (WIDTH,), 1.0), net.weight(f"{name}.b", (WIDTH,))
    return net.add("LayerNormalization", name, [source, scale, shift], axis=-1, epsilon=1e-6)


def _heads(net: NetworkBuilder, name: str, source: str, order: list[int]) -> str:
    split = net.integers(f"{name}.split", [1, TOKENS, HEADS, WIDTH // HEADS])
    shaped = net.add("Reshape", f"{name}.reshape", [source, split])
    return net.add("Transpose", f"{name}.transpose", [shaped], perm=order)


def _attention(net: NetworkBuilder, name: str, source: str) -> str:
    query = _heads(net, f"{name}.q", _dense(net, f"{name}.q", source, WIDTH, WIDTH), [0, 2, 1, 3])
    key = _heads(net, f"{name}.k", _dense(net, f"{name}.k", source, WIDTH, WIDTH), [0, 2, 3, 1])
    value = _heads(net, f"{name}.v", _dense(net, f"{name}.v", source, WIDTH, WIDTH), [0, 2, 1, 3])
    factor = net.weight(f"{name}.factor", (1,), 1 / math.sqrt(WIDTH / HEADS))
    scores = net.add("MatMul", f"{name}.scores", [query, key])
    scores = net.add("Mul", f"{name}.scale", [scores, factor])
    scores = net.add("Softmax", f"{name}.softmax", [scores], axis=-1)
    mixed = net.add("MatMul", f"{name}.mix", [scores, value])
    mixed = net.add("Transpose", f"{name}.merge", [mixed], perm=[0, 2, 1, 3])
    joined = net.integers(f"{name}.joined", [1, TOKENS, WIDTH])
    mixed = net.add("Reshape", f"{name}.flatten", [mixed, joined])
    return _dense(net, f"{name}.out", mixed, WIDTH, WIDTH)


def _gelu(net: NetworkBuilder, name: str, source: str) -> str:
    root, one, half = (
        net.weight(f"{name}.{label}", (1,), value)
        for label, value in (("sqrt2", math.sqrt(2)), ("one", 1.0), ("half", 0.5))
    )
    inner = net.add("Erf", f"{name}.erf", [net.add("Div", f"{name}.div", [source, root])])
    inner = net.add("Add", f"{name}.add", [inner, one])
    product = net.add("Mul", f"{name}.mul", [source, inner])
    return net.add("Mul", f"{name}.halve", [product, half])


def vit_b16() -> ModelProto:
    """ViT-Base with 16x16 patches at 224x224: 197 tokens, 12 layers."""
    net = NetworkBuilder("vit_b16", (1, 3, 224, 224))
    patches = net.conv("patches", net.input, WIDTH, PATCH, stride=PATCH, bias=True)
    shape = net.integers("patches.shape", [1, WIDTH, TOKENS - 1])
    tokens = net.add("Reshape", "patches.flatten", [patches, shape])
    tokens = net.add("Transpose", "patches.transpose", [tokens], perm=[0, 2, 1])
    label = net.weight("class_token", (1, 1, WIDTH))
    tokens = net.add("Concat", "tokens", [label, tokens], axis=1)
    position = net.weight("position", (1, TOKENS, WIDTH))
    result = net.add("Add", "embed", [tokens, position])
    for layer in range(LAYERS):
        name = f"layer{layer}"
        attended = _attention(net, f"{name}.attention", _norm(net, f"{name}.norm1", result))
        result = net.add("Add", f"{name}.residual1", [result, attended])
        inner = _dense(net, f"{name}.mlp1", _norm(net, f"{name}.norm2", result), WIDTH, HIDDEN)
        inner = _dense(net, f"{name}.mlp2", _gelu(net, f"{name}.gelu", inner), HIDDEN, WIDTH)
        result = net.add("Add", f"{name}.residual2", [result, inner])
    result = _norm(net, "norm", result)
    first = net.integers("first", [0])
    result = net.add("Gather", "class", [result, first], WIDTH, axis=1)
    result = net.add("Flatten", "flatten", [result], WIDTH, axis=1)
    return net.finish(net.linear("head", result, 1000), (1, 1000))
