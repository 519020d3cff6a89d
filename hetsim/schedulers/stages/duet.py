"""DUET: sub-graphs of alternating sequential and multi-branch phases, balanced and corrected.

Source: Zhang et al., "DUET: A compiler-runtime subgraph scheduling approach for tensor programs on
a coupled CPU-GPU architecture", IPDPS 2021, followed in outline. Its PUs run everything; here a
sub-graph placed on a PU that lacks some operator runs that operator on the most capable other PU.
Sub-graphs are branches (:mod:`hetsim.schedulers.branches`), phases their parallel sets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import combinations
from typing import ClassVar

from hetsim.errors import SchedulerError
from hetsim.plan.build import Block, make_plan, merge_eager, merge_runs, overlapping_groups
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.branches import extract_branches
from hetsim.schedulers.estimate import dataflow_spans
from hetsim.schedulers.simple.preference import assign, most_capable_first

LARGE = 500
"""Sub-graphs of a network on which every move that is allowed is also affordable."""


@dataclass(frozen=True)
class Duet(Scheduler):
    """Critical sub-graphs to their faster PU, others balanced, then moves and swaps.

    ``max_evaluations``: moves and swaps the correction step may try, over and over in the same
    order until nothing helps; 0 switches it off. Networks of more than 500 sub-graphs get fewer,
    in proportion.
    """

    name: ClassVar[str] = "duet"
    optimises: ClassVar[str] = "the balance of parallel sub-graphs, then the end-to-end time"
    ignores: ClassVar[str] = "splitting a branch over PUs, contention"
    complexity: ClassVar[str] = "O(V·P + max_evaluations·B), B branches"
    source: ClassVar[str] = "Zhang et al., IPDPS 2021"

    max_evaluations: int = 1000

    def __post_init__(self) -> None:
        """Raises :class:`SchedulerError` for a negative ``max_evaluations``."""
        if self.max_evaluations < 0:
            raise SchedulerError(f"{self.name}: max_evaluations must not be negative")

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` when no PU runs some operator."""
        subgraphs = _Subgraphs(problem)
        where, best = _corrected(subgraphs, subgraphs.balanced(), self.max_evaluations)
        units = [unit for s, pu in enumerate(where) for unit in subgraphs.placed(s, pu)[0]]
        pus = [p for s, pu in enumerate(where) for p in subgraphs.placed(s, pu)[1]]
        blocks = merge_eager(problem.graph, units, pus)
        groups = overlapping_groups(problem.graph, blocks, dataflow_spans(problem, blocks))
        return make_plan(
            problem.graph,
            problem.soc,
            blocks,
            groups,
            scheduler=self.name,
            parameters=asdict(self),
            predicted_s=best,
            details={"subgraphs": len(where)},
        )


