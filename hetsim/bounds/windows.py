"""Windows between cuts, and the shortest way through them.

An operator that everything else comes before or after cuts the inference in two: no work of the
one side overlaps work of the other. What the sides know of each other is only where the operators
ran whose results cross the cut. So the least makespan is a shortest path over those placements,
one step for each window, and each step can be bounded on its own (DESIGN: decomposition at cuts).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from hetsim.bounds.floors import Floors
from hetsim.bounds.relaxation import Window, closings
from hetsim.bounds.stages import Stage, stages_of
from hetsim.cost.profile import INFEASIBLE
from hetsim.workload.graph import Graph

State = tuple[int, ...]


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
        self._closings: dict[tuple[int, State, State], list[float]] = {}
        self.closed: set[Step] = set()
        """Steps about which nothing better can be proven."""

    def window(self, step: Step) -> Window:
        """The step as a window with fixed ends."""
        stage = self.stages[step.stage]
        inside = set(stage.ops)
        return Window(
            stage.ops,
            known=dict(zip(stage.before, step.entry, strict=True)),
            cut=stage.cut,
            fixed={i: p for i, p in zip(stage.after, step.exit, strict=True) if i in inside},
            last=stage.last,
        )

    def cost(self, step: Step) -> float:
        """Seconds that ``step`` takes at least."""
        known = self._cost.get(step)
        if known is None:
            known = self._cost[step] = self._path(step)
        return known

    def _path(self, step: Step) -> float:
        """By paths alone, for all PUs of the last operator at once."""
        window = self.window(step)
        end = None if window.last else window.ops[-1]
        others = {op: pu for op, pu in window.fixed.items() if op != end}
        key = step.stage, step.entry, tuple(others.values())
        known = self._closings.get(key)
        if known is None:
            free = replace(window, fixed=others)
            known = self._closings[key] = closings(self._graph, self._floors, free)
        return min(known) if end is None else known[window.fixed[end]]

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
