"""NEST-C partition plans: a flat map of strings with ``:``-separated lists, read and written.

NEST-C numbers its partitions ``p<N>`` in execution order and ends with a dummy partition, never
called, for nodes it could not map. Its node names come from the compiler's own graph: ONNX names
with characters other than letters, digits and ``_`` replaced, and with ``__1``, ``__2`` appended to
nodes made from one operator. The reader maps them back and reports what it could not map; it does
not guess in silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hetsim.errors import ConfigError, PlanError
from hetsim.names import suggest
from hetsim.plan.model import Partition, Plan
from hetsim.soc.model import PU, SoC
from hetsim.workload.graph import Graph
from hetsim.yamlio import Document, read_yaml

CPU_BACKENDS = ("Relay", "CPU")
"""Backends that run on the host's CPU units; the first is the one written."""

NPU_BACKENDS = ("VTA", "NPU")
"""Backends that run on NPUs; the first is the one written."""

_SUFFIX = re.compile(r"__\d+$")
_ILLEGAL = re.compile(r"[^A-Za-z0-9_]")
_INSTANCE = re.compile(r"(.+)-(\d+)")


@dataclass(frozen=True)
class NestcImport:
    """A plan read from NEST-C, and what the reader had to decide.

    ``unmapped``: nodes of the file that no operator corresponds to. ``filled``: operators that the
    file does not name, placed with a producer (compilers fold operators away). ``conflicts``:
    operators whose nodes lie in several partitions; the first one named was taken.
    """

    plan: Plan
    unmapped: tuple[str, ...] = ()
    filled: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """The same as sentences for a report; empty when everything mapped one to one."""
        texts = (
            ("nodes without an operator", self.unmapped),
            ("operators the file does not name, placed with a producer", self.filled),
            ("operators with nodes in several partitions, first one taken", self.conflicts),
        )
        return tuple(f"{text}: {', '.join(names)}" for text, names in texts if names)


def read_nestc_plan(
    path: str | Path, graph: Graph, soc: SoC, backends: Mapping[str, str] | None = None
) -> NestcImport:
    """Reads a NEST-C partition plan of ``graph`` for ``soc``.

    ``backends`` maps backend names (``VTA``, or ``VTA-1`` for an instance) to PU names; by default
    CPU backends are the CPU units starting with the host, NPU backends the NPUs, in SoC order.

    Raises:
        PlanError: unreadable file, missing or inconsistent entries, a backend without a PU.
    """
    try:
        document = read_yaml(path)
    except ConfigError as error:
        raise PlanError(error.message, where=error.where, hint=error.hint) from None
    return _Reader(document, graph, soc, backends or {}).run()


