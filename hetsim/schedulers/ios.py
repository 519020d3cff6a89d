"""IOS: inter-operator scheduling by dynamic programming over stages.

Source: Ding et al., "IOS: Inter-operator scheduler for CNN acceleration", MLSys 2021, sections 3-4.
A schedule is a sequence of stages with a barrier after each; a stage runs disjoint groups of
operators at the same time. The programme finds, for every set of operators that may be finished
first, the least time to finish it, trying all stages that could come next. Its pruning is kept:
at most ``s`` groups in a stage, at most ``r`` operators in a group.

Differences. Operators are units (:mod:`hetsim.schedulers.units`). Each group gets a PU; groups on
one PU run one after the other. A stage's latency is made of profiled times and transfers, without
contention, and a transfer starts where the best schedule of the earlier stages left its tensor,
which is exact but for that choice. Sections of the network between cut units are solved in turn.
IOS's *merge* stages, which replace convolutions by a wider one, change the network and cannot be
said in a plan; only concurrent stages are used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import ClassVar

from hetsim.cost.profile import INFEASIBLE
from hetsim.errors import SchedulerError
from hetsim.plan.build import Block, make_plan
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.cuts import blocks_between_cuts
from hetsim.schedulers.units import Units

Group = tuple[int, ...]
Stage = tuple[tuple[int, tuple[int, ...]], ...]
"""What each PU runs in a stage: PU index and units, in order."""

LONGEST_SECTION = 100
"""Units of a section that is worth an attempt; a longer one is halved at once."""

_EXACT = 64
"""Assignments of groups to PUs that are all tried; larger sets are assigned greedily."""


@dataclass(frozen=True)
class IOS(Scheduler):
    """Stages of concurrent groups, by dynamic programming over sets of finished units.

    ``r``: most units in a group. ``s``: most groups in a stage. ``max_transitions``: work allowed
    for one section of the network; a wider section is halved in graph order, with a barrier
    between the halves, until each half takes no more.
    """

    name: ClassVar[str] = "ios"
    optimises: ClassVar[str] = "the sum of stage latencies, over all sequences of stages"
    ignores: ClassVar[str] = "overlap across stages, contention, merging convolutions"
    complexity: ClassVar[str] = "exponential in the width of a section, bounded by max_transitions"
    source: ClassVar[str] = "Ding et al., MLSys 2021"

    r: int = 3
    s: int = 8
    max_transitions: int = 10_000

    def __post_init__(self) -> None:
        """Raises :class:`SchedulerError` for a parameter below 1."""
        for key, value in asdict(self).items():
            if value < 1:
                raise SchedulerError(f"{self.name}: {key} must be at least 1, not {value}")

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` when no PU runs some operator."""
        latency = StageLatency(problem, Units(problem))
        stages: list[Stage] = []
        seconds = 0.0
        sections = blocks_between_cuts(latency.units)[::-1]
        while sections:
            section = sections.pop()
            found = self._solve(latency, section)
            if found is None:
                half = len(section) // 2
                sections += [section[half:], section[:half]]
                continue
            for stage in found[1]:
                stages.append(stage)
                latency.commit(stage)
            seconds += found[0]
        blocks, groups = as_blocks(latency.units, stages)
        return make_plan(
            problem.graph,
            problem.soc,
            blocks,
            groups,
            scheduler=self.name,
            parameters=asdict(self),
            predicted_s=seconds,
            details={"stages": len(stages)},
        )

    def _solve(
        self, latency: StageLatency, section: Sequence[int]
    ) -> tuple[float, list[Stage]] | None:
        """The best stages for ``section``; ``None`` when that is more work than allowed."""
        if len(section) > LONGEST_SECTION:
            return None
        unit_at = {u: i for i, u in enumerate(section)}
        preds = [
            sum(1 << unit_at[p] for p in latency.units.preds[u] if p in unit_at) for u in section
        ]
        everything = (1 << len(section)) - 1
        best: dict[int, tuple[float, int, Stage, dict[int, int]]] = {0: (0.0, 0, (), {})}
        # Stages only add units, so sets in order of size see all their predecessors first.
        by_size: list[dict[int, None]] = [{} for _ in range(len(section) + 1)]
        by_size[0][0] = None
        allowed = self.max_transitions
        for layer in by_size:
            for done in layer:
                cost, _, _, homes = best[done]
                for groups in _next_stages(done, preds, self.r, self.s):
                    allowed -= 1
                    if allowed < 0 and len(section) > 1:
                        return None
                    if not groups:
                        continue
                    members = [tuple(section[i] for i in group) for group in groups]
                    seconds, stage = latency.of(members, homes)
                    after = done
                    for group in groups:
                        for i in group:
                            after |= 1 << i
                    known = best.get(after)
                    if known is None or cost + seconds < known[0]:
                        placed = homes | {u: pu for pu, us in stage for u in us}
                        best[after] = (cost + seconds, done, stage, placed)
                        by_size[after.bit_count()][after] = None
        stages: list[Stage] = []
        done = everything
        while done:
            stages.append(best[done][2])
            done = best[done][1]
        return best[everything][0], stages[::-1]


