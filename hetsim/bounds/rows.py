"""A linear program row by row, and what its dual proves.

Whatever prices a solver puts on the rows, they prove a bound: take the rows into the goal at those
prices, and let each variable be where that is least between its limits (Neumaier & Shcherbina,
"Safe bounds in linear and mixed-integer linear programming", Math. Programming 99, 2004). So a
solver's tolerances, or a solver that stops early, cost tightness and never soundness.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any

import numpy as np

from hetsim.numeric import Array

Terms = Mapping[int, float]
"""A weighted sum of variables."""

ROUNDING = 1e-10
"""What sums of floats may be off by, as a share of what was added up."""


Prices = Array
"""One of each row, in their order; of a row that is at most something none below zero."""


@dataclass(frozen=True)
class Solved:
    """What is proven of the least value, and where the solver found it; no values: no solution."""

    bound: float
    values: Array | None
    prices: Prices | None = None


class Rows:
    """Minimises a sum of variables, each between limits, such that rows are at most zero or equal.

    :meth:`solve` may be asked again with other limits, and then begins where it ended.
    """

    def __init__(self) -> None:
        self.low: list[float] = []
        self.high: list[float] = []
        self.goal: list[float] = []
        self.constant = 0.0
        self._entries: list[tuple[int, int, float]] = []
        self._least: list[float] = []
        self._most: list[float] = []

    def variable(self, high: float = 1.0, goal: float = 0.0) -> int:
        """A new variable from zero to ``high``."""
        self.low.append(0.0)
        self.high.append(high)
        self.goal.append(goal)
        return len(self.goal) - 1

    def at_most(self, terms: Terms, rest: float = 0.0) -> None:
        """Terms sum up to at most ``rest``."""
        self._row(terms, -inf, rest)

    def exactly(self, terms: Terms, value: float) -> None:
        """Terms sum up to ``value``."""
        self._row(terms, value, value)

    def _row(self, terms: Terms, least: float, most: float) -> None:
        row = len(self._most)
        self._least.append(least)
        self._most.append(most)
        self._entries += [(row, v, a) for v, a in terms.items() if a]

    def minimise(self, terms: Terms) -> None:
        """Adds terms to the goal."""
        for v, a in terms.items():
            self.goal[v] += a

    def solve(self, fixed: Mapping[int, float]) -> Solved:
        """The least value, with some variables fixed."""
        from hetsim.bounds.highs import Status, ask

        status, values, duals = ask(self._solver, *self._limits(fixed))
        if status is Status.INFEASIBLE:
            # No time is limited below what is needed: no shares fit together.
            return Solved(inf, None)
        if status is Status.GAVE_UP:  # what the variables' own limits prove is left
            free = np.zeros(len(self._most))
            return Solved(self.proves(free, fixed), None, free)
        prices = np.where(np.isinf(self._least), np.maximum(0.0, -duals), -duals)
        return Solved(self.proves(prices, fixed), values, prices)

    def proves(self, prices: Prices, fixed: Mapping[int, float]) -> float:
        """The bound on the least value that ``prices`` prove, with some variables fixed."""
        at, of, values = self._columns
        low, high = self._limits(fixed)
        reduced = np.array(self.goal) + np.bincount(of, values * prices[at], len(self.goal))
        best = np.where(reduced > 0.0, low, high)  # endless, perhaps, where it does not count
        parts = np.multiply(reduced, best, out=np.zeros_like(reduced), where=reduced != 0.0)
        taken = prices * np.array(self._most)
        spread = np.abs(parts).sum() + np.abs(taken).sum()
        return self.constant + float(parts.sum() - taken.sum() - ROUNDING * spread)

    def _limits(self, fixed: Mapping[int, float]) -> tuple[Array, Array]:
        low, high = np.array(self.low), np.array(self.high)
        where = list(fixed)
        low[where] = high[where] = list(fixed.values())
        return low, high

    @cached_property
    def _columns(self) -> tuple[Array, Array, Array]:
        """Of each entry, row by row: its row, its variable and its value."""
        at, of, values = zip(*self._entries, strict=True) if self._entries else ((), (), ())
        return np.array(at, dtype=np.int32), np.array(of, dtype=np.int32), np.array(values, float)

    @cached_property
    def _solver(self) -> Any:
        from hetsim.bounds.highs import solver_of

        at, of, values = self._columns
        ends = np.cumsum(np.bincount(at, minlength=len(self._most)))
        rows = np.concatenate(([0], ends)), of, values
        return solver_of(np.array(self.goal), rows, np.array(self._least), np.array(self._most))
