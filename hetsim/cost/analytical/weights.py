"""Weights as a unit stores them: bytes of narrow and of packed ones, and what they take or save."""

from __future__ import annotations

import math

from hetsim.soc.model import PU
from hetsim.soc.weights import WeighingSpec
from hetsim.workload.graph import DTYPE_BYTES, Operator
from hetsim.workload.weights import PATTERNS, product_weights


def stored_bytes(op: Operator, pu: PU) -> int:
    """Bytes of the constants that ``op`` reads, as ``pu`` stores them."""
    packed, total = packed_elements(op, pu), 0
    for dtype, count in op.weights:
        width = DTYPE_BYTES[pu.stored_dtype(dtype)]
        if packed and count >= packed:
            total += math.ceil(packed * PATTERNS[op.sparsity].packed(width))
            count, packed = count - packed, 0
        total += math.ceil(count * width)
    return total


def packed_elements(op: Operator, pu: PU) -> int:
    """Weights of ``op`` that ``pu`` stores without their zeros; counted with them."""
    return product_weights(op) if op.sparsity in pu.spec.packs else 0


def element_bytes(op: Operator, pu: PU) -> float:
    """Bytes of one weight of ``op`` as ``pu`` stores it; of a computed factor if it has none."""
    kept = product_weights(op)
    computed = op.nest is not None and op.nest.weights_are_activations
    others = op.dtype if computed or not op.weights else op.weights[0][0]
    dtype = next((dtype for dtype, count in op.weights if kept and count >= kept), others)
    width = DTYPE_BYTES[pu.stored_dtype(dtype)]
    return PATTERNS[op.sparsity].packed(width) if packed_elements(op, pu) else width


def speedup(op: Operator, spec: WeighingSpec) -> float:
    """How many times as fast ``op``'s products are for its zeros."""
    return (spec.weights.sparsity or {}).get(op.sparsity, 1.0)


def sparse_name(dtype: str, op: Operator, faster: float) -> str:
    """What a rate of products is called that zeros in ``op``'s weights make ``faster``."""
    return f"{dtype} {op.sparsity}" if faster > 1.0 else dtype


def most_speedup(spec: WeighingSpec) -> float:
    """The most that any zeros can speed products up."""
    return max((spec.weights.sparsity or {}).values(), default=1.0)


def unpack_cycles(op: Operator, pu: PU, spec: WeighingSpec) -> float:
    """Cycles of widening ``op``'s weights once to what ``pu`` computes in; 0 where they are.

    A type that ``unpack`` does not list is unpacked like a listed one of equal width, else at no
    cost.
    """
    kept = product_weights(op)
    if not (spec.weights.unpack and kept):
        return 0.0
    stored = next(pu.stored_dtype(dtype) for dtype, count in op.weights if count >= kept)
    width = DTYPE_BYTES[stored]
    if width >= DTYPE_BYTES[pu.stored_dtype(op.dtype)]:
        return 0.0
    rates = spec.weights.unpack
    alike = (rate for dtype, rate in rates.items() if DTYPE_BYTES[dtype] == width)
    rate = rates.get(stored) or next(alike, None)
    return kept / rate if rate else 0.0
