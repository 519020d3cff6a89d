"""Names of operator kinds in descriptions: near misses are refused, kinds of one's own pass."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from hetsim.names import nearest, suggest
from hetsim.workload.convolution import NAMED


def _known_kind(name: str) -> str:
    """Refuses near misses of operator kinds and variants; kinds of one's own pass."""
    from hetsim.workload.costing import PLAIN, RULES  # brings onnx along, which takes its time

    if name == "default":
        return name
    kind, dot, variant = name.partition(".")
    if kind in PLAIN:
        raise ValueError(f"networks' {kind} is read as {PLAIN[kind].kind}; name that")
    if kind not in RULES and (guess := nearest(kind, RULES, cutoff=0.75)):
        raise ValueError(f"unknown operator kind {kind!r}; did you mean {guess!r}?")
    if dot and variant not in NAMED:
        hint = suggest(variant, NAMED)
        raise ValueError(f"unknown variant {variant!r} of {kind}; {hint}")
    return name


def _is_chain(chain: str) -> str:
    kinds = [part.strip() for part in chain.split("-")]
    if len(kinds) < 2 or not all(kinds):
        raise ValueError(f"{chain!r} is not a chain of operator kinds; write it like 'Conv-Relu'")
    for kind in kinds:
        _known_kind(kind)
    return chain


Kind = Annotated[str, AfterValidator(_known_kind)]
"""``Conv`` or a variant of it, ``Conv.depthwise``; ``default`` for all others."""

Chain = Annotated[str, AfterValidator(_is_chain)]
"""Kinds that run as one kernel: ``Conv-Relu``."""
