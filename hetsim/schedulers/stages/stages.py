"""Stages of IOS: what one takes, on which PUs, and the plan that a sequence of them makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from hetsim.cost.profile import INFEASIBLE
from hetsim.plan.build import Block, make_plan
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem
from hetsim.schedulers.stages.merging import Merge, names_of
from hetsim.schedulers.units import Units
from hetsim.workload.rewrite import apply_rewrites

Group = tuple[int, ...]

_EXACT = 64
"""Assignments of groups to PUs that are all tried; larger sets are assigned greedily."""

_SIMULATED = 3
"""Assignments of one stage that are tried with contention."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What each PU runs: PU index and units, in order. ``merge``: its units run as one operator."""

    parts: tuple[tuple[int, tuple[int, ...]], ...]
    merge: Merge | None = None


class StageLatency:
    """What a stage takes, and the PUs that make it so, by the profile.

    Times of groups and transfers come from the profile of the idle SoC; what groups on different
    PUs cost each other is added as :meth:`Profile.concurrent_time` tells it.
    """

    def __init__(self, problem: Problem, units: Units) -> None:
        self.units = units
        self.problem = problem
        runtime = problem.soc.runtime
        forks = problem.forks
        self.thread = runtime.thread_create + runtime.thread_join if forks else 0.0
        self.home: dict[int, int] = {}
        self._alone: dict[Group, list[float]] = {}
        self._reads: dict[Group, list[tuple[str, int | None]]] = {}
        self.simulations = 0
        self._clash: dict[tuple[tuple[int, Group], ...], float] = {}

    def commit(self, stage: Stage) -> None:
        """Records where a stage that is now decided leaves its results."""
        for pu, members in stage.parts:
            self.home.update(dict.fromkeys(members, pu))

    def of(
        self, groups: Sequence[Group], homes: dict[int, int], limit: float = INFEASIBLE
    ) -> tuple[float, Stage]:
        """Least latency of ``groups`` side by side, and the assignment.

        ``homes`` says where units of this section finished; earlier sections are committed.
        Contention only adds to a latency, so assignments are tried in order of their latency
        without it until none can do better, and not at all from ``limit`` on.
        """
        times = [self._times(group, homes) for group in groups]
        best: tuple[float, Stage] | None = None
        for n, (pus, free) in enumerate(assignments(times)):
            parts = tuple(
                (p, tuple(u for g, where in zip(groups, pus, strict=True) if where == p for u in g))
                for p in sorted(set(pus))
            )
            seconds = free + (len(parts) * self.thread if len(parts) > 1 else 0.0)
            if best is not None and (n >= _SIMULATED or free >= best[0]):
                break
            if seconds < limit and len(parts) > 1:
                seconds += self._contention(parts)
            if best is None or seconds < best[0]:
                best = seconds, Stage(parts)
            if free >= limit:
                break
        assert best is not None
        return best

    def of_merge(self, merge: Merge, homes: dict[int, int]) -> tuple[float, Stage]:
        """Least latency of a merge stage, and its PU."""
        units = self.units
        bring = self._bring(merge.units, homes)
        seconds, pu = min(
            (units.call + alone + bring[p] + sum(units.exit(u, p) for u in merge.units), p)
            for p, alone in enumerate(merge.time)
        )
        return seconds, Stage(((pu, merge.units),), merge)

    def _contention(self, parts: tuple[tuple[int, Group], ...]) -> float:
        """How much longer the parts take beside each other than the longest takes alone."""
        if parts not in self._clash:
            self.simulations += 1
            profile, ops = self.problem.profile, self.units.ops
            loads = [(p, tuple(op for u in members for op in ops[u])) for p, members in parts]
            alone = max(profile.chain_time(members, p) for p, members in loads)
            together = profile.concurrent_time(loads) if alone < INFEASIBLE else alone
            self._clash[parts] = max(0.0, together - alone) if alone < INFEASIBLE else 0.0
        return self._clash[parts]

    def _times(self, group: Group, homes: dict[int, int]) -> list[float]:
        units = self.units
        if group not in self._alone:
            ops = tuple(op for u in group for op in units.ops[u])
            self._alone[group] = [
                units.call + units.profile.chain_time(ops, p) + sum(units.exit(u, p) for u in group)
                for p in units.pus
            ]
        bring = self._bring(group, homes)
        return [alone + bring[p] for p, alone in enumerate(self._alone[group])]

    def _bring(self, group: Group, homes: dict[int, int]) -> list[float]:
        """Seconds to bring what ``group`` reads to each PU."""
        units = self.units
        if group not in self._reads:
            inside = set(group)
            self._reads[group] = [
                (tensor, writer)
                for tensor in dict.fromkeys(t for u in group for t in units.reads(u))
                if (writer := self._writer(tensor)) not in inside
            ]
        sources = [(tensor, self._source(writer, homes)) for tensor, writer in self._reads[group]]
        return [sum(units.crossing(t, source, p) for t, source in sources) for p in units.pus]

    def _writer(self, tensor: str) -> int | None:
        op = self.units.graph.producer.get(tensor)
        return None if op is None else self.units.home[op]

    def _source(self, writer: int | None, homes: dict[int, int]) -> int:
        if writer is None:
            return self.units.soc.host.index
        return homes[writer] if writer in homes else self.home[writer]


def assignments(times: Sequence[Sequence[float]]) -> Iterator[tuple[tuple[int, ...], float]]:
    """PUs for the groups and the time until all are done, best first; ``times[group][pu]``.

    All assignments of few groups; for many only one, longest first to where it ends first.
    """
    pus = range(len(times[0]))
    if len(pus) ** len(times) <= _EXACT:
        found = []
        for trial in product(pus, repeat=len(times)):
            load = [0.0] * len(pus)
            for row, p in zip(times, trial, strict=True):
                load[p] += row[p]
            found.append((max(load), trial))
        found.sort()
        yield from ((trial, seconds) for seconds, trial in found)
        return
    load = [0.0] * len(pus)
    chosen = [0] * len(times)
    for g in sorted(range(len(times)), key=lambda g: (-min(times[g]), g)):
        p = min(pus, key=lambda p: (load[p] + times[g][p], p))
        load[p] += times[g][p]
        chosen[g] = p
    yield tuple(chosen), max(load)


def plan_of(
    problem: Problem,
    units: Units,
    stages: Sequence[Stage],
    *,
    scheduler: str,
    parameters: dict[str, object],
    predicted_s: float,
    details: dict[str, object],
) -> Plan:
    """The plan that executes ``stages`` one after the other, on the network they rewrite.

    Successive stages that use one and the same PU alone need no barrier and become one block.
    """
    blocks: list[tuple[int, list[str]]] = []
    groups: list[tuple[int, ...]] = []
    alone_before = False
    for stage in stages:
        alone = len(stage.parts) == 1
        for pu, members in stage.parts:
            names = names_of(units, members, stage.merge)
            if alone and alone_before and blocks[-1][0] == pu:
                blocks[-1][1].extend(names)
            else:
                blocks.append((pu, list(names)))
        if not alone:
            groups.append(tuple(range(len(blocks) - len(stage.parts), len(blocks))))
        alone_before = alone
    rewrites = [stage.merge.rewrite for stage in stages if stage.merge is not None]
    graph = apply_rewrites(problem.graph, rewrites)
    return make_plan(
        graph,
        problem.soc,
        [Block(tuple(graph.index[name] for name in names), pu) for pu, names in blocks],
        groups,
        scheduler=scheduler,
        parameters=parameters,
        predicted_s=predicted_s,
        details=details,
        rewrites=rewrites,
    )
