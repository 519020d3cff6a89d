"""IOS: inter-operator scheduling by dynamic programming over stages.

Source: Ding et al., "IOS: Inter-operator scheduler for CNN acceleration", MLSys 2021, sections 3-4.
A schedule is a sequence of stages with a barrier after each. A *concurrent* stage runs disjoint
groups of operators at the same time; a *merge* stage runs convolutions of one tensor as a single
one (:mod:`hetsim.schedulers.stages.merging`). The programme finds, for every set of operators that
may be finished first, the least time to finish it, trying all stages that could come next. Its
pruning is kept: at most ``s`` groups in a stage, at most ``r`` operators in a group.

Differences. Operators are units (:mod:`hetsim.schedulers.units`). Each group gets a PU; groups on
one PU run one after the other. A stage's latency is that of :mod:`hetsim.schedulers.stages.stages`:
profiled times, contention between its groups included; a transfer starts where the best schedule
of the earlier stages left its tensor, which is exact but for that choice. Sections of the network
between cut units are solved in turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

from hetsim.cost.profile import INFEASIBLE
from hetsim.errors import SchedulerError
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.cuts import blocks_between_cuts
from hetsim.schedulers.stages.merging import Merge, find_merges
from hetsim.schedulers.stages.stages import Group, Stage, StageLatency, plan_of
from hetsim.schedulers.units import Units

SIMULATION = 9
"""What a simulated stage counts on top of one that was looked up."""

LONGEST_SECTION = 100
"""Units of a section that is worth an attempt; a longer one is halved at once."""


@dataclass(frozen=True)
class IOS(Scheduler):
    """Stages of concurrent groups, by dynamic programming over sets of finished units.

    ``r``: most units in a group. ``s``: most groups in a stage, and most convolutions in a merge.
    ``merge``: whether convolutions may be merged. ``max_transitions``: stages tried for the whole
    network, shared out to its sections by their numbers of units; a stage whose contention must be
    simulated counts as ten. A section that needs more than its share is halved in graph order,
    with a barrier between the halves, until each half has enough.
    """

    name: ClassVar[str] = "ios"
    optimises: ClassVar[str] = "the sum of stage latencies, over all sequences of stages"
    ignores: ClassVar[str] = "overlap across stages"
    complexity: ClassVar[str] = "exponential in the width of a section, bounded by max_transitions"
    source: ClassVar[str] = "Ding et al., MLSys 2021"

    r: int = 3
    s: int = 8
    merge: bool = True
    max_transitions: int = 50_000

    def __post_init__(self) -> None:
        """Raises :class:`SchedulerError` for a number below 1."""
        for key in ("r", "s", "max_transitions"):
            if getattr(self, key) < 1:
                raise SchedulerError(
                    f"{self.name}: {key} must be at least 1, not {getattr(self, key)}"
                )

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` when no PU runs some operator."""
        units = Units(problem)
        latency = StageLatency(problem, units)
        merges = find_merges(problem, units, self.s) if self.merge else {}
        stages: list[Stage] = []
        seconds = 0.0
        sections = blocks_between_cuts(units)[::-1]
        while sections:
            section = sections.pop()
            inside = set(section)
            allowed = max(1, self.max_transitions * len(section) // len(units))
            mine = [merge for merge in merges.values() if inside.issuperset(merge.units)]
            found = self._solve(latency, section, mine, allowed)
            if found is None:
                half = len(section) // 2
                sections += [section[half:], section[:half]]
                continue
            for stage in found[1]:
                stages.append(stage)
                latency.commit(stage)
            seconds += found[0]
        merged = sum(1 for stage in stages if stage.merge is not None)
        return plan_of(
            problem,
            units,
            stages,
            scheduler=self.name,
            parameters=asdict(self),
            predicted_s=seconds,
            details={"stages": len(stages), "merge_stages": merged},
        )

    def _solve(
        self, latency: StageLatency, section: Sequence[int], merges: Sequence[Merge], allowed: int
    ) -> tuple[float, list[Stage]] | None:
        """The best stages for ``section``; ``None`` when that is more work than allowed."""
        if len(section) > LONGEST_SECTION:
            return None
        unit_at = {u: i for i, u in enumerate(section)}
        preds = [
            sum(1 << unit_at[p] for p in latency.units.preds[u] if p in unit_at) for u in section
        ]
        by_mask = {sum(1 << unit_at[u] for u in merge.units): merge for merge in merges}
        table = _Table()
        # Stages only add units, so sets in order of size see all their predecessors first.
        by_size: list[dict[int, None]] = [{} for _ in range(len(section) + 1)]
        by_size[0][0] = None
        for layer in by_size:
            for done in layer:
                cost, _, _, homes = table.best[done]
                for groups in _next_stages(done, preds, self.r, self.s):
                    allowed -= 1
                    if allowed < 0 and len(section) > 1:
                        return None
                    if not groups:
                        continue
                    after = done | sum(1 << i for group in groups for i in group)
                    members = [tuple(section[i] for i in group) for group in groups]
                    limit = table.seconds(after) - cost
                    by_size[after.bit_count()][after] = None
                    before = latency.simulations
                    table.offer(done, after, *latency.of(members, homes, limit))
                    allowed -= SIMULATION * (latency.simulations - before)
                for mask, merge in _ready_merges(done, preds, by_mask):
                    by_size[(done | mask).bit_count()][done | mask] = None
                    table.offer(done, done | mask, *latency.of_merge(merge, homes))
        return table.stages((1 << len(section)) - 1)


class _Table:
    """For each set of finished units the least time, and the last stage on the way there."""

    def __init__(self) -> None:
        self.best: dict[int, tuple[float, int, Stage, dict[int, int]]] = {
            0: (0.0, 0, Stage(()), {})
        }

    def seconds(self, done: int) -> float:
        """The least time known so far."""
        return self.best[done][0] if done in self.best else INFEASIBLE

    def offer(self, done: int, after: int, seconds: float, stage: Stage) -> None:
        """One way from ``done`` to ``after``."""
        cost, _, _, homes = self.best[done]
        if after not in self.best or cost + seconds < self.best[after][0]:
            placed = homes | {u: pu for pu, members in stage.parts for u in members}
            self.best[after] = (cost + seconds, done, stage, placed)

    def stages(self, done: int) -> tuple[float, list[Stage]]:
        """The time until ``done`` and the stages that lead there."""
        seconds, found = self.best[done][0], []
        while done:
            found.append(self.best[done][2])
            done = self.best[done][1]
        return seconds, found[::-1]


def _ready_merges(
    done: int, preds: Sequence[int], merges: Mapping[int, Merge]
) -> Iterator[tuple[int, Merge]]:
    """Merges whose units may all start after ``done``."""
    for mask, merge in merges.items():
        if not mask & done and all(not preds[i] & ~done for i in _members(mask)):
            yield mask, merge


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