class _Reader:
    def __init__(
        self, document: Document, graph: Graph, soc: SoC, backends: Mapping[str, str]
    ) -> None:
        self.document = document
        self.graph = graph
        self.soc = soc
        self.backends = backends

    def run(self) -> NestcImport:
        names = self._list("partitionNames")
        backends = self._list("backendNames")
        if len(backends) != len(names):
            raise self._fault(
                "backendNames", f"{len(backends)} backends for {len(names)} partitions"
            )
        for name in names:
            if not re.fullmatch(r"p\d+", name):
                raise self._fault("partitionNames", f"{name!r} is not of the form p<number>")
        if len(set(names)) < len(names):
            raise self._fault("partitionNames", "a partition name is repeated")
        count = self.document.get(("numOfPartitions",), len(names))
        if str(count).strip() not in (str(len(names)), str(len(names) + 1)):
            raise self._fault("numOfPartitions", f"{count} does not fit {len(names)} names")
        place, unmapped, conflicts = self._map_nodes({name: i for i, name in enumerate(names)})
        filled = self._fill(place)
        members: list[list[str]] = [[] for _ in names]
        for op, position in sorted(place.items()):
            members[position].append(self.graph.operators[op].name)
        partitions = tuple(
            Partition(name, self._pu(backend), tuple(ops))
            for name, backend, ops in zip(names, backends, members, strict=True)
            if ops
        )
        plan = Plan(
            model=self.graph.name,
            partitions=partitions,
            parallel_groups=self._groups(names, {p.name for p in partitions}),
            scheduler="NEST-C",
            details={"file": self.document.file},
        )
        return NestcImport(plan, unmapped, filled, conflicts)

    def _text(self, key: str, default: str | None = None) -> str:
        data = self.document.data
        if not isinstance(data, dict):
            raise PlanError("a NEST-C plan is a mapping", where=self.document.where())
        if key not in data:
            if default is not None:
                return default
            hint = suggest(key, data, "it has")
            raise PlanError(f"entry {key!r} is missing", where=self.document.where(), hint=hint)
        return "" if data[key] is None else str(data[key])

    def _list(self, key: str) -> list[str]:
        items = [item.strip() for item in self._text(key).split(":")]
        return [item for item in items if item]

    def _fault(self, key: str, message: str) -> PlanError:
        return PlanError(f"{key}: {message}", where=self.document.where((key,)))

    def _map_nodes(
        self, position: Mapping[str, int]
    ) -> tuple[dict[int, int], tuple[str, ...], tuple[str, ...]]:
        """Operator to partition position, unknown nodes, operators in several partitions."""
        legal: dict[str, list[int]] = {}
        for i, operator in enumerate(self.graph.operators):
            legal.setdefault(legal_name(operator.name), []).append(i)
        found: dict[int, list[tuple[bool, int]]] = {}
        unmapped = []
        for item in self._list("nodeToPartition"):
            node, number, *_ = [*item.split("-"), ""]
            if f"p{number}" not in position:
                raise self._fault(
                    "nodeToPartition", f"{item!r} is not <node>-<number of a partition>"
                )
            op, exact = self._operator(node, legal)
            if op is None:
                unmapped.append(node)
            else:
                found.setdefault(op, []).append((not exact, position[f"p{number}"]))
        place: dict[int, int] = {}
        conflicts = []
        for op, places in found.items():
            # The node that bears the operator's own name speaks for it; else the first one named.
            place[op] = min(places, key=lambda p: p[0])[1]
            if len({position for _, position in places}) > 1:
                conflicts.append(self.graph.operators[op].name)
        return place, tuple(unmapped), tuple(conflicts)

    def _operator(self, node: str, legal: Mapping[str, list[int]]) -> tuple[int | None, bool]:
        """The operator a node stands for, and whether the node bears its very name."""
        for name in (node, _SUFFIX.sub("", node)):
            if name in self.graph.index:
                return self.graph.index[name], name == node
            same = legal.get(name, [])
            if len(same) == 1:
                return same[0], name == node
        return None, False

    def _fill(self, place: dict[int, int]) -> tuple[str, ...]:
        """Places operators the file does not name with a producer, else with a reader."""
        filled = []
        for op in range(len(self.graph)):
            homes = [place[p] for p in self.graph.predecessors[op] if p in place]
            if op not in place and homes:
                place[op] = max(homes)
                filled.append(op)
        for op in reversed(range(len(self.graph))):
            homes = [place[s] for s in self.graph.successors[op] if s in place]
            if op not in place and homes:
                place[op] = min(homes)
                filled.append(op)
        return tuple(self.graph.operators[op].name for op in sorted(filled))

    def _groups(self, names: list[str], kept: set[str]) -> tuple[tuple[str, ...], ...]:
        groups = []
        for item in self._text("parallelPartitions", "").split(":"):
            text = item.strip()
            if not text:
                continue
            members = [m.strip() for m in text.removeprefix("(").removesuffix(")").split("||")]
            for member in members:
                if member not in names:
                    raise self._fault(
                        "parallelPartitions", f"{text!r} names {member!r}, which does not exist"
                    )
            groups.append(tuple(member for member in members if member in kept))
        return tuple(group for group in groups if len(group) > 1)

    def _pu(self, backend: str) -> str:
        known = backend_names(self.soc)
        instance = _INSTANCE.fullmatch(backend)
        base, number = (instance[1], int(instance[2])) if instance else (backend, 0)
        if backend in self.backends:
            pu = self.backends[backend]
        elif base in self.backends and number == 0:
            pu = self.backends[base]
        else:
            roles = dict.fromkeys(CPU_BACKENDS, "cpu") | dict.fromkeys(NPU_BACKENDS, "npu")
            units = [u for u in _host_first(self.soc) if u.spec.role == roles.get(base)]
            if number >= len(units):
                raise PlanError(
                    f"backendNames: the SoC has no unit for backend {backend!r}",
                    where=self.document.where(("backendNames",)),
                    hint=f"say which PU it is; known here: {', '.join(known.values())}",
                )
            pu = units[number].name
        if pu not in self.soc.by_name:
            raise PlanError(
                f"backend {backend!r} is mapped to {pu!r}, which is not a PU of the SoC",
                hint=suggest(pu, self.soc.by_name),
            )
        return pu


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


def legal_name(name: str) -> str:
    """``name`` with everything NEST-C does not allow in names replaced by ``_``."""
    return _ILLEGAL.sub("_", name)


def backend_names(soc: SoC) -> dict[str, str]:
    """The backend written for each CPU and NPU, by PU name; ``-k`` where there are several."""
    names: dict[str, str] = {}
    for role, backend in (("cpu", CPU_BACKENDS[0]), ("npu", NPU_BACKENDS[0])):
        units = [pu for pu in _host_first(soc) if pu.spec.role == role]
        for k, pu in enumerate(units):
            names[pu.name] = backend if len(units) == 1 else f"{backend}-{k}"
    return names


def _host_first(soc: SoC) -> list[PU]:
    return sorted(soc.pus, key=lambda pu: (pu is not soc.host, pu.index))


def _legal_names(graph: Graph) -> dict[str, str]:
    names = {operator.name: legal_name(operator.name) for operator in graph.operators}
    owner: dict[str, str] = {}
    for original, legal in names.items():
        if owner.setdefault(legal, original) != original:
            raise PlanError(
                f"operators {owner[legal]!r} and {original!r} are both called {legal!r} in NEST-C"
            )
    return names