def _corrected(
    subgraphs: _Subgraphs, where: list[int], evaluations: int
) -> tuple[list[int], float]:
    """Tries every move, then every swap within a phase, keeping whatever helps, until none does."""
    line = _TimeLine(subgraphs, where)
    # What an evaluation costs grows with the network; what may be spent in all does not.
    evaluations = min(evaluations, max(1, evaluations * LARGE // len(where)))
    improved = True
    while improved:
        improved = False
        for change in _changes(subgraphs):
            trial = change(line.where)
            if trial == line.where:
                continue
            if evaluations <= 0:
                return line.where, line.makespan
            evaluations -= 1
            improved |= line.adopt_if_better(trial)
    return line.where, line.makespan


Change = Callable[[list[int]], list[int]]


def _changes(subgraphs: _Subgraphs) -> Iterator[Change]:
    for s in range(len(subgraphs.ops)):
        for pu in subgraphs.pus:
            yield _move(s, pu)
    for phase in subgraphs.phases:
        for a, b in combinations(phase, 2):
            yield _swap(a, b)


def _move(s: int, pu: int) -> Change:
    return lambda where: [*where[:s], pu, *where[s + 1 :]]


def _swap(a: int, b: int) -> Change:
    def swapped(where: list[int]) -> list[int]:
        result = list(where)
        result[a], result[b] = where[b], where[a]
        return result

    return swapped


class _TimeLine:
    """A placement with its times; trials are timed from the first sub-graph that they change."""

    def __init__(self, subgraphs: _Subgraphs, where: list[int]) -> None:
        self._subgraphs = subgraphs
        self._least_after = subgraphs.least_after()
        self.where = where
        self.makespan = float("inf")
        self._ends: list[float] = []
        self._before: list[tuple[list[float], float]] = []
        """When each PU is free before a sub-graph, and the latest end so far."""
        begin = [0.0] * len(subgraphs.pus), 0.0
        self._adopt(where, 0, begin)

    def adopt_if_better(self, where: list[int]) -> bool:
        """Takes the placement ``where`` over if it ends earlier; whether it does."""
        first = next(s for s, pu in enumerate(self.where) if where[s] != pu)
        begin = self._before[first]
        # What ends last may stand before all that is changed: then nothing is gained.
        return begin[1] < self.makespan and self._adopt(where, first, begin)

    def _adopt(self, where: list[int], first: int, begin: tuple[list[float], float]) -> bool:
        """Each sub-graph starts when its inputs and all its PUs are there."""
        subgraphs, least_after = self._subgraphs, self._least_after
        ends = self._ends[:first]
        before: list[tuple[list[float], float]] = []
        free, latest = list(begin[0]), begin[1]
        for s in range(first, len(where)):
            before.append((list(free), latest))
            pu = where[s]
            seconds, used = subgraphs.work(s, pu)
            start = max([free[p] for p in used])
            for source in subgraphs.readers[s]:
                if ends[source] > start:
                    start = ends[source]
                seconds += subgraphs.between(source, s, where[source], pu)
            end = start + seconds
            if end + least_after[s] >= self.makespan:
                return False
            for p in used:
                free[p] = end
            latest = max(latest, end)
            ends.append(end)
        self.where, self.makespan, self._ends = where, latest, ends
        self._before[first:] = before
        return True


class _Subgraphs:
    """Sub-graphs in execution order, their times on each PU and the transfers between them."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.pus = range(len(problem.soc.pus))
        branches = extract_branches(problem.graph)
        self.ops = [branch.operators for branch in branches]
        sets: dict[object, list[int]] = {}
        for s, branch in enumerate(branches):
            key = ("alone", s) if branch.group is None else ("group", branch.group)
            sets.setdefault(key, []).append(s)
        self.phases = list(sets.values())
        self._fallback = most_capable_first(problem, self.pus)
        self._placed: dict[tuple[int, int], tuple[list[tuple[int, ...]], list[int]]] = {}
        self._inside: dict[tuple[int, int], float] = {}
        self._between: dict[tuple[int, int, int, int], float] = {}
        self._occupies: dict[tuple[int, int], tuple[float, tuple[int, ...]]] = {}

    def placed(self, s: int, pu: int) -> tuple[list[tuple[int, ...]], list[int]]:
        """Units of sub-graph ``s`` and their PUs when it is placed on ``pu``."""
        key = (s, pu)
        if key not in self._placed:
            preference = [pu, *(p for p in self._fallback if p != pu)]
            units, pus = assign(self.problem, preference, self.ops[s])
            at = {op: i for i, op in enumerate(self.ops[s])}
            order = sorted(range(len(units)), key=lambda u: at[units[u][-1]])
            self._placed[key] = [units[u] for u in order], [pus[u] for u in order]
        return self._placed[key]

    def time(self, s: int, pu: int) -> float:
        """Seconds of sub-graph ``s`` on ``pu``, calls and inner transfers included."""
        key = (s, pu)
        if key not in self._inside:
            profile, graph = self.problem.profile, self.problem.graph
            units, pus = self.placed(s, pu)
            blocks: list[Block] = merge_runs(units, pus)
            home = {op: b.pu for b in blocks for op in b.operators}
            seconds = 0.0
            for block in blocks:
                seconds += profile.call() + profile.chain_time(block.operators, block.pu)
                reads = dict.fromkeys(t for i in block.operators for t in graph.operators[i].inputs)
                for tensor in reads:
                    source = home.get(graph.producer.get(tensor, -1), block.pu)
                    seconds += profile.crossing(tensor, source, block.pu)
            self._inside[key] = seconds
        return self._inside[key]

    @cached_property
    def readers(self) -> list[dict[int, list[tuple[str, int, int]]]]:
        """What each sub-graph reads of which other: tensor, writing and reading operator."""
        graph = self.problem.graph
        home = {op: s for s, ops in enumerate(self.ops) for op in ops}
        found: list[dict[int, list[tuple[str, int, int]]]] = [{} for _ in self.ops]
        for s, ops in enumerate(self.ops):
            for op in ops:
                for tensor in dict.fromkeys(graph.operators[op].inputs):
                    if tensor in graph.producer:
                        writer = graph.producer[tensor]
                        if home[writer] != s:
                            found[s].setdefault(home[writer], []).append((tensor, writer, op))
        return found

    def between(self, source: int, target: int, p: int, q: int) -> float:
        """Seconds of the transfers from sub-graph ``source`` on ``p`` to ``target`` on ``q``."""
        key = (source, target, p, q)
        if key not in self._between:
            left, right = self._homes(source, p), self._homes(target, q)
            crossed = dict.fromkeys(
                (tensor, left[writer], right[reader])
                for tensor, writer, reader in self.readers[target][source]
            )
            self._between[key] = sum(self.problem.profile.crossing(*c) for c in crossed)
        return self._between[key]

    def _homes(self, s: int, pu: int) -> dict[int, int]:
        units, pus = self.placed(s, pu)
        return {op: p for unit, p in zip(units, pus, strict=True) for op in unit}

    def balanced(self) -> list[int]:
        """The first placement: phase by phase, the critical sub-graph to its faster PU first."""
        where = [0] * len(self.ops)
        for phase in self.phases:
            fastest = {s: min(self.time(s, p) for p in self.pus) for s in phase}
            load = [0.0] * len(self.pus)
            for s in sorted(phase, key=lambda s: (-fastest[s], s)):
                pu = min(self.pus, key=lambda p: (load[p] + self.time(s, p), p))
                load[pu] += self.time(s, pu)
                where[s] = pu
        return where

    def least_after(self) -> list[float]:
        """The least time from the end of each sub-graph to the end of everything, seconds."""
        least = [0.0] * len(self.ops)
        for s in reversed(range(len(self.ops))):
            onward = least[s] + min(self.time(s, p) for p in self.pus)
            for source in self.readers[s]:
                least[source] = max(least[source], onward)
        return least

    def work(self, s: int, pu: int) -> tuple[float, tuple[int, ...]]:
        """Seconds of ``s`` on ``pu`` without transfers from others, and the PUs it occupies."""
        key = (s, pu)
        if key not in self._occupies:
            used = tuple(sorted(set(self.placed(s, pu)[1])))
            self._occupies[key] = self.time(s, pu) + self._edges(s, pu), used
        return self._occupies[key]

    def _edges(self, s: int, pu: int) -> float:
        """Seconds to bring network inputs in and network outputs back."""
        graph, profile = self.problem.graph, self.problem.profile
        host = self.problem.soc.host.index
        seconds = 0.0
        for op, home in self._homes(s, pu).items():
            operator = graph.operators[op]
            came = [t for t in dict.fromkeys(operator.inputs) if t not in graph.producer]
            seconds += sum(profile.crossing(t, host, home) for t in came)
            left = [t for t in operator.outputs if t in graph.output_set]
            seconds += sum(profile.crossing(t, home, host) for t in left)
        return seconds
