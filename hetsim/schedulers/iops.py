"""IOPS: backtracking over ready operators, sub-graph by sub-graph.

Source: Xie et al., "IOPS", High Technology Letters 2023(1), pages 50-59, of which only the abstract
was available; what follows is this project's reading of it. (1) The network is split into largest
blocks: the sections between cut units (:mod:`hetsim.schedulers.cuts`). (2) Operators are replaced
where the cost model says it pays. Of the replacements, the one that a plan can express is used: a
chain that a fusion pattern allows runs as one kernel (:mod:`hetsim.schedulers.units`). Merging
convolutions of the same input, or padding a small kernel into a larger one, changes the network
itself and is not done. (3) Each block is searched by backtracking over its ready operators and
their PUs, with branch and bound, for the least estimated delay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

from hetsim.cost.profile import INFEASIBLE
from hetsim.errors import SchedulerError
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.cuts import blocks_between_cuts
from hetsim.schedulers.heft import earliest_finish, upward_ranks
from hetsim.schedulers.timeline import Schedule
from hetsim.schedulers.units import Units

LONGEST_BLOCK = 100
"""Units in one search; a longer block is cut in graph order."""

Move = tuple[int, int, float]
"""A unit, its PU and its start."""


@dataclass(frozen=True)
class IOPS(Scheduler):
    """Branch and bound over which unit starts next and where, block by block.

    ``max_nodes``: placements tried in one block. The search starts from HEFT's choice for the
    block, so it never ends worse than that; ``details`` say how many blocks were searched to the
    end, which makes them optimal by the estimate.
    """

    name: ClassVar[str] = "iops"
    optimises: ClassVar[str] = "the estimated end of each block, exactly within max_nodes"
    ignores: ClassVar[str] = "what a block's end means for the next, contention, graph rewrites"
    complexity: ClassVar[str] = "O(blocks·max_nodes·P)"
    source: ClassVar[str] = "Xie et al., High Technology Letters 2023(1) (abstract)"

    max_nodes: int = 2000

    def __post_init__(self) -> None:
        """Raises :class:`SchedulerError` for ``max_nodes`` below 1."""
        if self.max_nodes < 1:
            raise SchedulerError(f"{self.name}: max_nodes must be at least 1")

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` when no PU runs some operator."""
        units = Units(problem)
        ranks = upward_ranks(units)
        schedule = Schedule(units)
        blocks = [
            block[i : i + LONGEST_BLOCK]
            for block in blocks_between_cuts(units)
            for i in range(0, len(block), LONGEST_BLOCK)
        ]
        finished = 0
        for block in blocks:
            search = _BlockSearch(schedule, block, ranks, self.max_nodes)
            finished += search.run()
            for u, pu, start in search.best:
                schedule.place(u, pu, start)
        return schedule.to_plan(
            problem,
            self.name,
            asdict(self),
            {"blocks": len(blocks), "blocks_searched_to_the_end": finished},
        )


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
                return []  # this unit could only have come earlier: the branch is a duplicate
            floor = max(floor, min(mine)[0])
            offers += mine
        # Every ready unit must still run, so the worst of their best offers bounds them all.
        return sorted((max(bound, floor), u, pu, start) for bound, u, pu, start in offers)
