"""PartitionTuner: profile-driven partitioning with parallel branches.

Source: Yu et al., "PartitionTuner: An operator scheduler for deep-learning compilers supporting
multiple heterogeneous processing units", ETRI Journal 45(2), 2023, doi 10.4218/etrij.2021-0446.

Its five steps and where they live: the *profiler* is :class:`hetsim.cost.profile.Profile`; the
*branch extractor* is :mod:`hetsim.schedulers.branches`; the *backend finder* is
:mod:`hetsim.schedulers.partition_tuner.backend_finder`; the *graph partitioner* is
:mod:`hetsim.schedulers.partitions`; the *partition scheduler* is
:mod:`hetsim.schedulers.partition_tuner.parallel_branches`. Defaults are the published choices, and
where the paper is silent what the authors' public code does.

What it predicts is what the profile says of the finished plan. The sum that its recurrences
minimise (``recurrence_us`` in the plan's details) is no time: the penalty S is pure bookkeeping,
2 T(n) stands for what a change of PU costs, staying is credited a T(n) that P(n) does not hold, and
the first operators of branches enter for nothing. On small operators it can be below zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import ClassVar, Literal

from hetsim.errors import SchedulerError
from hetsim.plan.build import make_plan
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.branches import Branch, extract_branches
from hetsim.schedulers.estimate import predict
from hetsim.schedulers.partition_tuner.backend_finder import BackendFinder, Choice
from hetsim.schedulers.partition_tuner.parallel_branches import (
    ParallelSpreader,
    Spread,
    round_seconds,
)
from hetsim.schedulers.partitions import Merge, Partitions, levels
from hetsim.schedulers.transfers import Transfer


@dataclass(frozen=True)
class PartitionTuner(Scheduler):
    """The published algorithm; every parameter's default is what the paper does.

    ``switch_penalty_us``: added to every change of PU inside a branch. ``longest_group``: operators
    in the longest fused group considered. ``boundary_cost``: a branch's first operator pays for
    coming from another PU. ``profit_test``: go parallel only where forking and joining threads
    costs less than it saves. ``joint``: choose the PUs of parallel branches together instead of one
    by one. ``lpt_by``: what longest-processing-time-first compares. ``pack``: one partition per PU
    for a whole set of parallel branches. ``merge_levels``: neighbouring partitions of one PU become
    one across levels of a single branch, across all, or never. ``transfer``: what T(n) is, the copy
    of the inputs that the authors measured or what it takes to bring them into a PU's format.
    ``parallel_sets``: ``strict`` runs a set in parallel as the authors' code does, one branch on
    each PU or none, with several NPUs all that is whole on them; ``free`` forms as many rounds as
    there are branches to pair.
    """

    name: ClassVar[str] = "partition_tuner"
    optimises: ClassVar[str] = "each branch by dynamic programming; branches on different PUs"
    ignores: ClassVar[str] = "contention, branch boundaries (a parameter), overlap across groups"
    complexity: ClassVar[str] = "O(V·P² + E)"
    source: ClassVar[str] = "Yu et al., ETRI Journal 45(2) 2023"

    switch_penalty_us: float = 2000.0
    longest_group: int = 2
    boundary_cost: bool = False
    profit_test: bool = False
    joint: bool = False
    lpt_by: Literal["bytes", "time"] = "bytes"
    pack: bool = False
    merge_levels: Merge = "single"
    transfer: Transfer = "memcpy"
    parallel_sets: Literal["strict", "free"] = "strict"

    def __post_init__(self) -> None:
        """Raises :class:`SchedulerError` for a parameter outside its range."""
        if not 0 <= self.switch_penalty_us < float("inf"):
            raise SchedulerError(
                f"{self.name}: switch_penalty_us must be zero or more, not {self.switch_penalty_us}"
            )
        if self.longest_group < 1:
            raise SchedulerError(
                f"{self.name}: longest_group must be at least 1, not {self.longest_group}"
            )

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` when no PU runs some operator."""
        draft = Partitions(self.merge_levels)
        finder = BackendFinder(
            problem,
            switch_s=self.switch_penalty_us * 1e-6,
            longest_group=self.longest_group,
            boundary=self.boundary_cost,
            transfer=self.transfer,
            pu_of=draft.pu_of,
        )
        spreader = ParallelSpreader(
            problem, finder, self.lpt_by, self.profit_test, self.pack,
            strict=self.parallel_sets == "strict",
        )  # fmt: skip
        branches = extract_branches(problem.graph)
        seconds = 0.0
        for level in levels(branches):
            loose: list[tuple[tuple[int, ...], Choice]] = []
            spreads: list[Spread] = []
            for members in _sets(level):
                if len(members) == 1:
                    loose.append((members[0], finder.require(members[0])))
                    continue
                spread = (spreader.jointly if self.joint else spreader.independently)(members)
                loose += spread.loose
                spreads.append(spread)
            for together in (r for spread in spreads for r in spread.rounds):
                draft.add_parallel([(member.operators, member.pu) for member in together])
                seconds += round_seconds(together)
            line = [pair for ops, choice in loose for pair in zip(ops, choice.pus, strict=True)]
            draft.add_line(line, branches=len(level))
            seconds += sum(choice.seconds for _, choice in loose)
        blocks, groups = draft.blocks, draft.groups
        threads = sum(len(group) for group in groups) * spreader.fork_join_s
        return make_plan(
            problem.graph,
            problem.soc,
            blocks,
            groups,
            scheduler=self.name,
            parameters=asdict(self),
            predicted_s=predict(problem, blocks, groups),
            details={
                "branches": len(branches),
                "levels": len({branch.level for branch in branches}),
                "parallel_sets": len({b.group for b in branches if b.group is not None}),
                "parallel_rounds": len(groups),
                "recurrence_us": (seconds + (threads if problem.forks else 0.0)) * 1e6,
            },
        )


def _sets(level: Sequence[Branch]) -> Iterator[list[tuple[int, ...]]]:
    """Parallel sets of a level; a branch outside any is a set of its own."""
    for group, members in groupby(level, key=lambda b: b.group):
        if group is None:
            yield from ([branch.operators] for branch in members)
        else:
            yield [branch.operators for branch in members]
