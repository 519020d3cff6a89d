"""``manifest.json``: where a results directory came from.

What is not part of the result stands here: versions, platform, hashes of the inputs, the command,
wall-clock planning times, and the list of files that belong to the directory.
"""

from __future__ import annotations

import hashlib
import platform
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from pydantic import ConfigDict, Field

from hetsim.errors import ResultsError
from hetsim.infiles import read_bytes
from hetsim.records import ARCHIVE_LIMIT, Record, damaged, read_record
from hetsim.version import version

SCHEMA = "hetsim.manifest/1"
NAME = "manifest.json"


class PlanningEntry(Record):
    """How long a scheduler thought about a network, wall-clock milliseconds."""

    model: str
    scheduler: str
    ms: float


class Manifest(Record):
    """What is read of a manifest; ``study`` is there when a study wrote the directory."""

    model_config = ConfigDict(extra="allow")

    schema_: str = Field(alias="schema")
    files: list[str] = Field(default_factory=list)
    study: dict[str, str] | None = None
    command: str = ""
    created: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
    platform: dict[str, str] = Field(default_factory=dict)
    planning_ms: list[PlanningEntry] = Field(default_factory=list)
    sha256: dict[str, str] = Field(default_factory=dict)


def manifest_in(directory: Path) -> Manifest:
    """The manifest of a results directory.

    Raises:
        ResultsError: there is none, or it is damaged or of another version.
    """
    return read_record(directory / NAME, Manifest, schema=SCHEMA)


def check_content(directory: Path, name: str) -> None:
    """Raises :class:`ResultsError` when ``name`` is not what the manifest beside it says it is.

    Nothing is said about a file that no manifest speaks of.
    """
    if not (directory / NAME).exists():
        return
    expected = manifest_in(directory).sha256.get(name)
    raw = read_bytes(directory / name, limit=ARCHIVE_LIMIT, error=ResultsError)
    if expected is not None and hashlib.sha256(raw).hexdigest() != expected:
        raise damaged(str(directory / name), f"its content is not what {NAME} says was written")


def intact(directory: Path, names: Iterable[str]) -> dict[str, bytes]:
    """The contents of those files of ``names`` that are what the manifest says was written."""
    expected = manifest_in(directory).sha256
    found: dict[str, bytes] = {}
    for name in names:
        path = directory / name
        if path.is_file():
            raw = read_bytes(path, limit=ARCHIVE_LIMIT, error=ResultsError)
            if hashlib.sha256(raw).hexdigest() == expected.get(name):
                found[name] = raw
    return found


_LIBRARIES = (
    "highspy",
    "jinja2",
    "matplotlib",
    "networkx",
    "numpy",
    "onnx",
    "ortools",
    "pydantic",
    "scipy",
    "simpy",
)


def versions() -> dict[str, str]:
    """Versions of hetsim, Python and the installed libraries that can change a result."""
    found = {"hetsim": version(), "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # an optional extra
            continue
    return found


def provenance(command: Sequence[str] | str) -> dict[str, object]:
    """What every manifest tells of who wrote the directory: with what, when and where."""
    return {
        "command": command if isinstance(command, str) else shlex.join(command),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "platform": {
            "system": platform.platform(),
            "machine": platform.machine(),
            "implementation": sys.implementation.name,
        },
    }


def manifest_of(
    about: Mapping[str, object],
    inputs: Mapping[str, str],
    planning_s: Iterable[tuple[str, str, float]],
    files: Mapping[str, bytes],
    command: Sequence[str] | str,
    origin: Manifest | None = None,
) -> dict[str, object]:
    """The manifest as plain JSON values; ``files`` are the contents beside it, by name.

    ``about`` is what it says of the result first, ``inputs`` are hashes of what was read, and
    ``planning_s`` rows of network, scheduler and seconds.
    ``origin`` is the manifest of the directory that the result was read from: what simulated it,
    when and where is kept then, and what made the reports anew is told beside it.
    """
    manifest: dict[str, object] = {
        "schema": SCHEMA,
        **about,
        **provenance(command),
        "inputs": dict(inputs),
        "planning_ms": [
            {"model": model, "scheduler": scheduler, "ms": round(seconds * 1e3, 3)}
            for model, scheduler, seconds in planning_s
        ],
        "files": sorted(files),
        "sha256": {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)},
    }
    if origin is not None:
        again = {key: manifest[key] for key in ("command", "created", "versions")}
        kept = ("command", "created", "versions", "platform")
        manifest |= origin.model_dump(include=set(kept), exclude_unset=True)
        manifest["rebuilt"] = again
    return manifest
