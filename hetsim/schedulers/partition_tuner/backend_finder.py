"""PartitionTuner's backend finder: the best PU for each operator of one branch.

Source: Yu et al., "PartitionTuner", ETRI Journal 45(2), 2023, doi 10.4218/etrij.2021-0446, step 3.

Dynamic programming over (operator, PU). With P_b(n) the individual time, F_b the time of a fused
group, T(n) the transfer of n's input (:mod:`hetsim.schedulers.transfers`) and S the switch penalty:
staying on b costs P_b(n) - T(n), or F_b - T(n) in place of both times when n is fused behind its
predecessor; coming from another PU costs P_b(n) + 2 T(n) + S. Stated here for a group g of one or
more operators k..n: the cost of *entering* k, plus the time of g on b, minus the transfers inside
g. For pairs this is the paper's recurrence, except that groups never overlap (a Relu cannot be
fused into two kernels), which the pairwise formula would let pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hetsim.cost.fusion import is_fusable
from hetsim.cost.profile import INFEASIBLE
from hetsim.errors import SchedulerError
from hetsim.schedulers.base import Problem
from hetsim.schedulers.transfers import Transfer, Transfers


@dataclass(frozen=True, slots=True)
class Choice:
    """PU indices of a branch's operators, and what the recurrence says it takes, in seconds."""

    pus: tuple[int, ...]
    seconds: float

    @property
    def single_pu(self) -> int | None:
        """The PU when there is only one."""
        return self.pus[0] if len(set(self.pus)) == 1 else None


class BackendFinder:
    """Answers for the branches of one problem; branches must come in execution order.

    ``switch_s``: penalty S in seconds. ``longest_group``: operators in the longest fused group that
    is considered. ``boundary``: whether a branch's first operator pays for coming from another
    PU (the paper lets it start anywhere for free), ``pu_of`` where earlier branches run.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        switch_s: float,
        longest_group: int,
        boundary: bool,
        transfer: Transfer,
        pu_of: Mapping[int, int],
    ) -> None:
        self.graph = problem.graph
        self.profile = problem.profile
        self.soc = problem.soc
        self.pus = range(len(problem.soc.pus))
        self.switch_s = switch_s
        self.longest_group = longest_group
        self.boundary = boundary
        self.pu_of = pu_of
        self.transfers = Transfers(problem, transfer)
        self._time: dict[int, list[float]] = {}
        self._group: dict[tuple[tuple[int, ...], int], float] = {}

    def best(self, ops: Sequence[int], allowed: Sequence[int] | None = None) -> Choice | None:
        """The cheapest PUs for the chain ``ops``, among ``allowed``; ``None`` if impossible.

        Of equal costs the longer group wins, then staying, then the PU first in the SoC.
        """
        pus = list(self.pus if allowed is None else allowed)
        enter: list[dict[int, tuple[float, int]]] = []
        cost: list[dict[int, tuple[float, int]]] = []
        for i, op in enumerate(ops):
            enter.append({b: self._enter(op, b, cost[-1] if cost else None) for b in pus})
            now = {}
            for b in pus:
                best, length = INFEASIBLE, 1
                for size in range(min(self.longest_group, i + 1), 0, -1):
                    group = tuple(ops[i - size + 1 : i + 1])
                    seconds = enter[i - size + 1][b][0] + self._inside(group, b)
                    if seconds < best:
                        best, length = seconds, size
                now[b] = (best, length)
            cost.append(now)
        last = min(pus, key=lambda b: (cost[-1][b][0], b), default=None)
        if last is None or cost[-1][last][0] == INFEASIBLE:
            return None
        return Choice(self._backtrack(enter, cost, last), cost[-1][last][0])

    def require(self, ops: Sequence[int]) -> Choice:
        """:meth:`best`, or :class:`SchedulerError` naming the operator that nobody can run."""
        choice = self.best(ops)
        if choice is None:
            unable = [op for op in ops if min(self._times(op)) == INFEASIBLE] or list(ops)
            operator = self.graph.operators[unable[0]]
            raise SchedulerError(
                f"no processing unit of {self.soc.name!r} can run"
                f" {operator.kind} {operator.name!r} where it stands"
            )
        return choice

    def _enter(
        self, op: int, b: int, before: dict[int, tuple[float, int]] | None
    ) -> tuple[float, int]:
        """Cost of all that precedes ``op`` when it runs on ``b``, and the PU it comes from."""
        saved, paid = self.transfers.saved(op)[b], self.transfers.paid(op)
        if before is None:
            sources = [self.pu_of[p] for p in self.graph.predecessors[op] if p in self.pu_of]
            if not self.boundary or not sources:
                return 0.0, b
            if all(source == b for source in sources):
                return -saved, b
            return 2 * paid + self.switch_s, b
        best = (before[b][0] - saved, b)
        for other, (seconds, _) in before.items():
            if other != b:
                changed = seconds + 2 * paid + self.switch_s
                if changed < best[0]:
                    best = (changed, other)
        return best

    def _inside(self, group: tuple[int, ...], b: int) -> float:
        """Time of ``group`` on ``b`` without what brings its first operator's inputs closer."""
        if len(group) == 1:
            return self._times(group[0])[b]
        seconds = self._group_time(group, b)
        if seconds >= sum(self._times(op)[b] for op in group):
            return INFEASIBLE
        return seconds - sum(self.transfers.saved(op)[b] for op in group[1:])

    def _backtrack(
        self,
        enter: Sequence[dict[int, tuple[float, int]]],
        cost: Sequence[dict[int, tuple[float, int]]],
        last: int,
    ) -> tuple[int, ...]:
        pus: list[int] = []
        i, b = len(cost) - 1, last
        while i >= 0:
            length = cost[i][b][1]
            pus += [b] * length
            i -= length
            b = enter[i + 1][b][1]
        return tuple(reversed(pus))

    def _times(self, op: int) -> list[float]:
        if op not in self._time:
            self._time[op] = [self.profile.time(op, b) for b in self.pus]
        return self._time[op]

    def _group_time(self, group: tuple[int, ...], b: int) -> float:
        key = (group, b)
        if key not in self._group:
            fusable = is_fusable(self.graph, group, self.soc.pus[b].spec.fuse_patterns)
            self._group[key] = self.profile.group_time(group, b) if fusable else INFEASIBLE
        return self._group[key]
