"""Every node of a model's file, and where the plan has it run.

A plan speaks of operators; a file has more nodes than that: views, affine steps that were folded,
arithmetic on shapes, constants. Each of them goes where what it belongs to goes:

* ``operator``: an operator of the graph, in its own partition;
* ``absorbed``: stands behind an operator (``Graph.absorbed``) and goes with it;
* ``shape``: arithmetic that hetsim has settled (a Shape and what follows) and that stands behind
  no operator; it goes where it is first read;
* ``constant``: depends on no input of the network; every partition that reads it has a copy;
* ``unused``: no output depends on it; it runs nowhere.

None of them runs behind what reads it.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hetsim.errors import Location, PlanError
from hetsim.plan.handover.targets import Target
from hetsim.plan.model import Plan
from hetsim.workload.graph import Graph

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

_LAST = sys.maxsize
"""A position behind every partition."""


@dataclass(frozen=True, slots=True)
class AssignedNode:
    """One node of the file. ``part`` is a position in :attr:`Assignment.parts`, -1 for none.

    ``operator`` is what stands for it in the graph, "" for none; ``inputs`` and ``outputs`` are
    tensors of the file without the empty ones.
    """

    name: str
    kind: str
    role: str
    part: int
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    dtype: str = ""

    @property
    def copied(self) -> bool:
        """Whether every part that reads it has a copy, so that its result does not pass.

        Constants have; so has what makes floats of integers: it is part of whatever computes with
        them, and the integers pass.
        """
        unfolds = self.role == "absorbed" and self.kind == "DequantizeLinear"
        return self.role == "constant" or unfolds


@dataclass(frozen=True, slots=True)
class Part:
    """One partition: its unit, and the tensors of the file that it reads and makes for others."""

    name: str
    pu: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Assignment:
    """A plan in terms of a model's file, for one runtime.

    ``targets`` say what that runtime calls the PUs. ``parts`` stand in the plan's order, in which
    nothing reads what a later one makes. ``fingerprint`` is :func:`fingerprint` of the model.
    """

    model: str
    runtime: str
    scheduler: str
    fingerprint: str
    targets: Mapping[str, Target]
    parts: tuple[Part, ...]
    nodes: tuple[AssignedNode, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())

    def target_of(self, node: AssignedNode) -> Target | None:
        """Where a node is planned to run; ``None`` for one that no partition has."""
        return None if node.part < 0 else self.targets[self.parts[node.part].pu]


def fingerprint(model: ModelProto) -> str:
    """SHA-256 of the nodes of a model: names, kinds, what they read and write, in file order."""
    digest = hashlib.sha256()
    for node in model.graph.node:
        fields = (node.name, node.domain, node.op_type, *node.input, "->", *node.output)
        digest.update("\0".join(fields).encode(errors="surrogatepass") + b"\n")
    return digest.hexdigest()


def assign(
    plan: Plan, graph: Graph, model: ModelProto, targets: Mapping[str, Target], runtime: str
) -> Assignment:
    """``plan``, which is valid for ``graph``, in terms of ``model``, whose nodes have its names.

    Raises:
        PlanError: the plan rewrites the network; the plan is of another version of the model; or a
            partition cannot stand where the plan has it.
    """
    if plan.rewrites:
        raise PlanError(
            "it rewrites the network, and the file has no such nodes",
            hint="schedulers that merge can be told not to: ios with merge: false, for one",
        )
    nodes = list(model.graph.node)
    _refuse_other_version(plan, nodes)
    home = {name: i for i, p in enumerate(plan.partitions) for name in p.operators}
    roles, parts = _Placing(graph, model, home).places()
    _refuse_disorder(nodes, parts, plan)
    assigned = tuple(
        _node(node, graph, roles[node.name], parts.get(node.name, -1)) for node in nodes
    )
    outputs = {output.name for output in model.graph.output}
    return Assignment(
        model=plan.model,
        runtime=runtime,
        scheduler=plan.scheduler,
        fingerprint=fingerprint(model),
        targets=dict(targets),
        parts=_parts(plan, assigned, {i.name for i in model.graph.input}, outputs),
        nodes=assigned,
        inputs=tuple(i.name for i in model.graph.input),
        outputs=tuple(
            t for node in assigned if node.part >= 0 and not node.copied
            for t in node.outputs if t in outputs
        ),
    )  # fmt: skip


def _refuse_other_version(plan: Plan, nodes: Sequence[NodeProto]) -> None:
    """The operators of a plan are nodes of the file, by name."""
    names = {node.name for node in nodes}
    strange = [op for p in plan.partitions for op in p.operators if op not in names]
    if strange:
        raise PlanError(
            f"{len(strange)} operators of the plan are no nodes of the file:"
            f" {', '.join(strange[:8])}",
            hint="the plan is of another version of the model",
        )


class _Placing:
    """Gives every node of a file its role and its partition."""

    def __init__(self, graph: Graph, model: ModelProto, home: Mapping[str, int]) -> None:
        self._home = home
        self._nodes: list[NodeProto] = _in_order(model)
        self._fed = {i.name for i in model.graph.input}
        self._outputs = {output.name for output in model.graph.output}
        self._absorbed = graph.absorbed
        self._reads: dict[str, list[str]] = {}
        for node in self._nodes:
            for tensor in node.input:
                self._reads.setdefault(tensor, []).append(node.name)

    def places(self) -> tuple[dict[str, str], dict[str, int]]:
        """Roles of all nodes, and partitions of those that run."""
        used, moving = self._used(), self._moving()
        roles: dict[str, str] = {}
        parts: dict[str, int] = {}
        for node in self._nodes:
            name = node.name
            owner = self._absorbed.get(name, "")
            if name in self._home:
                roles[name], parts[name] = "operator", self._home[name]
            elif name not in used:
                roles[name] = "unused"
            elif name not in moving:
                roles[name] = "constant"
            else:
                roles[name] = "absorbed" if owner in self._home else "shape"
                parts[name] = self._home.get(owner, _LAST)
        for node in reversed(self._nodes):  # nothing runs behind those that read it
            if roles[node.name] not in ("operator", "unused"):
                readers = (r for t in node.output for r in self._reads.get(t, ()))
                first = min((parts[r] for r in readers if r in parts), default=_LAST)
                parts[node.name] = min(parts.get(node.name, _LAST), first)
        return roles, {name: 0 if part == _LAST else part for name, part in parts.items()}

    def _used(self) -> set[str]:
        """Nodes that some output depends on."""
        wanted, used = set(self._outputs), set()
        for node in reversed(self._nodes):
            if wanted.intersection(node.output):
                used.add(node.name)
                wanted.update(node.input)
        return used

    def _moving(self) -> set[str]:
        """Nodes that depend on an input of the network."""
        fed, moving = set(self._fed), set()
        for node in self._nodes:
            if fed.intersection(node.input):
                moving.add(node.name)
                fed.update(t for t in node.output if t)
        return moving


def _in_order(model: ModelProto) -> list[NodeProto]:
    """Nodes so that none stands before what it reads; the file's order where that allows it."""
    waiting = {node.name: node for node in model.graph.node}
    maker = {t: node.name for node in model.graph.node for t in node.output if t}
    ordered: list[NodeProto] = []
    done: set[str] = set()
    stack: list[str] = []
    for first in list(waiting):
        stack.append(first)
        while stack:
            name = stack[-1]
            if name in done:
                stack.pop()
                continue
            needs = [maker[t] for t in waiting[name].input if t in maker and maker[t] not in done]
            if needs:
                stack.extend(reversed(needs))
                continue
            stack.pop()
            done.add(name)
            ordered.append(waiting[name])
    return ordered


