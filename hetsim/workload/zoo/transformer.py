"""Transformer encoders of images, video and sound, normalised before each step.

ViT: Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021. VideoMAE: Tong et al., NeurIPS
2022. Whisper: Radford et al., 2022.
"""

from __future__ import annotations

from onnx import ModelProto

from hetsim.workload.zoo.builder import NetworkBuilder
from hetsim.workload.zoo.tokens import dense, encoder_layer, gelu, norm

WIDTH, HEADS, LAYERS = 768, 12, 12
"""Of the base size."""


def _patches(net: NetworkBuilder, kernel: int | tuple[int, ...], tokens: int) -> str:
    """Patches as tokens."""
    patches = net.conv("patches", net.input, WIDTH, kernel, stride=kernel, bias=True)
    patches = net.reshape("patches.flatten", patches, [1, WIDTH, tokens])
    return net.transpose("patches.transpose", patches, [0, 2, 1])


def _embedded(net: NetworkBuilder, source: str, tokens: int) -> str:
    position = net.weight("position", (1, tokens, net.channels[source]))
    return net.add("Add", "embed", [source, position])


def vit_b16() -> ModelProto:
    """ViT-Base with 16x16 patches at 224x224: 197 tokens, 12 layers."""
    net = NetworkBuilder("vit_b16", (1, 3, 224, 224))
    tokens = (224 // 16) ** 2 + 1
    patches = _patches(net, 16, tokens - 1)
    label = net.weight("class_token", (1, 1, WIDTH))
    result = net.add("Concat", "tokens", [label, patches], WIDTH, axis=1)
    result = _embedded(net, result, tokens)
    for layer in range(LAYERS):
        result = encoder_layer(net, f"layer{layer}", result, tokens, HEADS)
    result = norm(net, "norm", result)
    first = net.integers("first", [0])
    result = net.add("Gather", "class", [result, first], axis=1)
    result = net.add("Flatten", "flatten", [result], axis=1)
    return net.finish(net.linear("head", result, 1000), (1, 1000))


def video_mae_base() -> ModelProto:
    """VideoMAE-Base: 16 frames of 224x224 in patches of 2x16x16, 400 classes."""
    net = NetworkBuilder("video_mae_base", (1, 3, 16, 224, 224))
    tokens = 8 * (224 // 16) ** 2
    result = _embedded(net, _patches(net, (2, 16, 16), tokens), tokens)
    for layer in range(LAYERS):
        result = encoder_layer(net, f"layer{layer}", result, tokens, HEADS, key_bias=False)
    result = net.add("ReduceMean", "mean", [result], axes=[1], keepdims=0)
    return net.finish(net.linear("head", norm(net, "norm", result), 400), (1, 400))


def _whisper_encoder(name: str, width: int, layers: int) -> ModelProto:
    """Half a minute of sound, and the keys and values that the decoder's layers take of it."""
    net = NetworkBuilder(name, (1, 80, 3000))
    tokens, heads = 1500, width // 64
    result = gelu(net, "gelu1", net.conv("conv1", net.input, width, 3, padding=1, bias=True))
    result = net.conv("conv2", result, width, 3, stride=2, padding=1, bias=True)
    result = net.transpose("tokens", gelu(net, "gelu2", result), [0, 2, 1])
    result = _embedded(net, result, tokens)
    for layer in range(layers):
        result = encoder_layer(net, f"layer{layer}", result, tokens, heads, key_bias=False)
    result = norm(net, "norm", result)
    crossed = {}
    for layer in range(layers):
        key = dense(net, f"cross{layer}.key", result, width, bias=False)
        for tensor in (key, dense(net, f"cross{layer}.value", result, width)):
            crossed[tensor] = (1, tokens, width)
    return net.finish(result, (1, tokens, width), crossed)


def whisper_tiny_encoder() -> ModelProto:
    """The encoder of Whisper-tiny: 4 layers of width 384."""
    return _whisper_encoder("whisper_tiny_encoder", 384, 4)


def whisper_small_encoder() -> ModelProto:
    """The encoder of Whisper-small: 12 layers of width 768."""
    return _whisper_encoder("whisper_small_encoder", 768, 12)
