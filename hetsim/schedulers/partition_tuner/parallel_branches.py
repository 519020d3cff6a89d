"""PartitionTuner's partition scheduler: which parallel branches run at the same time, and where.

Source: Yu et al., "PartitionTuner", ETRI Journal 45(2), 2023, doi 10.4218/etrij.2021-0446, step 5,
and the mended choices that :mod:`hetsim.schedulers.partition_tuner.scheduler` offers as parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from math import prod

from hetsim.cost.analytical.weights import stored_bytes
from hetsim.schedulers.base import Problem
from hetsim.schedulers.partition_tuner.backend_finder import BackendFinder, Choice
from hetsim.soc.model import PU
from hetsim.workload.graph import Graph

Operators = tuple[int, ...]

_EXHAUSTIVE = 1000
"""Assignments of a group that are tried one by one; larger groups are searched locally."""


@dataclass(frozen=True, slots=True)
class Member:
    """What one PU does in a round: operators, and the seconds they are expected to take."""

    operators: Operators
    pu: int
    seconds: float


Round = tuple[Member, ...]
"""Members that run at the same time, each on a PU of its own."""


@dataclass(slots=True)
class Spread:
    """How a set of parallel branches runs: ``rounds`` in parallel, ``loose`` branches in line."""

    rounds: list[Round] = field(default_factory=list)
    loose: list[tuple[Operators, Choice]] = field(default_factory=list)

    def seconds(self, fork_join_s: float) -> float:
        """Expected time, forking and joining threads included."""
        in_line = sum(choice.seconds for _, choice in self.loose)
        return in_line + sum(round_seconds(r) + len(r) * fork_join_s for r in self.rounds)


def round_seconds(members: Round) -> float:
    """A round lasts as long as its slowest member."""
    return max(member.seconds for member in members)


@dataclass(frozen=True)
class ParallelSpreader:
    """Decides for one set of parallel branches at a time.

    ``strict``: a set runs in parallel only as the authors' code lets it. With one NPU at most one
    branch may be whole on each PU; with several NPUs it is the branches whole on NPUs alone that
    do, packed into one member per NPU. ``pack``: so are all PUs' branches otherwise, instead of one
    member per branch and round.
    """

    problem: Problem
    finder: BackendFinder
    lpt_by: str
    profit_test: bool
    pack: bool
    strict: bool

    @property
    def fork_join_s(self) -> float:
        """Thread costs of one member of a round."""
        runtime = self.problem.soc.runtime
        return runtime.thread_create + runtime.thread_join

    def independently(self, branches: Sequence[Operators]) -> Spread:
        """The published way: each branch has its best PUs; those on one PU alone may run parallel.

        Branches are spread over interchangeable PUs (several NPUs, several workers of a cluster),
        longest processing time first.
        """
        spread = Spread()
        whole: list[tuple[Operators, int, float]] = []
        for ops in branches:
            choice = self.finder.require(ops)
            if choice.single_pu is None:
                spread.loose.append((ops, choice))
            else:
                whole.append((ops, choice.single_pu, choice.seconds))
        weights = [self._load(ops, pu, seconds) for ops, pu, seconds in whole]
        load = [0.0] * len(self.problem.soc.pus)
        placed: list[Member] = []
        for i in sorted(range(len(whole)), key=lambda i: (-weights[i], i)):
            ops, pu, seconds = whole[i]
            target = min(self._interchangeable(ops, pu), key=lambda p: (load[p], p))
            load[target] += weights[i]
            placed.append(Member(ops, target, seconds))
        self._into_rounds(placed, spread)
        return spread

    def jointly(self, branches: Sequence[Operators]) -> Spread:
        """The PUs of all branches at once, for the least expected time of the whole set.

        An operator's slower PU can be right when it would otherwise wait. Every assignment is
        tried for small sets; larger ones start from the independent choice and improve it one
        branch at a time until nothing helps.
        """
        options: list[list[Member | Choice]] = []
        start: list[int] = []
        for ops in branches:
            best = self.finder.require(ops)
            mine: list[Member | Choice] = [best]
            chosen = 0
            for pu in self.finder.pus:
                alone = self.finder.best(ops, [pu])
                if alone is not None:
                    if pu == best.single_pu:
                        chosen = len(mine)
                    mine.append(Member(ops, pu, alone.seconds))
            options.append(mine)
            start.append(chosen)

        def spread(selected: Sequence[int]) -> Spread:
            result = Spread()
            placed: list[Member] = []
            for ops, mine, k in zip(branches, options, selected, strict=True):
                option = mine[k]
                if isinstance(option, Member):
                    placed.append(option)
                else:
                    result.loose.append((ops, option))
            placed.sort(key=lambda m: -m.seconds)
            self._into_rounds(placed, result)
            return result

        def seconds(selected: Sequence[int]) -> float:
            return spread(selected).seconds(self.fork_join_s)

        return spread(_search([len(mine) for mine in options], start, seconds))

    def _into_rounds(self, placed: Sequence[Member], spread: Spread) -> None:
        """Forms rounds of at most one branch per PU; what finds no partner runs in line."""
        queues: dict[int, list[Member]] = {}
        for member in placed:
            queues.setdefault(member.pu, []).append(member)
        several = len(self._npus) > 1
        if self.strict:
            if several:
                lone = [pu for pu in queues if pu not in self._npus]
            else:
                lone = list(queues) if max(map(len, queues.values()), default=0) > 1 else []
            for pu in lone:
                spread.loose += map(_alone, queues.pop(pu))
        if self.pack or (self.strict and several):
            rounds = [[_packed(queue) for queue in queues.values()]] if queues else []
        else:
            longest = max((len(queue) for queue in queues.values()), default=0)
            rounds = [[q[i] for q in queues.values() if i < len(q)] for i in range(longest)]
        for members in rounds:
            together = tuple(sorted(members, key=lambda m: m.pu))
            if len(together) > 1 and (not self.profit_test or self._pays(together)):
                spread.rounds.append(together)
            else:
                spread.loose += map(_alone, together)

    @cached_property
    def _npus(self) -> frozenset[int]:
        return frozenset(pu.index for pu in self.problem.soc.pus if pu.spec.role == "npu")

    def _pays(self, members: Round) -> bool:
        parallel = round_seconds(members) + len(members) * self.fork_join_s
        return parallel < sum(member.seconds for member in members)

    def _load(self, ops: Operators, pu: int, seconds: float) -> float:
        if self.lpt_by == "time":
            return seconds
        return weight_bytes(self.problem.graph, ops, self.problem.soc.pus[pu])

    def _interchangeable(self, ops: Operators, pu: int) -> list[int]:
        """PUs of the same kind that take just as long for the branch, ``pu`` among them."""
        pus, profile = self.problem.soc.pus, self.problem.profile
        mine = [profile.time(op, pu) for op in ops]
        return [
            other.index
            for other in pus
            if other.kind == pus[pu].kind
            and (other.index == pu or [profile.time(op, other.index) for op in ops] == mine)
        ]


def weight_bytes(graph: Graph, ops: Operators, pu: PU) -> float:
    """Bytes of the constants of ``ops`` as ``pu`` stores them."""
    return sum(stored_bytes(graph.operators[op], pu) for op in ops)


def _alone(member: Member) -> tuple[Operators, Choice]:
    """A branch that runs in line."""
    return member.operators, Choice((member.pu,) * len(member.operators), member.seconds)


def _packed(queue: Sequence[Member]) -> Member:
    operators = tuple(op for member in queue for op in member.operators)
    return Member(operators, queue[0].pu, sum(member.seconds for member in queue))


def _search(
    sizes: Sequence[int], start: Sequence[int], seconds: Callable[[tuple[int, ...]], float]
) -> list[int]:
    """One option index per branch, for the least ``seconds``; the first found of equals.

    A local search begins at ``start``: were all in line there, no single change would make a pair.
    """
    if prod(sizes) <= _EXHAUSTIVE:
        every: list[tuple[int, ...]] = list(product(*map(range, sizes)))
        cheapest = min(every, key=seconds)
        return list(cheapest)
    chosen = tuple(start)
    best = seconds(chosen)
    improved = True
    while improved:
        improved = False
        for i, size in enumerate(sizes):
            for option in range(size):
                trial = (*chosen[:i], option, *chosen[i + 1 :])
                found = seconds(trial)
                if found < best:
                    chosen, best, improved = trial, found, True
    return list(chosen)
