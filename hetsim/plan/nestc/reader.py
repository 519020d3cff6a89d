"""Makes a plan of a NEST-C partition plan, and tells what it had to decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hetsim.errors import PlanError
from hetsim.plan.model import Partition, Plan
from hetsim.plan.nestc.lists import PlanLists, read_document
from hetsim.plan.nestc.names import legal_name, unit_of
from hetsim.plan.nestc.nodemap import NodeMap, read_node_map
from hetsim.plan.nestc.nodematch import propose
from hetsim.plan.nestc.nodenames import read_name
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph

SHOWN = 12
"""How many names a message lists."""


@dataclass(frozen=True)
class NestcImport:
    """A plan read from NEST-C, and what the reader had to decide.

    ``network`` is what the file calls its network, ``nodes`` says what became of each node.
    ``filled``: operators that the file does not name, placed with a producer (compilers fold
    operators away). ``conflicts``: operators whose nodes lie in several partitions; that of the
    operator itself was taken.
    """

    plan: Plan
    network: str
    nodes: NodeMap
    filled: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """The same as sentences for a report; empty when everything mapped one to one."""
        guessed = [match.node for match in self.nodes.matches if match.how == "position"]
        texts = (
            ("nodes matched by position, others would fit as well", guessed),
            ("nodes without an operator", [match.node for match in self.nodes.unmatched]),
            ("operators the file does not name, placed with a producer", self.filled),
            ("operators with nodes in several partitions, its own taken", self.conflicts),
        )
        told = [f"{text}: {_listed(names)}" for text, names in texts if names]
        summary = self.nodes.summary
        head = f"nodes of {self.network!r} matched with {self.nodes.model}: {summary}"
        return (*([head] if summary else []), *told)


def read_nestc_plan(
    path: str | Path,
    graph: Graph,
    soc: SoC,
    backends: Mapping[str, str] | None = None,
    node_map: str | Path | None = None,
) -> NestcImport:
    """Reads a NEST-C partition plan of ``graph`` for ``soc``.

    ``backends`` maps backend names (``VTA``, or ``VTA-1`` for an instance) to PU names
    (:func:`~hetsim.plan.nestc.names.unit_of`). ``node_map`` is a file that settles nodes.

    Raises:
        PlanError: unreadable file, missing or inconsistent entries, a backend without a PU, a wrong
            map; a convolution or matrix product, of either side, that has no counterpart.
    """
    lists = PlanLists(read_document(path))
    nodes = _proposal(lists, graph, node_map)
    place, conflicts = _places(lists, nodes, graph)
    _refuse_without_counterpart(lists, nodes, place, graph)
    filled = _fill(place, graph)
    members: list[list[str]] = [[] for _ in lists.partitions]
    for op, position in sorted(place.items()):
        members[position].append(graph.operators[op].name)
    partitions = tuple(
        Partition(name, _unit(lists, backend, soc, backends or {}), tuple(ops))
        for name, backend, ops in zip(lists.partitions, lists.backends, members, strict=True)
        if ops
    )
    kept = {partition.name for partition in partitions}
    groups = [tuple(name for name in group if name in kept) for group in lists.groups]
    plan = Plan(
        model=graph.name,
        partitions=partitions,
        parallel_groups=tuple(group for group in groups if len(group) > 1),
        scheduler="NEST-C",
        details={"file": str(path)},
    )
    return NestcImport(plan, lists.network, nodes, filled, conflicts)


def propose_node_map(path: str | Path, graph: Graph, node_map: str | Path | None = None) -> NodeMap:
    """Which node of a NEST-C plan is which operator of ``graph``, as far as can be told.

    Raises:
        PlanError: as :func:`read_nestc_plan`, except that nothing has to have a counterpart.
    """
    return _proposal(PlanLists(read_document(path)), graph, node_map)


def _proposal(lists: PlanLists, graph: Graph, node_map: str | Path | None) -> NodeMap:
    legal: dict[str, list[int]] = {}
    for i, operator in enumerate(graph.operators):
        legal.setdefault(legal_name(operator.name), []).append(i)
    names = [node.name for node in lists.nodes]
    settled = read_node_map(node_map, names, graph) if node_map is not None else {}
    return propose(lists.nodes, graph, legal, settled)


def _places(
    lists: PlanLists, nodes: NodeMap, graph: Graph
) -> tuple[dict[int, int], tuple[str, ...]]:
    """The partition of each operator that has a node, and operators with nodes in several."""
    partition = {node.name: node.partition for node in lists.nodes}
    of = {match.node: match.operators for match in nodes.matches}
    place: dict[int, int] = {}
    homes: dict[str, set[int]] = {}
    for match in nodes.matches:
        for name in match.operators or of.get(match.beside, ()):
            homes.setdefault(name, set()).add(partition[match.node])
        for name in match.operators:
            place.setdefault(graph.index[name], partition[match.node])
    return place, tuple(name for name, where in homes.items() if len(where) > 1)


def _refuse_without_counterpart(
    lists: PlanLists, nodes: NodeMap, place: Mapping[int, int], graph: Graph
) -> None:
    """A product in the wrong place would be a wrong time, so none is left to a rule of thumb."""
    lost = [match.node for match in nodes.unmatched if read_name(match.node).computes]
    bare = [op.name for i, op in enumerate(graph.operators) if i not in place and op.macs]
    told = []
    if lost:
        told.append(f"{len(lost)} nodes that compute have no operator: {_listed(lost)}")
    if bare:
        told.append(f"{len(bare)} operators that compute have no node: {_listed(bare)}")
    if told:
        raise PlanError(
            f"it does not fit {graph.name}: {'; '.join(told)}",
            where=lists.where("nodeToPartition"),
            hint="if it is this network, 'hetsim plan convert' writes what was found with"
            " --write-map FILE; --node-map FILE settles the rest",
        )


def _fill(place: dict[int, int], graph: Graph) -> tuple[str, ...]:
    """Places operators the file does not name with a producer, else with a reader."""
    filled = []
    for op in range(len(graph)):
        homes = [place[p] for p in graph.predecessors[op] if p in place]
        if op not in place and homes:
            place[op] = max(homes)
            filled.append(op)
    for op in reversed(range(len(graph))):
        homes = [place[s] for s in graph.successors[op] if s in place]
        if op not in place and homes:
            place[op] = min(homes)
            filled.append(op)
    return tuple(graph.operators[op].name for op in sorted(filled))


def _unit(lists: PlanLists, backend: str, soc: SoC, backends: Mapping[str, str]) -> str:
    try:
        return unit_of(backend, soc, backends)
    except PlanError as error:
        where = lists.where("backendNames")
        raise PlanError(error.message, where=where, hint=error.hint) from None


def _listed(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
