"""Plans of several networks as one plan of their union, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from hetsim.plan.model import Partition, Plan
from hetsim.workload.graph import Graph
from hetsim.workload.rewrite import Rewrite, apply_rewrites
from hetsim.workload.union import prefix_of, union

_MERGED = "&"  # between the names of what :func:`hetsim.workload.rewrite.merged_name` joins


@dataclass(frozen=True)
class Union:
    """Networks by the name of the part, and their plans together.

    A partition of the union may hold operators of several parts: each part then gets its share
    as a partition of its own, at the same place of its order. What a part waits for within itself
    does not change by that, so the shares are in order if the whole was.
    """

    graphs: Mapping[str, Graph]

    @cached_property
    def graph(self) -> Graph:
        """All of them as one network."""
        return union(self.graphs)

    def split(self, plan: Plan) -> dict[str, Plan]:
        """The plan of each part in a valid plan of the union.

        Raises:
            PlanError: rewrites that the network does not allow.
        """
        home = {}
        rewrites = self.rewrites(plan.rewrites)
        for part, graph in self._rewritten(rewrites).items():
            for name, own in zip(self._names(part, graph), graph.index, strict=True):
                home[name] = part, own
        parts: dict[str, list[Partition]] = {part: [] for part in self.graphs}
        for partition in plan.partitions:
            shares: dict[str, list[str]] = {}
            for name in partition.operators:
                part, own = home[name]
                shares.setdefault(part, []).append(own)
            for part, names in shares.items():
                parts[part].append(replace(partition, operators=tuple(names)))
        memories: dict[str, dict[str, str]] = {part: {} for part in self.graphs}
        for part, graph in self.graphs.items():
            before = prefix_of(part, self.graphs)
            memories[part] = {t: plan.memories[before + t] for t in graph.tensors
                              if before + t in plan.memories}  # fmt: skip
        return {
            part: Plan(
                graph.name, tuple(parts[part]), _groups(plan, parts[part]), plan.scheduler,
                plan.parameters, details=plan.details if len(self.graphs) == 1 else {},
                predicted_s=plan.predicted_s if len(self.graphs) == 1 else None,
                rewrites=rewrites[part], memories=memories[part],
            )
            for part, graph in self.graphs.items()
        }  # fmt: skip

    def join(self, plans: Mapping[str, Plan], scheduler: str) -> Plan:
        """One plan of the union in which every part runs by its own, one part after the other.

        Raises:
            PlanError: rewrites that a network does not allow.
        """
        rewritten = self._rewritten({part: plans[part].rewrites for part in self.graphs})
        partitions: list[Partition] = []
        groups: list[tuple[str, ...]] = []
        rewrites: list[Rewrite] = []
        memories: dict[str, str] = {}
        for part, graph in self.graphs.items():
            plan, before = plans[part], prefix_of(part, self.graphs)
            named = dict(zip(rewritten[part].index, self._names(part, rewritten[part]),
                             strict=True))  # fmt: skip
            partitions += [
                replace(p, name=before + p.name, operators=tuple(named[o] for o in p.operators))
                for p in plan.partitions
            ]
            groups += [tuple(before + name for name in group) for group in plan.parallel_groups]
            rewrites += [
                replace(r, operators=tuple(self._name(part, graph, o) for o in r.operators))
                for r in plan.rewrites
            ]
            memories |= {before + tensor: where for tensor, where in plan.memories.items()}
        return Plan(
            self.graph.name, tuple(partitions), tuple(groups), scheduler,
            rewrites=tuple(rewrites), memories=memories,
        )  # fmt: skip

    def rewrites(self, rewrites: Sequence[Rewrite]) -> dict[str, tuple[Rewrite, ...]]:
        """Those of the union, by the part that they are about and in its own words."""
        return {part: self._own(part, rewrites) for part in self.graphs}

    def _rewritten(self, rewrites: Mapping[str, Sequence[Rewrite]]) -> dict[str, Graph]:
        return {part: apply_rewrites(graph, rewrites[part]) for part, graph in self.graphs.items()}

    def _own(self, part: str, rewrites: Sequence[Rewrite]) -> tuple[Rewrite, ...]:
        """Those of ``rewrites`` that are about ``part``, in its own words."""
        before, index = prefix_of(part, self.graphs), self.graphs[part].index

        def own(name: str) -> str:
            words = [name] if name.removeprefix(before) in index else name.split(_MERGED)
            return _MERGED.join(word.removeprefix(before) for word in words)

        return tuple(
            replace(rewrite, operators=tuple(own(name) for name in rewrite.operators))
            for rewrite in rewrites
            if all(word in index for word in own(rewrite.operators[0]).split(_MERGED))
            or own(rewrite.operators[0]) in index
        )

    def _name(self, part: str, graph: Graph, name: str) -> str:
        """What the union calls an operator of ``part``, which may be one that was merged."""
        before = prefix_of(part, self.graphs)
        if name in graph.index or not before:
            return before + name
        return _MERGED.join(before + word for word in name.split(_MERGED))

    def _names(self, part: str, rewritten: Graph) -> list[str]:
        graph = self.graphs[part]
        return [self._name(part, graph, op.name) for op in rewritten.operators]


def _groups(plan: Plan, own: Sequence[Partition]) -> tuple[tuple[str, ...], ...]:
    """Parallel groups as far as two of a group are among ``own``."""
    known = {partition.name for partition in own}
    shares = (tuple(name for name in group if name in known) for group in plan.parallel_groups)
    return tuple(share for share in shares if len(share) > 1)