def _next_stages(done: int, preds: Sequence[int], r: int, s: int) -> Iterator[list[Group]]:
    """All stages that may follow ``done``: at most ``s`` connected groups of at most ``r`` units.

    An empty list stands for a set of units that was looked at and breaks those rules.
    """
    # A group of r units reaches no further than r steps beyond what is done.
    near: list[int] = []
    depth: dict[int, int] = {}
    for i, before in enumerate(preds):
        if not done >> i & 1:
            waits = before & ~done
            depth[i] = 1 + max((depth[j] for j in _members(waits)), default=0)
            if depth[i] <= r:
                near.append(i)

    def extend(at: int, groups: list[Group], chosen: int) -> Iterator[list[Group]]:
        if at == len(near):
            yield groups if len(groups) <= s else []
            return
        i = near[at]
        if not preds[i] & ~(done | chosen):
            joined = [g for g in groups if any(preds[i] >> j & 1 for j in g)]
            grown = (*sorted(j for g in joined for j in g), i)
            if len(grown) <= r:
                rest = [g for g in groups if g not in joined]
                yield from extend(at + 1, [*rest, grown], chosen | 1 << i)
        yield from extend(at + 1, groups, chosen)

    return extend(0, [], 0)


def _members(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


class StageLatency:
    """What a stage takes, and the PUs that make it so, by the profile."""

    def __init__(self, problem: Problem, units: Units) -> None:
        self.units = units
        self.problem = problem
        runtime = problem.soc.runtime
        forks = problem.execution == "barrier"
        self.thread = runtime.thread_create + runtime.thread_join if forks else 0.0
        self.home: dict[int, int] = {}
        self._alone: dict[Group, list[float]] = {}
        self._reads: dict[Group, list[tuple[str, int | None]]] = {}

    def commit(self, stage: Stage) -> None:
        """Records where a stage that is now decided leaves its results."""
        for pu, members in stage:
            self.home.update(dict.fromkeys(members, pu))

    def of(self, groups: Sequence[Group], homes: dict[int, int]) -> tuple[float, Stage]:
        """Least latency of ``groups`` side by side, and the assignment.

        ``homes`` says where units of this section finished; earlier sections are committed.
        """
        times = [self._times(group, homes) for group in groups]
        pus, seconds = assign_groups(times)
        stage = tuple(
            (pu, tuple(u for g, where in zip(groups, pus, strict=True) if where == pu for u in g))
            for pu in sorted(set(pus))
        )
        return seconds + (len(stage) * self.thread if len(stage) > 1 else 0.0), stage

    def _times(self, group: Group, homes: dict[int, int]) -> list[float]:
        units = self.units
        if group not in self._alone:
            ops = tuple(op for u in group for op in units.ops[u])
            self._alone[group] = [
                units.call + units.profile.chain_time(ops, p) + sum(units.exit(u, p) for u in group)
                for p in units.pus
            ]
            inside = set(group)
            self._reads[group] = [
                (tensor, writer)
                for tensor in dict.fromkeys(t for u in group for t in units.reads(u))
                if (writer := self._writer(tensor)) not in inside
            ]
        sources = [(tensor, self._source(writer, homes)) for tensor, writer in self._reads[group]]
        return [
            alone + sum(units.crossing(tensor, source, p) for tensor, source in sources)
            if alone < INFEASIBLE
            else INFEASIBLE
            for p, alone in enumerate(self._alone[group])
        ]

    def _writer(self, tensor: str) -> int | None:
        op = self.units.graph.producer.get(tensor)
        return None if op is None else self.units.home[op]

    def _source(self, writer: int | None, homes: dict[int, int]) -> int:
        if writer is None:
            return self.units.soc.host.index
        return homes[writer] if writer in homes else self.home[writer]


def assign_groups(times: Sequence[Sequence[float]]) -> tuple[list[int], float]:
    """A PU for each group and the time until all are done, ``times[group][pu]`` in seconds.

    Exact for few groups; else longest first to where it ends first.
    """
    pus = range(len(times[0]))
    if len(pus) ** len(times) <= _EXACT:
        best: tuple[float, tuple[int, ...]] = (INFEASIBLE, ())
        for trial in product(pus, repeat=len(times)):
            load = [0.0] * len(pus)
            for row, p in zip(times, trial, strict=True):
                load[p] += row[p]
            if not best[1] or max(load) < best[0]:
                best = (max(load), trial)
        return list(best[1]), best[0]
    load = [0.0] * len(pus)
    chosen = [0] * len(times)
    for g in sorted(range(len(times)), key=lambda g: (-min(times[g]), g)):
        p = min(pus, key=lambda p: (load[p] + times[g][p], p))
        load[p] += times[g][p]
        chosen[g] = p
    return chosen, max(load)


def as_blocks(units: Units, stages: Sequence[Stage]) -> tuple[list[Block], list[tuple[int, ...]]]:
    """Blocks and parallel groups of a sequence of stages.

    Successive stages that use one and the same PU alone need no barrier and become one block.
    """
    blocks: list[Block] = []
    groups: list[tuple[int, ...]] = []
    alone_before = False
    for stage in stages:
        alone = len(stage) == 1
        for pu, members in stage:
            ops = tuple(op for u in members for op in units.ops[u])
            if alone and alone_before and blocks[-1].pu == pu:
                last = blocks[-1]
                blocks[-1] = Block(last.operators + ops, pu, last.units + members)
            else:
                blocks.append(Block(ops, pu, members))
        if not alone:
            groups.append(tuple(range(len(blocks) - len(stage), len(blocks))))
        alone_before = alone
    return blocks, groups
