"""An assignment as JSON: what ``--to json`` writes, and what every export holds beside its models.

See :class:`AssignmentFile` for the fields, and ``hetsim schema assignment``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from hetsim.plan.handover.assignment import AssignedNode, Assignment, Part
from hetsim.plan.handover.targets import Target
from hetsim.records import Record, damaged, read_record
from hetsim.validation import json_schema

FORMAT: Literal["assignment/1"] = "assignment/1"

NAME = "assignment.json"
"""What the file is called in a directory that an exporter writes."""


class TargetEntry(Record):
    """What the runtime calls a unit."""

    name: str = Field(min_length=1, description="execution provider, device or backend")
    options: dict[str, str] = Field(default_factory=dict, description="options of that provider")


class PartEntry(Record):
    """One partition of the plan."""

    name: str = Field(description="its name in the plan")
    pu: str = Field(description="the unit that the plan gives it to; a key of targets")
    inputs: list[str] = Field(description="tensors it reads: inputs of the network or of a part")
    outputs: list[str] = Field(description="tensors it makes for others, or for the caller")


class NodeEntry(Record):
    """One node of the model's file."""

    name: str = Field(description="its name in the exported model")
    kind: str = Field(description="ONNX operator type")
    role: Literal["operator", "absorbed", "shape", "constant", "unused"] = Field(
        description="operator: one of the plan; absorbed: computed as part of one (a view, a folded"
        " step); shape: arithmetic on shapes; constant: depends on no input, every part that reads"
        " it has a copy; unused: runs nowhere"
    )
    part: int = Field(ge=-1, description="position in parts, -1 for none")
    operator: str = Field(default="", description="the plan's operator that stands for it")
    inputs: list[str] = Field(description="tensors it reads")
    outputs: list[str] = Field(description="tensors it makes")
    dtype: str = Field(default="", description="data type of the operator")


class AssignmentFile(Record):
    """A plan in terms of a model's file."""

    hetsim: Literal["assignment/1"] = Field(description="format of this file")
    model: str = Field(description="name of the network")
    runtime: str = Field(description="whom it was written for")
    scheduler: str = Field(description="who made the plan")
    fingerprint: str = Field(
        pattern="^[0-9a-f]{64}$",
        description="SHA-256 over the model's nodes in file order: name, domain, kind, inputs, '->'"
        " and outputs, joined by zero bytes, and a line feed behind each node",
    )
    targets: dict[str, TargetEntry] = Field(description="what the runtime calls each unit")
    inputs: list[str] = Field(description="inputs of the network")
    outputs: list[str] = Field(description="outputs that the parts compute")
    parts: list[PartEntry] = Field(
        min_length=1, description="in execution order: nothing reads what a later one makes"
    )
    nodes: list[NodeEntry] = Field(description="every node, in file order")
    notes: list[str] = Field(default_factory=list, description="remarks for whoever reads this")


def assignment_json_schema() -> dict[str, Any]:
    """The JSON Schema of an assignment."""
    return json_schema(AssignmentFile, "hetsim assignment")


def dump_assignment(assignment: Assignment) -> str:
    """``assignment`` as JSON text, which :func:`load_assignment` reads back to an equal one."""
    entry = AssignmentFile(
        hetsim=FORMAT,
        model=assignment.model,
        runtime=assignment.runtime,
        scheduler=assignment.scheduler,
        fingerprint=assignment.fingerprint,
        targets={
            pu: TargetEntry(name=t.name, options=dict(t.options))
            for pu, t in assignment.targets.items()
        },
        inputs=list(assignment.inputs),
        outputs=list(assignment.outputs),
        parts=[
            PartEntry(name=p.name, pu=p.pu, inputs=list(p.inputs), outputs=list(p.outputs))
            for p in assignment.parts
        ],
        nodes=[
            NodeEntry.model_validate(
                {"name": n.name, "kind": n.kind, "role": n.role, "part": n.part,
                 "operator": n.operator, "inputs": list(n.inputs), "outputs": list(n.outputs),
                 "dtype": n.dtype}
            )
            for n in assignment.nodes
        ],
        notes=list(assignment.notes),
    )  # fmt: skip
    return json.dumps(entry.model_dump(), indent=1, ensure_ascii=False) + "\n"


def load_assignment(path: Path) -> Assignment:
    """Reads an assignment: the file, or that of a directory which an exporter wrote.

    Raises:
        ResultsError: missing, or not an assignment; says what is wrong in it.
    """
    file = path / NAME if path.is_dir() else path
    entry = read_record(
        file,
        AssignmentFile,
        schema=FORMAT,
        key="hetsim",
        hint="write one with: hetsim plan export PLAN --to json",
    )
    _check(entry, str(file))
    return Assignment(
        model=entry.model,
        runtime=entry.runtime,
        scheduler=entry.scheduler,
        fingerprint=entry.fingerprint,
        targets={pu: Target(t.name, t.options) for pu, t in entry.targets.items()},
        parts=tuple(Part(p.name, p.pu, tuple(p.inputs), tuple(p.outputs)) for p in entry.parts),
        nodes=tuple(
            AssignedNode(
                n.name, n.kind, n.role, n.part, n.operator, tuple(n.inputs), tuple(n.outputs),
                n.dtype,
            )
            for n in entry.nodes
        ),
        inputs=tuple(entry.inputs),
        outputs=tuple(entry.outputs),
        notes=tuple(entry.notes),
    )  # fmt: skip


def _check(entry: AssignmentFile, file: str) -> None:
    """What one field says of another."""
    for position, part in enumerate(entry.parts):
        if part.pu not in entry.targets:
            raise damaged(file, f"parts.{position}.pu: {part.pu!r} is not among the targets")
    for position, node in enumerate(entry.nodes):
        if node.part >= len(entry.parts):
            raise damaged(file, f"nodes.{position}.part: there are {len(entry.parts)} parts")
