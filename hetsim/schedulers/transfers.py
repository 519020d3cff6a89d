"""T(n): PartitionTuner's one transfer time per operator, by either reading of the paper.

The paper (Yu et al., ETRI Journal 45(2), 2023) measures "the transfer of an operator's input" and
does not say more. In the authors' public code it is the copy of the operator's float32 inputs on
the host, timed apart from P(n) and the same for every PU: ``memcpy``. One may also read it as what
brings the inputs into a PU's format, which P(n) holds: ``crossing``.
"""

from __future__ import annotations

from typing import Literal

from hetsim.cost.profile import INFEASIBLE
from hetsim.schedulers.base import Problem

Transfer = Literal["memcpy", "crossing"]


class Transfers:
    """T(n) of the operators of one problem, seconds."""

    def __init__(self, problem: Problem, kind: Transfer) -> None:
        self._profile = problem.profile
        self._pus = range(len(problem.soc.pus))
        self._kind = kind
        self._known: dict[int, tuple[float, list[float]]] = {}

    def paid(self, op: int) -> float:
        """T(n) where the PU changes, each way.

        Of crossings the largest: on a PU that shares the host's format it is free, and the paper
        has one number.
        """
        return self._of(op)[0]

    def saved(self, op: int) -> list[float]:
        """T(n) by PU where it does not change; nothing to save where the operator cannot run."""
        return self._of(op)[1]

    def _of(self, op: int) -> tuple[float, list[float]]:
        found = self._known.get(op)
        if found is None:
            if self._kind == "memcpy":
                seconds = self._profile.copy(op)
                found = seconds, [seconds] * len(self._pus)
            else:
                times = [self._profile.transfer(op, pu) for pu in self._pus]
                able = [t if t < INFEASIBLE else 0.0 for t in times]
                found = max(able), able
            self._known[op] = found
        return found
