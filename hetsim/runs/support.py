"""Which operators of a network each processing unit takes, and why it refuses the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hetsim.cost.fusion import fuse, match
from hetsim.cost.profile import INFEASIBLE, Profile
from hetsim.cost.support import why_not
from hetsim.cost.work import Kernel
from hetsim.errors import InfeasibleError
from hetsim.lower.lowering import Lowering
from hetsim.soc.model import PU
from hetsim.workload.graph import Graph


@dataclass(frozen=True)
class Support:
    """What one PU says to each operator of a network.

    ``takes`` are positions of operators, ascending; ``refuses`` says why not for all others.
    ``seconds`` is what the kernels of those it takes add up to on an idle SoC, fused as the PU
    fuses, data in place: no transfer, no call.
    """

    graph: Graph
    pu: PU
    takes: tuple[int, ...]
    refuses: Mapping[int, str]
    seconds: float

    @property
    def reasons(self) -> dict[str, dict[str, int]]:
        """Why operators are refused, and how many of each kind for that reason."""
        found: dict[str, Counter[str]] = {}
        for op, reason in self.refuses.items():
            found.setdefault(reason, Counter())[self.graph.operators[op].kind] += 1
        return {reason: dict(kinds) for reason, kinds in found.items()}


def support_of(lowering: Lowering, profile: Profile, pu: PU) -> Support:
    """Asks ``pu`` about every operator; it takes what it runs alone or fused behind another."""
    graph, patterns = lowering.graph, pu.spec.fuse_patterns
    taken = {op for op in range(len(graph)) if profile.time(op, pu.index) < INFEASIBLE}
    for op in sorted(taken):
        chain = match(graph, op, patterns)
        if len(chain) > 1 and profile.group_time(chain, pu.index) < INFEASIBLE:
            taken.update(chain)
    refuses = {op: _reason(lowering, pu, op) for op in range(len(graph)) if op not in taken}
    takes = tuple(sorted(taken))
    return Support(graph, pu, takes, refuses, _seconds(graph, profile, pu, takes))


def _reason(lowering: Lowering, pu: PU, op: int) -> str:
    kernel = Kernel.of(lowering.graph, (lowering.graph.operators[op],))
    reason = why_not(pu, kernel)
    if reason is None:
        try:
            lowering.launches(pu, (op,))
        except InfeasibleError as error:  # the description allows it, but it does not fit
            return error.message.removeprefix(f"{kernel.name} ")
        return "it cannot be a partition of its own"
    kind = kernel.head.kind
    behind = ["-".join(p) for p in pu.spec.fuse_patterns if kind in p[1:]]
    return f"{reason} (only fused, as in {', '.join(behind)})" if behind else reason


def _seconds(graph: Graph, profile: Profile, pu: PU, ops: Sequence[int]) -> float:
    seconds = 0.0
    for chain in fuse(graph, ops, pu.spec.fuse_patterns):
        fused = profile.chain_time(chain, pu.index)
        if fused == INFEASIBLE:
            fused = sum(profile.chain_time((op,), pu.index) for op in chain)
        seconds += fused
    return seconds
