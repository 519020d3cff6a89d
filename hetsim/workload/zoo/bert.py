"""Text encoders, normalised after each step.

BERT: Devlin et al., NAACL 2019. DistilBERT: Sanh et al., 2019: half of the layers.
"""

from __future__ import annotations

from onnx import ModelProto, TensorProto

from hetsim.workload.zoo.builder import NetworkBuilder
from hetsim.workload.zoo.tokens import attention, dense, gelu, mlp, norm

WIDTH, HEADS, WORDS, POSITIONS = 768, 12, 30522, 512


def _encoded(name: str, tokens: int, layers: int, *, segments: bool) -> tuple[NetworkBuilder, str]:
    """Words that ``attention_mask`` (1: look at it) leaves in, as vectors."""
    net = NetworkBuilder(name, (1, tokens), TensorProto.INT64)
    given = net.further_input("attention_mask", (1, tokens))
    words = net.weight("words", (WORDS, WIDTH))
    result = net.add("Gather", "embed", [words, net.input], WIDTH, axis=0)
    tables = [("positions", POSITIONS, range(tokens))]
    if segments:
        tables.append(("segments", 2, range(1)))  # one text is all of segment 0
    for table, rows, taken in tables:
        indices = net.integers(f"{table}.taken", taken)
        rest = net.add("Gather", f"{table}.embed", [net.weight(table, (rows, WIDTH)), indices])
        result = net.add("Add", f"{table}.add", [result, rest])
    result = norm(net, "norm", result, 1e-12)
    one, far = net.floats("one", [1.0]), net.floats("far", [-1e9])
    hidden = net.add("Sub", "mask.not", [one, net.reshape("mask", given, [1, 1, 1, tokens])])
    mask = net.add("Mul", "mask.far", [hidden, far])
    for number in range(layers):
        layer = f"layer{number}"
        attended = attention(net, f"{layer}.attention", result, tokens, HEADS, mask=mask)
        result = net.add("Add", f"{layer}.residual1", [result, attended])
        result = norm(net, f"{layer}.norm1", result, 1e-12)
        inner = net.add("Add", f"{layer}.residual2", [result, mlp(net, layer, result, 4 * WIDTH)])
        result = norm(net, f"{layer}.norm2", inner, 1e-12)
    return net, result


def bert_base() -> ModelProto:
    """BERT-Base, uncased, on 128 tokens, with its pooled first token as a second result."""
    net, result = _encoded("bert_base", 128, 12, segments=True)
    first = net.add("Gather", "first", [result, net.integers("first.taken", [0])], axis=1)
    pooled = net.add("Tanh", "pooled", [dense(net, "pool", first, WIDTH)])
    return net.finish(result, (1, 128, WIDTH), {pooled: (1, 1, WIDTH)})


def _words(net: NetworkBuilder, result: str, tokens: int) -> ModelProto:
    """With the head that says which word stands at each place."""
    result = norm(net, "head.norm", gelu(net, "head.gelu", dense(net, "head", result, WIDTH)))
    return net.finish(dense(net, "decoder", result, WORDS), (1, tokens, WORDS))


def bert_base_words() -> ModelProto:
    """BERT-Base on 384 tokens, guessing masked words."""
    net, result = _encoded("bert_base_words", 384, 12, segments=True)
    return _words(net, result, 384)


def distilbert_words() -> ModelProto:
    """DistilBERT on 384 tokens, guessing masked words."""
    net, result = _encoded("distilbert_words", 384, 6, segments=False)
    return _words(net, result, 384)
