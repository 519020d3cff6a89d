"""What a runtime itself says about who ran which node; kept in files of format ``placement/1``."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from hetsim.errors import Location, ResultsError
from hetsim.records import Record, checked, parse_json

FORMAT: Literal["placement/1"] = "placement/1"


@dataclass(frozen=True, slots=True)
class Kernel:
    """Something that ran: its name and kind as the runtime says, and where.

    ``outputs`` are the tensors it makes, where that is known.
    """

    name: str
    kind: str
    place: str
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """What one or several sessions said.

    ``places``: all that the sessions could use, empty when that is not known. ``assigned`` is the
    place of nodes by name, as the runtime recorded it; ``kernels`` is what its profiler saw;
    ``within`` is the place of whole submodels for the nodes that went into them.
    ``refused`` says of single nodes why their place did not take them. ``deviation`` is the
    largest difference of an output from the whole model's, as a share of its largest value.
    """

    runtime: str
    version: str = ""
    places: tuple[str, ...] = ()
    assigned: dict[str, str] = field(default_factory=dict)
    kernels: tuple[Kernel, ...] = ()
    within: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    deviation: float | None = None


class KernelEntry(Record):
    """Something that ran."""

    name: str = Field(description="as the runtime calls it")
    kind: str = Field(description="operator type")
    place: str = Field(description="execution provider or device")
    outputs: list[str] = Field(default_factory=list, description="tensors it makes, if known")


class PlacementFile(Record):
    """What a runtime said about who ran which node."""

    hetsim: Literal["placement/1"] = Field(description="format of this file")
    runtime: str = Field(description="onnxruntime or openvino")
    version: str = Field(default="", description="of that runtime")
    places: list[str] = Field(default_factory=list, description="providers that could be used")
    assigned: dict[str, str] = Field(default_factory=dict, description="provider of nodes by name")
    kernels: list[KernelEntry] = Field(default_factory=list, description="what its profiler saw")
    within: dict[str, str] = Field(
        default_factory=dict,
        description="provider of the submodel that a node went into, where it kept no name",
    )
    refused: dict[str, str] = Field(
        default_factory=dict, description="why the planned provider did not take a node"
    )
    deviation: float | None = Field(
        default=None, ge=0,
        description="largest difference from the whole model's outputs, by their largest value",
    )  # fmt: skip


def placement_json_schema() -> dict[str, Any]:
    """The JSON Schema of a record of placements."""
    schema = PlacementFile.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "hetsim placement"
    return schema


def dump_evidence(evidence: Evidence) -> str:
    """``evidence`` as JSON text."""
    entry = PlacementFile(
        hetsim=FORMAT,
        runtime=evidence.runtime,
        version=evidence.version,
        places=list(evidence.places),
        assigned=evidence.assigned,
        kernels=[
            KernelEntry(name=k.name, kind=k.kind, place=k.place, outputs=list(k.outputs))
            for k in evidence.kernels
        ],
        within=evidence.within,
        refused=evidence.refused,
        deviation=evidence.deviation,
    )
    return json.dumps(entry.model_dump(), indent=1, ensure_ascii=False) + "\n"


def is_evidence(data: object) -> bool:
    """Whether parsed JSON says that it is such a record."""
    return isinstance(data, dict) and data.get("hetsim") == FORMAT


def parse_evidence(text: str, path: Path, runtime: str) -> Evidence:
    """Reads a record.

    Raises:
        ResultsError: it is none, is damaged, or is of another runtime.
    """
    where = Location(str(path))
    data = parse_json(text, str(path))
    if not is_evidence(data):
        raise ResultsError(
            "this is no record of placements",
            where=where,
            hint="write one with: hetsim plan run DIRECTORY -o FILE.json",
        )
    entry = checked(data, PlacementFile, str(path))
    if entry.runtime != runtime:
        raise ResultsError(f"it is of {entry.runtime}, not of {runtime}", where=where)
    return Evidence(
        runtime,
        entry.version,
        tuple(entry.places),
        entry.assigned,
        tuple(Kernel(k.name, k.kind, k.place, tuple(k.outputs)) for k in entry.kernels),
        entry.within,
        entry.refused,
        entry.deviation,
    )
