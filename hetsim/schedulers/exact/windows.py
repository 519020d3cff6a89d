"""Windows between cuts, and the shortest way through them.

An operator that everything else comes before or after cuts the inference in two: no work of the
one side overlaps work of the other. What the sides know of each other is only where the operators
ran whose results cross the cut. So the least makespan is a shortest path over those placements,
one step for each window, and each step can be bounded on its own (DESIGN: decomposition at cuts).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from hetsim.bounds.floors import Floors
from hetsim.bounds.relaxation import Window, earliest_close
from hetsim.cost.profile import INFEASIBLE
from hetsim.schedulers.cuts import cut_positions
from hetsim.workload.graph import Graph

MOST_STATES = 64
"""Placements at a cut beyond which it is not used as one."""

State = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """A window whose placements are open; ``before`` and ``after`` are read across its ends."""

    ops: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]


def stages_of(graph: Graph, floors: Floors) -> list[Stage]:
    """The whole network as stages, in order. O(V + E) for networks that fall apart well.

    A stage ends only where all operators that later floors refer to are read across its end.
    """
    size = len(graph)
    last_reader = [max(readers, default=-1) for readers in graph.successors]
    stages: list[Stage] = []
    begin = 0
    before: State = ()
    live: list[int] = []
    cuts = set(cut_positions(graph.predecessors, graph.successors))
    last_named = [-1] * size  # the last operator whose floor depends on where this one runs
    for op in range(size):
        for neighbour in {n for least in floors.ops[op] for n, _ in least.beside}:
            last_named[neighbour] = max(last_named[neighbour], op)
    open_names: set[int] = set()
    for op in range(size):
        live.append(op)
        open_names = {n for n in (*open_names, op) if last_named[n] > op}
        if op not in cuts or op == size - 1:
            continue
        live = [i for i in live if last_reader[i] > op]
        after = tuple(live)
        if not open_names <= set(after):
            continue
        if prod(len(floors.feasible(i)) for i in after) <= MOST_STATES:
            stages.append(Stage(tuple(range(begin, op + 1)), before, after))
            begin, before = op + 1, after
    stages.append(Stage(tuple(range(begin, size)), before, ()))
    return stages


@dataclass(frozen=True, slots=True)
class Step:
    """One stage with the placements at both ends decided."""

    stage: int
    entry: State
    exit: State


class Ladder:
    """The shortest path through all stages, steps costing what is known of them so far."""

    def __init__(self, graph: Graph, floors: Floors) -> None:
        self._graph = graph
        self._floors = floors
        self.stages = stages_of(graph, floors)
        self._cost: dict[Step, float] = {}
        self.closed: set[Step] = set()
        """Steps about which nothing better can be proven."""

    def window(self, step: Step) -> Window:
        """The step as a window with fixed ends."""
        stage = self.stages[step.stage]
        inside = set(stage.ops)
        return Window(
            stage.ops,
            known=dict(zip(stage.before, step.entry, strict=True)),
            cut=stage.ops[0] - 1 if step.stage else None,
            fixed={i: p for i, p in zip(stage.after, step.exit, strict=True) if i in inside},
            last=step.stage == len(self.stages) - 1,
        )

    def cost(self, step: Step) -> float:
        """Seconds that ``step`` takes at least."""
        known = self._cost.get(step)
        if known is None:
            known = earliest_close(self._graph, self._floors, self.window(step))
            self._cost[step] = known
        return known

    def raise_cost(self, step: Step, seconds: float) -> None:
        """Something better than before has been proven about ``step``."""
        self._cost[step] = max(self.cost(step), seconds)

    def shortest(self) -> tuple[float, list[Step]]:
        """Least seconds for the whole inference, and the steps that attain them."""
        reached: dict[State, tuple[float, tuple[Step, ...]]] = {(): (0.0, ())}
        for k, stage in enumerate(self.stages):
            following: dict[State, tuple[float, tuple[Step, ...]]] = {}
            for entry, (seconds, path) in reached.items():
                for leave in self._exits(stage, entry):
                    step = Step(k, entry, leave)
                    total = seconds + self.cost(step)
                    if total < following.get(leave, (INFEASIBLE,))[0]:
                        following[leave] = (total, (*path, step))
            reached = following
        seconds, path = reached.get((), (INFEASIBLE, ()))
        return seconds, list(path)

    def _exits(self, stage: Stage, entry: State) -> Sequence[State]:
        known = dict(zip(stage.before, entry, strict=True))
        options = [(known[i],) if i in known else self._floors.feasible(i) for i in stage.after]
        return list(product(*options))
