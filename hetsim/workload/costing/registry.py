"""The table of operator kinds: how to count the work of each.

One :func:`rule` adds a kind. A rule gets a :class:`Call` (one node with the shapes of its operands)
and answers with a :class:`Cost`. It also says which inputs only steer the operator (a target shape,
axes, bounds): a compiler reads those, the running network does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod

from hetsim.errors import WorkloadError
from hetsim.numeric import Array
from hetsim.workload.graph import LoopNest
from hetsim.workload.onnx.ir import Value


@dataclass(frozen=True, slots=True)
class Call:
    """One node as its rule sees it: operands with shapes, ``None`` where one is left out."""

    name: str
    kind: str
    attributes: Mapping[str, object]
    inputs: tuple[Value | None, ...]
    outputs: tuple[Value | None, ...]

    def has(self, position: int) -> bool:
        """Whether input ``position`` is given."""
        return position < len(self.inputs) and self.inputs[position] is not None

    def input(self, position: int) -> Value:
        """Input ``position``; a :class:`WorkloadError` when it is left out."""
        value = self.inputs[position] if position < len(self.inputs) else None
        if value is None:
            raise WorkloadError(f"operator {self.name!r} ({self.kind}) lacks input {position}")
        return value

    @property
    def output(self) -> Value:
        """The first output that is not left out."""
        return next(value for value in self.outputs if value is not None)

    @property
    def result_elements(self) -> int:
        """Elements of the first output."""
        return self.output.elements

    def integer(self, name: str, default: int) -> int:
        """An integer attribute."""
        value = self.attributes.get(name, default)
        if not isinstance(value, int):
            raise self.bad(name)
        return value

    def integers(self, name: str, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """A list-of-integers attribute."""
        value = self.attributes.get(name, default)
        if not isinstance(value, tuple):
            raise self.bad(name)
        return tuple(int(item) for item in value)

    def text(self, name: str, default: str = "") -> str:
        """A string attribute."""
        return str(self.attributes.get(name, default))

    def data(self, position: int) -> Array | None:
        """The values of a small constant input, when known."""
        value = self.inputs[position] if position < len(self.inputs) else None
        return value.data if value is not None else None

    def bad(self, name: str) -> WorkloadError:
        """The error for a malformed attribute."""
        return WorkloadError(
            f"operator {self.name!r} ({self.kind}): attribute {name!r} is malformed"
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """The work of one operator.

    ``reads`` gives, by input position, how many elements of a constant are really read when that
    is not all of it (an embedding table).
    """

    macs: int = 0
    element_ops: int = 0
    nest: LoopNest | None = None
    variant: str = ""
    reads: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of_nest(cls, nest: LoopNest, variant: str = "", element_ops: int = 0) -> Cost:
        """The cost of a convolution or matrix product."""
        return cls(nest.macs, element_ops, nest, variant)


@dataclass(frozen=True, slots=True)
class Rule:
    """How one kind is costed.

    ``control``: input positions that only steer. ``statistics``: constants that are not trained, so
    not published as parameters. ``typed_by``: ``input`` or ``output``, whose data type the operator
    computes in.
    """

    cost: Callable[[Call], Cost]
    control: frozenset[int] = frozenset()
    statistics: frozenset[int] = frozenset()
    typed_by: str = "input"


RULES: dict[str, Rule] = {}
"""Every operator kind hetsim models."""

DATA_DEPENDENT = frozenset({"NonZero", "NonMaxSuppression", "Unique", "Compress"})
"""Kinds whose result has a shape that only the data decide; a user states the most."""


def rule(
    *kinds: str,
    control: tuple[int, ...] = (),
    statistics: tuple[int, ...] = (),
    typed_by: str = "input",
) -> Callable[[Callable[[Call], Cost]], Callable[[Call], Cost]]:
    """Registers the decorated function as the rule of ``kinds``."""

    def register(function: Callable[[Call], Cost]) -> Callable[[Call], Cost]:
        for kind in kinds:
            RULES[kind] = Rule(function, frozenset(control), frozenset(statistics), typed_by)
        return function

    return register


def product(dims: tuple[int, ...]) -> int:
    """Product of dimensions; 1 for none."""
    return prod(dims)
