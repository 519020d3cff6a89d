"""Bounds on windows, raised one by one along the shortest way through all of them.

Only the steps on the shortest way matter, so these are looked at first: each as a linear program
over labels (:mod:`hetsim.bounds.program`), then split in two where the program is undecided, the
weaker half first, until what is left is decided or a budget is spent. Whenever it stops, what is
known of each step is a bound.
"""

from __future__ import annotations

from heapq import heappop, heappush

from hetsim.bounds.floors import Floors
from hetsim.bounds.labels import Split
from hetsim.bounds.program import Program
from hetsim.bounds.rows import Prices
from hetsim.bounds.running import Forking
from hetsim.bounds.stages import Stage
from hetsim.bounds.windows import Ladder, Step
from hetsim.cost.profile import INFEASIBLE
from hetsim.workload.graph import Graph

MOST_PLACES = 400
"""Operators times PUs beyond which a window's linear program is too large."""

EFFORT = 60_000
"""Variables of all linear programs that are solved for one network."""

ROUNDING = 1.0 - 1e-12
"""Sums of floats along a path round either way; a proven bound must not exceed what it bounds."""


class _Programs:
    """The linear programs of one stage: one, or one for each way in which a runtime may go.

    What they prove of one step, their prices prove of others, a little worse.
    """

    def __init__(self, graph: Graph, floors: Floors, stage: Stage, forking: Forking | None) -> None:
        kinds = (True, False) if forking is not None else (True,)
        self.each = [Program(graph, floors, stage, forking, kind) for kind in kinds]
        self.prices: list[list[Prices]] = [[] for _ in kinds]

    def proves(self, which: int, fixed: dict[int, float]) -> float:
        """What is known without solving anything."""
        program = self.each[which]
        return max((program.proves(prices, fixed) for prices in self.prices[which]), default=0.0)


class _Narrowed:
    """What is known of one step: open halves by their bounds, least first."""

    def __init__(self, floors: Floors, ladder: Ladder, step: Step, programs: _Programs) -> None:
        self._programs = programs
        self._same = _in_one(floors, ladder, step)
        self._open: list[tuple[float, int, int, dict[int, float], Split | None, bool]] = []
        self._count = 0
        stage = ladder.stages[step.stage]
        entry = dict(zip(stage.before, step.entry, strict=True))
        leave = dict(zip(stage.after, step.exit, strict=True))
        for which, program in enumerate(programs.each):
            fixed = program.decided(entry, leave)
            self._keep(programs.proves(which, fixed), which, fixed, None, False)

    @property
    def bound(self) -> float:
        """Seconds that the step takes at least."""
        return min(self._same, self._open[0][0] if self._open else INFEASIBLE)

    @property
    def closed(self) -> bool:
        """Whether nothing better can be proven."""
        if not self._open or self._same <= self._open[0][0]:
            return True
        _, _, _, _, choice, solved = self._open[0]
        return solved and choice is None

    def raised(self) -> int:
        """Solves or splits the weakest part; returns the number of variables that were in it."""
        bound, _, which, fixed, choice, solved = heappop(self._open)
        program = self._programs.each[which]
        if solved:
            assert choice is not None
            for ruled_out in choice:
                self._keep(bound, which, fixed | dict.fromkeys(ruled_out, 0.0), None, False)
            return 0
        found = program.solve(fixed)
        if found.prices is not None:
            self._programs.prices[which].append(found.prices)
            split = None if found.values is None else program.split(found.values)
            self._keep(max(bound, found.bound), which, fixed, split, True)
        return program.size

    def _keep(
        self, bound: float, which: int, fixed: dict[int, float], split: Split | None, solved: bool
    ) -> None:
        self._count += 1
        heappush(self._open, (bound, self._count, which, fixed, split, solved))


def _in_one(floors: Floors, ladder: Ladder, step: Step) -> float:
    """Seconds of a window that is part of one partition; infinite where its ends are not."""
    window = ladder.window(step)
    if window.cut is None or window.last:
        return INFEASIBLE
    pu = window.known[window.cut]
    if any(p != pu for p in window.fixed.values()):
        return INFEASIBLE
    return sum(floors.ops[op][pu].least for op in window.ops)


def narrowed(graph: Graph, floors: Floors, forking: Forking | None) -> tuple[float, str]:
    """Seconds that every plan takes at least, and what would have to be argued to raise them."""
    ladder = Ladder(graph, floors)
    programs: dict[int, _Programs] = {}
    known: dict[Step, _Narrowed] = {}
    spent = 0
    while True:
        seconds, path = ladder.shortest()
        fresh = False
        for step in path:
            stage = ladder.stages[step.stage]
            many = len(stage.ops) * len(floors.pus)
            if step in known or len(stage.ops) < 2 or many > MOST_PLACES:
                continue
            if step.stage not in programs:
                programs[step.stage] = _Programs(graph, floors, stage, forking)
            found = known[step] = _Narrowed(floors, ladder, step, programs[step.stage])
            fresh = fresh or found.bound > ladder.cost(step)
            ladder.raise_cost(step, found.bound)
        if fresh:
            continue
        open_steps = [known[s] for s in path if s in known and not known[s].closed]
        if not open_steps or spent >= EFFORT:
            large = max(
                (len(ladder.stages[s.stage].ops) for s in path if s not in known), default=1
            )
            return seconds * ROUNDING, _lacks(large, len(open_steps))
        for step in path:
            if step in known and not known[step].closed:
                spent += known[step].raised()
                ladder.raise_cost(step, known[step].bound)


def _lacks(large: int, undecided: int) -> str:
    """Which argument would have to be better, in a few words."""
    if large > 1:
        return (
            f"a stretch of {large} operators without a cut counts with its longest path alone;"
            " how the PUs share it would have to be argued"
        )
    if undecided:
        return (
            f"{undecided} of them still divide operators among PUs in fractions;"
            " a larger budget would decide more"
        )
    return (
        "where every operator runs is decided; waiting for the ends of partitions and for"
        " shared transfers would have to be argued"
    )
