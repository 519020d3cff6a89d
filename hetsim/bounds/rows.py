"""A linear program row by row, and what its dual proves.

Whatever prices a solver puts on the rows, they prove a bound: take the rows into the goal at those
prices, and let each variable be where that is least between its limits (Neumaier & Shcherbina,
"Safe bounds in linear and mixed-integer linear programming", Math. Programming 99, 2004). So a
solver's tolerances, or a solver that stops early, cost tightness and never soundness.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from hetsim.numeric import Array

Terms = Mapping[int, float]
"""A weighted sum of variables."""

ROUNDING = 1e-10
"""What sums of floats may be off by, as a share of what was added up."""


Prices = tuple[Array, Array]
"""Of rows that are at most something, none below zero; and of those that are equal."""


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
        self._rests: list[float] = []
        self._equal: list[tuple[int, int, float]] = []
        self._sums: list[float] = []
        self._built: tuple[Any, Any, Array, Array, Array] | None = None
        self._solver: Any = None

    def variable(self, high: float = 1.0, goal: float = 0.0) -> int:
        """A new variable from zero to ``high``."""
        self.low.append(0.0)
        self.high.append(high)
        self.goal.append(goal)
        return len(self.goal) - 1

    def at_most(self, terms: Terms, rest: float = 0.0) -> None:
        """Terms sum up to at most ``rest``."""
        row = len(self._rests)
        self._rests.append(rest)
        self._entries += [(row, v, a) for v, a in terms.items() if a]

    def exactly(self, terms: Terms, value: float) -> None:
        """Terms sum up to ``value``."""
        row = len(self._sums)
        self._sums.append(value)
        self._equal += [(row, v, a) for v, a in terms.items() if a]

    def minimise(self, terms: Terms) -> None:
        """Adds terms to the goal."""
        for v, a in terms.items():
            self.goal[v] += a

    def solve(self, fixed: Mapping[int, float]) -> Solved:
        """The least value, with some variables fixed."""
        from hetsim.bounds.highs import Status, ask, solver_of

        upper, equal, goal, rests, sums = self._matrices()
        low, high = self._limits(fixed)
        if self._solver is None:
            limits = np.full(len(rests), -inf), rests
            self._solver = solver_of(goal, (upper, *limits), (equal, sums, sums))
        status, values, duals = ask(self._solver, low, high)
        if status is Status.INFEASIBLE:
            # No time is limited below what is needed: no shares fit together.
            return Solved(inf, None)
        if status is Status.GAVE_UP:
            return Solved(0.0, None, (np.zeros(len(rests)), np.zeros(len(sums))))
        prices = np.maximum(0.0, -duals[: len(rests)]), -duals[len(rests) :]
        return Solved(self.proves(prices, fixed), values, prices)

    def proves(self, prices: Prices, fixed: Mapping[int, float]) -> float:
        """The bound on the least value that ``prices`` prove, with some variables fixed."""
        upper, equal, goal, rests, sums = self._matrices()
        low, high = self._limits(fixed)
        reduced = goal + upper.T @ prices[0] + equal.T @ prices[1]
        best = np.where(reduced > 0.0, low, high)  # endless, perhaps, where it does not count
        parts = np.multiply(reduced, best, out=np.zeros_like(reduced), where=reduced != 0.0)
        taken = np.concatenate((prices[0] * rests, prices[1] * sums))
        spread = np.abs(parts).sum() + np.abs(taken).sum()
        return self.constant + float(parts.sum() - taken.sum() - ROUNDING * spread)

    def _limits(self, fixed: Mapping[int, float]) -> tuple[Array, Array]:
        low, high = np.array(self.low), np.array(self.high)
        where = list(fixed)
        low[where] = high[where] = list(fixed.values())
        return low, high

    def _matrices(self) -> tuple[Any, Any, Array, Array, Array]:
        if self._built is None:
            size = len(self.goal)
            self._built = (
                _matrix(self._entries, len(self._rests), size),
                _matrix(self._equal, len(self._sums), size),
                np.array(self.goal),
                np.array(self._rests),
                np.array(self._sums),
            )
        return self._built


def _matrix(entries: list[tuple[int, int, float]], rows: int, columns: int) -> Any:
    from scipy.sparse import csr_array

    if not entries:
        return csr_array((rows, columns))
    at, of, values = (np.array(column) for column in zip(*entries, strict=True))
    return csr_array((values, (at, of)), shape=(rows, columns))
