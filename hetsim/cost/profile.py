"""Profiles: the only numbers a scheduler may look at when it decides.

A profile answers how long operators, groups of operators and transfers take on an idle SoC.
:mod:`hetsim.runs.profile` makes one by simulating one-partition plans; measurements can stand in.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

INFEASIBLE = float("inf")
"""The time of an operator on a PU that cannot run it."""


class Profile(ABC):
    """Times in seconds on an idle SoC, by operator position in the graph and PU index.

    All methods return :data:`INFEASIBLE` for what the PU cannot run; none returns a silent zero
    for what is not known (a profile read from measurements raises ``HetsimError`` there).
    """

    @abstractmethod
    def time(self, op: int, pu: int) -> float:
        """P_b(n): operator ``op`` alone as a one-partition plan on ``pu``, crossings included.

        What the runtime copies before it calls the partition is not.
        """

    @abstractmethod
    def group_time(self, ops: Sequence[int], pu: int) -> float:
        """F_b(m+n+...): the chain ``ops`` as one fused kernel in a one-partition plan on ``pu``.

        :data:`INFEASIBLE` when the PU has no fusion pattern for it or an inner result is used
        elsewhere.
        """

    @abstractmethod
    def chain_time(self, ops: Sequence[int], pu: int) -> float:
        """One partition ``ops`` on ``pu``, back to back, data already in the PU's own format.

        No crossing and no partition call: what the operators cost inside a longer partition,
        fusing as the PU does.
        """

    @abstractmethod
    def copy(self, op: int) -> float:
        """T(n) as PartitionTuner's authors measured it: the host copies the operator's inputs.

        In the host's format, one after the other; the same whatever PU the operator goes to, and
        no part of ``time``.
        """

    @abstractmethod
    def transfer(self, op: int, pu: int) -> float:
        """The share of ``time(op, pu)`` that brings the operator's inputs to ``pu``."""

    @abstractmethod
    def crossing(self, tensor: str, source: int, target: int) -> float:
        """Making ``tensor``, written by PU ``source``, readable by PU ``target``; 0 if the same."""

    def handover(self, tensor: str, source: int, target: int) -> tuple[float, float]:
        """What partitions on ``source`` and on ``target`` do to hand ``tensor`` over.

        The second does its part for itself alone, the first for all readers at once. Also where
        both are on one PU.
        """
        return 0.0, self.crossing(tensor, source, target)

    def concurrent_time(self, parts: Sequence[tuple[int, Sequence[int]]]) -> float:
        """Partitions that start together on different PUs, until the last one has ended.

        ``parts`` are (PU, operators); data is already in each PU's own format, as for
        :meth:`chain_time`. Contention between them counts where the profile can know it; a
        profile that only knows single operators answers with the longest part.
        """
        return max((self.chain_time(ops, pu) for pu, ops in parts), default=0.0)

    @abstractmethod
    def call(self) -> float:
        """The fixed cost of calling one partition."""
