"""What a window's program adds up: times and needs in terms of its variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hetsim.bounds.floors import Floors
from hetsim.bounds.labels import Label, Labels
from hetsim.bounds.rows import Rows
from hetsim.bounds.stages import Stage
from hetsim.workload.graph import Graph

Spared = tuple[Label, ...]
"""Labels of a tensor's maker with which it need not be brought."""


class Accounts:
    """Terms of one window's program. Seconds are in units of ``scale``.

    ``ends``: of the first and the last partition. ``loads``: of each PU in between. ``needs``: of
    each resource in between. ``paths``: from an operator (``None``: the beginning) to the next in
    between, beside its kernel. ``handed``: what an operator's partition hands over.
    """

    def __init__(
        self,
        graph: Graph,
        floors: Floors,
        stage: Stage,
        labels: Labels,
        rows: Rows,
        scale: float,
    ) -> None:
        self.graph = graph
        self.floors = floors
        self.stage = stage
        self.labels = labels
        self.rows = rows
        self.scale = scale
        self.wait = [min(row[p] for row in floors.leave) for p in floors.pus]
        self.ends: dict[int, float] = {}
        self.loads: dict[int, dict[int, float]] = {p: {} for p in floors.pus}
        self.needs: list[dict[int, float]] = [{} for _ in floors.resources]
        self.paths: dict[tuple[int | None, int], dict[int, float]] = {}
        self.handed: dict[int, dict[int, float]] = {op: {} for op in stage.ops}
        self._needed: dict[tuple[int, int, Label, Spared], int] = {}

    def need_of(self, resource: int, terms: Mapping[int, float]) -> None:
        """Adds amounts of a resource that are needed in between."""
        factor = self.floors.resources[resource].seconds / self.scale
        add(self.needs[resource], {v: factor * amount for v, amount in terms.items()})

    def crossed(self, source: int, reader: int, target: Label, spared: Spared) -> int:
        """Whether ``reader`` is at ``target`` and ``source`` has none of the labels ``spared``."""
        key = (source, reader, target, spared)
        found = self._needed.get(key)
        if found is None:
            share = self.labels.share
            found = self._needed[key] = self.rows.variable()
            others = {share[source, label]: -1.0 for label in spared}
            self.rows.at_most({share[reader, target]: 1.0, found: -1.0} | others)
        return found

    def any_of(self, each: Sequence[int]) -> int:
        """A variable that is at least each of some."""
        if len(each) == 1:
            return each[0]
        once = self.rows.variable()
        for needed in each:
            self.rows.at_most({needed: 1.0, once: -1.0})
        return once

    def back(self, op: int, pu: int) -> float:
        """Seconds of bringing the network's outputs that ``op`` makes back to the application."""
        return back_seconds(self.graph, self.floors, op, pu)


def back_seconds(graph: Graph, floors: Floors, op: int, pu: int) -> float:
    """Seconds of bringing the network's outputs that ``op`` makes on ``pu`` to the application."""
    made = [t for t in graph.operators[op].outputs if t in graph.output_set]
    return sum(floors.toll(t, pu, None).alone for t in made)


def summed(*terms: Mapping[int, float]) -> dict[int, float]:
    """The sum of terms."""
    total: dict[int, float] = {}
    add(total, *terms)
    return total


def add(total: dict[int, float], *terms: Mapping[int, float]) -> None:
    """Adds terms to ``total``."""
    for each in terms:
        for variable, factor in each.items():
            total[variable] = total.get(variable, 0.0) + factor
