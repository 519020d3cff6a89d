"""PartitionTuner: profile-driven partitioning with parallel branches.

Source: Yu et al., "PartitionTuner: An operator scheduler for deep-learning compilers supporting
multiple heterogeneous processing units", ETRI Journal 45(2), 2023, doi 10.4218/etrij.2021-0446.

Its five steps and where they live: the *profiler* is :class:`hetsim.cost.profile.Profile`; the
*branch extractor* is :mod:`hetsim.schedulers.branches`; the *backend finder* is
:mod:`hetsim.schedulers.partition_tuner.backend_finder`; the *graph partitioner* is here; the
*partition scheduler* is :mod:`hetsim.schedulers.partition_tuner.parallel_branches`. Defaults are
the published choices. Read as published: with several branches on each PU, the rounds hold at most
one branch per PU, paired in order of falling weight bytes.

What it predicts is the sum its recurrences minimise, which is no estimate of time. P_b(n) holds
the transfer of n's input already, so a change of PU counts it three times with 2 T(n), and the
penalty S is pure bookkeeping; on the other side P_b(n) holds the way back of n's result, which
nobody pays inside a partition, and a fused group is credited T of its inner input, which about
cancels it. On ResNet-50 on ``zcu102-vta`` that makes 851 ms of 537: 48 ms are S and 249 ms are
2 T(n) at 24 changes. Where nothing changes PU inside a branch the sum is too low instead, since the
first operators of branches enter for nothing (SqueezeNet: 160 ms of 177). The definitions are the
published ones and stay; ``details`` tell beside it what the profile says of the finished plan
(537 ms, 177 ms).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import ClassVar, Literal

from hetsim.errors import SchedulerError
from hetsim.plan.build import Block, make_plan, merge_runs
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.branches import Branch, extract_branches
from hetsim.schedulers.estimate import predict
from hetsim.schedulers.partition_tuner.backend_finder import BackendFinder, Choice
from hetsim.schedulers.partition_tuner.parallel_branches import ParallelSpreader, Spread


@dataclass(frozen=True)
class PartitionTuner(Scheduler):
    """The published algorithm; every parameter's default is what the paper does.

    ``switch_penalty_us``: added to every change of PU inside a branch. ``longest_group``: operators
    in the longest fused group considered. ``boundary_cost``: a branch's first operator pays for
    coming from another PU. ``profit_test``: go parallel only where forking and joining threads
    costs less than it saves. ``joint``: choose the PUs of parallel branches together instead of one
    by one. ``lpt_by``: what longest-processing-time-first compares. ``pack``: one partition per PU
    for a whole set of parallel branches. ``merge_levels``: neighbouring partitions of one PU
    become one across branches and levels.
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
    merge_levels: bool = False

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
        finder = BackendFinder(
            problem,
            switch_s=self.switch_penalty_us * 1e-6,
            longest_group=self.longest_group,
            boundary=self.boundary_cost,
        )
        spreader = ParallelSpreader(problem, finder, self.lpt_by, self.profit_test, self.pack)
        branches = extract_branches(problem.graph)
        draft = _Draft()
        for level in _levels(branches):
            loose: list[tuple[tuple[int, ...], Choice]] = []
            spreads: list[Spread] = []
            for members in _sets(level):
                if len(members) == 1:
                    loose.append((members[0], finder.require(members[0])))
                    continue
                spread = (spreader.jointly if self.joint else spreader.independently)(members)
                loose += spread.loose
                spreads.append(spread)
            draft.add_line(loose)
            for spread in spreads:
                draft.add_rounds(spread)
            draft.commit(finder)
        blocks, groups = draft.merged() if self.merge_levels else (draft.blocks, draft.groups)
        threads = sum(len(group) for group in groups) * spreader.fork_join_s
        return make_plan(
            problem.graph,
            problem.soc,
            blocks,
            groups,
            scheduler=self.name,
            parameters=asdict(self),
            predicted_s=draft.seconds + (threads if problem.forks else 0.0),
            details={
                "branches": len(branches),
                "levels": len({branch.level for branch in branches}),
                "parallel_sets": len({b.group for b in branches if b.group is not None}),
                "parallel_rounds": len(groups),
                "profile_estimate_us": predict(problem, blocks, groups) * 1e6,
            },
        )


def _levels(branches: Sequence[Branch]) -> Iterator[list[Branch]]:
    """Branches level by level, in execution order."""
    for _, members in groupby(branches, key=lambda b: b.level):
        yield list(members)


def _sets(level: Sequence[Branch]) -> Iterator[list[tuple[int, ...]]]:
    """Parallel sets of a level; a branch outside any is a set of its own."""
    for group, members in groupby(level, key=lambda b: b.group):
        if group is None:
            yield from ([branch.operators] for branch in members)
        else:
            yield [branch.operators for branch in members]


class _Draft:
    """The graph partitioner: blocks in execution order, and the groups among them."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.groups: list[tuple[int, ...]] = []
        self.seconds = 0.0
        self._committed = 0

    def add_line(self, branches: Sequence[tuple[tuple[int, ...], Choice]]) -> None:
        """Branches that run one after the other: concatenated, cut where the PU changes."""
        units = [(op,) for ops, _ in branches for op in ops]
        pus = [pu for _, choice in branches for pu in choice.pus]
        self.blocks += merge_runs(units, pus)
        self.seconds += sum(choice.seconds for _, choice in branches)

    def add_rounds(self, spread: Spread) -> None:
        """Rounds of branches that run at the same time."""
        for members in spread.rounds:
            first = len(self.blocks)
            self.blocks += [Block(member.operators, member.pu) for member in members]
            self.groups.append(tuple(range(first, len(self.blocks))))
            self.seconds += max(member.seconds for member in members)

    def commit(self, finder: BackendFinder) -> None:
        """Tells ``finder`` where everything added since the last call runs."""
        for block in self.blocks[self._committed :]:
            finder.commit(block.operators, [block.pu] * len(block.operators))
        self._committed = len(self.blocks)

    def merged(self) -> tuple[list[Block], list[tuple[int, ...]]]:
        """Blocks and groups with neighbours outside groups merged where the PU is the same."""
        grouped = {i for group in self.groups for i in group}
        blocks: list[Block] = []
        position: list[int] = []
        open_end = False
        for i, block in enumerate(self.blocks):
            if open_end and i not in grouped and blocks[-1].pu == block.pu:
                blocks[-1] = Block(blocks[-1].operators + block.operators, block.pu)
            else:
                blocks.append(block)
            open_end = i not in grouped
            position.append(len(blocks) - 1)
        return blocks, [tuple(position[i] for i in group) for group in self.groups]
