"""All networks as one: their union is planned by a scheduler that knows no streams.

Networks that run more often stand in the union more often: a network with a rate of r has
round(r / least rate) copies there, at most :data:`MOST_COPIES`, which is one round of the streams
where their rates are small multiples of the least (the hyperperiod). Copies are planned as
different networks and may get different plans. A stream has one: the one that most of its copies
got, of equals the first. What order the union's plan gives to partitions of different networks is
not kept: inferences do not arrive in rounds, and a dispatcher decides between those that have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from hetsim.errors import SchedulerError
from hetsim.plan.model import Plan
from hetsim.plan.union import Union
from hetsim.schedulers.joint.base import JointProblem, JointScheduler
from hetsim.workload.graph import Graph

MOST_COPIES = 4
"""Copies of one network in the union, at most: a scheduler's work grows with them."""


class Together(JointScheduler):
    """The plan of the union of all networks, each as often as it runs, taken apart again."""

    name: ClassVar[str] = "union"
    source: ClassVar[str] = "jobs of several networks as one queue, Kao and Krishna, HPCA 2022"

    def plan(self, problem: JointProblem) -> Mapping[str, Plan]:
        """Raises :class:`SchedulerError` as the scheduler of all streams does, or without one."""
        rates = problem.rates
        own = [stream.name for stream in problem.streams if stream.scheduler is not None]
        if own:
            raise SchedulerError(
                f"stream {own[0]!r} has a scheduler of its own, and the union is planned by one",
                hint="leave 'scheduler' of the stream out, or plan 'each'",
            )
        copies = {
            name: [f"{name}#{i}" for i in range(min(MOST_COPIES, round(rate / least)))]
            for least in (min(rates.values()),)
            for name, rate in rates.items()
        }
        graphs: dict[str, Graph] = {
            copy: problem.graphs[name] for name, several in copies.items() for copy in several
        }
        union = Union(graphs)
        plans = union.split(problem.ask(union.graph, problem.soc, None))
        return {name: _commonest([plans[copy] for copy in copies[name]]) for name in copies}


def _commonest(plans: list[Plan]) -> Plan:
    """The plan that occurs most often, of equals the first; partitions numbered anew."""
    named = [_numbered(plan) for plan in plans]
    counts = Counter(plan.partitions for plan in named)
    return max(named, key=lambda plan: counts[plan.partitions])


def _numbered(plan: Plan) -> Plan:
    """``plan`` with partitions called ``p0``, ``p1``, ... in its order."""
    new = {partition.name: f"p{i}" for i, partition in enumerate(plan.partitions)}
    return replace(
        plan,
        partitions=tuple(replace(p, name=new[p.name]) for p in plan.partitions),
        parallel_groups=tuple(tuple(new[n] for n in group) for group in plan.parallel_groups),
    )
