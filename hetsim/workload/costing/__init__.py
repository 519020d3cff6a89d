"""What each operator kind costs, one module a family.

To model a new kind, add one :func:`~hetsim.workload.costing.registry.rule` to the family it
belongs to; nothing else needs to know.
"""

from hetsim.workload.costing import (
    classic,
    einsum,
    elementwise,
    experts,
    movement,
    products,
    quantised,
    reducing,
    sequence,
    signal,
)
from hetsim.workload.costing.quantised import PLAIN
from hetsim.workload.costing.registry import DATA_DEPENDENT, RULES, Call, Cost, Rule, rule

__all__ = [
    "DATA_DEPENDENT",
    "PLAIN",
    "RULES",
    "Call",
    "Cost",
    "Rule",
    "classic",
    "einsum",
    "elementwise",
    "experts",
    "movement",
    "products",
    "quantised",
    "reducing",
    "rule",
    "sequence",
    "signal",
]
