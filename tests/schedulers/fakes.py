"""The made-up problems of :mod:`hetsim.testing.problems`, under the name these tests know."""

from __future__ import annotations

from hetsim.testing.problems import (
    FakeProfile,
    chain,
    make_graph,
    make_problem,
    make_soc,
    placement,
    random_problem,
)

__all__ = [
    "FakeProfile",
    "chain",
    "make_graph",
    "make_problem",
    "make_soc",
    "placement",
    "random_problem",
]
