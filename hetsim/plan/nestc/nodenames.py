"""What the name of a compiler's node gives away: its kind, its place, the size of its kernel.

Compilers keep the names of the file they read, which exporters made by rule: ``stage2_conv1_fwd``
(MXNet: kind and running number), ``Conv_block_5x5_reduce_1`` (Caffe2: kind first, then the
author's own label). The compiler adds ``__1``, ``__2`` to what it makes from one operator.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

COMPUTE = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
"""Kinds whose place in a plan decides its time; none of them may be guessed away."""

_PRODUCT = ("Gemm", "MatMul")
_ACTIVATION = ("Relu", "Clip", "LeakyRelu", "PRelu")
_AVERAGE = ("AveragePool", "GlobalAveragePool")
_MAXIMUM = ("MaxPool", "GlobalMaxPool")

_WORDS: dict[str, tuple[str, ...]] = {
    "conv": ("Conv",), "convolution": ("Conv",), "conv2d": ("Conv",), "deconv": ("ConvTranspose",),
    "dense": _PRODUCT, "gemm": _PRODUCT, "fc": _PRODUCT, "matmul": _PRODUCT, "pred": _PRODUCT,
    "fullyconnected": _PRODUCT, "classifier": _PRODUCT,
    "relu": _ACTIVATION, "activation": _ACTIVATION, "clip": _ACTIVATION,
    "pool": (*_AVERAGE, *_MAXIMUM), "maxpool": _MAXIMUM, "avgpool": _AVERAGE,
    "averagepool": _AVERAGE, "globalaveragepool": _AVERAGE,
    "add": ("Add", "Sum"), "plus": ("Add", "Sum"), "sum": ("Add", "Sum"), "sub": ("Sub",),
    "minus": ("Sub",), "div": ("Div",), "mul": ("Mul",), "concat": ("Concat",), "lrn": ("LRN",),
    "softmax": ("Softmax",), "prob": ("Softmax",), "sigmoid": ("Sigmoid",),
    "batchnorm": ("BatchNormalization",), "bn": ("BatchNormalization",),
}  # fmt: skip

_VANISH = frozenset({
    "flatten", "reshape", "transpose", "squeeze", "unsqueeze", "identity", "dropout", "cast",
    "quantize", "dequantize", "rescale", "save", "splat", "selected",
})  # fmt: skip
"""Views, conversions and constants, which are no operators (``selected``: of Glow's SoftMax)."""

_SUFFIX = re.compile(r"__(\d+)$")
_TOKEN = re.compile(r"([a-z]+(?:2d)?)(\d*)")


@dataclass(frozen=True)
class NodeName:
    """A node's name taken apart.

    ``base`` is without the compiler's ``suffix``. ``kinds`` are those of ONNX that it may be, empty
    for what is no operator here, ``None`` where the name does not tell. ``stem`` is what it shares
    with its neighbours, ``number`` its running number there, ``kernel`` height and width. ``words``
    are all that it consists of.
    """

    name: str
    base: str
    suffix: str
    kinds: tuple[str, ...] | None
    word: str
    stem: tuple[str, ...]
    number: int
    kernel: tuple[int, int] | None
    words: frozenset[str]

    @property
    def computes(self) -> bool:
        """Whether it is a convolution or matrix product."""
        return self.kinds is not None and not COMPUTE.isdisjoint(self.kinds)


@lru_cache(maxsize=4096)
def read_name(name: str) -> NodeName:
    """Takes a name apart."""
    found = _SUFFIX.search(name)
    suffix = found[1] if found else ""
    base = name[: found.start()] if found else name
    tokens = [token for token in re.split(r"[^a-z0-9]+", base.lower()) if token]
    parts = [_split(token) for token in tokens]
    words = [word for word, _ in parts]
    at = _kind_at(words, first=base[:1].isupper() and tokens[0] == words[0])
    number = -1
    rest = list(tokens)
    if at is not None:
        del rest[at]
        if parts[at][1]:
            number = int(parts[at][1])
        elif rest and rest[-1].isdigit():
            number = int(rest.pop())
    word = words[at] if at is not None else ""
    vanishes = word in _VANISH or "selected" in words
    kinds = () if vanishes else _WORDS.get(word)
    kernel = next((k for k in map(_kernel, tokens) if k is not None), None)
    stem = tuple(token for token in rest if token != "fwd")
    return NodeName(name, base, suffix, kinds, word, stem, number, kernel, frozenset(words))


def _split(token: str) -> tuple[str, str]:
    found = _TOKEN.fullmatch(token)
    return (found[1], found[2]) if found else (token, "")


def _kind_at(words: list[str], first: bool) -> int | None:
    """Which word tells the kind: the ``first`` where it may be ONNX's own name, else the last."""
    known = [i for i, word in enumerate(words) if word in _WORDS or word in _VANISH]
    if not known:
        return None
    return 0 if first and known[0] == 0 else known[-1]


def _kernel(token: str) -> tuple[int, int] | None:
    found = re.fullmatch(r"(\d+)x(\d+)", token)
    return (int(found[1]), int(found[2])) if found else None


def usual_suffixes(names: Iterable[NodeName]) -> dict[str, str]:
    """By kind word, the suffix that operators bear of which the compiler made a single node.

    Of several nodes made from one operator, the one with that suffix is the operator, the others
    are conversions around it.
    """
    by_base: dict[str, list[NodeName]] = {}
    for name in names:
        by_base.setdefault(name.base, []).append(name)
    seen: dict[str, list[str]] = {}
    for group in by_base.values():
        if len(group) == 1:
            seen.setdefault(group[0].word, []).append(group[0].suffix)
    return {word: max(sorted(set(all_)), key=all_.count) for word, all_ in seen.items()}
