"""Plan against reality, node by node, with the reason for every difference that can be told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from hetsim.errors import Location, ResultsError
from hetsim.host.handover.evidence import Evidence, Kernel
from hetsim.plan.handover.assignment import AssignedNode, Assignment

Status = Literal["as planned", "elsewhere", "gone", "unseen"]
"""``gone``: computed before running, or part of nothing that runs; ``unseen``: it should have."""

LIKE_TENSORS = ("_nchwc", "_nhwc")
"""Kernels of another layout are called like the tensor they make, with one of these behind."""

FEWEST_KNOWN, MOST_OTHER = 0.1, 0.25
"""Of what a profile names at least this share has to be of the model, and of those nodes at most
that share may be of another kind: fusions rename much, and few names of theirs are taken."""


@dataclass(frozen=True, slots=True)
class Row:
    """One node: where the plan has it, where it ran (``""`` for nowhere), and why."""

    node: AssignedNode
    pu: str
    planned: str
    really: str
    status: Status
    reason: str = ""


@dataclass(frozen=True)
class Comparison:
    """All nodes of a file, and kernels that stand for none of them (copies, layout changes)."""

    rows: tuple[Row, ...]
    inserted: tuple[Kernel, ...]
    evidence: Evidence

    @property
    def placeable(self) -> tuple[Row, ...]:
        """Nodes that the runtime had to place: all that ran, and operators that should have."""
        return tuple(row for row in self.rows if row.status != "gone")

    @property
    def landed(self) -> int:
        """How many of those ran where the plan has them."""
        return sum(row.status == "as planned" for row in self.placeable)

    @property
    def share(self) -> float:
        """Share of placeable nodes that ran as planned; 1 when there are none."""
        return self.landed / len(self.placeable) if self.placeable else 1.0


def compare(assignment: Assignment, evidence: Evidence, file: str = "") -> Comparison:
    """Holds what a runtime said against an assignment; ``file`` is where it was read from.

    Raises:
        ResultsError: what the runtime named are nodes of another model.
    """
    found = _Found(assignment, evidence)
    _refuse_other_model(assignment, evidence, found, file)
    rows = [_row(assignment, found, node) for node in assignment.nodes]
    reasons = _Reasons(rows, evidence)
    told = tuple(
        Row(r.node, r.pu, r.planned, r.really, r.status, reasons.why(r) or r.reason) for r in rows
    )
    return Comparison(told, found.foreign, evidence)


class _Found:
    """Where each node ran: by its name, by the tensors of kernels, or with what it belongs to."""

    def __init__(self, assignment: Assignment, evidence: Evidence) -> None:
        self._nodes = {node.name: node for node in assignment.nodes}
        self._maker = {t: n.name for n in assignment.nodes for t in n.outputs}
        self._readers: dict[str, list[str]] = {}
        for node in assignment.nodes:
            for tensor in node.inputs:
                self._readers.setdefault(tensor, []).append(node.name)
        self.seen: dict[str, tuple[str, str]] = {}
        self._kinds: dict[str, str] = {}
        foreign = []
        for kernel in evidence.kernels:
            if kernel.name in self._nodes:
                self.seen[kernel.name] = kernel.place, ""
                self._kinds[kernel.name] = kernel.kind
            else:
                foreign.append(kernel)
        for name, place in evidence.assigned.items():
            if name in self._nodes:
                self.seen[name] = place, ""
            elif name in self._maker:  # called like the tensor it makes
                self.seen[self._maker[name]] = place, ""
        self.own = frozenset(self.seen)
        """Nodes that the runtime named."""
        self._standing = {n.operator: n.name for n in assignment.nodes if n.name in self.own}
        named = [k for k in foreign if not self._claim(k)]
        self.foreign = tuple(named)
        self._within = evidence.within
        self._places = {k.place for k in foreign} | {
            place
            for name, place in evidence.assigned.items()
            if name not in self._nodes and name not in self._maker
        }
        self._fused_kinds = Counter(k.kind for k in named)

    def of(self, node: AssignedNode) -> tuple[str, str]:
        """Place of a node and how it got there; both empty when that cannot be told."""
        if node.name in self.seen:
            return self.seen[node.name]
        owner = self.seen.get(node.operator)
        if node.role == "absorbed" and owner is not None:
            return owner[0], f"computed with {node.operator}"
        if node.role != "operator":
            return "", ""
        standing = self._standing.get(node.name)
        if standing is not None:
            return self.seen[standing][0], f"ran under the name of {standing}"
        if node.name in self._within:
            return self._within[node.name], "fused under another name in a submodel that ran there"
        neighbours = [self._maker[t] for t in node.inputs if t in self._maker]
        neighbours += [name for t in node.outputs for name in self._readers.get(t, ())]
        for beside in neighbours:
            name = self._nodes[beside].operator or beside  # folded: with its operator
            if self._kinds.get(name, self._nodes[name].kind) != self._nodes[name].kind:
                return self.seen[name][0], f"fused into {name}, now a {self._kinds[name]}"
        if len(self._places) == 1:
            kinds = ", ".join(sorted(self._fused_kinds)) or "a node of another name"
            return next(iter(self._places)), f"fused into one of: {kinds}"
        return "", ""

    def _claim(self, kernel: Kernel) -> bool:
        """Whether a kernel of another name makes a tensor of the file; takes its nodes along."""
        tensors = list(kernel.outputs)
        tensors += [kernel.name.removesuffix(s) for s in LIKE_TENSORS if kernel.name.endswith(s)]
        start = [self._maker[t] for t in tensors if t in self._maker]
        start += [name for name in (*tensors, *_above(kernel.name)) if name in self._nodes]
        for name in start:
            told = "" if self._nodes[name].kind == kernel.kind else f", a {kernel.kind}"
            self.seen.setdefault(name, (kernel.place, f"ran as {kernel.name}{told}"))
            self._kinds[name] = kernel.kind
            self._take_along(name, kernel)
        return bool(start)

    def _take_along(self, last: str, kernel: Kernel) -> None:
        """What only this kernel reads, and nothing else ran, was fused into it."""
        waiting = [last]
        while waiting:
            for tensor in self._nodes[waiting.pop()].inputs:
                name = self._maker.get(tensor)
                if name is None or name in self.seen or self._nodes[name].copied:
                    continue
                if len(self._readers[tensor]) == 1:
                    self.seen[name] = kernel.place, f"fused into {kernel.name}"
                    waiting.append(name)


def _above(name: str) -> list[str]:
    """Names that a fusion may have put its own behind: ``matmul/MatMulAddFusion``."""
    parts = name.split("/")
    return ["/".join(parts[:i]) for i in range(len(parts) - 1, 0, -1) if any(parts[:i])]


def _row(assignment: Assignment, found: _Found, node: AssignedNode) -> Row:
    target = assignment.target_of(node)
    if target is None:
        return Row(node, "", "", "", "gone", "no output depends on it")
    pu = assignment.parts[node.part].pu
    really, how = found.of(node)
    if really:
        removed = node.name not in found.own and node.role != "operator"
        status: Status = "as planned" if really == target.name else "elsewhere"
        return Row(node, pu, target.name, really, "gone" if removed else status, how)
    if node.role == "operator":
        told = "nothing of that name ran, and nothing that stands for it"
        return Row(node, pu, target.name, "", "unseen", told)
    told = {
        "constant": "constant: computed before running",
        "shape": "arithmetic on shapes: computed before running",
    }.get(node.role, f"removed: it moves nothing, and goes with {node.operator}")
    return Row(node, pu, target.name, "", "gone", told)


class _Reasons:
    """Why nodes ran elsewhere, from what became of others of their kind."""

    def __init__(self, rows: Sequence[Row], evidence: Evidence) -> None:
        self._evidence = evidence
        running = [row for row in rows if row.really]
        self._given = Counter((r.planned, r.node.kind) for r in running)
        self._took = Counter((r.really, r.node.kind) for r in running if r.really == r.planned)
        self._types = {
            (r.really, r.node.kind): r.node.dtype for r in running if r.really == r.planned
        }
        self._active = {row.really for row in running}

    def why(self, row: Row) -> str:
        """The reason, "" where there is nothing to explain."""
        if row.status != "elsewhere":
            return ""
        told = self._why(row)
        return f"{told} ({row.reason})" if row.reason else told

    def _why(self, row: Row) -> str:
        place, kind = row.planned, row.node.kind
        refused: Mapping[str, str] = self._evidence.refused
        if row.node.name in refused:
            return refused[row.node.name]
        places = self._evidence.places
        if places and place not in places:
            return f"{place} is not among the session's providers: {', '.join(places)}"
        if place not in self._active:
            return f"{place} ran nothing at all: was it installed and given to the session?"
        took, given = self._took[place, kind], self._given[place, kind]
        if row.node.role == "shape":
            return f"arithmetic on shapes, which {row.really} does for {place}"
        if not took:
            return f"{place} took none of the {given} {kind} nodes that the plan gives it"
        other = self._types[place, kind]
        typed = f", of {row.node.dtype} where it took {other}" if other != row.node.dtype else ""
        return f"{place} took {took} of the {given} {kind} nodes that the plan gives it{typed}"


def _refuse_other_model(
    assignment: Assignment, evidence: Evidence, found: _Found, file: str
) -> None:
    """Nodes have to be of the kind that they have here, and some of them have to be known."""
    kinds = {node.name: node.kind for node in assignment.nodes}
    tensors = {t for node in assignment.nodes for t in node.outputs}
    named = [kernel for kernel in evidence.kernels if kernel.name in kinds]
    other = [f"{k.name} is a {k.kind} there and a {kinds[k.name]} here"
             for k in named if kinds[k.name] not in k.kind]  # fmt: skip
    foreign = [kernel.name for kernel in found.foreign if kernel.place not in kernel.kind]
    foreign += [name for name in evidence.assigned if name not in kinds and name not in tensors]
    said = len(evidence.kernels) + len(evidence.assigned)
    if len(other) > MOST_OTHER * len(named) or said - len(foreign) < FEWEST_KNOWN * said:
        raise ResultsError(
            f"it is not of {assignment.model}: {', '.join((other or foreign)[:5])}"
            + ("" if other else f" and {len(foreign) - 5} more are no nodes of it" * bool(foreign)),
            where=Location(file),
            hint="it is of another model, or of another version of it",
        )
