"""Mixtures of experts: each row goes through the few of many networks that its router chose."""

from __future__ import annotations

from hetsim.workload.costing.elementwise import EXP, SIGMOID
from hetsim.workload.costing.registry import Call, Cost, rule

_WEIGHTS = {"MoE": (2, 4, 6), "QMoE": (2, 5, 8)}
"""Where the weights of the two or three products of each expert stand."""


@rule("MoE", "QMoE")
def _mixture(call: Call) -> Cost:
    """The products of ``k`` experts for each row; of the weights, at most those are read.

    Weights of fewer than eight bits are packed into bytes.
    """
    rows, experts = call.input(1).shape
    chosen = call.integer("k", 1)
    packed = 8 // call.integer("expert_weight_bits", 4) if call.kind == "QMoE" else 1
    used = min(experts, rows * chosen)
    places = [p for p in _WEIGHTS[call.kind] if call.has(p)]
    weights = sum(call.input(p).elements * packed // experts for p in places)
    inner = call.input(places[-1]).elements * packed // experts // call.input(0).shape[-1]
    return Cost(
        macs=rows * chosen * weights,
        element_ops=rows * ((EXP + 4) * experts + chosen * inner * (SIGMOID + 1)),
        reads={p: call.input(p).elements // experts * used for p in places},
    )
