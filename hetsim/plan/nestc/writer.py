"""Writes NEST-C partition plans."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hetsim.errors import PlanError
from hetsim.plan.model import Plan
from hetsim.plan.nestc.names import backend_names, legal_name
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph


def dump_nestc_plan(
    plan: Plan, graph: Graph, soc: SoC, backends: Mapping[str, str] | None = None
) -> str:
    """``plan`` as the text of a NEST-C partition plan.

    ``backends`` maps PU names to backend names; :func:`backend_names` gives the default. Partitions
    keep their names if all are of the form ``p<number>``. ``deviceID`` is the PU's place in the
    SoC, from 1. What NEST-C cannot say is lost: ``fuse``, prediction, parameters.

    Raises:
        PlanError: a PU without a backend name, operators whose names NEST-C cannot tell apart, a
            plan that rewrites the network.
    """
    if plan.rewrites:
        raise PlanError(
            "NEST-C cannot say that a plan rewrites the network",
            hint="schedulers that merge can be told not to: ios with merge: false, for one",
        )
    named = {**backend_names(soc), **(backends or {})}
    for partition in plan.partitions:
        if partition.pu not in named:
            raise PlanError(
                f"PU {partition.pu!r} has no NEST-C backend name",
                hint="give one for it; defaults exist for CPUs and NPUs only",
            )
    nodes = _legal_names(graph)
    names = [p.name for p in plan.partitions]
    if len(set(names)) < len(names) or not all(re.fullmatch(r"p\d+", name) for name in names):
        names = [f"p{i}" for i in range(len(names))]
    renamed = dict(zip((p.name for p in plan.partitions), names, strict=True))
    dummy = f"p{max((int(name[1:]) for name in names), default=-1) + 1}"
    members = [
        f"{nodes[op]}-{name[1:]}"
        for name, partition in zip(names, plan.partitions, strict=True)
        for op in partition.operators
    ]
    host = soc.host
    lines = [
        "---",
        f"funcName: {legal_name(plan.model)}",
        f"numOfPartitions: {len(names) + 1}",
        "backendNames: " + ":".join([*(named[p.pu] for p in plan.partitions), named[host.name]]),
        "partitionNames: " + ":".join([*names, dummy]),
        "nodeToPartition: " + "\n  :".join(members),
        "logicalIDs: "
        + ":".join(str(soc.by_name[p.pu].index + 1) for p in plan.partitions)
        + f":{host.index + 1}",
    ]
    if plan.parallel_groups:
        groups = ("||".join(renamed[name] for name in group) for group in plan.parallel_groups)
        lines.append("parallelPartitions: " + ":".join(f"({group})" for group in groups))
    return "\n".join([*lines, "...", ""])


def _legal_names(graph: Graph) -> dict[str, str]:
    names = {operator.name: legal_name(operator.name) for operator in graph.operators}
    owner: dict[str, str] = {}
    for original, legal in names.items():
        if owner.setdefault(legal, original) != original:
            raise PlanError(
                f"operators {owner[legal]!r} and {original!r} are both called {legal!r} in NEST-C"
            )
    return names
