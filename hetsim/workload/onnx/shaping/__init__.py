"""Shapes of operators that ONNX's own inference does not know, one module a family.

To add a kind, add one :func:`~hetsim.workload.onnx.shaping.registry.shape_rule` to its family.
"""

from hetsim.workload.onnx.shaping import classic, contrib
from hetsim.workload.onnx.shaping.registry import (
    SHAPES,
    Form,
    Shaped,
    find_rule,
    like_first,
    shape_rule,
)

__all__ = [
    "SHAPES",
    "Form",
    "Shaped",
    "classic",
    "contrib",
    "find_rule",
    "like_first",
    "shape_rule",
]
