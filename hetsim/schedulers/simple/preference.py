"""Static placement: each operator to the first PU of a preference list that takes its type."""

from __future__ import annotations

from collections.abc import Sequence

from hetsim.cost.fusion import match
from hetsim.cost.profile import INFEASIBLE
from hetsim.errors import SchedulerError
from hetsim.plan.build import Block, make_plan, merge_runs
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem
from hetsim.schedulers.estimate import predict
from hetsim.schedulers.partitions import Cut, cut_at_branches

CPU, NPU = "cpu", "npu"
"""Roles of processing units (:attr:`hetsim.soc.pu.PUSpec.role`)."""


def pus_of_role(problem: Problem, role: str) -> list[int]:
    """Indices of the PUs of one role, in SoC order."""
    return [pu.index for pu in problem.soc.pus if pu.spec.role == role]


def most_capable_first(problem: Problem, pus: Sequence[int]) -> list[int]:
    """``pus`` by how few operators they cannot run alone, then by total time for the others."""

    def key(pu: int) -> tuple[int, float, int]:
        times = [problem.profile.time(op, pu) for op in range(len(problem.graph))]
        feasible = [t for t in times if t < INFEASIBLE]
        return len(times) - len(feasible), sum(feasible), pu

    return sorted(pus, key=key)


def static_plan(
    problem: Problem,
    preference: Sequence[int],
    scheduler: str,
    parameters: dict[str, object] | None = None,
    cut: Cut = "none",
) -> Plan:
    """Places every operator on the first PU of ``preference`` that supports it.

    What that PU fuses behind the operator goes with it. Runs of operators on one PU, in graph
    order, are its partitions, or in the order of branches, cut where these fork; nothing is made
    parallel.

    Raises:
        SchedulerError: an operator that no PU of ``preference`` can run.
    """
    units, pus = assign(problem, preference, range(len(problem.graph)))
    blocks = cut_plan(problem, units, pus, cut)
    return make_plan(
        problem.graph,
        problem.soc,
        blocks,
        scheduler=scheduler,
        parameters=parameters,
        predicted_s=predict(problem, blocks),
    )


def cut_plan(
    problem: Problem, units: Sequence[Sequence[int]], pus: Sequence[int], cut: Cut
) -> list[Block]:
    """The partitions of units with their PUs that run one after the other."""
    if cut == "branches":
        return cut_at_branches(problem.graph, units, pus)
    order = sorted(range(len(units)), key=lambda u: units[u][-1])
    return merge_runs([units[u] for u in order], [pus[u] for u in order])


def assign(
    problem: Problem, preference: Sequence[int], ops: Sequence[int]
) -> tuple[list[tuple[int, ...]], list[int]]:
    """Units of ``ops`` (in execution order) and the first PU of ``preference`` that takes each.

    Raises:
        SchedulerError: an operator that no PU of ``preference`` can run.
    """
    graph, profile, soc = problem.graph, problem.profile, problem.soc
    waiting = set(ops)
    units: list[tuple[int, ...]] = []
    pus: list[int] = []
    for op in ops:
        if op not in waiting:
            continue
        pu = next((p for p in preference if profile.time(op, p) < INFEASIBLE), None)
        if pu is None:
            operator = graph.operators[op]
            names = ", ".join(soc.pus[p].name for p in preference) or "no processing unit"
            raise SchedulerError(f"{operator.kind} {operator.name!r} cannot run on {names}")
        chain = match(graph, op, soc.pus[pu].spec.fuse_patterns)
        free = waiting.issuperset(chain)
        if len(chain) == 1 or not free or profile.group_time(chain, pu) == INFEASIBLE:
            chain = (op,)
        waiting.difference_update(chain)
        units.append(chain)
        pus.append(pu)
    return units, pus
