"""The finest plan: for dispatchers that choose units, who need it as grain and not as advice."""

from __future__ import annotations

from hetsim.plan.build import Block, make_plan
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem
from hetsim.schedulers.units import Units

FUSED_GROUPS = "fused groups"
"""What results call who made such a plan."""


def fused_groups(problem: Problem) -> Plan:
    """Each operator, or chain that some unit fuses, as a partition on the unit that is fastest.

    The chains are those that list schedulers place (:mod:`hetsim.schedulers.units`).

    Raises:
        SchedulerError: no unit runs some operator.
    """
    units = Units(problem)
    blocks = [
        Block(ops, min(units.feasible(u), key=units.time[u].__getitem__))
        for u, ops in enumerate(units.ops)
    ]
    return make_plan(problem.graph, problem.soc, blocks, scheduler=FUSED_GROUPS)