def _refuse_disorder(nodes: Sequence[NodeProto], parts: Mapping[str, int], plan: Plan) -> None:
    """No partition may read what one behind it makes; shapes can make it so."""
    maker = {t: node.name for node in nodes for t in node.output if t}
    for node in nodes:
        for tensor in node.input:
            made = parts.get(maker.get(tensor, ""), -1)
            if node.name in parts and made > parts[node.name]:
                raise PlanError(
                    f"node {node.name!r} ({node.op_type}) of partition"
                    f" {plan.partitions[parts[node.name]].name!r} reads {tensor!r}, which partition"
                    f" {plan.partitions[made].name!r} behind it makes",
                    where=Location(plan.model),
                    hint="simplify the model first (onnxsim), so that shapes are constants",
                )


def _node(node: NodeProto, graph: Graph, role: str, part: int) -> AssignedNode:
    operator = node.name if role == "operator" else graph.absorbed.get(node.name, "")
    position = graph.index.get(operator)
    return AssignedNode(
        node.name,
        node.op_type,
        role,
        part,
        operator if position is not None else "",
        tuple(t for t in node.input if t),
        tuple(t for t in node.output if t),
        "" if position is None else graph.operators[position].dtype,
    )


def members(nodes: Sequence[AssignedNode], count: int) -> list[list[AssignedNode]]:
    """The nodes of each of ``count`` parts, in the order of ``nodes``; copies are in several."""
    maker = {t: node for node in nodes for t in node.outputs if node.copied}
    names: list[set[str]] = [set() for _ in range(count)]
    for node in nodes:
        if node.part < 0 or node.copied:
            continue
        inside = names[node.part]
        waiting = [node]
        while waiting:
            one = waiting.pop()
            inside.add(one.name)
            needed = (maker[t] for t in one.inputs if t in maker)
            waiting.extend(other for other in needed if other.name not in inside)
    return [[node for node in nodes if node.name in inside] for inside in names]


def _parts(
    plan: Plan, nodes: Sequence[AssignedNode], fed: set[str], outputs: set[str]
) -> tuple[Part, ...]:
    """What passes between partitions."""
    maker = {t: n.part for n in nodes for t in n.outputs if n.part >= 0 and not n.copied}
    reads: list[dict[str, None]] = []
    for position, inside in enumerate(members(nodes, len(plan.partitions))):
        tensors = (t for node in inside for t in node.inputs)
        reads.append({t: None for t in tensors if t in fed or maker.get(t, position) != position})
    passed = outputs.union(*reads)
    made: list[dict[str, None]] = [{} for _ in plan.partitions]
    for tensor, position in maker.items():
        if tensor in passed:
            made[position][tensor] = None
    return tuple(
        Part(p.name, p.pu, tuple(reads[i]), tuple(made[i])) for i, p in enumerate(plan.partitions)
    )
