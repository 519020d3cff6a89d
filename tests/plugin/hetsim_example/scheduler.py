"""A scheduler: all operators of one kind run where that kind is fastest."""

from __future__ import annotations

from typing import ClassVar

from hetsim.errors import SchedulerError
from hetsim.plan.build import make_plan, merge_eager, single_units
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler


class ByKind(Scheduler):
    """One unit for each kind of operator, that with the least time for all of them together.

    Operators of a kind that no unit runs completely are decided one by one. ``handicap_us`` is
    added to every operator that leaves the host.
    """

    name: ClassVar[str] = "by_kind"
    optimises: ClassVar[str] = "the time of each kind of operator, alone"
    ignores: ClassVar[str] = "where tensors come from, parallelism, contention"
    complexity: ClassVar[str] = "O(V·P)"
    source: ClassVar[str] = "an example"

    def __init__(self, handicap_us: float = 0.0) -> None:
        self.handicap_s = handicap_us * 1e-6

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` for an operator that no unit runs."""
        graph, pus = problem.graph, problem.soc.pus
        host = problem.soc.host.index
        cost = [
            [problem.profile.time(op, p.index) + self.handicap_s * (p.index != host) for p in pus]
            for op in range(len(graph))
        ]
        totals: dict[str, list[float]] = {}
        for op, times in zip(graph.operators, cost, strict=True):
            so_far = totals.setdefault(op.kind, [0.0] * len(pus))
            totals[op.kind] = [a + b for a, b in zip(so_far, times, strict=True)]
        chosen = []
        for op, times in zip(graph.operators, cost, strict=True):
            by_kind = totals[op.kind]
            least = by_kind if min(by_kind) < float("inf") else times
            pu = least.index(min(least))
            if times[pu] == float("inf"):
                raise SchedulerError(f"{op.kind} {op.name!r} runs nowhere on {problem.soc.name!r}")
            chosen.append(pu)
        return make_plan(
            graph,
            problem.soc,
            merge_eager(graph, single_units(graph), chosen),
            scheduler=self.name,
            predicted_s=sum(times[pu] for times, pu in zip(cost, chosen, strict=True)),
        )
