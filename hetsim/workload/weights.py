"""How a network's weights are stored: narrower than they were trained, or with a pattern of zeros.

The networks of the zoo have shapes and no weights, and few files say what a compiler will make of
theirs; so a user may state it. What a unit gains by it is the unit's to say
(:mod:`hetsim.soc.weights`).

In *2:4 sparsity* at most two of four neighbours along the input channels are not zero (Mishra
et al., "Accelerating Sparse Deep Neural Networks", arXiv:2104.08378, sections 3 and 5). Packed,
that is the two, each with the two bits of its place: of int8 5/8 of the bytes, of float16 9/16.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from hetsim.errors import WorkloadError
from hetsim.names import suggest
from hetsim.workload.graph import DTYPE_BYTES, Graph, Operator


@dataclass(frozen=True, slots=True)
class Pattern:
    """``kept`` of ``of`` neighbours may be other than zero; a place takes ``index_bits``."""

    kept: int
    of: int
    index_bits: int

    def packed(self, element_bytes: float) -> float:
        """Bytes that a dense element takes when only what is kept is stored."""
        share = Fraction(self.kept, self.of)
        return float(share * (Fraction(element_bytes) + Fraction(self.index_bits, 8)))


PATTERNS: Mapping[str, Pattern] = {"2:4": Pattern(2, 4, 2)}
"""The structured sparsities that hetsim knows, by the name that files use."""

SCALE = "float16"
"""Data type of the scale of a group of narrow weights."""


@dataclass(frozen=True, slots=True)
class StoredWeights:
    """What is stated of all products' weights; ``None`` leaves them as the file has them.

    With ``group`` so many weights of a ``dtype`` share a float16 scale, as in MatMulNBits.
    """

    dtype: str | None = None
    group: int | None = None
    sparsity: str | None = None

    def __post_init__(self) -> None:
        for given, known in ((self.dtype, DTYPE_BYTES), (self.sparsity, PATTERNS)):
            if given is not None and given not in known:
                raise WorkloadError(f"weights are never {given!r}", hint=suggest(given, known))
        if self.group is not None and (self.dtype is None or self.group < 1):
            message = "weights.group: scales belong to a weights.dtype, one to a weight or more"
            raise WorkloadError(message)


def product_weights(op: Operator) -> int:
    """Constant elements that are multiplied in ``op``'s loops; 0 where both factors are computed.

    Those of its loops; what it reads beside them are biases and scales.
    """
    nest = op.nest
    if nest is None or nest.weights_are_activations:
        return 0
    count = nest.groups * nest.in_c * nest.out_c * nest.k_h * nest.k_w
    return count if any(given >= count for _, given in op.weights) else 0


def with_weights(graph: Graph, stored: StoredWeights) -> Graph:
    """``graph`` with the weights of its products stored as stated; a note says of how many."""
    operators = tuple(_stored(op, stored) for op in graph.operators)
    products = sum(product_weights(op) > 0 for op in operators)
    sparse = sum(bool(op.sparsity) for op in operators)
    words = [f"{stored.dtype} in {products} products"] if stored.dtype else []
    words += [f"one {SCALE} scale for {stored.group}"] if stored.group else []
    words += [f"{stored.sparsity} sparse in {sparse} of {products}"] if stored.sparsity else []
    note = f"weights as stated: {', '.join(words)}"
    return replace(graph, operators=operators, notes=(*graph.notes, note))


def _stored(op: Operator, stored: StoredWeights) -> Operator:
    count = product_weights(op)
    if not count:
        return op
    nest = op.nest
    assert nest is not None
    if stored.sparsity and nest.in_c % PATTERNS[stored.sparsity].of == 0:
        op = replace(op, sparsity=stored.sparsity)
    if stored.dtype is None:
        return op
    at = next(i for i, (_, given) in enumerate(op.weights) if given >= count)
    kept, beside = op.weights[at]
    new = {stored.dtype: count}
    if stored.group is not None:
        new[SCALE] = -(-count // stored.group)
    for dtype, more in (*op.weights[:at], (kept, beside - count), *op.weights[at + 1 :]):
        if more:
            new[dtype] = new.get(dtype, 0) + more
    return replace(op, weights=tuple(new.items()))
