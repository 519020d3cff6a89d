"""IOPS: operator replacement, then backtracking over ready operators, sub-graph by sub-graph.

Source: Xie et al., "IOPS", High Technology Letters 2023(1), pages 50-59, of which only the abstract
was available; what follows is this project's reading of it. (1) The network is split into largest
blocks: the sections between cut units (:mod:`hetsim.schedulers.cuts`). (2) Operators are replaced
where the cost model says it pays: convolutions of one tensor become one, a 1x1 beside a 3x3 padded
to its size (:mod:`hetsim.schedulers.stages.merging`), and a chain that a fusion pattern allows runs
as one kernel (:mod:`hetsim.schedulers.units`). (3) Each block is searched by backtracking over its
ready operators and their PUs, with branch and bound, for the least estimated delay.

Whether a replacement pays is asked twice. Alone, the new operator on its best PU must take less
than the old ones on theirs. As that says nothing about running the old ones side by side, the
blocks are searched with and without, and those that end no sooner with it keep what they had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

from hetsim.cost.profile import INFEASIBLE
from hetsim.errors import SchedulerError
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.cuts import blocks_between_cuts
from hetsim.schedulers.list.heft import earliest_finish, upward_ranks
from hetsim.schedulers.list.timeline import Schedule
from hetsim.schedulers.stages.merging import Merge, find_merges
from hetsim.schedulers.units import Units

LONGEST_BLOCK = 100
"""Units in one search; a longer block is cut in graph order."""

LARGE = 1000
"""Units of a network whose blocks all get ``max_nodes``; those of larger ones get fewer."""

MOST_MERGED = 8
"""Convolutions that one replacement merges at most."""

Move = tuple[int, int, float]
"""A unit, its PU and its start."""


@dataclass(frozen=True)
class IOPS(Scheduler):
    """Branch and bound over which unit starts next and where, block by block.

    ``max_nodes``: placements tried in one block. The search starts from HEFT's choice for the
    block, so it never ends worse than that; ``details`` say how many blocks were searched to the
    end, which makes them optimal by the estimate. ``replace``: whether convolutions may be merged.
    """

    name: ClassVar[str] = "iops"
    optimises: ClassVar[str] = "the estimated end of each block, exactly within max_nodes"
    ignores: ClassVar[str] = "what a block's end means for the next, contention"
    complexity: ClassVar[str] = "O(blocks·max_nodes·P)"
    source: ClassVar[str] = "Xie et al., High Technology Letters 2023(1) (abstract)"

    max_nodes: int = 2000
    replace: bool = True

    def __post_init__(self) -> None:
        """Raises :class:`SchedulerError` for ``max_nodes`` below 1."""
        if self.max_nodes < 1:
            raise SchedulerError(f"{self.name}: max_nodes must be at least 1")

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` when no PU runs some operator."""
        plain = _Search(problem, self.max_nodes)
        merges: list[Merge] = []
        if self.replace:
            merges = paying(plain.units, find_merges(problem, plain.units, MOST_MERGED))
        searches = [(plain, merges[:0])]
        if merges:
            merged = _Search(_rewritten(problem, merges), self.max_nodes)
            searches.append((merged, merges))
            kept = _kept(plain, merged, merges)
            if 0 < len(kept) < len(merges):
                searches.append((_Search(_rewritten(problem, kept), self.max_nodes), kept))
        best, used = min(searches, key=lambda found: found[0].schedule.makespan())
        return best.schedule.to_plan(
            best.problem,
            self.name,
            asdict(self),
            {
                "blocks": best.searched,
                "blocks_searched_to_the_end": best.finished,
                "replacements": len(used),
                "replacements_considered": len(merges),
            },
            [merge.rewrite for merge in used],
        )


def paying(units: Units, merges: Mapping[tuple[int, ...], Merge]) -> list[Merge]:
    """Merges that take less than their parts, each on its best PU; those that save most first."""
    savings = []
    for order, merge in enumerate(merges.values()):
        saved = sum(min(units.time[u]) for u in merge.units) - min(merge.time)
        if saved > 0:
            savings.append((-saved, order, merge))
    taken: set[int] = set()
    chosen = []
    for _, _, merge in sorted(savings, key=lambda s: s[:2]):
        if taken.isdisjoint(merge.units):
            taken.update(merge.units)
            chosen.append(merge)
    return sorted(chosen, key=lambda merge: merge.units)


def _rewritten(problem: Problem, merges: Sequence[Merge]) -> Problem:
    assert problem.rewritten is not None
    return problem.rewritten([merge.rewrite for merge in merges])


