"""The table of our own shape rules, for operators about which ONNX's inference says nothing.

One :func:`shape_rule` adds a kind. A rule gets a :class:`Form` (one node with the shapes of its
operands) and answers with one :data:`Shaped` for each output it knows, in order. Kinds are those of
any domain but ONNX's own; ONNX's inference is asked first wherever it has a schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hetsim.workload.costing.registry import Call
from hetsim.workload.onnx.ir import Net, Value

Shaped = tuple[int, tuple[int, ...]] | None
"""Element type and shape of an output; ``None`` where the rule does not know it."""

OPEN = -1
"""A dimension that the data decide."""


class Standard(Protocol):
    """Asks ONNX's inference about an operator of its own that does the same to shapes."""

    def __call__(
        self, kind: str, operands: Sequence[Value], attributes: Iterable[str] = ...
    ) -> list[Shaped]:
        """What operator ``kind`` makes of ``operands`` with those ``attributes`` of the node."""


@dataclass(frozen=True, slots=True)
class Form:
    """One node as its shape rule sees it: operands, the network around it, names of results."""

    call: Call
    standard: Standard
    net: Net
    names: Sequence[str] = ()

    def input(self, position: int) -> Value:
        """Input ``position``; a ``WorkloadError`` when it is left out."""
        return self.call.input(position)

    def shape(self, position: int) -> tuple[int, ...]:
        """Shape of input ``position``."""
        return self.call.input(position).shape

    def type(self, position: int) -> int:
        """Element type of input ``position``."""
        return self.call.input(position).elem_type

    def like(self, position: int = 0) -> Shaped:
        """An output shaped and typed like input ``position``."""
        return self.type(position), self.shape(position)

    def broadcast(self, *positions: int) -> tuple[int, ...]:
        """The shape that the inputs at ``positions`` have together, by numpy's rules."""
        return np.broadcast_shapes(*(self.shape(p) for p in positions))


ShapeRule = Callable[[Form], "list[Shaped]"]

SHAPES: dict[str, ShapeRule] = {}
"""The rules by kind, or by domain and kind where a kind means several things.

A rule for ``.Kind`` overrules ONNX's inference of an operator of its own.
"""


def find_rule(domain: str, kind: str) -> ShapeRule | None:
    """The rule of a kind of one of the modelled domains."""
    return SHAPES.get(f"{domain}.{kind}") or SHAPES.get(kind)


def shape_rule(*kinds: str) -> Callable[[ShapeRule], ShapeRule]:
    """Registers the decorated function as the shape rule of ``kinds``."""

    def register(function: ShapeRule) -> ShapeRule:
        SHAPES.update(dict.fromkeys(kinds, function))
        return function

    return register


def like_first(form: Form) -> list[Shaped]:
    """The only output is shaped and typed like input 0."""
    return [form.like()]
