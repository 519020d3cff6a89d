"""What an operator of the file becomes, and the table of functions that say so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hetsim.workload.tflite.draft import Draft
from hetsim.workload.tflite.file import FileOperator


@dataclass(frozen=True)
class Made:
    """What an operator becomes: kinds in a chain, the first of which reads ``inputs``.

    ``inputs`` are names of values, '' where one is left out. ``attributes`` are the first one's.
    ``whole``: the activation function in the options is counted with the kind itself.
    """

    kinds: tuple[str, ...]
    inputs: tuple[str, ...]
    attributes: Mapping[str, object] = field(default_factory=dict)
    whole: bool = False


Shaper = Callable[[FileOperator, Draft], Made | None]
SHAPED: dict[str, Shaper] = {}
"""The function of every kind that can be told in ONNX's names."""


def shaped(*kinds: str) -> Callable[[Shaper], Shaper]:
    """Registers the decorated function for ``kinds``."""

    def register(function: Shaper) -> Shaper:
        SHAPED.update(dict.fromkeys(kinds, function))
        return function

    return register


def translate(op: FileOperator, draft: Draft) -> Made | None:
    """The operators that ``op`` becomes; ``None`` for a kind that nobody models."""
    shaper = None if op.custom else SHAPED.get(op.kind)
    return None if shaper is None else shaper(op, draft)