def _kept(plain: _Search, merged: _Search, merges: Sequence[Merge]) -> list[Merge]:
    """The merges in blocks that take less time with them than without.

    A block lasts from one cut operator's end to the next one's, the last one to the end of
    everything. Cut operators are never merged, so both searches know them.
    """
    block_of = {u: b for b, block in enumerate(plain.blocks) for u in block}
    lasted = []
    for search in (plain, merged):
        ends = [search.ends[plain.last_operator(block)] for block in plain.blocks[:-1]]
        ends.append(search.schedule.makespan())
        lasted.append([end - start for start, end in zip([0.0, *ends], ends, strict=False)])
    return [
        merge
        for merge in merges
        if lasted[1][block_of[merge.units[0]]] < lasted[0][block_of[merge.units[0]]]
    ]


class _Search:
    """The schedule of one network: its blocks in turn."""

    def __init__(self, problem: Problem, max_nodes: int) -> None:
        self.problem = problem
        self.units = units = Units(problem)
        self.schedule = Schedule(units)
        self.blocks = blocks_between_cuts(units)
        ranks = upward_ranks(units)
        nodes = max(1, min(max_nodes, max_nodes * LARGE // len(units)))
        pieces = [
            block[i : i + LONGEST_BLOCK]
            for block in self.blocks
            for i in range(0, len(block), LONGEST_BLOCK)
        ]
        self.searched = len(pieces)
        self.finished = sum(
            self._place(_BlockSearch(self.schedule, piece, ranks, nodes)) for piece in pieces
        )

    def _place(self, search: _BlockSearch) -> bool:
        """Searches one block and adds the best order found to the schedule."""
        ended = search.run()
        for u, pu, start in search.best:
            self.schedule.place(u, pu, start)
        return ended

    def last_operator(self, block: Sequence[int]) -> str:
        """The name of the operator that ends a block."""
        return self.units.graph.operators[self.units.ops[block[-1]][-1]].name

    @property
    def ends(self) -> dict[str, float]:
        """When the unit of each operator ends, by the operator's name."""
        operators = self.units.graph.operators
        return {
            operators[op].name: self.schedule.end[u]
            for u, ops in enumerate(self.units.ops)
            for op in ops
        }


class _BlockSearch:
    """Depth-first search over one block, on top of what the schedule already holds."""

    def __init__(
        self, schedule: Schedule, block: Sequence[int], ranks: Sequence[float], max_nodes: int
    ) -> None:
        self.schedule = schedule
        self.units = schedule.units
        self.left = dict.fromkeys(sorted(block, key=lambda u: (-ranks[u], u)))
        self.nodes = max_nodes
        self.best: list[Move] = []
        self.best_end = INFEASIBLE
        members = set(block)
        self.least = {u: min(self.units.time[u]) for u in block}
        self.tail: dict[int, float] = {}
        """The least time from the end of a unit to the end of the block."""
        for u in reversed(block):
            self.tail[u] = max(
                (self.least[v] + self.tail[v] for v in self.units.succs[u] if v in members),
                default=0.0,
            )

    def run(self) -> bool:
        """Fills ``best``; whether the search got to its end."""
        self._start_with_heft()
        self._descend([], -INFEASIBLE, 0.0)
        return self.nodes >= 0

    def _start_with_heft(self) -> None:
        moves: list[Move] = []
        end = 0.0
        for u in self.left:
            start, pu = earliest_finish(self.schedule, u)
            self.schedule.place(u, pu, start)
            moves.append((u, pu, start))
            end = max(end, self._end(u, pu))
        for _ in moves:
            self.schedule.unplace()
        self.best, self.best_end = moves, end

    def _end(self, u: int, pu: int) -> float:
        return self.schedule.end[u] + self.units.exit(u, pu)

    def _descend(self, moves: list[Move], latest: float, end: float) -> None:
        if not self.left:
            if end < self.best_end:
                self.best, self.best_end = list(moves), end
            return
        for promise, u, pu, start in self._offers(latest, end):
            if promise >= self.best_end:
                return  # offers are sorted: no later one can do better
            self.nodes -= 1
            if self.nodes < 0:
                return
            self.schedule.place(u, pu, start)
            place = list(self.left)
            del self.left[u]
            self._descend([*moves, (u, pu, start)], start, max(end, self._end(u, pu)))
            self.left = dict.fromkeys(place)
            self.schedule.unplace()

    def _offers(self, latest: float, end: float) -> list[tuple[float, int, int, float]]:
        """What may start next, with a lower bound on the block's end, most promising first.

        Every schedule can be listed by start times, so nothing may start before the latest start.
        """
        offers = []
        floor = end
        for u in self.left:
            if any(p in self.left for p in self.units.preds[u]):
                continue
            mine = []
            for pu in self.units.feasible(u):
                start, finish = self.schedule.earliest(u, pu)
                if start >= latest:
                    bound = finish + max(self.tail[u], self.units.exit(u, pu))
                    mine.append((bound, u, pu, start))
            if not mine:
                continue  # now it could only have come earlier; later its PU may be taken
            floor = max(floor, min(mine)[0])
            offers += mine
        # Every ready unit must still run, so the worst of their best offers bounds them all.
        return sorted((max(bound, floor), u, pu, start) for bound, u, pu, start in offers)
